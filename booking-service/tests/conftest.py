"""A booking-service in process: real PostgreSQL and RabbitMQ, the two services it calls as fakes at the transport."""

import sys
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from uuid import UUID

import httpx
import pytest
import pytest_asyncio
from sqlalchemy import text

sys.path.insert(0, str(Path(__file__).parent))

from fake_auth_service import AuthFake
from fake_flight_service import FlightFake
from fake_payment_service import PaymentFake

from booking_service.bootstrap import Transports
from booking_service.main import create_app
from booking_service.settings import Settings
from booking_service.worker import Worker, open_worker
from rihla.contracts.events import Envelope, EventData, PaymentSucceededV1
from rihla.kernel import FixedClock, new_id
from rihla.testing import running
from rihla.testing.keyring import Keyring

Json = dict[str, Any]


@dataclass
class House:
    """The service, its worker's parts, the fakes, and words for what tests do again and again."""

    app: Any
    client: httpx.AsyncClient
    worker: Worker
    flight: FlightFake
    payment: PaymentFake
    auth: AuthFake
    clock: FixedClock
    keyring: Keyring
    settings: Settings
    user_id: UUID = field(default_factory=new_id)
    sequence: int = 0

    def headers(self, user_id: UUID | None = None, *, key: str | None = None, **claims: Any) -> dict[str, str]:
        token = self.keyring.token(audience="booking", user_id=user_id or self.user_id, **claims)
        return {"authorization": f"Bearer {token}"} | ({"idempotency-key": key} if key else {})

    def one_way(self, **flight: Any) -> str:
        return self.flight.add_offer([self.flight.add_flight(**flight)])

    def body(self, offer_id: str | None = None, *passengers: Json, **extra: Any) -> Json:
        return {
            "offer_id": offer_id or self.one_way(),
            "contact": {"email": "amina@example.com", "phone": "+8801712345678"},
            "passengers": list(passengers) or [person()],
            **extra,
        }

    async def post(
        self, path: str, body: Any, *, key: str | None = None, user_id: UUID | None = None
    ) -> httpx.Response:
        headers = self.headers(user_id, key=key or str(new_id()))
        return await self.client.post(path, json=body, headers=headers)

    async def get(self, path: str, *, user_id: UUID | None = None, **params: Any) -> httpx.Response:
        return await self.client.get(path, headers=self.headers(user_id), params=params)

    async def place(self, body: Json | None = None, *, key: str | None = None, user_id: UUID | None = None) -> Json:
        answer = await self.post("/v1/bookings", body or self.body(), key=key, user_id=user_id)
        assert answer.status_code == 201, answer.text
        return answer.json()

    async def read(self, booking_id: str) -> Json:
        answer = await self.get(f"/v1/bookings/{booking_id}")
        assert answer.status_code == 200, answer.text
        return answer.json()

    async def hear(self, event: EventData, *, subject: str | None = None, event_id: UUID | None = None) -> str:
        """Deliver an event to the consumer as the broker would."""
        self.sequence += 1
        envelope = Envelope.of(event, subject=subject or str(new_id()), sequence=self.sequence, time=self.clock.now())
        if event_id is not None:
            envelope = envelope.model_copy(update={"id": event_id})
        return await self.worker.consumer.handle(envelope)

    def payment_of(self, booking: Json, **changes: Any) -> PaymentSucceededV1:
        charge = next((one for one in booking["charges"] if one["status"] == "due"), booking["charges"][0])
        minor = int(charge["amount"]["amount"].replace(".", ""))
        facts = {
            "payment_id": new_id(),
            "booking_id": booking["id"],
            "charge_id": charge["id"],
            "user_id": self.user_id,
            "amount_minor": minor,
            "currency": charge["amount"]["currency"],
            "method": "card",
            "captured_at": self.clock.now(),
        }
        return PaymentSucceededV1.model_validate({**facts, **changes})

    async def pay(self, booking: Json, **changes: Any) -> PaymentSucceededV1:
        """Deliver the payment and make the calls it decided on."""
        event = self.payment_of(booking, **changes)
        await self.hear(event)
        await self.worker.errands.run_due()
        return event

    async def confirmed(self, body: Json | None = None) -> Json:
        booking = await self.place(body)
        await self.pay(booking)
        return await self.read(booking["id"])

    async def rows(self, sql: str, **values: Any) -> list[Any]:
        async with self.worker.c.db.transaction() as session:
            result = await session.execute(text(sql), values)
            return list(result.mappings()) if result.returns_rows else []

    async def events(self, event_type: str) -> list[Json]:
        import json

        rows = await self.rows("SELECT envelope::text AS e FROM outbox WHERE type = :t ORDER BY position", t=event_type)
        return [json.loads(row["e"]) for row in rows]


def person(**changes: Any) -> Json:
    """An adult traveller."""
    return {
        "type": "adult",
        "title": "ms",
        "given_name": "Amina",
        "surname": "Rahman",
        "date_of_birth": "1988-04-01",
        "gender": "female",
        "passport": {"number": "BX0123456", "issuing_country": "BD", "nationality": "BD", "expires_on": "2031-05-01"},
        **changes,
    }


@pytest.fixture
def traveller() -> Callable[..., Json]:
    """`traveller(type="child", date_of_birth=...)` is one passenger of a request."""
    return person


@pytest.fixture
def flight_fake(clock: FixedClock) -> FlightFake:
    return FlightFake(clock)


@pytest.fixture
def payment_fake() -> PaymentFake:
    return PaymentFake()


@pytest.fixture
def auth_fake() -> AuthFake:
    return AuthFake()


@pytest_asyncio.fixture
async def house(
    database_for: Any,
    keyring: Keyring,
    clock: FixedClock,
    namespace: str,
    amqp_url: str,
    redis_url: str,
    flight_fake: FlightFake,
    payment_fake: PaymentFake,
    auth_fake: AuthFake,
    tmp_path: Path,
) -> AsyncIterator[House]:
    """The whole service; nothing in it runs by itself, a test says which loop takes a step."""
    settings = Settings(
        database_url=await database_for("booking-service"),
        redis_url=redis_url,
        amqp_url=amqp_url,
        namespace=namespace,
        # The fakes fail at once when they are to fail; a busy machine must not look like a slow neighbour.
        flight_timeout_seconds=30,
        payment_timeout_seconds=30,
        auth_timeout_seconds=30,
        unpaid_bookings_per_traveller=100,
        document_storage_url=f"file://{tmp_path}",
        **keyring.settings("booking"),
    )
    transports = Transports(flight=flight_fake.wire, payment=payment_fake.wire, auth=auth_fake.wire)
    async with _open(settings, clock, transports) as (app, client, worker):
        yield House(app, client, worker, flight_fake, payment_fake, auth_fake, clock, keyring, settings)


@asynccontextmanager
async def _open(settings: Settings, clock: FixedClock, transports: Transports) -> AsyncIterator[Any]:
    app = create_app(settings, clock=clock, transports=transports)
    async with running(app) as client, open_worker(settings, clock, transports) as worker:
        yield app, client, worker
