"""The service against real servers, the sandbox company's real application, and a small booking-service."""

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Any
from uuid import UUID

import asyncpg
import httpx
import pytest
import pytest_asyncio
from fastapi import FastAPI, Request
from fastapi.responses import JSONResponse

from payment_service.bootstrap import Container, Transports, open_container
from payment_service.ledger import accounts
from payment_service.ledger.post import post
from payment_service.ledger.posting import Posting, transfer
from payment_service.ledger.verify import verify
from payment_service.main import create_app
from payment_service.settings import Settings
from rihla.kernel import FixedClock, new_id
from rihla.testing import running
from rihla.testing.databases import with_database
from rihla.testing.keyring import Keyring
from rihla.testing.servers import Servers
from sandbox_provider.main import create_app as create_sandbox
from sandbox_provider.migrate import upgrade as upgrade_sandbox
from sandbox_provider.settings import Settings as SandboxSettings


@dataclass
class FakeBooking:
    """booking-service as docs/contracts.md describes `GET /internal/v1/charges/due`, with charges kept in memory."""

    now: Callable[[], datetime]
    charges: dict[UUID, dict[str, Any]] = field(default_factory=dict)
    calls: int = 0
    down: bool = False
    seat_plans: dict[str, dict[str, Any]] = field(default_factory=dict)
    no_seats: bool = False
    seats_lost: bool = False

    def add_charge(
        self, user_id: UUID, amount_minor: int = 61240, currency: str = "USD", *, minutes: int = 15
    ) -> dict[str, Any]:
        """A booking with one charge that is due."""
        charge: dict[str, Any] = {
            "booking_id": str(new_id()),
            "charge_id": str(new_id()),
            "user_id": str(user_id),
            "reference": "K7QX2M",
            "kind": "initial",
            "amount_minor": amount_minor,
            "currency": currency,
            "status": "due",
            "payable_until": (self.now() + timedelta(minutes=minutes)).isoformat(),
        }
        self.charges[UUID(charge["booking_id"])] = charge
        return charge

    def app(self) -> FastAPI:
        app = FastAPI()

        @app.get("/internal/v1/charges/due")
        async def due(request: Request, booking_id: UUID, user_id: UUID, charge_id: UUID | None = None) -> JSONResponse:
            self.calls += 1
            assert request.headers["authorization"].startswith("Bearer ")
            if self.down:
                return JSONResponse({}, 503)
            charge = self.charges.get(booking_id)
            if charge is None or charge["user_id"] != str(user_id):
                return JSONResponse({"code": "booking-not-found"}, 404)
            if charge["status"] != "due" or (charge_id and str(charge_id) != charge["charge_id"]):
                return JSONResponse({"code": "charge-not-due", "detail": "Nothing is due."}, 409)
            return JSONResponse(charge)

        app.post("/internal/v1/charges/due")(self.several_due)
        app.put("/internal/v1/seat-plans/{plan_id}")(self.put_seat_plan)
        app.post("/internal/v1/seat-plans/{plan_id}/{step}")(self.settle_seat_plan)
        return app

    async def several_due(self, request: Request) -> JSONResponse:
        """Plain answers only: null where the question alone is refused."""
        self.calls += 1
        if self.down:
            return JSONResponse({}, 503)
        answers = []
        for asked in (await request.json())["charges"]:
            charge = self.charges.get(UUID(asked["booking_id"]), {"user_id": None, "status": "unknown"})
            plain = charge["user_id"] == asked["user_id"] and charge["status"] == "due" and not asked["charge_id"]
            answers.append(charge if plain else None)
        return JSONResponse({"charges": answers})

    async def put_seat_plan(self, plan_id: str, request: Request) -> JSONResponse:
        """All seats or none, as docs/contracts.md says; a subscription's first traveller is kept for later months."""
        asked = await request.json()
        plan = self.seat_plans.get(plan_id)
        known = any(one.get("traveller") for one in self.of_subscription(asked["subscription_id"]))
        if self.down:
            return JSONResponse({}, 503)
        if plan is not None and plan["status"] == "released":
            return JSONResponse({"code": "seat-plan-released"}, 409)
        if plan is not None and plan["asked"] != asked:
            return JSONResponse({"code": "seat-plan-differs"}, 422)
        if asked["traveller"] is None and not known:
            return JSONResponse({"code": "validation-failed", "detail": "Who travels?"}, 422)
        if self.no_seats:
            missing = [{"date": asked["starts_on"], "route": "DAC-CXB", "reason": "no-seats"}]
            return JSONResponse({"code": "seat-plan-not-possible", "missing": missing}, 409)
        if plan is None:
            bookings = _rides_of(asked)
            plan = {"id": plan_id, "status": "held", "asked": asked, "traveller": asked["traveller"]}
            self.seat_plans[plan_id] = plan | {"bookings": bookings}
        return JSONResponse(self.seat_plans[plan_id], 201)

    async def settle_seat_plan(self, plan_id: str, step: str) -> JSONResponse:
        """`confirm` and `release`; releasing an unknown id leaves a tombstone."""
        if self.down:
            return JSONResponse({}, 503)
        if step == "release":
            plan = self.seat_plans.setdefault(plan_id, {"id": plan_id, "asked": {}, "bookings": []})
            plan["status"] = "released"
            return JSONResponse(plan)
        if plan_id not in self.seat_plans:
            return JSONResponse({"code": "seat-plan-unknown"}, 404)
        if self.seats_lost or self.seat_plans[plan_id]["status"] == "released":
            return JSONResponse({"code": "seat-plan-expired"}, 409)
        self.seat_plans[plan_id]["status"] = "confirmed"
        return JSONResponse(self.seat_plans[plan_id])

    def of_subscription(self, subscription_id: str) -> list[dict[str, Any]]:
        """The seat plans asked for one, oldest first."""
        return [one for one in self.seat_plans.values() if one["asked"].get("subscription_id") == subscription_id]


