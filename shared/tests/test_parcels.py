"""Events that share a message on their way: told once, in order, and one that fails spoils nothing for the others."""

import asyncio
import json
from collections.abc import AsyncIterator, Sequence
from typing import Any
from uuid import UUID

import aio_pika
import pytest
import pytest_asyncio
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from rihla.contracts.events import Envelope, UserDeletedV1
from rihla.db import Database
from rihla.db.outbox import add_event
from rihla.kernel import FixedClock, new_id
from rihla.messaging import Binding, Broker, Consumer, OutboxRelay, Poison
from rihla.messaging.consumer import Handler
from rihla.messaging.parcel import ONE, SEVERAL, members, packed, unpacked
from rihla.messaging.relay import parcels_of
from rihla.messaging.turns import Turns
from rihla.testing import eventually
from rihla.web.loops import LoopGroup

TYPE = UserDeletedV1.event_type
FIRST, SECOND, THIRD = new_id(), new_id(), new_id()


@pytest_asyncio.fixture
async def broker(amqp_url: str, namespace: str) -> AsyncIterator[Broker]:
    broker = await Broker.connect(amqp_url, namespace=namespace, service="auth")
    yield broker
    await broker.close()


@pytest_asyncio.fixture
async def effects(database: Database) -> Database:
    """The database, with a table where every effect leaves a row."""
    async with database.transaction() as session:
        await session.execute(text("CREATE TABLE effect (position bigserial PRIMARY KEY, event_id uuid NOT NULL)"))
    return database


async def leave_a_row(session: AsyncSession, envelope: Envelope) -> None:
    await session.execute(text("INSERT INTO effect (event_id) VALUES (:id)"), {"id": envelope.id})


async def left(database: Database) -> list[UUID]:
    async with database.transaction() as session:
        return list((await session.execute(text("SELECT event_id FROM effect ORDER BY position"))).scalars())


def envelopes(clock: FixedClock, count: int) -> list[Envelope]:
    users = [new_id() for _ in range(count)]
    return [
        Envelope.of(UserDeletedV1(user_id=one, deleted_at=clock.now()), subject=str(one), sequence=1, time=clock.now())
        for one in users
    ]


def body_of(given: Sequence[Envelope]) -> bytes:
    return packed([one.model_dump_json() for one in given])[0]


def consumer(broker: Broker, database: Database, handler: Handler, **more: Any) -> Consumer:
    bindings = [Binding("auth", TYPE, handler, together=True, **more)]
    return Consumer(broker, database, name="flight", bindings=bindings, delays_ms=(100, 200))


async def send(broker: Broker, body: bytes) -> None:
    """As the relay does, into a queue that is there."""
    channel = await broker.channel()
    message = aio_pika.Message(body, type=TYPE, content_type=SEVERAL)
    await channel.default_exchange.publish(message, routing_key=f"{broker.namespace}.flight")
    await channel.close()


async def dead(broker: Broker) -> list[aio_pika.abc.AbstractIncomingMessage]:
    """What lies in the dead-letter queue, taken out of it."""
    channel = await broker.channel()
    queue = await channel.get_queue(f"{broker.namespace}.flight.dead")
    found = []
    while (message := await queue.get(fail=False)) is not None:
        await message.ack()
        found.append(message)
    await channel.close()
    return found


def row(kind: str, aggregate: UUID, attempts: int = 0) -> dict[str, Any]:
    return {"type": kind, "aggregate_id": aggregate, "attempts": attempts}


def test_events_of_one_type_share_a_message() -> None:
    rows = [row("a", FIRST), row("b", SECOND), row("a", THIRD)]
    assert parcels_of(rows) == [[rows[0], rows[2]], [rows[1]]]


def test_no_event_goes_before_an_earlier_one_of_its_aggregate() -> None:
    rows = [row("a", FIRST), row("b", FIRST), row("a", FIRST), row("b", SECOND), row("a", FIRST)]
    assert parcels_of(rows) == [[rows[0]], [rows[1], rows[3]], [rows[2]], [rows[4]]]


