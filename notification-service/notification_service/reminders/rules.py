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


PAPERS_AHEAD: Final = timedelta(days=30)
"""How long before a trip a passport or visa that ends too soon is pointed out: time enough to renew it."""
_PASSPORT_MARGIN: Final = timedelta(days=183)
"""What many countries ask for after arrival (IATA Timatic names each country's own rule)."""
UNFINISHED_AFTER: Final = timedelta(hours=2)
UNFINISHED_UNTIL: Final = timedelta(hours=24)
"""How long after a hold ended unpaid its traveller is asked once whether they still want to go."""


def passport_reminders(booking: Mapping[str, Any]) -> list[Fact]:
    """One for each passenger whose passport ends less than six months after the last arrival; none on what we do not
    know."""
    return [
        _document_reminder("reminder_passport", booking, person, ends, passport_expires_on=ends)
        for person in booking.get("passengers", ())
        if (ends := person.get("passport_expires_on")) and _ends_before(ends, booking, _PASSPORT_MARGIN)
    ]


def visa_reminders(booking: Mapping[str, Any]) -> list[Fact]:
    """One for each visa that ends before the last arrival of its holder's journey."""
    return [
        _document_reminder("reminder_visa", booking, person, f"{country}:{ends}", visa_expires_on=ends, country=country)
        for person in booking.get("passengers", ())
        for country, ends in ((visa["country"], visa["expires_on"]) for visa in person.get("visas", ()))
        if _ends_before(ends, booking, timedelta(0))
    ]


def _ends_before(ends: str, booking: Mapping[str, Any], margin: timedelta) -> bool:
    segments = booking.get("segments") or ()
    if not segments:
        return False
    return date.fromisoformat(ends) < max(datetime.fromisoformat(one["arrival_at"]) for one in segments).date() + margin


def _document_reminder(
    kind: str, booking: Mapping[str, Any], person: Mapping[str, Any], what: str, **more: str
) -> Fact:
    booking_id = UUID(booking["booking_id"])
    name = f"{person['given_name']} {person['surname']}"
    values = {**booking, **more, "full_name": name, **_route(booking)}
    return Fact(f"{kind}:{person['passenger_id']}:{what}", kind, values, booking_id=booking_id)


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
