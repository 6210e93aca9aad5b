"""A verifier that cannot fail proves nothing: each of its checks is shown a planted fault."""

from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import UUID, uuid4

import asyncpg
import pytest
import pytest_asyncio

from rihla_verifier.checks import ALL
from rihla_verifier.databases import connect
from rihla_verifier.findings import Evidence, judge, sound, table
from rihla_verifier.history import Told, read_history

SERVICES = ("auth", "flight", "booking", "payment", "notification", "chat")
LONG_AGO = datetime.now(UTC) - timedelta(hours=1)
A, B, C = (UUID(int=n) for n in (1, 2, 3))
Urls = dict[str, str]


@pytest_asyncio.fixture
async def urls(database_for: Callable[[str], Awaitable[str]]) -> AsyncIterator[Urls]:
    yield {name: await database_for(f"{name}-service") for name in SERVICES}


async def relaxed(url: str, *tables: str) -> "asyncpg.Connection[asyncpg.Record]":
    """A connection to a database whose guards on `tables` are gone: constraints, unique indexes, triggers."""
    connection = await asyncpg.connect(url)
    await connection.execute("SET session_replication_role = replica")
    for name in tables:
        columns = await connection.fetch(
            "SELECT attname FROM pg_attribute a WHERE attrelid = $1::regclass AND attnum > 0 AND attnotnull "
            "AND NOT attisdropped AND attidentity = ''",
            name,
        )
        constraints = await connection.fetch(
            "SELECT conname FROM pg_constraint WHERE conrelid = $1::regclass AND contype <> 't'", name
        )
        for row in constraints:
            await connection.execute(f'ALTER TABLE {name} DROP CONSTRAINT IF EXISTS "{row["conname"]}" CASCADE')
        indexes = await connection.fetch(
            "SELECT indexrelid::regclass::text AS name FROM pg_index WHERE indrelid = $1::regclass AND indisunique",
            name,
        )
        for row in indexes:
            await connection.execute(f"DROP INDEX {row['name']}")
        for row in columns:
            await connection.execute(f'ALTER TABLE {name} ALTER COLUMN "{row["attname"]}" DROP NOT NULL')
    return connection


async def failing(urls: Urls, history: list[Told] | None = None) -> set[str]:
    """The names of the checks that find something."""
    async with connect(urls) as databases:
        verdicts = await judge(ALL, Evidence(databases, history or [], datetime.now(UTC)))
    print(table(verdicts))
    return {verdict.check.name for verdict in verdicts if verdict.findings}


async def test_untouched_databases_are_sound(urls: Urls) -> None:
    async with connect(urls) as databases:
        verdicts = await judge(ALL, Evidence(databases, [], datetime.now(UTC)))
    assert sound(verdicts)
    assert len(verdicts) == 17


async def test_a_database_that_is_missing_is_not_called_sound(urls: Urls) -> None:
    async with connect({"flight": urls["flight"]}) as databases:
        assert not sound(await judge(ALL, Evidence(databases, [], datetime.now(UTC))))


