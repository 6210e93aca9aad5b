"""When time itself is news. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final
from uuid import UUID

from notification_service.telling.facts import Fact
from notification_service.wording.formats import at_airport

CHECK_IN_OPENS: Final = timedelta(hours=48)
CHECK_IN_CLOSES: Final = timedelta(minutes=60)


@dataclass(frozen=True, slots=True)
class Window:
    """A reminder about flights that leave after `now + nearest` and not after `now + farthest`.

    `only_open`: not for those who are all checked in. `after` names an earlier reminder that must be `apart` old, so
    that a late booking is not reminded twice at once.
    """

    kind: str
    nearest: timedelta
    farthest: timedelta
    only_open: bool = False
    after: str | None = None
    apart: timedelta = timedelta(0)

    def bounds(self, now: datetime) -> tuple[datetime, datetime]:
        """(excluded, included) departures."""
        return now + self.nearest, now + self.farthest


WINDOWS: Final = (
    Window("reminder_departure", timedelta(0), timedelta(minutes=30)),
    Window("reminder_check_in_open", CHECK_IN_CLOSES, CHECK_IN_OPENS, only_open=True),
    Window(
        "reminder_check_in_day",
        timedelta(hours=12),
        timedelta(hours=24),
        only_open=True,
        after="reminder_check_in_open",
        apart=timedelta(hours=12),
    ),
)
PAYMENT_AHEAD: Final = timedelta(minutes=5)
"""How long before the end of a hold its traveller is reminded to pay."""


def flight_reminder(
    kind: str, booking: Mapping[str, Any], flight_id: UUID, departs_at: datetime, gate: str | None, terminal: str | None
) -> Fact | None:
    """The reminder about one flight of a booking; None when the booking no longer has it."""
    segment = next((one for one in booking["segments"] if one["flight_id"] == str(flight_id)), None)
    if segment is None:
        return None
    values = {
        **segment,
        "reference": booking["reference"],
        "departure_at": at_airport(departs_at, segment["origin"]).isoformat(),
        "gate": gate or segment.get("gate"),
        "terminal": terminal or segment.get("terminal"),
    }
    booking_id = UUID(booking["booking_id"])
    return Fact(f"{kind}:{booking_id}:{flight_id}", kind, values, booking_id=booking_id)


def payment_reminder(booking: Mapping[str, Any]) -> Fact:
    """The reminder to pay before the hold ends."""
    booking_id = UUID(booking["booking_id"])
    return Fact(f"reminder_payment:{booking_id}", "reminder_payment", booking, booking_id=booking_id)
