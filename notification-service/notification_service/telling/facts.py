"""A fact worth telling and whom it concerns. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID, uuid5

_NAMESPACE = UUID("6d1d7f0e-5a0b-4a53-9c2e-52c4d6a1f3b7")


@dataclass(frozen=True, slots=True)
class Recipient:
    """A user; `email` and `phone` given with a booking go before those of the account."""

    user_id: UUID
    email: str | None = field(default=None, repr=False)
    phone: str | None = field(default=None, repr=False)
    locale: str | None = None


@dataclass(frozen=True, slots=True)
class Fact:
    """`name` is the same however often the fact is heard of; `values` are JSON and what sentences are made of.

    `sequence` is the booking's counter at the fact: documents that answer it come later.
    """

    name: str
    kind: str
    values: Mapping[str, Any] = field(repr=False)
    booking_id: UUID | None = None
    sequence: int = 0


def message_id(fact: str, user_id: UUID, channel: str, address: str, *, domain: str, resend: int = 0) -> str:
    """The Message-ID of a fact for a recipient: always the same, unless a person asked for it to be sent again."""
    name = f"{fact}|{user_id}|{channel}|{address}" + (f"|{resend}" if resend else "")
    return f"<{uuid5(_NAMESPACE, name)}@{domain}>"
