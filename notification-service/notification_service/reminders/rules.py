"""When time itself is news. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
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


PASSPORT_AHEAD: Final = timedelta(days=30)
"""How long before a trip a passport that ends too soon is pointed out: time enough to renew one."""
_PASSPORT_MARGIN: Final = timedelta(days=183)
"""What many countries ask for after arrival (IATA Timatic names each country's own rule)."""
UNFINISHED_AFTER: Final = timedelta(hours=2)
UNFINISHED_UNTIL: Final = timedelta(hours=24)
"""How long after a hold ended unpaid its traveller is asked once whether they still want to go."""


def passport_reminders(booking: Mapping[str, Any]) -> list[Fact]:
    """One for each passenger whose passport ends less than six months after the last arrival; none on what we do not
    know."""
    segments = booking.get("segments") or ()
    if not segments:
        return []
    home = max(datetime.fromisoformat(one["arrival_at"]) for one in segments).date()
    booking_id = UUID(booking["booking_id"])
    found = []
    for person in booking.get("passengers", ()):
        ends = person.get("passport_expires_on")
        if not ends or date.fromisoformat(ends) >= home + _PASSPORT_MARGIN:
            continue
        values = {
            **booking,
            "passport_expires_on": ends,
            "full_name": f"{person['given_name']} {person['surname']}",
            **_route(booking),
        }
        found.append(
            Fact(
                f"reminder_passport:{person['passenger_id']}:{ends}", "reminder_passport", values, booking_id=booking_id
            )
        )
    return found


def unfinished_reminder(booking: Mapping[str, Any]) -> Fact:
    """The question whether a booking that lapsed is still wanted."""
    booking_id = UUID(booking["booking_id"])
    values = {**booking, **_route(booking)}
    return Fact(f"reminder_unfinished:{booking_id}", "reminder_unfinished", values, booking_id=booking_id)


def _route(booking: Mapping[str, Any]) -> dict[str, str]:
    """Where the first slice begins and ends."""
    segments = booking["segments"]
    first = [one for one in segments if one["slice_index"] == segments[0]["slice_index"]]
    return {"origin": first[0]["origin"], "destination": first[-1]["destination"]}
