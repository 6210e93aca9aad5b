import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta
from uuid import UUID

import pytest
import pytest_asyncio
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from rihla.contracts.events import Envelope, UserDeletedV1
from rihla.db import Database
from rihla.db.inbox import newest_so_far
from rihla.db.outbox import add_event
from rihla.kernel import FixedClock, new_id
from rihla.messaging import Binding, Broker, Consumer, OutboxRelay, Poison
from rihla.testing import eventually
from rihla.web.loops import LoopGroup

TYPE = UserDeletedV1.event_type


@pytest_asyncio.fixture
async def broker(amqp_url: str, namespace: str) -> AsyncIterator[Broker]:
    broker = await Broker.connect(amqp_url, namespace=namespace, service="auth")
    yield broker
    await broker.close()


async def publish(database: Database, clock: FixedClock, user_id: UUID | None = None, sequence: int = 1) -> UUID:
    user_id = user_id or new_id()
    async with database.transaction() as session:
        event = UserDeletedV1(user_id=user_id, deleted_at=clock.now())
        await add_event(session, event, aggregate_id=user_id, sequence=sequence, now=clock.now())
    return user_id


async def waiting(database: Database) -> int:
    async with database.transaction() as session:
        return int((await session.execute(text("SELECT count(*) FROM outbox"))).scalar_one())


class Recorder:
    """Handler that remembers what it saw; it may be told to fail first."""

    def __init__(self, *failures: Exception) -> None:
        self.seen: list[Envelope] = []
        self.failures = list(failures)

    async def __call__(self, session: AsyncSession, envelope: Envelope) -> None:
        if self.failures:
            raise self.failures.pop(0)
        self.seen.append(envelope)


def consumer(broker: Broker, database: Database, handler: Recorder) -> Consumer:
    return Consumer(broker, database, name="flight", bindings=[Binding("auth", TYPE, handler)], delays_ms=(100, 200))


def relay_of(database: Database, broker: Broker, clock: FixedClock) -> OutboxRelay:
    return OutboxRelay(database, broker, producer="auth", clock=clock, subscribers={TYPE: ("flight",)})


async def depth(broker: Broker, queue: str) -> int:
    channel = await broker.channel()
    declared = await channel.declare_queue(f"{broker.namespace}.{queue}", passive=True)
    await channel.close()
    return declared.declaration_result.message_count or 0


async def test_an_event_reaches_its_consumer_once(database: Database, broker: Broker, clock: FixedClock) -> None:
    handler = Recorder()
    relay = relay_of(database, broker, clock)
    group = LoopGroup([consumer(broker, database, handler).run, relay.run])
    group.start()
    users = [await publish(database, clock) for _ in range(20)]
    await eventually(lambda: len(handler.seen) == 20)
    assert {UUID(envelope.subject) for envelope in handler.seen} == set(users)
    assert await waiting(database) == 0
    await group.stop()


async def test_a_message_delivered_twice_changes_nothing(database: Database, broker: Broker, clock: FixedClock) -> None:
    handler = Recorder()
    subject = consumer(broker, database, handler)
    event = UserDeletedV1(user_id=new_id(), deleted_at=clock.now())
    envelope = Envelope.of(event, subject=str(event.user_id), sequence=1, time=clock.now())
    outcomes = await asyncio.gather(*(subject.handle(envelope) for _ in range(8)))
    assert sorted(outcomes) == ["handled"] + ["repeated"] * 7
    assert len(handler.seen) == 1


async def test_the_outbox_keeps_events_while_the_broker_is_away_and_drains_when_it_is_back(
    database: Database, namespace: str, amqp_url: str, clock: FixedClock
) -> None:
    away = await Broker.connect("amqp://guest:guest@127.0.0.1:1/", namespace=namespace, service="auth")
    await publish(database, clock)
    with pytest.raises(OSError, match=r".+"):
        await relay_of(database, away, clock).drain()
    assert await waiting(database) == 1
    back = await Broker.connect(amqp_url, namespace=namespace, service="auth")
    assert await relay_of(database, back, clock).drain() == 1
    assert await waiting(database) == 0
    await back.close()