PLANTED: dict[str, tuple[str, tuple[str, ...], str]] = {
    "one owner a seat": (
        "flight",
        ("hold_seat",),
        "INSERT INTO hold_seat (hold_id, passenger_id, flight_id, cabin, designator, state) VALUES "
        f"('{A}', '{A}', '{C}', 'economy', '12A', 'held'), ('{B}', '{B}', '{C}', 'economy', '12A', 'sold')",
    ),
    "seats conserved": (
        "flight",
        ("cabin_inventory",),
        f"INSERT INTO cabin_inventory (flight_id, cabin, capacity, free_seats) VALUES ('{A}', 'economy', 10, 9)",
    ),
    "counters true": (
        "flight",
        ("cabin_inventory",),
        "INSERT INTO cabin_inventory (flight_id, cabin, capacity, free_seats, sold_seats) "
        f"VALUES ('{A}', 'economy', 10, 9, 1)",
    ),
    "sold seats booked": (
        "flight",
        ("hold_seat",),
        "INSERT INTO hold_seat (hold_id, passenger_id, flight_id, cabin, designator, state) "
        f"VALUES ('{A}', '{A}', '{C}', 'economy', '12A', 'sold')",
    ),
    "nothing stuck": (
        "booking",
        ("booking",),
        "INSERT INTO booking (id, reference, state, payment_required_by) "
        f"VALUES ('{A}', 'ABCDEF', 'pending_payment', now() - interval '1 hour')",
    ),
    "check-in numbers": (
        "booking",
        ("check_in",),
        "INSERT INTO check_in (flight_id, sequence, coupon_id, state) "
        f"VALUES ('{A}', 1, '{A}', 'active'), ('{A}', 1, '{B}', 'active')",
    ),
    "ledger balances": (
        "payment",
        ("ledger_entry",),
        "INSERT INTO ledger_entry (posting_id, account_id, unit, amount) "
        f"VALUES ('{A}', '{A}', 'USD', 100), ('{A}', '{B}', 'USD', -99)",
    ),
    "ledger unchanged": (
        "payment",
        ("ledger_posting", "ledger_link"),
        f"INSERT INTO ledger_posting (id, key, kind, posted_at) VALUES ('{A}', 'k', 'k', now()); "
        f"INSERT INTO ledger_link (position, posting_id, hash) VALUES (1, '{A}', '\\x00')",
    ),
    "outboxes drained": (
        "booking",
        ("outbox",),
        "INSERT INTO outbox (id, type, created_at) "
        f"VALUES ('{A}', 'booking.confirmed.v1', now() - interval '2 minutes')",
    ),
    "confirmed once": (
        "booking",
        ("booking",),
        "INSERT INTO booking (id, reference, state, confirmed_at) "
        f"VALUES ('{A}', 'ABCDEF', 'cancelled', now() - interval '1 hour')",
    ),
    "one effect a key": (
        "booking",
        ("idempotency_key",),
        "INSERT INTO idempotency_key (scope, key, resource_id) "
        f"VALUES ('u POST /v1/bookings', 'one', '{A}'), ('u POST /v1/bookings', 'two', '{A}')",
    ),
    "paid once": (
        "booking",
        ("booking", "charge"),
        f"INSERT INTO booking (id, reference, state) VALUES ('{A}', 'ABCDEF', 'confirmed'); "
        "INSERT INTO charge (id, booking_id, kind, amount_minor, currency, state) "
        f"VALUES ('{B}', '{A}', 'initial', 500, 'USD', 'paid')",
    ),
    "chat unbroken": (
        "chat",
        ("conversation", "message"),
        f"INSERT INTO conversation (id, user_id, last_seq) VALUES ('{A}', '{A}', 2); "
        f"INSERT INTO message (conversation_id, seq, id) VALUES ('{A}', 1, '{B}')",
    ),
    "captured accounted for": (
        "payment",
        ("payment",),
        "INSERT INTO payment (id, charge_id, amount_minor, currency, status, purpose) "
        f"VALUES ('{A}', '{B}', 500, 'USD', 'succeeded', 'charge')",
    ),
}


@pytest.mark.parametrize("name", PLANTED)
async def test_a_planted_fault_is_found(name: str, urls: Urls) -> None:
    service, tables, fault = PLANTED[name]
    assert await failing(urls) == set()
    connection = await relaxed(urls[service], *tables)
    await connection.execute(fault)
    await connection.close()
    assert name in await failing(urls)


async def test_an_event_that_waits_is_found_in_every_service_that_tells_anything(urls: Urls) -> None:
    tellers = {"auth", "flight", "booking", "payment", "chat"}
    for service in tellers:
        connection = await relaxed(urls[service], *PLANTED["outboxes drained"][1])
        await connection.execute(PLANTED["outboxes drained"][2])
        await connection.close()
    async with connect(urls) as databases:
        verdicts = await judge(ALL, Evidence(databases, [], datetime.now(UTC)))
    found = [text for verdict in verdicts for text in verdict.findings or []]
    assert {text.split(":")[0] for text in found if "waits" in text} == tellers


