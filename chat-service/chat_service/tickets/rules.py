"""The life of a ticket: states, due times, breaches, numbers. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum


class TicketStatus(StrEnum):
    """Open, somebody works on it, answered for good, put away."""

    OPEN = "open"
    IN_PROGRESS = "in_progress"
    RESOLVED = "resolved"
    CLOSED = "closed"


class Priority(StrEnum):
    """How soon somebody must look."""

    LOW = "low"
    NORMAL = "normal"
    HIGH = "high"
    URGENT = "urgent"


class TicketCategory(StrEnum):
    """What it is about."""

    BOOKING = "booking"
    PAYMENT = "payment"
    REFUND = "refund"
    BAGGAGE = "baggage"
    CHECK_IN = "check_in"
    ACCOUNT = "account"
    COMPLAINT = "complaint"
    OTHER = "other"


LEGAL: Mapping[TicketStatus, frozenset[TicketStatus]] = {
    TicketStatus.OPEN: frozenset({TicketStatus.IN_PROGRESS}),
    TicketStatus.IN_PROGRESS: frozenset({TicketStatus.RESOLVED}),
    TicketStatus.RESOLVED: frozenset({TicketStatus.CLOSED, TicketStatus.OPEN}),
    TicketStatus.CLOSED: frozenset({TicketStatus.OPEN}),
}
"""Going back to `open` is reopening."""

_HOUR = timedelta(hours=1)
DUE: Mapping[Priority, tuple[timedelta, timedelta]] = {
    Priority.URGENT: (_HOUR, 8 * _HOUR),
    Priority.HIGH: (4 * _HOUR, 24 * _HOUR),
    Priority.NORMAL: (12 * _HOUR, 72 * _HOUR),
    Priority.LOW: (24 * _HOUR, 120 * _HOUR),
}
"""First answer and resolution, counted from the opening (or reopening)."""


@dataclass(frozen=True, slots=True)
class Due:
    """When a ticket must have been answered first, and resolved."""

    response_at: datetime
    resolution_at: datetime


def due_times(priority: Priority, since: datetime) -> Due:
    """Counted around the clock."""
    response, resolution = DUE[priority]
    return Due(since + response, since + resolution)


def is_legal(before: TicketStatus, after: TicketStatus) -> bool:
    """Whether a person may move a ticket so."""
    return after in LEGAL[before]


def may_reopen(status: TicketStatus, closed_at: datetime | None, now: datetime, days: int) -> bool:
    """A resolved one always, a closed one for some days."""
    if status is TicketStatus.RESOLVED:
        return True
    return status is TicketStatus.CLOSED and closed_at is not None and now <= closed_at + timedelta(days=days)


def status_after_reply(status: TicketStatus, *, by_staff: bool) -> TicketStatus:
    """An answer of the desk takes an open ticket up; a word of the customer reopens one that was answered."""
    if by_staff:
        return TicketStatus.IN_PROGRESS if status is TicketStatus.OPEN else status
    return TicketStatus.OPEN if status in (TicketStatus.RESOLVED, TicketStatus.CLOSED) else status


def shown_number(number: int) -> str:
    """`T-100001`, as people write it."""
    return f"T-{number}"
