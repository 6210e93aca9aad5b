"""Bookings that were just confirmed, remembered and told of many at a time.

`booking.confirmed.v1` comes by the hundred a second, and what is waiting shares one transaction of a few statements.
What is not this plain (a partner hears of its bookings too) goes the way of every other event, and so does every member
of a group that failed: then only the one that does not fit fails.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from uuid import UUID

from notification_service.driver import Driver
from notification_service.reminders.rules import passport_reminders, visa_reminders
from notification_service.telling.facts import Fact, Recipient
from notification_service.telling.tell import Plan, Teller
from notification_service.trips.booking_news import booking_fact, is_stale
from notification_service.trips.recipients import owner_of
from notification_service.trips.remember import flying
from notification_service.trips.remember_many import NewestTrip, hear, remember_confirmed
from rihla.contracts.events import BookingConfirmedV1, Envelope
from rihla.db.group_writer import GroupWriter
from rihla.db.kept_connection import KeptConnection
from rihla.kernel import Clock
from rihla.telemetry import get_logger

log = get_logger("tell_confirmed")


@dataclass(frozen=True, slots=True)
class _Confirmed:
    """An event of a booking that was confirmed, who hears it, and what it says."""

    consumer: str
    event_id: UUID
    trip: NewestTrip
    fact: Fact
    owner: Recipient = field(repr=False)


class TellConfirmed:
    """What the consumer asks before the handlers of `booking.confirmed.v1`. `nudge`: a delivery may go out now."""

    def __init__(self, connection: KeptConnection, teller: Teller, clock: Clock, nudge: Callable[[], object]) -> None:
        self._teller = teller
        self._clock = clock
        self._nudge = nudge
        self._connection = connection
        self._writer: GroupWriter[_Confirmed, bool] = GroupWriter(
            "confirmed", self._write, keys=_keys, full=lambda: RuntimeError("too many confirmed bookings are waiting")
        )

    async def take(self, envelope: Envelope, consumer: str) -> bool:
        """Remember the booking and tell its owner. False, with nothing changed, for a repeat and what is not plain."""
        event = envelope.parse()
        assert isinstance(event, BookingConfirmedV1)
        if event.organisation_id is not None or not event.segments:
            return False
        return await self._writer.submit(_confirmed(envelope, consumer, event))

    async def close(self) -> None:
        """Finish what is waiting."""
        await self._writer.close()

    async def _write(self, group: Sequence[_Confirmed]) -> list[bool | Exception]:
        try:
            async with self._connection.use() as connection, connection.transaction():
                new = await hear(connection, group[0].consumer, {one.event_id: one.trip.booking_id for one in group})
                plans, told = await self._tell(connection, [one for one in group if one.event_id in new])
        except Exception as error:
            # Nothing of it is stored. Each goes its own way, and only the one that does not fit fails.
            log.warning("confirmed_group_failed", members=len(group), error=type(error).__name__)
            return [False] * len(group)
        self._teller.announce(told)
        if any(delivery.state == "queued" for plan in plans for delivery in plan.deliveries):
            self._nudge()
        return [one.event_id in new for one in group]

    async def _tell(self, connection: Driver, new: Sequence[_Confirmed]) -> tuple[list[Plan], list[UUID]]:
        """What goes out, and the users whose notice is new."""
        if not new:
            return [], []
        now = self._clock.now()
        newer = await remember_confirmed(connection, [one.trip for one in new])
        fresh = [one for one in new if not is_stale(one.fact.kind, newer[one.trip.booking_id])]
        reached = await self._teller.reach(connection, [(one.fact, one.owner) for one in fresh])
        pairs = zip(fresh, reached, strict=True)
        planned = [self._teller.plan(one.fact, one.owner, reach, now) for one, reach in pairs]
        plans = [plan for plan in planned if plan is not None]
        return plans, [user_id for _, user_id in await self._teller.store(connection, plans, now)]


def _keys(one: _Confirmed) -> frozenset[object]:
    """A booking, and an event, once a group."""
    return frozenset({one.trip.booking_id, one.event_id})


def _confirmed(envelope: Envelope, consumer: str, event: BookingConfirmedV1) -> _Confirmed:
    facts = event.model_dump(mode="json")
    fact = booking_fact(envelope, facts)
    assert fact is not None
    trip = NewestTrip(
        booking_id=event.booking_id,
        user_id=event.user_id,
        reference=event.reference,
        sequence=envelope.sequence,
        facts=event.model_dump_json(),
        ends_at=max(segment.arrival_at for segment in event.segments),
        flights=flying(facts),
        short_passport=bool(passport_reminders(facts)),
        short_visa=bool(visa_reminders(facts)),
    )
    return _Confirmed(consumer, envelope.id, trip, fact, owner_of(facts))