async def test_a_booking_a_client_was_told_of_and_that_is_gone_is_found(urls: Urls) -> None:
    told = Told(deed="book", status=201, key="k", id=str(uuid4()), reference="ABCDEF")
    assert await failing(urls, [told]) == {"told is true"}


async def test_a_refusal_that_left_a_booking_is_found(urls: Urls) -> None:
    connection = await relaxed(urls["booking"], "booking", "idempotency_key")
    await connection.execute(f"INSERT INTO booking (id, reference, state) VALUES ('{A}', 'ABCDEF', 'confirmed')")
    await connection.execute(f"INSERT INTO idempotency_key (scope, key, resource_id) VALUES ('s', 'k', '{A}')")
    await connection.close()
    refused = Told(deed="book", status=409, key="k", code="seat-taken")
    assert "refused is nothing" in await failing(urls, [refused])


async def test_a_refusal_that_took_money_is_found(urls: Urls) -> None:
    connection = await relaxed(urls["payment"], "payment", "idempotency_key")
    await connection.execute(
        "INSERT INTO payment (id, amount_minor, currency, status, purpose) "
        f"VALUES ('{A}', 500, 'USD', 'succeeded', 'top_up'), ('{B}', 500, 'USD', 'failed', 'top_up')"
    )
    await connection.execute(
        f"INSERT INTO idempotency_key (scope, key, resource_id) VALUES ('s', 'k', '{A}'), ('s', 'declined', '{B}')"
    )
    await connection.close()
    refused = [Told(deed="top-up", status=409, key=key, code="charge-not-due") for key in ("k", "declined")]
    assert await failing(urls, refused) == {"refused is nothing"}
    answered = [*refused, Told(deed="top-up", status=201, key="k", id=str(A))]
    assert await failing(urls, answered) == set()


async def test_a_chat_message_a_client_was_told_of_and_that_is_gone_changed_or_doubled_is_found(urls: Urls) -> None:
    told = Told(deed="say", status=201, key="k", id=str(A), said="My bag is gone.")
    assert await failing(urls, [told]) == {"said is stored"}
    connection = await relaxed(urls["chat"], "conversation", "message")
    await connection.execute(f"INSERT INTO conversation (id, user_id, last_seq) VALUES ('{C}', '{C}', 1)")
    say = "INSERT INTO message (conversation_id, seq, id, client_id, text) VALUES ($1, $2, $3, 'k', $4)"
    await connection.execute(say, C, 1, A, "My bag is gone.")
    assert await failing(urls, [told, replace(told, status=200)]) == set()
    assert await failing(urls, [replace(told, said="My bag is here.")]) == {"said is stored"}
    await connection.execute(say, C, 2, B, "My bag is gone.")
    await connection.execute("UPDATE conversation SET last_seq = 2")
    assert await failing(urls, [told]) == {"said is stored"}
    await connection.close()


async def test_a_refused_chat_message_that_was_stored_is_found(urls: Urls) -> None:
    connection = await relaxed(urls["chat"], "conversation", "message")
    await connection.execute(f"INSERT INTO conversation (id, user_id, last_seq) VALUES ('{C}', '{C}', 1)")
    await connection.execute(f"INSERT INTO message (conversation_id, seq, id, client_id) VALUES ('{C}', 1, '{A}', 'k')")
    await connection.close()
    refused = Told(deed="say", status=404, key="k", code="conversation-not-found")
    assert await failing(urls, [refused]) == {"refused is nothing"}


def test_every_check_has_its_planted_fault() -> None:
    by_history = {"told is true", "refused is nothing", "said is stored"}
    assert {check.name for check in ALL} == PLANTED.keys() | by_history


def test_a_line_cut_off_by_a_killed_client_is_passed_over(tmp_path: Path) -> None:
    path = tmp_path / "history.jsonl"
    path.write_text('{"deed": "book", "status": 201, "id": "x"}\n{"deed": "bo')
    assert read_history(path) == [Told(deed="book", status=201, id="x")]
