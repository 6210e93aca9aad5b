"""Payments a second: wallets (spread, one wallet), cards, webhooks, their replay; then a ledger of a million entries.

`python bench/payments.py [--seconds 5] [--connections 64] [--webhooks 10000] [--entries 1000000]` starts a private
PostgreSQL with durable commits and payment-service with one worker, as in production. booking-service and the card
company are answered by this process in the fewest instructions, so that the figures are the service's own. Besides
payments a second, which depend on what else the machine does, it prints CPU time a payment.
"""

import argparse
import asyncio
import hashlib
import hmac
import json
import os
import subprocess
import sys
import time
from collections import Counter
from collections.abc import AsyncIterator, Callable, Coroutine, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import asyncpg
import httpx
import uvloop
from durable import durable_postgres, free_port
from image import AS_THE_IMAGE

from payment_service.ledger import accounts
from payment_service.ledger.seal import seal_batch
from payment_service.ledger.verify import verify
from payment_service.wallet.read_wallet import list_entries
from rihla.db import Database
from rihla.db.migrations import upgrade
from rihla.kernel import new_id
from rihla.testing.databases import with_database
from rihla.testing.keyring import Keyring

SERVICE = Path(__file__).resolve().parents[1] / "payment-service"
SECRET = "whsec_sandbox_local"
USERS = 400
TARGETS = {"wallets, spread": 800.0, "one wallet": 400.0, "webhooks": 1500.0}
CARD_P95_MS, PAGE_MS, RECOMPUTE_SECONDS = 500.0, 20.0, 60.0


# ---- the other ends of the wire


class Neighbour(asyncio.Protocol):
    """booking-service (the charge due is the booking itself) and the card company (every card is good), in one."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport: Any = transport
        self.seen = b""

    def data_received(self, data: bytes) -> None:
        self.seen += data
        while (request := _whole_message(self.seen)) is not None:
            head, body, self.seen = request
            if head.startswith(b"GET"):
                query = head.split(b" ", 2)[1].decode().partition("?")[2]
                answer = json.dumps(_due(dict(pair.split("=") for pair in query.split("&")))).encode()
            elif head.startswith(b"POST /internal/"):
                answer = json.dumps({"charges": [_due(asked) for asked in json.loads(body)["charges"]]}).encode()
            else:
                answer = _paid(body)
            self.transport.write(_response(answer))


def _due(asked: dict[str, Any]) -> dict[str, Any]:
    booking, user = asked["booking_id"], asked["user_id"]
    until = (datetime.now(UTC) + timedelta(minutes=10)).isoformat()
    return {
        "booking_id": booking, "charge_id": booking, "user_id": user, "reference": "K7QX2M", "kind": "initial",
        "amount_minor": 100, "currency": "USD", "status": "due", "payable_until": until,
    }  # fmt: skip


def _paid(body: bytes) -> bytes:
    asked = json.loads(body)
    answer = {"id": f"pay_{new_id().hex}", "status": "succeeded", "brand": "visa", "last4": "4242"}
    return json.dumps({**answer, "amount_minor": asked["amount_minor"], "currency": asked["currency"]}).encode()


def _whole_message(seen: bytes) -> tuple[bytes, bytes, bytes] | None:
    end = seen.find(b"\r\n\r\n")
    if end < 0:
        return None
    lower = seen[:end].lower()
    at = lower.find(b"content-length:")
    length = int(lower[at + 15 :].split(b"\r\n", 1)[0]) if at >= 0 else 0
    if len(seen) < end + 4 + length:
        return None
    return seen[:end], seen[end + 4 : end + 4 + length], seen[end + 4 + length :]


def _response(body: bytes) -> bytes:
    head = f"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: {len(body)}\r\n\r\n"
    return head.encode() + body


@asynccontextmanager
async def neighbour(port: int) -> AsyncIterator[None]:
    server = await asyncio.get_running_loop().create_server(Neighbour, "127.0.0.1", port)
    try:
        yield
    finally:
        server.close()


# ---- the payers


class Payer(asyncio.Protocol):
    """One keep-alive connection; costs as little as a Python client can."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport: Any = transport
        self.seen = b""
        self.answer: asyncio.Future[tuple[int, bytes]] | None = None

    def data_received(self, data: bytes) -> None:
        self.seen += data
        message = _whole_message(self.seen)
        if message is not None and self.answer is not None:
            head, body, self.seen = message
            self.answer.set_result((int(head[9:12]), body))

    async def post(self, path: str, headers: str, body: bytes) -> tuple[int, bytes]:
        head = f"POST {path} HTTP/1.1\r\nhost: bench\r\ncontent-type: application/json\r\n{headers}"
        self.answer = asyncio.get_running_loop().create_future()
        self.transport.write(f"{head}content-length: {len(body)}\r\n\r\n".encode() + body)
        return await self.answer


