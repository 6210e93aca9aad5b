"""The frames of the socket: JSON texts with a `type`. What a client sends is bounded and has no unknown fields. Pure.

Client to server: `send`, `receipt`, `typing`, `ping`. Server to client: `hello`, `message`, `ack`, `refused`,
`receipt`, `typing`, `presence`, `conversation`, `position`, `heartbeat`, `pong`.
"""

from typing import Annotated, Any
from uuid import UUID

import msgspec

from chat_service.conversations.rules import LONGEST_CLIENT_ID, LONGEST_TEXT, Draft, MessageType

# RFC 6455 close codes, and ours.
GOING_AWAY, TOO_BIG, POLICY = 1001, 1009, 1008
SUSPENDED, TOO_MANY_SOCKETS, FLOOD, SLOW, IDLE = 4403, 4429, 4430, 4410, 4408

Seq = Annotated[int, msgspec.Meta(ge=0, le=2**62)]


class Send(msgspec.Struct, tag="send", forbid_unknown_fields=True, frozen=True):
    """A message. The sender is whoever opened the socket: a frame that names one is refused."""

    client_id: Annotated[str, msgspec.Meta(min_length=1, max_length=LONGEST_CLIENT_ID)]
    kind: MessageType = MessageType.TEXT
    text: Annotated[str, msgspec.Meta(max_length=LONGEST_TEXT)] | None = None
    attachment_id: UUID | None = None
    conversation_id: UUID | None = None

    def draft(self) -> Draft:
        """The same as a plain value."""
        return Draft(self.client_id, self.kind, self.text, self.attachment_id)


class Receipt(msgspec.Struct, tag="receipt", forbid_unknown_fields=True, frozen=True):
    """Everything up to these numbers arrived and was seen."""

    delivered_seq: Seq = 0
    seen_seq: Seq = 0
    conversation_id: UUID | None = None


class Typing(msgspec.Struct, tag="typing", forbid_unknown_fields=True, frozen=True):
    """Somebody began or stopped to write."""

    active: bool = True
    conversation_id: UUID | None = None


class Ping(msgspec.Struct, tag="ping", forbid_unknown_fields=True, frozen=True):
    """I am still here."""


Frame = Send | Receipt | Typing | Ping
_decoder = msgspec.json.Decoder(Frame)
_encoder = msgspec.json.Encoder()


class BadFrame(ValueError):
    """Not a frame of this protocol; the text says what is wrong without repeating what came."""


def read_frame(text: str) -> Frame:
    """The frame, or BadFrame."""
    try:
        frame: Frame = _decoder.decode(text)
    except msgspec.ValidationError as error:
        raise BadFrame(str(error)) from error
    except (msgspec.DecodeError, UnicodeEncodeError, RecursionError) as error:
        raise BadFrame("Frames are JSON objects with a type.") from error
    return frame


def write_frame(kind: str, **values: Any) -> str:
    """A frame for the client."""
    return _encoder.encode({"type": kind, **values}).decode()


def message_frame(message_json: str) -> str:
    """A message frame around a message that is JSON already: encoded once for every socket that gets it."""
    return f'{{"type":"message","message":{message_json}}}'


def refused_frame(code: str, detail: str, client_id: str | None = None, retry_after: float | None = None) -> str:
    """Why a frame had no effect."""
    return write_frame("refused", code=code, detail=detail, client_id=client_id, retry_after=retry_after)
