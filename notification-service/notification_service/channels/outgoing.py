"""A message ready to leave, and how leaving can fail. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Protocol

from notification_service.wording.message import Attachment


@dataclass(frozen=True, slots=True)
class Outgoing:
    """`message_id` is stable for a fact and recipient, so that a mail sent twice by accident is seen as one."""

    message_id: str
    address: str = field(repr=False)
    subject: str = field(repr=False)
    short: str = field(repr=False)
    text: str = field(repr=False)
    html: str | None = field(default=None, repr=False)
    attachments: tuple[Attachment, ...] = ()
    headers: Mapping[str, str] = field(default_factory=dict)
    urgent: bool = False


class TryLater(Exception):
    """The provider did not take it this time; `after` is how long it asks to be left alone."""

    def __init__(self, reason: str, *, after: timedelta | None = None) -> None:
        super().__init__(reason)
        self.after = after


class Refused(Exception):
    """The provider will never take it: unknown address, malformed message."""


class AddressGone(Refused):
    """The address is no longer anybody's, a token that was given up: it is forgotten."""


class Sender(Protocol):
    """One channel's way out."""

    async def send(self, message: Outgoing) -> str:
        """Hand the message over; the provider's own id for it. Raises TryLater or Refused."""
        ...