@dataclass
class Outcome:
    """What a run saw."""

    seconds: float = 0.0
    waits: list[float] = field(default_factory=list)
    codes: Counter[str] = field(default_factory=Counter)

    def per_second(self) -> float:
        return (self.codes["succeeded"] + self.codes["200"]) / self.seconds

    def wait_ms(self, share: float) -> float:
        return sorted(self.waits)[min(int(len(self.waits) * share), len(self.waits) - 1)] * 1e3


Ask = Callable[[Payer, int], Coroutine[Any, Any, str]]


async def load(port: int, ask: Ask, connections: int, *, seconds: float = 600.0, most: int = 10**9) -> Outcome:
    """Connections that ask one after the other, for so long or so often."""
    outcome, loop = Outcome(), asyncio.get_running_loop()
    end, turn = time.perf_counter() + seconds, iter(range(most))

    async def run() -> None:
        _, payer = await loop.create_connection(Payer, "127.0.0.1", port)
        while (started := time.perf_counter()) < end and (n := next(turn, None)) is not None:
            outcome.codes[await ask(payer, n)] += 1
            outcome.waits.append(time.perf_counter() - started)
        payer.transport.close()

    started = time.perf_counter()
    await asyncio.gather(*(run() for _ in range(connections)))
    outcome.seconds = time.perf_counter() - started
    return outcome


def paying(tokens: list[str], method: dict[str, Any]) -> Ask:
    """POST /v1/payments of a new booking, person after person."""
    text = json.dumps(method)

    async def ask(payer: Payer, n: int) -> str:
        body = f'{{"booking_id": "{new_id()}", "method": {text}}}'.encode()
        headers = f"authorization: Bearer {tokens[n % len(tokens)]}\r\nidempotency-key: {new_id()}\r\n"
        status, answer = await payer.post("/v1/payments", headers, body)
        return str(json.loads(answer)["status"]) if status == 201 else f"{status} {answer[:80]!r}"

    return ask


def telling(parts: list[UUID]) -> Ask:
    """POST /v1/webhooks/sandbox: the success of one part after the other."""

    async def ask(payer: Payer, n: int) -> str:
        part = parts[n]
        data = {"id": f"pay_{part.hex}", "idempotency_key": str(part), "amount_minor": 100, "currency": "USD"}
        event = {"id": f"evt_{part.hex}", "type": "payment.succeeded", "data": {**data, "status": "succeeded"}}
        body, now = json.dumps(event).encode(), int(time.time())
        mark = hmac.new(SECRET.encode(), f"{now}.".encode() + body, hashlib.sha256).hexdigest()
        status, _ = await payer.post("/v1/webhooks/sandbox", f"sandbox-signature: t={now},v1={mark}\r\n", body)
        return str(status)

    return ask


# ---- servers


@contextmanager
def fresh_database(server: str) -> Iterator[str]:
    """A migrated database of its own, dropped afterwards."""
    name = f"bench_payments_{os.getpid()}"

    async def admin(statement: str) -> None:
        connection = await asyncpg.connect(server)
        await connection.execute(statement)
        await connection.close()

    asyncio.run(admin(f"CREATE DATABASE {name}"))
    url = with_database(server, name)
    try:
        upgrade(SERVICE, url)
        yield url
    finally:
        asyncio.run(admin(f"DROP DATABASE {name} WITH (FORCE)"))


@contextmanager
def serving(environment: dict[str, str]) -> Iterator[tuple[int, int]]:
    """(port, pid) of payment-service with one worker."""
    port = free_port()
    argv = [sys.executable, "-m", "uvicorn", "--factory", "payment_service.main:create_app", "--port", str(port)]
    argv += [*AS_THE_IMAGE, "--loop", "uvloop", "--log-level", "warning"]
    process = subprocess.Popen(argv, cwd=SERVICE, env={**os.environ, **environment}, stdout=subprocess.DEVNULL)
    try:
        deadline = time.monotonic() + 90
        while process.poll() is None and time.monotonic() < deadline:
            try:
                if httpx.get(f"http://127.0.0.1:{port}/health/live", timeout=2).status_code == 200:
                    break
            except httpx.HTTPError:
                time.sleep(0.2)
        yield port, process.pid
    finally:
        process.terminate()
        process.wait(timeout=20)


def cpu_seconds(pids: list[int]) -> float:
    """CPU time these processes have used."""
    ticks = 0
    for pid in pids:
        try:
            parts = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
        except OSError:
            continue
        ticks += int(parts[11]) + int(parts[12])
    return ticks / os.sysconf("SC_CLK_TCK")