def _rides_of(asked: dict[str, Any]) -> list[dict[str, Any]]:
    day, end = date.fromisoformat(asked["starts_on"]), date.fromisoformat(asked["ends_on"])
    found = []
    while day < end:
        for ride in asked["rides"]:
            if ride["weekday"] == day.isoweekday():
                at = f"{day.isoformat()}T{ride['departure_time']}:00+06:00"
                found.append({"booking_id": str(new_id()), "departure_at": at})
        day += timedelta(days=1)
    return found


class Wire(httpx.AsyncBaseTransport):
    """The wire to an ASGI application, which can be cut before or after the other side acted."""

    def __init__(self, app: FastAPI) -> None:
        self._inner = httpx.ASGITransport(app, raise_app_exceptions=False)
        self.lose_answers = False
        self.cut = False
        self.requests: list[tuple[str, str]] = []
        self.before_answer: Callable[[], Awaitable[None]] | None = None

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        if self.cut:
            raise httpx.ConnectError("cut")
        self.requests.append((request.method, request.url.path))
        response = await self._inner.handle_async_request(request)
        await response.aread()
        if self.before_answer is not None and request.method == "POST":
            await self.before_answer()
        if self.lose_answers and request.method == "POST":
            raise httpx.ReadTimeout("the answer was lost")
        return response


class Mailbox(httpx.AsyncBaseTransport):
    """Where the sandbox posts its webhooks: kept, and passed on to payment-service when it is there."""

    def __init__(self) -> None:
        self.posts: list[tuple[bytes, dict[str, str]]] = []
        self.target: httpx.AsyncClient | None = None
        self.answers: list[int] = []

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        body = await request.aread()
        headers = {
            name: value for name, value in request.headers.items() if name in ("sandbox-signature", "content-type")
        }
        self.posts.append((body, headers))
        if self.target is None:
            self.answers.append(503)
            return httpx.Response(503)
        response = await self.target.post("/v1/webhooks/sandbox", content=body, headers=headers)
        self.answers.append(response.status_code)
        return httpx.Response(response.status_code)


@dataclass
class Stack:
    """Everything a test touches."""

    client: httpx.AsyncClient
    container: Container
    booking: FakeBooking
    sandbox: httpx.AsyncClient
    sandbox_url: str
    wire: Wire
    mailbox: Mailbox
    clock: FixedClock
    keyring: Keyring
    settings: Settings
    transports: Transports

    def person(self, user_id: UUID, *, roles: tuple[str, ...] = ("traveller",), **claims: Any) -> dict[str, str]:
        """Headers of a signed-in person, with an Idempotency-Key of their own."""
        token = self.keyring.token(audience="payment", user_id=user_id, roles=roles, **claims)
        return {"authorization": f"Bearer {token}", "idempotency-key": str(new_id())}

    def service(self, name: str = "booking") -> dict[str, str]:
        """Headers of a calling service."""
        return {"authorization": f"Bearer {self.keyring.token(audience='payment', issuer=name)}"}

    async def pay(
        self, user_id: UUID, charge: dict[str, Any], method: dict[str, Any], **headers: str
    ) -> httpx.Response:
        """POST /v1/payments for a charge."""
        return await self.client.post(
            "/v1/payments",
            json={"booking_id": charge["booking_id"], "method": method},
            headers={**self.person(user_id), **headers},
        )

    async def fund(self, user_id: UUID, amount_minor: int, currency: str = "USD") -> None:
        """Put money into a wallet by a posting."""
        async with self.container.db.transaction() as session:
            lines = transfer(accounts.adjustments(currency), accounts.wallet(user_id, currency), amount_minor)
            await post(session, Posting(f"test:{new_id()}", "adjustment", lines), now=self.clock.now())

    async def sql(self, query: str, *arguments: Any) -> list[Any]:
        """Rows of a query on the service's database."""
        pool = await self.container.db.asyncpg_pool()
        return list(await pool.fetch(query, *arguments))

    async def events(self, kind: str) -> list[dict[str, Any]]:
        """Data of the events of one type in the outbox, oldest first."""
        rows = await self.sql("SELECT envelope FROM outbox WHERE type = $1 ORDER BY position", kind)
        return [json.loads(row["envelope"])["data"] for row in rows]

    async def balance(self, account: accounts.Account) -> int:
        """The sum of an account's entries."""
        rows = await self.sql(
            "SELECT coalesce(sum(amount), 0)::bigint AS total FROM ledger_entry WHERE account_id = $1", account.id
        )
        return int(rows[0]["total"])

    async def assert_books_balance(self) -> None:
        """The whole ledger is right, and nothing but open refunds is left in flight."""
        report = await verify(self.container.db)
        assert report.passed, report.findings


