"""What every payment provider can do for us, in our own words.

A provider call ends in one of three ways: an outcome, ProviderRefused (nothing was taken or refunded, and repeating
will not help), or ProviderSilent (whether it acted is unknown; ask again by idempotency key).
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final, Literal, Protocol
from uuid import UUID

from rihla.kernel import DomainError

TakeStatus = Literal["succeeded", "failed", "requires_action", "processing"]
RefundStatus = Literal["succeeded", "failed", "processing"]
SavedWord = Literal["succeeded", "failed", "detached"]

PERSONAL: Final = ("card_brand", "card_last4", "action_url")
"""What a taking's outcome says of a person: their card, and the page they confirm on."""


class ProviderSilent(Exception):
    """No usable answer within the deadline. Whether the provider acted is unknown."""


class ProviderRefused(Exception):
    """The provider refused the request itself; it did not act and will not."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(code)
        self.code, self.message = code, message


class ProviderNotAvailable(DomainError):
    """The provider asked for is not configured here, or may not be used by this caller."""


class InvalidSignature(DomainError):
    """A webhook that cannot be verified."""


@dataclass(frozen=True, slots=True)
class Card:
    """A raw card on its way to the sandbox. Lives in memory only; the representation hides it."""

    number: str = field(repr=False)
    exp_month: int = field(repr=False)
    exp_year: int = field(repr=False)
    cvc: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class TakeOrder:
    """Take `amount_minor` of `currency`. `key` is the idempotency key and our reference."""

    key: UUID
    payment_id: UUID
    amount_minor: int
    currency: str
    description: str
    card: Card | None = None
    token: str | None = field(default=None, repr=False)
    customer: str | None = field(default=None, repr=False)
    """Whose saved card the token is, in the provider's words; the person is not there to confirm then."""
    return_url: str | None = None


@dataclass(frozen=True, slots=True)
class TakeOutcome:
    """Where a taking stands. Amount and currency are the provider's own; compare them before believing a success."""

    status: TakeStatus
    reference: str | None
    amount_minor: int
    currency: str
    failure_code: str | None = None
    failure_message: str | None = None
    action_url: str | None = None
    card_brand: str | None = None
    card_last4: str | None = None


@dataclass(frozen=True, slots=True)
class RefundOrder:
    """Give back `amount_minor` of what was taken under `taken_key` / `taken_reference`.

    For providers without idempotency keys: `attempt` counts how often this was sent, `settled_minor` is what other
    refunds of the same taking have given back, and `waits` says that an earlier one has not ended yet.
    """

    key: UUID
    taken_key: UUID
    taken_reference: str
    amount_minor: int
    currency: str
    attempt: int = 1
    settled_minor: int = 0
    waits: bool = False


@dataclass(frozen=True, slots=True)
class RefundOutcome:
    status: RefundStatus
    reference: str | None
    failure_code: str | None = None


@dataclass(frozen=True, slots=True)
class ProviderEvent:
    """A verified webhook. `about` says what the facts describe; `other` is stored and answered 200."""

    event_id: str
    type: str
    about: Literal["taking", "refund", "method", "other"]
    key: UUID | None = None
    reference: str | None = None
    taking: TakeOutcome | None = None
    refund: RefundOutcome | None = None
    saved: SavedWord | None = None
    """What became of the saved method `key`."""

    def facts(self, *, again: bool = True) -> dict[str, Any]:
        """What is stored of it: only fields we understand, never the raw body.

        `again`: it will be applied from what is stored. One that has been needs nothing that leads to a person.
        """
        facts: dict[str, Any] = {"about": self.about}
        if self.key:
            facts["key"] = str(self.key)
        if self.reference:
            facts["reference"] = self.reference
        if self.saved:
            facts["saved"] = self.saved
        outcome = self.taking or self.refund
        if outcome is not None:
            fields = outcome.__dataclass_fields__
            kept = {name: getattr(outcome, name) for name in fields if again or name not in PERSONAL}
            facts["outcome"] = kept
        return facts

    @classmethod
    def from_facts(cls, event_id: str, kind: str, facts: Mapping[str, Any]) -> "ProviderEvent":
        """The event again from what was stored, for a later try."""
        about = facts["about"]
        outcome = facts.get("outcome")
        return cls(
            event_id,
            kind,
            about,
            key=UUID(facts["key"]) if facts.get("key") else None,
            reference=facts.get("reference"),
            taking=TakeOutcome(**outcome) if about == "taking" and outcome else None,
            refund=RefundOutcome(**outcome) if about == "refund" and outcome else None,
            saved=facts.get("saved"),
        )


@dataclass(frozen=True, slots=True)
class RawWebhook:
    """What arrived: the body as bytes, before anything parsed it."""

    body: bytes
    headers: Mapping[str, str]
    query: Mapping[str, str]


class Provider(Protocol):
    """One payment company."""

    name: str

    async def take(self, order: TakeOrder) -> TakeOutcome:
        """Take money once for `order.key`. Raises ProviderRefused, ProviderSilent."""
        ...

    async def look_up(self, key: UUID, reference: str | None) -> TakeOutcome | None:
        """What became of a key; None when the provider has never heard of it. Raises ProviderSilent."""
        ...

    async def cancel(self, key: UUID, reference: str | None) -> TakeOutcome | None:
        """Make sure the key takes no money from now on, and say where it stands; as `look_up` otherwise."""
        ...

    async def refund(self, order: RefundOrder) -> RefundOutcome:
        """Give money back once for `order.key`. Raises ProviderRefused, ProviderSilent."""
        ...

    async def look_up_refund(self, order: RefundOrder, reference: str | None) -> RefundOutcome | None:
        """What became of a refund; None when unknown there."""
        ...

    def read_webhook(self, raw: RawWebhook, now: datetime) -> Sequence[ProviderEvent]:
        """What it tells of, mostly one event. Verify first, parse afterwards. Raises InvalidSignature."""
        ...

    async def close(self) -> None:
        """Close connections."""
        ...
