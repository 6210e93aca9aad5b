import asyncio
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest_asyncio

from notification_service.reminders.remind import ReminderScheduler
from notification_service.reminders.rules import WINDOWS
from notification_service.reminders.store import due_flights
from rihla.contracts.events import FlightDelayedV1, FlightDepartedV1, UserRegisteredV1
from rihla.kernel import FixedClock, new_id


def scheduler(stack: Any) -> ReminderScheduler:
    c = stack.container
    return ReminderScheduler(c.db, c.teller, clock=c.clock, every_seconds=1)


async def kinds(stack: Any) -> list[str]:
    return [row.kind for row in await stack.rows("SELECT kind FROM notice WHERE kind LIKE 'reminder%' ORDER BY id")]


@pytest_asyncio.fixture
async def confirmed(stack: Any, trip: Any) -> Any:
    """Leaves 2026-12-03 08:30 in Dhaka, 02:30 UTC; now is 2026-12-01 08:00 UTC, 42.5 hours before."""
    await stack.hear(trip.confirmed(), subject=trip.booking_id, sequence=2)
    await stack.rows(
        "INSERT INTO device (id, user_id, platform, token, registered_at) VALUES "
        "(:id, :user_id, 'android', 'token-1', now()) RETURNING 1",
        id=new_id(),
        user_id=trip.user_id,
    )
    return trip


async def test_check_in_is_told_at_48_and_at_24_hours_once_each(stack: Any, confirmed: Any, clock: FixedClock) -> None:
    clock.set(datetime(2026, 12, 1, 2, 29, tzinfo=UTC))
    assert await scheduler(stack).remind() == 0
    clock.set(datetime(2026, 12, 1, 2, 30, tzinfo=UTC))
    await scheduler(stack).remind()
    await scheduler(stack).remind()
    assert await kinds(stack) == ["reminder_check_in_open"]
    clock.set(datetime(2026, 12, 2, 2, 30, tzinfo=UTC))
    await scheduler(stack).remind()
    assert await kinds(stack) == ["reminder_check_in_open", "reminder_check_in_day"]


async def test_whoever_is_checked_in_is_not_reminded(stack: Any, trip: Any, clock: FixedClock) -> None:
    trip.coupon = "checked_in"
    await stack.hear(trip.confirmed(), subject=trip.booking_id, sequence=2)
    await scheduler(stack).remind()
    assert await kinds(stack) == []


async def test_the_push_before_departure_crosses_midnight_and_comes_once(
    stack: Any, trip: Any, box: Any, clock: FixedClock
) -> None:
    trip.departure_at = datetime.fromisoformat("2026-12-02T00:10:00+00:00")
    await stack.hear(trip.confirmed(), subject=trip.booking_id, sequence=2)
    await stack.rows(
        "INSERT INTO device (id, user_id, platform, token, registered_at) VALUES "
        "(:id, :user_id, 'ios', 'token-1', now()) RETURNING 1",
        id=new_id(),
        user_id=trip.user_id,
    )
    clock.set(datetime(2026, 12, 1, 23, 39, tzinfo=UTC))
    await scheduler(stack).remind()
    assert "reminder_departure" not in await kinds(stack)
    clock.set(datetime(2026, 12, 1, 23, 41, tzinfo=UTC))
    await scheduler(stack).remind()
    clock.set(datetime(2026, 12, 2, 0, 5, tzinfo=UTC))
    await scheduler(stack).remind()
    assert (await kinds(stack)).count("reminder_departure") == 1
    await stack.send()
    pushed = [mail for mail in box.to("token-1@push.local") if "leaves soon" in mail["Subject"]]
    assert len(pushed) == 1
    assert not [mail for mail in box.to(trip.email) if "leaves soon" in mail["Subject"]]


async def test_a_passenger_with_an_account_is_told_there_too_and_a_stranger_is_not(
    stack: Any, trip: Any, clock: FixedClock
) -> None:
    """By the address, whatever its case, or the number given for that passenger; the owner's own account only once."""
    accounts = {name: new_id() for name in ("amina", "abdul", "stranger")}
    addresses = {"amina": ("Amina@Example.com", None), "abdul": (None, "+8801700000002"), "stranger": ("a@b.cd", None)}
    for name, user_id in accounts.items():
        email, phone = addresses[name]
        person = UserRegisteredV1(user_id=user_id, email=email, phone=phone, full_name=name, registered_at=clock.now())
        await stack.hear(person, subject=user_id)
    trip.user_id = accounts["amina"]
    trip.known_of = {"Amina": {"email": "amina@example.com"}, "আব্দুল": {"phone": "+8801700000002"}}
    await stack.hear(trip.confirmed(), subject=trip.booking_id, sequence=2)
    clock.set(datetime(2026, 12, 3, 2, 10, tzinfo=UTC))
    await scheduler(stack).remind()
    await scheduler(stack).remind()
    told = await stack.rows("SELECT user_id FROM notice WHERE kind = 'reminder_departure'")
    assert sorted(row.user_id for row in told) == sorted([accounts["amina"], accounts["abdul"]])


async def test_a_departed_flight_is_never_announced_and_a_delayed_one_later(
    stack: Any, trip: Any, clock: FixedClock
) -> None:
    trip.departure_at = datetime.fromisoformat("2026-12-01T14:20:00+06:00")
    await stack.hear(trip.confirmed(), subject=trip.booking_id, sequence=2)
    news = trip.news(clock.now(), delay_minutes=60)
    await stack.hear(FlightDelayedV1(**news), subject=trip.flight_id, sequence=1)
    await scheduler(stack).remind()
    assert "reminder_departure" not in await kinds(stack)
    await stack.hear(FlightDepartedV1(**news), subject=trip.flight_id, sequence=2)
    clock.advance(timedelta(minutes=60))
    await scheduler(stack).remind()
    assert "reminder_departure" not in await kinds(stack)


async def test_two_schedulers_at_once_give_one_reminder(stack: Any, confirmed: Any, clock: FixedClock) -> None:
    clock.set(datetime(2026, 12, 1, 2, 30, tzinfo=UTC))
    given = await asyncio.gather(*(scheduler(stack).remind() for _ in range(4)))
    assert sum(given) == 1
    assert await kinds(stack) == ["reminder_check_in_open"]


async def test_without_the_unique_row_two_schedulers_would_both_give_it(
    stack: Any, confirmed: Any, clock: FixedClock
) -> None:
    """The control of the race above: both see the reminder as due before either commits."""
    clock.set(datetime(2026, 12, 1, 2, 30, tzinfo=UTC))
    db = stack.container.db
    async with db.transaction() as one, db.transaction() as two:
        seen = [len(await due_flights(session, WINDOWS[1], clock.now())) for session in (one, two)]
    assert seen == [1, 1]


async def test_a_payment_is_asked_for_five_minutes_before_the_hold_ends(
    stack: Any, trip: Any, box: Any, clock: FixedClock
) -> None:
    pay_by = clock.now() + timedelta(minutes=15)
    await stack.hear(trip.created(pay_by), subject=trip.booking_id, sequence=1)
    assert await scheduler(stack).remind() == 0
    clock.advance(timedelta(minutes=10))
    assert await scheduler(stack).remind() == 1
    assert await scheduler(stack).remind() == 0
    await stack.send()
    assert "waits for your payment" in box.to(trip.email)[0]["Subject"]
