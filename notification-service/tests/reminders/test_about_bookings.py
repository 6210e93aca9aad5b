from datetime import timedelta
from typing import Any

from notification_service.reminders.remind import ReminderScheduler
from notification_service.reminders.rules import passport_reminders, visa_reminders
from rihla.contracts.events import BookingChangedV1, BookingExpiredV1

_PAPERS = "SELECT booking_id, kind FROM reminder_given WHERE kind IN ('reminder_passport', 'reminder_visa')"


def scheduler(stack: Any) -> ReminderScheduler:
    c = stack.container
    return ReminderScheduler(c.db, c.teller, clock=c.clock, every_seconds=1)


async def expire(stack: Any, trip: Any, clock: Any) -> None:
    await stack.hear(trip.created(clock.now()), subject=trip.booking_id, sequence=1)
    expired = BookingExpiredV1(**trip.common(), expired_at=clock.now())
    await stack.hear(expired, subject=trip.booking_id, sequence=2)


def corrected(trip: Any, clock: Any) -> BookingChangedV1:
    """A passenger's data were corrected."""
    return BookingChangedV1(**trip.common(), changed_at=clock.now(), kind="passenger")


async def looked_at(stack: Any) -> set[tuple[Any, str]]:
    """Bookings whose passports or visas the scheduler has looked at."""
    return {tuple(row) for row in await stack.rows(_PAPERS)}


async def kinds(stack: Any, kind: str) -> int:
    ((found,),) = await stack.rows("SELECT count(*) FROM notice WHERE kind = :kind", kind=kind)
    return int(found)


async def test_whoever_did_not_finish_a_booking_is_asked_once_two_hours_later(
    stack: Any, trip: Any, box: Any, clock: Any
) -> None:
    await expire(stack, trip, clock)
    clock.advance(timedelta(minutes=119))
    assert await scheduler(stack).remind() == 0
    clock.advance(timedelta(minutes=1))
    assert await scheduler(stack).remind() == 1
    assert await scheduler(stack).remind() == 0
    await stack.send()
    assert [mail["Subject"] for mail in box.mails if "Still" in mail["Subject"]] == ["Still going to Jeddah (JED)?"]


async def test_whoever_booked_again_or_was_away_for_a_day_is_not_asked(stack: Any, trip: Any, clock: Any) -> None:
    await expire(stack, trip, clock)
    again, other = type(trip)(), type(trip)()
    again.user_id = trip.user_id
    await stack.hear(again.created(clock.now() + timedelta(hours=9)), subject=again.booking_id, sequence=1)
    clock.advance(timedelta(hours=3))
    await scheduler(stack).remind()
    await expire(stack, other, clock)
    clock.advance(timedelta(hours=25))
    await scheduler(stack).remind()
    assert await kinds(stack, "reminder_unfinished") == 0


async def test_a_passport_that_ends_too_soon_is_pointed_out_once_a_month_before(
    stack: Any, trip: Any, box: Any, clock: Any
) -> None:
    trip.known_of = {"Amina": {"passport_expires_on": "2027-01-15"}, "আব্দুল": {"passport_expires_on": "2031-01-15"}}
    await stack.hear(trip.confirmed(), subject=trip.booking_id, sequence=2)
    await scheduler(stack).remind()
    await scheduler(stack).remind()
    await stack.send()
    (mail,) = [mail for mail in box.mails if "passport" in mail["Subject"]]
    words = mail.get_body(("plain",)).get_content()
    assert "Amina Rahman ends on 15 January 2027" in words
    assert await kinds(stack, "reminder_passport") == 1


async def test_a_visa_that_ends_before_the_journey_is_pointed_out_once(
    stack: Any, trip: Any, box: Any, clock: Any
) -> None:
    arrives = trip.segment().arrival_at.date()
    visas = [("SA", arrives - timedelta(days=1)), ("AE", arrives), ("US", arrives + timedelta(days=900))]
    trip.known_of = {"Amina": {"visas": [{"country": c, "expires_on": ends} for c, ends in visas]}}
    await stack.hear(trip.confirmed(), subject=trip.booking_id, sequence=2)
    await scheduler(stack).remind()
    await scheduler(stack).remind()
    await stack.send()
    (mail,) = [mail for mail in box.mails if "visa" in mail["Subject"]]
    assert (
        "The visa of Amina Rahman for Saudi Arabia ends on 2 December 2026" in mail.get_body(("plain",)).get_content()
    )
    assert await kinds(stack, "reminder_visa") == 1


async def test_only_trips_with_papers_that_end_too_soon_are_looked_at(stack: Any, trip: Any, clock: Any) -> None:
    ends = {"fine": "2031-01-15", "soon": "2027-01-15"}
    trips = {name: type(trip)() for name in ends}
    for name, one in trips.items():
        one.known_of = {"Amina": {"passport_expires_on": ends[name]}}
        await stack.hear(one.confirmed(), subject=one.booking_id, sequence=2)
    await scheduler(stack).remind()
    assert await looked_at(stack) == {(trips["soon"].booking_id, "reminder_passport")}
    trips["fine"].known_of = {"Amina": {"passport_expires_on": ends["soon"]}}
    await stack.hear(corrected(trips["fine"], clock), subject=trips["fine"].booking_id, sequence=3)
    await scheduler(stack).remind()
    assert await looked_at(stack) == {(one.booking_id, "reminder_passport") for one in trips.values()}
    assert await kinds(stack, "reminder_passport") == 2


async def test_a_trip_that_was_stored_without_the_rule_is_looked_at_and_nobody_is_bothered(
    stack: Any, trip: Any
) -> None:
    trip.known_of = {"Amina": {"passport_expires_on": "2031-01-15"}}
    await stack.hear(trip.confirmed(), subject=trip.booking_id, sequence=2)
    await stack.rows("UPDATE trip SET short_passport = DEFAULT, short_visa = DEFAULT RETURNING 1")
    await scheduler(stack).remind()
    assert await looked_at(stack) == {(trip.booking_id, kind) for kind in ("reminder_passport", "reminder_visa")}
    assert await kinds(stack, "reminder_passport") == await kinds(stack, "reminder_visa") == 0


def test_papers_we_do_not_know_are_not_spoken_of(trip: Any) -> None:
    facts = trip.confirmed().model_dump(mode="json")
    for reminders in (passport_reminders, visa_reminders):
        assert reminders(facts) == []
        assert reminders({**facts, "segments": []}) == []
