"""Callers' own clients against providers' real applications, in process, on real servers."""

import importlib.util
import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import httpx
import pytest_asyncio
from fastapi import FastAPI

from booking_service.bookings.flight_client import FlightClient
from booking_service.bookings.payment_client import PaymentClient
from booking_service.bootstrap import Transports as BookingTransports
from booking_service.main import create_app as create_booking
from booking_service.settings import Settings as BookingSettings
from booking_service.worker import Worker as BookingWorker
from booking_service.worker import open_worker as open_booking_worker
from flight_service.main import create_app as create_flight
from flight_service.settings import Settings as FlightSettings
from payment_service.bootstrap import Transports as PaymentTransports
from payment_service.ledger import accounts
from payment_service.ledger.post import post
from payment_service.ledger.posting import Posting, transfer
from payment_service.main import create_app as create_payment
from payment_service.payments.booking_client import BookingClient
from payment_service.settings import Settings as PaymentSettings
from rihla.http import ServiceClient
from rihla.kernel import FixedClock, new_id
from rihla.testing import running
from rihla.testing.databases import fresh_database
from rihla.testing.keyring import Keyring
from rihla.testing.namespaces import remove_namespace
from rihla.testing.servers import Servers

# pytest may have made a package of the *folder* gateway/ (importmode=importlib); the installed one must win.
if not getattr(sys.modules.get("gateway"), "__file__", None):
    sys.modules.pop("gateway", None)

ROOT = Path(__file__).resolve().parents[2]
Json = dict[str, Any]
DatabaseFor = Callable[[str], Awaitable[str]]


