"""From the bytes of a mail to what a person reads."""

from __future__ import annotations

from dataclasses import dataclass
from email import policy
from email.header import decode_header, make_header
from email.message import Message
from email.parser import BytesParser


@dataclass(frozen=True)
class Attachment:
    """One attached (or inline) file. `content_id` is what `cid:` links in the HTML name."""

    name: str
    type: str
    content_id: str
    data: bytes


@dataclass(frozen=True)
class Mail:
    """What was said, decoded."""

    sender: str
    subject: str
    text: str
    html: str
    attachments: tuple[Attachment, ...]


def parse(raw: bytes, envelope_sender: str) -> Mail:
    """Decode a mail. Never fails: a part that cannot be decoded is shown as well as it can be.

    The old policy and our own eye for bodies: the new one reads every header by its grammar, whether anybody looks at
    it or not, which was two thirds of what receiving a mail cost.
    """
    message = BytesParser(policy=policy.compat32).parsebytes(raw)
    leaves = [part for part in message.walk() if not part.is_multipart()]
    text_part, html_part = (_body(leaves, kind) for kind in ("text/plain", "text/html"))
    attachments = [
        _attachment(part, number)
        for number, part in enumerate(message.walk(), start=1)
        if not part.is_multipart() and part is not text_part and part is not html_part
    ]
    return Mail(
        sender=_header(message, "From") or envelope_sender,
        subject=_header(message, "Subject"),
        text=_text(text_part),
        html=_text(html_part),
        attachments=tuple(attachments),
    )


def _body(leaves: list[Message], kind: str) -> Message | None:
    """The first part of this type that is not a file."""
    for part in leaves:
        if part.get_content_type() == kind and part.get_content_disposition() != "attachment":
            return part
    return None


def _header(message: Message, name: str) -> str:
    """A header as people read it: unfolded, encoded words (RFC 2047) and plain UTF-8 (RFC 6532) decoded."""
    found = next((value for key, value in message.raw_items() if key.lower() == name.lower()), "")
    plain = str(found).encode("utf-8", "surrogateescape").decode("utf-8", "replace")
    unfolded = "".join(plain.splitlines()).strip()
    try:
        return str(make_header(decode_header(unfolded)))
    except Exception:  # a malformed header raises many things, and a mail must not be lost for it
        return unfolded


def _text(part: Message | None) -> str:
    if part is None:
        return ""
    data = _payload(part)
    try:
        return data.decode(part.get_content_charset("utf-8"), "replace")
    except LookupError:
        return data.decode("utf-8", "replace")


def _attachment(part: Message, number: int) -> Attachment:
    try:
        name = part.get_filename() or f"part-{number}"
    except (LookupError, ValueError, AttributeError):
        name = f"part-{number}"
    content_id = _header(part, "Content-ID").strip("<>")
    return Attachment(name, part.get_content_type(), content_id, _payload(part))


def _payload(part: Message) -> bytes:
    payload = part.get_payload(decode=True)
    return payload if isinstance(payload, bytes) else b""