async def fetch(url: str, query: str, *arguments: Any) -> list[Any]:
    connection = await asyncpg.connect(url, command_timeout=600)
    try:
        return list(await connection.fetch(query, *arguments))
    finally:
        await connection.close()


# ---- data


async def fund(url: str, users: list[UUID]) -> None:
    """A hundred thousand dollars for everybody, as postings."""
    from payment_service.ledger.post import post
    from payment_service.ledger.posting import Posting, transfer

    db = Database(url)
    async with db.transaction() as session:
        for user in users:
            lines = transfer(accounts.adjustments("USD"), accounts.wallet(user, "USD"), 10_000_000)
            await post(session, Posting(f"bench:{user}", "adjustment", lines), now=datetime.now(UTC))
    await db.close()


async def open_payments(url: str, count: int) -> list[UUID]:
    """Card payments that wait for their provider's word."""
    payments, parts = [new_id() for _ in range(count)], [new_id() for _ in range(count)]
    connection = await asyncpg.connect(url)
    await connection.execute(
        "INSERT INTO payment (id, user_id, purpose, booking_id, charge_id, amount_minor, currency, method_type, "
        "status, lease_until, created_at, updated_at) SELECT p, gen_random_uuid(), 'charge', p, p, 100, 'USD', 'card', "
        "'processing', now(), now(), now() FROM unnest($1::uuid[]) p",
        payments,
    )
    await connection.execute(
        "INSERT INTO payment_part (id, payment_id, position, kind, provider, amount_minor, currency, status, "
        "created_at) SELECT t, p, 0, 'card', 'sandbox', 100, 'USD', 'taking', now() "
        "FROM unnest($1::uuid[], $2::uuid[]) AS x(p, t)",
        payments,
        parts,
    )
    await connection.execute("ANALYZE")
    await connection.close()
    return parts


# ---- the run


def measure(name: str, url: str, pid: int, run: Coroutine[Any, Any, Outcome]) -> Outcome:
    """Run it and print a line."""
    mine = "SELECT pid FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()"
    committed = "SELECT xact_commit FROM pg_stat_database WHERE datname = current_database()"
    backends = [row[0] for row in asyncio.run(fetch(url, mine))]
    before = cpu_seconds([pid]), cpu_seconds(backends), asyncio.run(fetch(url, committed))[0][0]
    outcome: Outcome = uvloop.run(run)
    done = max(outcome.codes["succeeded"] + outcome.codes["200"], 1)
    ours, theirs = cpu_seconds([pid]) - before[0], cpu_seconds(backends) - before[1]
    transactions = asyncio.run(fetch(url, committed))[0][0] - before[2]
    waits = f"p50 {outcome.wait_ms(0.5):6.1f}  p95 {outcome.wait_ms(0.95):6.1f} ms"
    cpu = f"each: service {ours / done * 1e3:5.2f} ms CPU, database {theirs / done * 1e3:5.2f} ms CPU"
    transactions_each = f"{transactions / done:.2f} transactions"
    print(f"{name:18} {outcome.per_second():7,.0f}/s  {waits}  {cpu}, {transactions_each}  {dict(outcome.codes)}")
    sys.stdout.flush()
    return outcome


def play(url: str, seconds: float, connections: int, webhooks: int) -> bool:
    """All runs against the service; whether the targets were reached."""
    keyring, beside = Keyring(), free_port()
    address = f"http://127.0.0.1:{beside}"
    environment = {name.upper(): value for name, value in keyring.settings("payment").items()}
    environment |= {"DATABASE_URL": url, "BOOKING_URL": address, "SANDBOX_URL": address, "NAMESPACE": "bench"}
    users = [new_id() for _ in range(USERS)]
    asyncio.run(fund(url, users))
    number = {"number": "4242424242424242", "exp_month": 12, "exp_year": 2031, "cvc": "123"}
    card = {"type": "card", "provider": "sandbox", "card": number}
    reached = True

    async def beside_it(run: Coroutine[Any, Any, Outcome]) -> Outcome:
        async with neighbour(beside):
            return await run

    def tokens(some: list[UUID]) -> list[str]:
        return [keyring.token(audience="payment", user_id=user) for user in some]

    with serving(environment) as (port, pid):
        warm = load(port, paying(tokens(users), {"type": "wallet"}), connections, seconds=1.0)
        uvloop.run(beside_it(warm))
        for name, some in (("wallets, spread", users), ("one wallet", users[:1])):
            ask = paying(tokens(some), {"type": "wallet"})
            outcome = measure(name, url, pid, beside_it(load(port, ask, connections, seconds=seconds)))
            reached &= outcome.per_second() >= TARGETS[name]
        ask = paying(tokens(users), card)
        outcome = measure("cards", url, pid, beside_it(load(port, ask, 16, seconds=seconds)))
        reached &= outcome.wait_ms(0.95) <= CARD_P95_MS
        parts = asyncio.run(open_payments(url, webhooks))
        outcome = measure("webhooks", url, pid, load(port, telling(parts), connections, most=webhooks))
        reached &= outcome.per_second() >= TARGETS["webhooks"]
        before = asyncio.run(fetch(url, _STATE))
        measure("the same again", url, pid, load(port, telling(parts), connections, most=webhooks))
        same = asyncio.run(fetch(url, _STATE)) == before
        print(
            f"{'':18} {before[0][0]} of {webhooks} succeeded; the replay changed {'nothing' if same else 'SOMETHING'}"
        )
    return reached and same and before[0][0] == webhooks