def _network_databases() -> Any:
    """flight-service's own way to a seeded network: a template made once for both test suites."""
    spec = importlib.util.spec_from_file_location("flight_tests_conftest", ROOT / "flight-service/tests/conftest.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules.setdefault(spec.name, module)
    spec.loader.exec_module(module)
    return module._network_database


class Wire(httpx.AsyncBaseTransport):
    """The way to an application that is made later: two services may call each other."""

    def __init__(self) -> None:
        self.app: FastAPI | None = None

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        assert self.app is not None, "the other service does not run in this test"
        return await httpx.ASGITransport(self.app, raise_app_exceptions=True).handle_async_request(request)


def client_of(app: FastAPI, *, audience: str, caller: str, keyring: Keyring) -> ServiceClient:
    """The shared client, with the caller's own key, wired to the provider's application."""
    wire = Wire()
    wire.app = app
    return ServiceClient(
        "http://provider.test", audience=audience, signer=keyring.signer(caller), transport=wire, timeout=60
    )


@dataclass
class Platform:
    """flight-, booking- and payment-service together, and the clients they have of each other."""

    clock: FixedClock
    keyring: Keyring
    flight_app: FastAPI
    payment_app: FastAPI
    booking_app: FastAPI
    flight_http: httpx.AsyncClient
    payment_http: httpx.AsyncClient
    booking_http: httpx.AsyncClient
    booking_worker: BookingWorker
    flights: FlightClient
    payments: PaymentClient
    bookings: BookingClient
    user_id: UUID = field(default_factory=new_id)

    def headers(self, audience: str, *, roles: tuple[str, ...] = ("traveller",), key: bool = True) -> dict[str, str]:
        token = self.keyring.token(audience=audience, user_id=self.user_id, roles=roles)
        return {"authorization": f"Bearer {token}"} | ({"idempotency-key": str(new_id())} if key else {})

    async def offers(self, days: int = 3, **params: Any) -> list[Json]:
        date = (self.clock.now() + timedelta(days=days)).date().isoformat()
        answer = await self.flight_http.get(
            "/v1/flight-offers",
            params={"origin": "DAC", "destination": "JED", "departure_date": date, **params},
            headers=self.headers("flight", key=False),
        )
        assert answer.status_code == 200, answer.text
        items: list[Json] = answer.json()["items"]
        return items

    async def free_seats(self, flight_id: str, cabin: str = "economy") -> list[str]:
        answer = await self.flight_http.get(f"/v1/flights/{flight_id}/seat-map", headers=self.headers("flight"))
        plan = next(one for one in answer.json()["cabins"] if one["cabin"] == cabin)
        return [seat["designator"] for row in plan["rows"] for seat in row["seats"] if seat["state"] == "free"]

    async def book(self, offer_id: str, **changes: Any) -> Json:
        body = {
            "offer_id": offer_id,
            "contact": {"email": "amina@example.com"},
            "passengers": [
                {"type": "adult", "given_name": "Amina", "surname": "Rahman", "date_of_birth": "1988-04-01"}
            ],
            **changes,
        }
        answer = await self.booking_http.post("/v1/bookings", json=body, headers=self.headers("booking"))
        assert answer.status_code == 201, answer.text
        booking: Json = answer.json()
        return booking

    async def fund(self, amount_minor: int, currency: str) -> None:
        """Put money into the traveller's wallet by a posting."""
        db = self.payment_app.state.container.db
        async with db.transaction() as session:
            lines = transfer(accounts.adjustments(currency), accounts.wallet(self.user_id, currency), amount_minor)
            await post(session, Posting(f"test:{new_id()}", "adjustment", lines), now=self.clock.now())

    async def pay_by_wallet(self, booking: Json) -> httpx.Response:
        body = {"booking_id": booking["id"], "method": {"type": "wallet"}}
        return await self.payment_http.post("/v1/payments", json=body, headers=self.headers("payment"))


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def platform(real_servers: Servers, keyring: Keyring, tmp_path_factory: Any) -> AsyncIterator[Platform]:
    """One for a module: each test uses bookings and holds of its own (mark the tests with loop_scope="module")."""
    clock = FixedClock(datetime(2026, 12, 1, 8, 0, tzinfo=UTC))
    files = tmp_path_factory.mktemp("documents")
    async with _platform(real_servers, keyring, clock, str(files)) as opened:
        yield opened


@asynccontextmanager
async def _platform(real: Servers, keyring: Keyring, clock: FixedClock, files: str) -> AsyncIterator[Platform]:
    namespace = f"t{new_id().hex[-16:]}"
    servers = {"redis_url": real.redis_url, "amqp_url": real.amqp_url, "namespace": namespace}
    async with AsyncExitStack() as stack:
        stack.push_async_callback(remove_namespace, namespace, real.amqp_url, real.redis_url)
        # One after the other: migrations run in one process one at a time.
        flight_url = await stack.enter_async_context(_network_databases()(real.database_url, clock))
        booking_url = await stack.enter_async_context(fresh_database(real.database_url, ROOT / "booking-service"))
        payment_url = await stack.enter_async_context(fresh_database(real.database_url, ROOT / "payment-service"))
        to_flight, to_booking, to_payment = Wire(), Wire(), Wire()
        flight_settings = FlightSettings(database_url=flight_url, **servers, **keyring.settings("flight"))
        payment_settings = PaymentSettings(database_url=payment_url, **servers, **keyring.settings("payment"))
        booking_settings = BookingSettings(
            database_url=booking_url,
            flight_timeout_seconds=30,
            payment_timeout_seconds=30,
            unpaid_bookings_per_traveller=100,
            document_storage_url=f"file://{files}",
            **servers,
            **keyring.settings("booking"),
        )
        transports = BookingTransports(flight=to_flight, payment=to_payment)
        to_flight.app = flight_app = create_flight(flight_settings, clock=clock)
        to_payment.app = payment_app = create_payment(
            payment_settings, clock=clock, transports=PaymentTransports({"booking": to_booking})
        )
        to_booking.app = booking_app = create_booking(booking_settings, clock=clock, transports=transports)
        yield Platform(
            clock=clock,
            keyring=keyring,
            flight_app=flight_app,
            payment_app=payment_app,
            booking_app=booking_app,
            flight_http=await stack.enter_async_context(running(flight_app)),
            payment_http=await stack.enter_async_context(running(payment_app)),
            booking_http=await stack.enter_async_context(running(booking_app)),
            booking_worker=await stack.enter_async_context(open_booking_worker(booking_settings, clock, transports)),
            flights=FlightClient(client_of(flight_app, audience="flight", caller="booking", keyring=keyring)),
            payments=PaymentClient(client_of(payment_app, audience="payment", caller="booking", keyring=keyring)),
            bookings=BookingClient(client_of(booking_app, audience="booking", caller="payment", keyring=keyring)),
        )
