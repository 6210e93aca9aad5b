"""When the airline's change is a disruption, and until when the traveller may answer: pure rules (issue 4, point 8)."""

from dataclasses import dataclass
from datetime import datetime, timedelta


@dataclass(frozen=True, slots=True)
class Limits:
    """A move or a delay of more than these disrupts; an answer is due so long before departure, or after the notice."""

    retimed: timedelta
    delayed: timedelta
    before_departure: timedelta
    after_notice: timedelta


def is_disruption(kind: str, *, moved: timedelta, delay: timedelta, limits: Limits) -> bool:
    """Whether a change of this kind (`cancelled`, `retimed`, `delayed`) is one the traveller must be asked about."""
    if kind == "cancelled":
        return True
    return abs(moved) > limits.retimed if kind == "retimed" else delay > limits.delayed


def answer_by(departure: datetime, noticed_at: datetime, limits: Limits) -> datetime:
    """No answer by then means a full refund; never before the notice itself."""
    due = min(departure - limits.before_departure, noticed_at + limits.after_notice)
    return max(due, noticed_at)
