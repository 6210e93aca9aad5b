"""Payments that wait together ask booking-service what is due in one request (`rihla.http.batches`)."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

import msgspec

from rihla.http import ServiceClient, UpstreamUnavailable
from rihla.http.batches import Batches

_LARGEST_BATCH = 64


@dataclass(frozen=True, slots=True)
class ChargeDue:
    """Amount and currency of a charge, as booking-service states them."""

    booking_id: UUID
    charge_id: UUID
    user_id: UUID
    reference: str
    amount_minor: int
    currency: str
    payable_until: datetime | None


@dataclass(frozen=True, slots=True)
class Question:
    """Whose booking, and which of its charges; None: the oldest that is due."""

    booking_id: UUID
    user_id: UUID
    charge_id: UUID | None


_found = msgspec.json.Decoder(dict[str, list[ChargeDue | None]])


def due_batches(
    client: ServiceClient, alone: Callable[[Question], Awaitable[ChargeDue]]
) -> Batches[Question, ChargeDue]:
    """`alone` is the request for one charge, which answers for whatever a batch does not: it knows why."""
    return Batches(
        client,
        "charges_due",
        path="/internal/v1/charges/due",
        body=lambda questions: {"charges": questions},
        read=lambda answer: _found.decode(answer)["charges"],
        alone=alone,
        full=_full,
        largest=_LARGEST_BATCH,
    )


def _full() -> UpstreamUnavailable:
    return UpstreamUnavailable("Too many people are paying at this moment; try again in a second.", upstream="booking")