def test_an_event_that_was_refused_goes_alone() -> None:
    rows = [row("a", FIRST), row("a", SECOND, attempts=1), row("a", THIRD)]
    assert parcels_of(rows) == [[rows[0]], [rows[1]], [rows[2]]]


def test_a_message_holds_32_events_at_most() -> None:
    rows = [row("a", new_id()) for _ in range(70)]
    assert [len(parcel) for parcel in parcels_of(rows)] == [32, 32, 6]


def test_a_lone_event_travels_as_it_always_did(clock: FixedClock) -> None:
    (one,) = envelopes(clock, 1)
    body, content_type = packed([one.model_dump_json()])
    assert (body, content_type) == (one.model_dump_json().encode(), ONE)
    assert unpacked(body, content_type) == unpacked(body, None) == [one]


def test_several_events_come_out_as_they_went_in(clock: FixedClock) -> None:
    given = envelopes(clock, 3)
    body, content_type = packed([one.model_dump_json() for one in given])
    assert unpacked(body, content_type) == given
    assert [Envelope.model_validate_json(one) for one in members(body, content_type)] == given


@pytest.mark.parametrize("body", [b"[]", b"{}", b"no json", b'["a", 1]'])
def test_what_holds_no_event_is_never_taken_for_one(body: bytes) -> None:
    with pytest.raises(ValueError, match="validation error"):
        unpacked(body, SEVERAL)
    assert members(body, SEVERAL)


async def test_events_told_together_are_handled_once_each(effects: Database, broker: Broker, clock: FixedClock) -> None:
    subscribers = {TYPE: ("flight",)}
    relay = OutboxRelay(effects, broker, producer="auth", clock=clock, subscribers=subscribers)
    told = set()
    async with effects.transaction() as session:
        for _ in range(100):
            event = UserDeletedV1(user_id=new_id(), deleted_at=clock.now())
            told.add((await add_event(session, event, aggregate_id=event.user_id, sequence=1, now=clock.now())).id)
    assert await relay.drain() == 100
    channel = await broker.channel()
    queue = await channel.get_queue(f"{broker.namespace}.flight")
    assert queue.declaration_result.message_count == 4
    group = LoopGroup([consumer(broker, effects, leave_a_row).run])
    group.start()

    async def all_left() -> bool:
        return len(await left(effects)) == 100

    await eventually(all_left)
    await group.stop()
    assert set(await left(effects)) == told


async def test_one_that_can_never_be_handled_is_put_aside_alone(
    effects: Database, broker: Broker, clock: FixedClock
) -> None:
    given = envelopes(clock, 5)

    async def handle(session: AsyncSession, envelope: Envelope) -> None:
        await leave_a_row(session, envelope)
        if envelope.id == given[2].id:
            raise Poison("cannot ever work")

    subject = consumer(broker, effects, handle)
    await subject.declare(await broker.channel())
    await send(broker, body_of(given))
    group = LoopGroup([subject.run])
    group.start()

    async def the_others_left() -> bool:
        return len(await left(effects)) == 4

    await eventually(the_others_left)
    await group.stop()
    assert set(await left(effects)) == {one.id for one in given} - {given[2].id}
    (put_aside,) = await dead(broker)
    assert Envelope.model_validate_json(put_aside.body) == given[2]
    assert (put_aside.message_id, put_aside.content_type) == (str(given[2].id), ONE)


