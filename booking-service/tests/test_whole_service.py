"""The service as it runs: loops, broker, schema and its OpenAPI document."""

from datetime import timedelta
from typing import Any

import aio_pika
from sqlalchemy import Column, Index
from sqlalchemy.ext.asyncio import create_async_engine

from booking_service.bootstrap import Transports
from booking_service.main import create_app
from booking_service.tables_all import metadata
from booking_service.worker import create_worker
from rihla.contracts.events import Envelope
from rihla.kernel import SystemClock
from rihla.testing import eventually, running


async def _publish(house: Any, event: Any, aggregate: Any) -> None:
    envelope = Envelope.of(event, subject=str(aggregate), sequence=1, time=house.clock.now())
    connection = await aio_pika.connect(house.settings.amqp_url)
    async with connection:
        channel = await connection.channel()
        exchange = await channel.declare_exchange(
            f"{house.settings.namespace}.payment", aio_pika.ExchangeType.TOPIC, durable=True
        )
        message = aio_pika.Message(envelope.model_dump_json().encode(), message_id=str(envelope.id))
        await exchange.publish(message, routing_key=envelope.type)


async def test_a_payment_heard_over_the_broker_confirms_the_booking(house: Any) -> None:
    transports = Transports(flight=house.flight.wire, payment=house.payment.wire)
    worker = create_worker(house.settings, clock=house.clock, transports=transports)
    async with running(worker) as probe:
        await eventually(lambda: _bound(house), what="the consumer's queue")
        booking = await house.place()
        await _publish(house, house.payment_of(booking), booking["charges"][0]["id"])
        await eventually(lambda: _is(house, booking, "confirmed"), every=0.005)
        ready = await probe.get("/health/ready")
        assert ready.json()["checks"] == {"database": "ok", "broker": "ok"}
        await eventually(lambda: _drained(house), what="the outbox")


async def _bound(house: Any) -> bool:
    connection = await aio_pika.connect(house.settings.amqp_url)
    async with connection:
        channel = await connection.channel()
        try:
            queue = await channel.declare_queue(f"{house.settings.namespace}.booking", passive=True)
        except aio_pika.exceptions.AMQPError:
            return False
        return bool(queue.declaration_result.consumer_count)


async def _is(house: Any, booking: Any, status: str) -> bool:
    return bool((await house.read(booking["id"]))["status"] == status)


async def _drained(house: Any) -> bool:
    return not await house.rows("SELECT 1 FROM outbox")


async def test_with_the_broker_away_bookings_go_on_and_their_events_wait(house: Any) -> None:
    settings = house.settings.model_copy(update={"amqp_url": "amqp://guest:guest@127.0.0.1:1/"})
    transports = Transports(flight=house.flight.wire, payment=house.payment.wire)
    async with running(create_worker(settings, clock=house.clock, transports=transports)) as probe:
        booking = await house.place()
        assert (await probe.get("/health/ready")).status_code == 503
        assert (await probe.get("/health/live")).status_code == 200
        house.clock.advance(timedelta(minutes=15))
        await eventually(lambda: _is(house, booking, "expired"))
        assert len(await house.rows("SELECT 1 FROM outbox")) == 2


async def test_a_database_that_is_gone_is_a_clear_503(house: Any) -> None:
    settings = house.settings.model_copy(update={"database_url": "postgresql://x:y@127.0.0.1:1/none"})
    app = create_app(settings, clock=house.clock, transports=Transports(house.flight.wire, house.payment.wire))
    async with running(app) as client:
        answer = await client.post("/v1/bookings", json=house.body(), headers=house.headers(key="k"))
        assert (answer.status_code, answer.json()["code"]) == (503, "service-unavailable")
        assert (await client.get("/health/ready")).status_code == 503


async def test_the_migrations_make_exactly_the_tables_of_the_code(house: Any) -> None:
    from alembic.autogenerate import compare_metadata
    from alembic.migration import MigrationContext

    engine = create_async_engine(house.settings.database_url.replace("postgresql://", "postgresql+asyncpg://"))
    async with engine.connect() as connection:
        differences = await connection.run_sync(
            lambda sync: compare_metadata(MigrationContext.configure(sync), metadata)
        )
    await engine.dispose()
    # An index on an expression is compared by its text, which PostgreSQL writes in its own words.
    assert [one for one in differences if not _is_of_expressions(one)] == []


def _is_of_expressions(difference: Any) -> bool:
    index = difference[1] if isinstance(difference, tuple) else None
    return isinstance(index, Index) and any(not isinstance(part, Column) for part in index.expressions)


def test_the_openapi_document_is_complete(house: Any) -> None:
    document = house.app.openapi()
    operations = [
        (path, method, operation)
        for path, methods in document["paths"].items()
        for method, operation in methods.items()
        if path.startswith("/v1")
    ]
    ids = [operation["operationId"] for _, _, operation in operations]
    assert len(ids) == len(set(ids))
    for path, method, operation in operations:
        assert operation.get("summary"), (method, path)
        assert operation.get("tags"), (method, path)
        refusals = [code for code in operation["responses"] if code.startswith("4")]
        assert refusals or path == "/v1/boarding-pass-keys", (method, path)


async def test_an_unknown_method_is_405_before_any_credential_is_asked_for(house: Any) -> None:
    answer = await house.client.put("/v1/bookings")
    assert (answer.status_code, answer.json()["code"]) == (405, "method-not-allowed")


async def test_the_service_keeps_time_by_its_own_clock_when_none_is_given(house: Any) -> None:
    app = create_app(house.settings)
    async with running(app):
        assert isinstance(app.state.container.clock, SystemClock)
