"""How much one caller may keep unpaid, and what letting it lapse costs. Pure rules.

Hoarding seats and cancelling to move prices is a named attack (OWASP API Security Top 10 2023, API6).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from rihla.kernel import DomainError


class TooManyUnpaidBookings(DomainError):
    """The caller keeps too many unpaid bookings, or let too many lapse (`retry_after`: seconds to wait)."""


@dataclass(frozen=True, slots=True)
class HoldBudget:
    """At most `at_once` unpaid bookings. As many may lapse within `window`; each further one doubles the wait, which
    begins at `first_wait` and never exceeds `window`.
    """

    at_once: int
    window: timedelta
    first_wait: timedelta


def check_budget(budget: HoldBudget, unpaid: int, lapsed: Sequence[datetime], now: datetime) -> None:
    """`lapsed` are the instants at which unpaid bookings ended within the window. Raises TooManyUnpaidBookings."""
    if unpaid >= budget.at_once:
        raise TooManyUnpaidBookings(
            f"You keep {unpaid} unpaid bookings. Pay or abandon one first.", limit=budget.at_once, unpaid=unpaid
        )
    until = waits_until(budget, lapsed)
    if until is not None and until > now:
        seconds = max(1, round((until - now).total_seconds()))
        raise TooManyUnpaidBookings(
            "Too many of your bookings ended unpaid. Please wait before you place another.",
            limit=budget.at_once,
            unpaid=unpaid,
            retry_after=seconds,
        )


def waits_until(budget: HoldBudget, lapsed: Sequence[datetime]) -> datetime | None:
    """The end of the waiting time that so many lapsed bookings cost; None when they cost nothing."""
    beyond = len(lapsed) - budget.at_once
    if beyond <= 0:
        return None
    wait = budget.first_wait * (1 << min(beyond - 1, 16))
    return max(lapsed) + min(wait, budget.window)