async def test_one_that_fails_for_a_moment_is_tried_again_alone(
    effects: Database, broker: Broker, clock: FixedClock
) -> None:
    given, failures = envelopes(clock, 3), [ConnectionError("for a moment")] * 3

    async def handle(session: AsyncSession, envelope: Envelope) -> None:
        if envelope.id == given[0].id and failures:
            raise failures.pop()
        await leave_a_row(session, envelope)

    subject = consumer(broker, effects, handle)
    await subject.declare(await broker.channel())
    await send(broker, body_of(given))
    group = LoopGroup([subject.run])
    group.start()

    async def all_left() -> bool:
        return len(await left(effects)) == 3

    await eventually(all_left)
    await group.stop()
    assert set(await left(effects)) == {one.id for one in given}
    assert await dead(broker) == []


async def test_a_member_that_is_no_event_spoils_nothing(effects: Database, broker: Broker, clock: FixedClock) -> None:
    good = envelopes(clock, 2)
    subject = consumer(broker, effects, leave_a_row)
    await subject.declare(await broker.channel())
    await send(broker, json.dumps([*(json.loads(one.model_dump_json()) for one in good), {"no": "event"}]).encode())
    await send(broker, b"not even json")
    group = LoopGroup([subject.run])
    group.start()
    aside: list[bytes] = []

    async def all_settled() -> bool:
        aside.extend([message.body for message in await dead(broker)])
        return len(await left(effects)) == 2 and len(aside) == 2

    await eventually(all_settled)
    await group.stop()
    assert sorted(aside) == [b"not even json", b'{"no": "event"}']


async def test_a_connection_cut_between_commit_and_acknowledgement_repeats_no_effect(
    effects: Database, broker: Broker, clock: FixedClock
) -> None:
    given, rounds = envelopes(clock, 6), list[int]()

    class Counting(Consumer):
        """Cuts the connection when the first round has committed, and remembers how often it was asked."""

        async def handle_all(self, envelopes: Sequence[Envelope]) -> list[str | Exception]:
            outcomes = await super().handle_all(envelopes)
            rounds.append(outcomes.count("handled"))
            if len(rounds) == 1:
                assert broker._connection is not None
                await broker._connection.close()
            return outcomes

    bindings = [Binding("auth", TYPE, leave_a_row, together=True)]
    subject = Counting(broker, effects, name="flight", bindings=bindings)
    await subject.declare(await broker.channel())
    await send(broker, body_of(given))
    group = LoopGroup([subject.run])
    group.start()
    await eventually(lambda: len(rounds) == 2)
    await group.stop()
    assert rounds == [6, 0], "the message came a second time, and nothing of it was new"
    assert sorted(await left(effects)) == sorted(one.id for one in given)


@pytest.mark.parametrize("guarded", [True, False])
async def test_a_message_that_many_handle_at_once_has_its_effects_once(
    effects: Database, broker: Broker, clock: FixedClock, guarded: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    if not guarded:

        async def everything_is_new(session: AsyncSession, *, consumer: str, event_ids: Sequence[UUID]) -> set[UUID]:
            return set(event_ids)

        monkeypatch.setattr("rihla.messaging.consumer.new_among", everything_is_new)
    given = envelopes(clock, 4)
    workers = [consumer(broker, effects, leave_a_row) for _ in range(5)]
    outcomes = await asyncio.gather(
        *(one.handle_all(given[::-1] if at % 2 else given) for at, one in enumerate(workers))
    )
    handled = sum(said == "handled" for each in outcomes for said in each)
    assert handled == len(await left(effects)) == (4 if guarded else 20)


async def test_messages_that_share_a_subject_are_handled_in_the_order_in_which_they_came() -> None:
    turns, entered, may_end = Turns(), list[str](), asyncio.Event()

    async def take(name: str, *subjects: str) -> None:
        async with turns.of(subjects):
            entered.append(name)
            await may_end.wait()

    tasks = [asyncio.create_task(take(*one)) for one in (("1", "a", "b"), ("2", "b", "c"), ("3", "c", "a"), ("4", "d"))]
    await eventually(lambda: len(entered) == 2)
    assert entered == ["1", "4"]
    may_end.set()
    await asyncio.gather(*tasks)
    assert entered == ["1", "4", "2", "3"]
    assert not turns._last