_STATE = """
SELECT (SELECT count(*) FROM payment p JOIN payment_part t ON t.payment_id = p.id
        JOIN provider_event e ON e.event_id = 'evt_' || replace(t.id::text, '-', '') WHERE p.status = 'succeeded'),
  (SELECT count(*) FROM provider_event), (SELECT count(*) FROM ledger_entry), (SELECT sum(sequence) FROM payment),
  (SELECT count(*) FROM outbox)
"""


# ---- the ledger


async def grow(url: str, entries: int, users: list[UUID]) -> None:
    """Two entries a posting: top-ups of wallets, with running balances; one COPY of each table."""
    connection = await asyncpg.connect(url, command_timeout=600)
    now, source = datetime.now(UTC), accounts.adjustments("USD").id
    wallets = [accounts.wallet(user, "USD").id for user in users]
    had = {row[0]: row[1] for row in await connection.fetch("SELECT id, balance FROM ledger_account WHERE balance > 0")}
    postings, rows = [], []
    for n in range(entries // 2):
        posting, target = new_id(), wallets[n % len(wallets)]
        had[target] += 1
        postings.append((posting, f"bench:{n}", "adjustment", now))
        rows += [(posting, source, "USD", -1, None), (posting, target, "USD", 1, had[target])]
    async with connection.transaction():
        await connection.execute(
            "UPDATE ledger_account a SET balance = x.b, version = version + 1 "
            "FROM unnest($1::uuid[], $2::bigint[]) AS x(id, b) WHERE a.id = x.id",
            list(had),
            list(had.values()),
        )
        columns = ["id", "key", "kind", "posted_at"]
        await connection.copy_records_to_table("ledger_posting", records=postings, columns=columns)
        columns = ["posting_id", "account_id", "unit", "amount", "balance_after"]
        await connection.copy_records_to_table("ledger_entry", records=rows, columns=columns)
    await connection.execute("ANALYZE")
    await connection.close()


async def ledger(url: str, entries: int) -> bool:
    """A statement page from the middle of a wallet's life, and the whole recomputation."""
    users = [new_id() for _ in range(100)]
    await fund(url, users)
    started = time.perf_counter()
    await grow(url, entries, users)
    print(f"{entries:,} entries copied in {time.perf_counter() - started:.1f} s (all guards on)")
    db = Database(url, statement_timeout_ms=600_000)
    started = time.perf_counter()
    while await seal_batch(db, now=datetime.now(UTC), limit=5000):
        pass
    print(f"{'sealed':18} in {time.perf_counter() - started:.1f} s")
    waits = []
    for user in users[:50]:
        page = await list_entries(db, user, unit=None, limit=50, cursor=None)
        started = time.perf_counter()
        page = await list_entries(db, user, unit=None, limit=50, cursor={"before": page.items[-1].id})
        waits.append(time.perf_counter() - started)
    waits.sort()
    page_ms = waits[len(waits) // 2] * 1e3
    print(f"{'statement page':18} p50 {page_ms:.1f} ms, slowest {waits[-1] * 1e3:.1f} ms")
    started, cpu = time.perf_counter(), time.process_time()
    report = await verify(db)
    seconds = time.perf_counter() - started
    print(f"{'recomputation':18} {seconds:.1f} s ({time.process_time() - cpu:.1f} s CPU here), passed: {report.passed}")
    await db.close()
    return page_ms < PAGE_MS and seconds < RECOMPUTE_SECONDS and report.passed


def main() -> int:
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--seconds", type=float, default=5.0)
    parser.add_argument("--connections", type=int, default=64)
    parser.add_argument("--webhooks", type=int, default=10_000)
    parser.add_argument("--entries", type=int, default=1_000_000, help="0 leaves the ledger's part out")
    asked = parser.parse_args()
    with durable_postgres() as server, fresh_database(server) as url:
        reached = play(url, asked.seconds, asked.connections, asked.webhooks)
        if asked.entries:
            reached &= asyncio.run(ledger(url, asked.entries))
    print("all targets reached" if reached else "not every target was reached here; see the CPU figures")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
