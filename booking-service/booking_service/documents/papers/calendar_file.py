"""The flights of a booking as an iCalendar file (RFC 5545); calendars update an older one by UID and SEQUENCE."""

from datetime import UTC, datetime, timedelta

from icalendar import Alarm, Calendar, Event

from booking_service.bookings.view import BookingView, SegmentView
from booking_service.documents.papers import wording


def calendar_file(booking: BookingView, *, link: str, now: datetime, airport_name: wording.AirportName) -> bytes:
    """One event for each flight that is still to be flown; instants in UTC, local times in the text."""
    calendar = Calendar()
    calendar.add("prodid", "-//Rihla//Bookings//EN")
    calendar.add("version", "2.0")
    calendar.add("method", "PUBLISH")
    for segment in booking.segments:
        if any(one.live and one.flight_id == segment.flight_id for one in booking.coupons):
            calendar.add_component(_event(booking, segment, link, now, airport_name))
    return bytes(calendar.to_ical())


def _event(
    booking: BookingView, segment: SegmentView, link: str, now: datetime, airport_name: wording.AirportName
) -> Event:
    event = Event()
    event.add("uid", f"{booking.id}-{segment.flight_id}@rihla")
    event.add("sequence", booking.sequence)
    event.add("dtstamp", now)
    event.add("dtstart", segment.departure_at.astimezone(UTC))
    event.add("dtend", segment.arrival_at.astimezone(UTC))
    event.add("summary", f"{segment.flight_number} {segment.origin} - {segment.destination}")
    event.add("location", airport_name(segment.origin))
    event.add("url", link)
    event.add("status", "CANCELLED" if segment.status == "cancelled" else "CONFIRMED")
    event.add("description", _description(booking, segment, airport_name))
    event.add_component(_alarm(segment))
    return event


def _description(booking: BookingView, segment: SegmentView, airport_name: wording.AirportName) -> str:
    out, back = segment.departure_at, segment.arrival_at
    return "\n".join(
        (
            f"Booking {booking.reference}",
            f"Departs {_local(out)}, {airport_name(segment.origin)}",
            f"Arrives {_local(back)}, {airport_name(segment.destination)}",
            f"Terminal {segment.terminal or 'to be announced'}, gate {segment.gate or 'to be announced'}",
            f"Report by {wording.report_time(out, segment.cabin)}, gate closes {wording.gate_closing_time(out)}",
        )
    )


def _local(at: datetime) -> str:
    return f"{wording.date_words(at)} {wording.time_words(at)} local time"


def _alarm(segment: SegmentView) -> Alarm:
    alarm = Alarm()
    alarm.add("action", "DISPLAY")
    alarm.add("description", f"{segment.flight_number} departs in three hours")
    alarm.add("trigger", timedelta(hours=-3))
    return alarm