@pytest.fixture(scope="session")
def sandbox_server(real_servers: Servers) -> Iterator[str]:
    """One database of the sandbox company for the session: its rows are named by keys no two tests share."""

    async def run(statement: str) -> None:
        admin = await asyncpg.connect(real_servers.database_url)
        await admin.execute(statement)
        await admin.close()

    name = f"t_{new_id().hex}"
    asyncio.run(run(f'CREATE DATABASE "{name}"'))
    url = with_database(real_servers.database_url, name)
    upgrade_sandbox(url)
    yield url
    asyncio.run(run(f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)'))


@pytest_asyncio.fixture
async def sandbox_database(sandbox_server: str) -> str:
    """The sandbox company's database, empty."""
    connection = await asyncpg.connect(sandbox_server)
    await connection.execute("TRUNCATE delivery, event, refund, payment")
    await connection.close()
    return sandbox_server


@pytest.fixture
def broker_namespace() -> str:
    """A name of this test's own. Tests that speak to the broker replace it by `namespace`, which cleans up there."""
    return f"t{new_id().hex[-16:]}"


@asynccontextmanager
async def open_stack(
    database_url: str,
    sandbox_url: str,
    namespace: str,
    amqp_url: str,
    clock: FixedClock,
    keyring: Keyring,
    **changes: Any,
) -> AsyncIterator[Stack]:
    """The API in process, wired to the sandbox company and to a small booking-service."""
    mailbox = Mailbox()
    sandbox_settings = SandboxSettings(
        database_url=sandbox_url,
        webhook_url="http://payments.test/webhook",
        poll_seconds=0.02,
        sandbox_public_url="http://bank",
        webhook_timeout_seconds=60,
    )
    sandbox_app = create_sandbox(sandbox_settings, clock=clock, webhook_transport=mailbox)
    booking = FakeBooking(clock.now)
    wire = Wire(sandbox_app)
    transports = Transports(
        {"booking": httpx.ASGITransport(booking.app()), "sandbox": wire, **changes.pop("transports", {})}
    )
    settings = Settings(
        database_url=database_url,
        amqp_url=amqp_url,
        namespace=namespace,
        booking_url="http://booking.test",
        sandbox_url="http://sandbox.test",
        **keyring.settings("payment"),
        **{"provider_timeout_seconds": 30, "booking_timeout_seconds": 30, **changes},
    )
    async with AsyncExitStack() as stack:
        sandbox = await stack.enter_async_context(running(sandbox_app))
        sandbox.headers["authorization"] = "Bearer sk_sandbox_local"
        app = create_app(settings, clock=clock, transports=transports)
        client = await stack.enter_async_context(running(app))
        yield Stack(
            client,
            app.state.container,
            booking,
            sandbox,
            sandbox_url,
            wire,
            mailbox,
            clock,
            keyring,
            settings,
            transports,
        )


@pytest_asyncio.fixture
async def stack(
    database_for: Any, sandbox_database: str, broker_namespace: str, amqp_url: str, clock: FixedClock, keyring: Keyring
) -> AsyncIterator[Stack]:
    database_url = await database_for("payment-service")
    async with open_stack(database_url, sandbox_database, broker_namespace, amqp_url, clock, keyring) as opened:
        yield opened


@pytest.fixture
def user_id() -> UUID:
    return new_id()


@pytest_asyncio.fixture
async def container(
    database_for: Any, broker_namespace: str, amqp_url: str, clock: FixedClock, keyring: Keyring
) -> AsyncIterator[Container]:
    """The container alone, for tests below the routes."""
    settings = Settings(
        database_url=await database_for("payment-service"),
        amqp_url=amqp_url,
        namespace=broker_namespace,
        booking_url="http://booking.test",
        **keyring.settings("payment"),
    )
    async with open_container(settings, clock) as opened:
        yield opened


@pytest.fixture
def stack_opener() -> Any:
    """`open_stack`, for tests that need other settings or other ends of the wire."""
    return open_stack
