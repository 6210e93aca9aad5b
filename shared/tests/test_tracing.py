"""One journey is one trace: a request, the call it makes, the event it tells of, and whoever hears it."""

from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Any, ClassVar

import httpx
import pytest
from fastapi import APIRouter, FastAPI
from sqlalchemy.ext.asyncio import AsyncSession

from rihla.contracts.events import Envelope, UserDeletedV1
from rihla.db import Database
from rihla.db.outbox import add_event
from rihla.http import ServiceClient
from rihla.kernel import FixedClock, new_id
from rihla.messaging import Binding, Broker, Consumer, OutboxRelay
from rihla.settings import ServiceSettings
from rihla.testing import eventually, running
from rihla.testing.collector import Collector, collector
from rihla.testing.keyring import Keyring
from rihla.web import build_app, build_worker

TYPE = UserDeletedV1.event_type
SENT = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"


class BookingSettings(ServiceSettings):
    service: ClassVar[str] = "booking"


class AuthSettings(ServiceSettings):
    service: ClassVar[str] = "auth"


@pytest.fixture
def traces(monkeypatch: pytest.MonkeyPatch) -> Iterator[Collector]:
    with collector() as opened:
        monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", opened.url)
        monkeypatch.setenv("OTEL_BSP_SCHEDULE_DELAY", "50")
        yield opened


@asynccontextmanager
async def nothing() -> AsyncIterator[None]:
    yield None


def teller(database: Database, clock: FixedClock, keyring: Keyring) -> FastAPI:
    """A service that stores an event."""
    router = APIRouter()

    @router.post("/v1/people/{person}/goodbye")
    async def goodbye(person: str) -> dict[str, str]:
        user_id = new_id()
        async with database.transaction() as session:
            event = UserDeletedV1(user_id=user_id, deleted_at=clock.now())
            envelope = await add_event(session, event, aggregate_id=user_id, sequence=1, now=clock.now())
        return {"traceparent": envelope.traceparent or ""}

    @router.get("/v1/broken")
    async def broken() -> None:
        raise ValueError("amina@example.com typed this")

    settings = AuthSettings(**keyring.settings("auth"))
    return build_app(settings, title="Teller", routers=[router], open_container=nothing)


def asker(client: ServiceClient, keyring: Keyring) -> FastAPI:
    """A service that calls the teller."""
    router = APIRouter()

    @router.post("/v1/ask")
    async def ask() -> Any:
        return (await client.request("POST", "/v1/people/amina/goodbye")).json()

    settings = BookingSettings(**keyring.settings("booking"))
    return build_app(settings, title="Asker", routers=[router], open_container=nothing)


def worker(database: Database, broker: Broker, clock: FixedClock, keyring: Keyring, heard: list[Envelope]) -> FastAPI:
    async def hear(session: AsyncSession, envelope: Envelope) -> None:
        heard.append(envelope)

    relay = OutboxRelay(database, broker, producer="auth", clock=clock, subscribers={TYPE: ("flight",)})
    consumer = Consumer(broker, database, name="flight", bindings=[Binding("auth", TYPE, hear)], delays_ms=(100,))
    settings = BookingSettings(**keyring.settings("booking"))
    return build_worker(settings, open_container=nothing, run=lambda _: [relay.run, consumer.run])


async def test_one_trace_runs_from_a_request_through_a_call_the_outbox_and_the_broker_to_the_consumer(
    database: Database, amqp_url: str, namespace: str, clock: FixedClock, keyring: Keyring, traces: Collector
) -> None:
    heard: list[Envelope] = []
    broker = await Broker.connect(amqp_url, namespace=namespace, service="auth")
    async with AsyncExitStack() as stack:
        stack.push_async_callback(broker.close)
        telling = teller(database, clock, keyring)
        await stack.enter_async_context(running(telling))
        client = ServiceClient(
            "http://auth",
            audience="auth",
            signer=keyring.signer("booking"),
            transport=httpx.ASGITransport(telling),
        )
        stack.push_async_callback(client.close)
        asking = await stack.enter_async_context(running(asker(client, keyring)))
        await stack.enter_async_context(running(worker(database, broker, clock, keyring, heard)))
        answer = await asking.post("/v1/ask", headers={"traceparent": SENT})
        assert answer.status_code == 200
        await eventually(lambda: heard)
    asked, called = traces.named("POST /v1/ask"), traces.named("POST auth")
    told = traces.named("POST /v1/people/{person}/goodbye")
    published, processed = traces.named(f"publish {TYPE}"), traces.named(f"process {TYPE}")
    assert {span.trace_id for span in traces.spans} == {"4bf92f3577b34da6a3ce929d0e0e4736"}
    assert asked.parent_id == "00f067aa0ba902b7"
    assert called.parent_id == asked.span_id
    assert told.parent_id == called.span_id
    assert published.parent_id == processed.parent_id == told.span_id
    assert heard[0].traceparent == f"00-{told.trace_id}-{told.span_id}-01"
    assert told.service == "rihla-auth"
    assert processed.service == "rihla-booking"
    assert told.attributes["rihla.request_id"] == answer.headers["x-request-id"]


async def test_a_trace_tells_of_a_failure_but_not_what_a_person_typed(
    database: Database, clock: FixedClock, keyring: Keyring, traces: Collector
) -> None:
    async with running(teller(database, clock, keyring)) as client:
        assert (await client.get("/v1/broken")).status_code == 500
    broken = traces.named("GET /v1/broken")
    assert broken.attributes["http.response.status_code"] == "500"
    assert "amina" not in repr(traces.spans)


async def test_a_loop_nobody_asked_for_makes_no_traces(
    database: Database, amqp_url: str, namespace: str, clock: FixedClock, keyring: Keyring, traces: Collector
) -> None:
    heard: list[Envelope] = []
    broker = await Broker.connect(amqp_url, namespace=namespace, service="auth")
    async with running(worker(database, broker, clock, keyring, heard)) as client:
        async with database.transaction() as session:
            event = UserDeletedV1(user_id=new_id(), deleted_at=clock.now())
            await add_event(session, event, aggregate_id=event.user_id, sequence=1, now=clock.now())
        await eventually(lambda: heard)
        await client.get("/health/live")
    await broker.close()
    assert [span.name for span in traces.spans] == ["GET /health/live"]


async def test_without_an_endpoint_nothing_is_installed_and_events_carry_no_trace(
    database: Database, clock: FixedClock, keyring: Keyring, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("OTEL_EXPORTER_OTLP_ENDPOINT", raising=False)
    app = teller(database, clock, keyring)
    async with running(app) as client:
        answer = await client.post("/v1/people/amina/goodbye", headers={"traceparent": SENT})
    assert answer.json() == {"traceparent": ""}
    assert not hasattr(app.state, "tracer_provider")


async def test_a_collector_that_does_not_answer_holds_up_no_request(
    database: Database, clock: FixedClock, keyring: Keyring, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", "http://127.0.0.1:9")
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_TIMEOUT", "1")
    async with running(teller(database, clock, keyring)) as client:
        answer = await client.post("/v1/people/amina/goodbye")
    assert answer.status_code == 200
