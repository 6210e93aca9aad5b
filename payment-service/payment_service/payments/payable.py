"""What is paid, as whoever is owed it states it."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

from rihla.kernel import Money

# Longer than any provider call with its deadline: until then nobody else touches the attempt.
LEASE: Final = timedelta(seconds=60)


@dataclass(frozen=True, slots=True)
class Payable:
    """What is paid, with the amount of whoever is owed it."""

    purpose: str
    user_id: UUID
    amount: Money
    booking_id: UUID | None = None
    charge_id: UUID | None = None
    subscription_period_id: UUID | None = None
    booking_reference: str | None = None
    payable_until: datetime | None = None
