"""Who may do what in a conversation, and how its state moves. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from uuid import UUID

LONGEST_TEXT = 4000
LONGEST_CLIENT_ID = 64


class Side(StrEnum):
    """The two sides of a conversation; everybody at the desk is one side."""

    TRAVELLER = "traveller"
    STAFF = "staff"

    @property
    def other(self) -> "Side":
        """The side across."""
        return Side.STAFF if self is Side.TRAVELLER else Side.TRAVELLER


class MessageType(StrEnum):
    """What a message is; a notice is written by the system."""

    TEXT = "text"
    IMAGE = "image"
    VOICE = "voice"
    NOTICE = "notice"


class Status(StrEnum):
    """`idle`: nobody waits for an answer; `waiting`: the traveller does; `assigned`: somebody at the desk has it."""

    IDLE = "idle"
    WAITING = "waiting"
    ASSIGNED = "assigned"


@dataclass(frozen=True, slots=True)
class Draft:
    """What somebody wants to say, before it has a place in the conversation."""

    client_id: str
    type: MessageType
    text: str | None
    attachment_id: UUID | None


def side_of(user_id: UUID, traveller_id: UUID, *, is_staff: bool) -> Side | None:
    """On which side a person stands; None for somebody who may not know that the conversation exists."""
    if user_id == traveller_id:
        return Side.TRAVELLER
    return Side.STAFF if is_staff else None


def flaw_of(draft: Draft) -> str | None:
    """What is wrong with a draft, as a sentence, or None."""
    if not 0 < len(draft.client_id) <= LONGEST_CLIENT_ID:
        return f"client_id needs 1 to {LONGEST_CLIENT_ID} characters of your own choice."
    if draft.type is MessageType.NOTICE:
        return "Notices are written by Rihla only."
    if draft.text is not None and len(draft.text) > LONGEST_TEXT:
        return f"A text has at most {LONGEST_TEXT} characters."
    if draft.text is not None and "\x00" in draft.text:
        return "A text cannot hold the character NUL."
    if draft.type is MessageType.TEXT:
        if draft.attachment_id is not None:
            return "A text carries no attachment; send it as an image or a voice note."
        return None if draft.text and draft.text.strip() else "A text needs words."
    return None if draft.attachment_id is not None else "Name the attachment that was uploaded."


def may_write(side: Side, user_id: UUID, assignee_id: UUID | None) -> bool:
    """The traveller always may; at the desk whoever has the conversation, or anybody when nobody has."""
    return side is Side.TRAVELLER or assignee_id in (None, user_id)


def status_after_message(side: Side, status: Status) -> Status:
    """A traveller's message makes an idle conversation wait; a reply means that its writer has it."""
    if side is Side.STAFF:
        return Status.ASSIGNED
    return Status.WAITING if status is Status.IDLE else status


def missing_between(known: int, found: Sequence[int]) -> bool:
    """Whether `found` (ascending sequence numbers after `known`) has a hole."""
    return list(found) != list(range(known + 1, known + 1 + len(found)))