async def test_events_told_before_their_consumer_ever_started_wait_for_it_however_many_relays_run(
    database: Database, broker: Broker, clock: FixedClock
) -> None:
    handler = Recorder()
    for _ in range(60):
        await publish(database, clock)
    relays = [relay_of(database, broker, clock) for _ in range(2)]
    moved = await asyncio.gather(*(relay.drain() for relay in relays))
    assert sum(moved) == 60
    group = LoopGroup([consumer(broker, database, handler).run])
    group.start()
    await eventually(lambda: len(handler.seen) == 60)
    await group.stop()


async def test_a_failure_that_passes_is_tried_again(database: Database, broker: Broker, clock: FixedClock) -> None:
    handler = Recorder(ConnectionError("for a moment"), ConnectionError("and again"))
    group = LoopGroup(
        [
            consumer(broker, database, handler).run,
            relay_of(database, broker, clock).run,
        ]
    )
    group.start()
    await publish(database, clock)
    await eventually(lambda: len(handler.seen) == 1)
    assert await depth(broker, "flight.dead") == 0
    await group.stop()


async def test_a_poison_message_is_put_aside_at_once(database: Database, broker: Broker, clock: FixedClock) -> None:
    handler = Recorder(Poison("cannot ever work"))
    group = LoopGroup(
        [
            consumer(broker, database, handler).run,
            relay_of(database, broker, clock).run,
        ]
    )
    group.start()
    await publish(database, clock)
    await publish(database, clock)
    await eventually(lambda: len(handler.seen) == 1)

    async def one_is_dead() -> bool:
        return await depth(broker, "flight.dead") == 1

    await eventually(one_is_dead)
    await group.stop()


async def test_a_refused_event_holds_back_later_ones_of_its_aggregate_only(
    database: Database, broker: Broker, clock: FixedClock
) -> None:
    blocked = await publish(database, clock, sequence=1)
    async with database.transaction() as session:
        await session.execute(
            text("UPDATE outbox SET next_attempt_at = :later"), {"later": clock.now() + timedelta(minutes=1)}
        )
    await publish(database, clock, blocked, sequence=2)
    await publish(database, clock)
    relay = relay_of(database, broker, clock)
    assert await relay.drain() == 1
    clock.advance(timedelta(minutes=2))
    assert await relay.drain() == 2


async def test_older_state_is_recognised(database: Database) -> None:
    async def newest(sequence: int) -> bool:
        async with database.transaction() as session:
            return await newest_so_far(session, consumer="flight", aggregate="booking:1", sequence=sequence)

    assert [await newest(sequence) for sequence in (2, 1, 2, 3)] == [True, False, False, True]


async def test_a_connection_that_the_broker_cut_is_replaced(broker: Broker) -> None:
    await (await broker.channel()).close()
    cut = broker._connection
    assert cut is not None
    assert cut.transport is not None
    await cut.transport.connection.close()
    assert not cut.is_closed, "aio_pika knows by itself now: the look below is no longer needed"
    await (await broker.channel()).close()
    assert broker._connection is not cut


async def test_a_connection_that_opens_no_channel_is_not_tried_again(broker: Broker) -> None:
    await (await broker.channel()).close()
    broken = broker._connection
    assert broken is not None
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(type(broken), "channel", lambda *_, **__: (_ for _ in ()).throw(RuntimeError("closed")))
        with pytest.raises(RuntimeError):
            await broker.channel()
    await (await broker.channel()).close()
    assert broker._connection is not broken


async def test_an_event_taken_at_once_never_reaches_the_handler_and_one_left_does(
    database: Database, broker: Broker, clock: FixedClock
) -> None:
    handler, taken = Recorder(), []

    async def at_once(envelope: Envelope, consumer: str) -> bool:
        taken.append((envelope.sequence, consumer))
        return envelope.sequence == 1

    binding = Binding("auth", TYPE, handler, at_once=at_once)
    subject = Consumer(broker, database, name="flight", bindings=[binding])
    for sequence in (1, 2):
        event = UserDeletedV1(user_id=new_id(), deleted_at=clock.now())
        envelope = Envelope.of(event, subject=str(event.user_id), sequence=sequence, time=clock.now())
        assert await subject.handle(envelope) == "handled"
    assert taken == [(1, "flight"), (2, "flight")]
    assert [envelope.sequence for envelope in handler.seen] == [2]
