"""What the database itself guards, whatever a program does."""

import asyncio
from datetime import timedelta
from typing import Any
from uuid import UUID

import asyncpg
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from payment_service.bootstrap import Container
from payment_service.ledger import accounts
from payment_service.ledger.errors import InsufficientFunds, WalletFrozen
from payment_service.ledger.nightly import LedgerIsWrong, check_when_due, ledger_is_right
from payment_service.ledger.post import post
from payment_service.ledger.posting import Posting, transfer
from payment_service.ledger.seal import seal_batch
from payment_service.ledger.store import set_frozen
from payment_service.ledger.verify import check_ledger, verify
from rihla.kernel import FixedClock, new_id

USER = new_id()
WALLET = accounts.wallet(USER, "USD")


async def move(
    c: Container, source: accounts.Account, target: accounts.Account, amount: int, key: str = ""
) -> UUID | None:
    async with c.db.transaction() as session:
        lines = transfer(source, target, amount)
        return await post(session, Posting(key or f"t:{new_id()}", "test", lines), now=c.clock.now())


async def fill(c: Container, amount: int) -> None:
    await move(c, accounts.adjustments("USD"), WALLET, amount)


async def test_entries_that_do_not_balance_cannot_be_committed(container: Container) -> None:
    await fill(container, 100)
    pool = await container.db.asyncpg_pool()
    posting = new_id()
    async with pool.acquire() as connection:
        transaction = connection.transaction()
        await transaction.start()
        await connection.execute(
            "INSERT INTO ledger_posting (id, key, kind, posted_at) VALUES ($1, 'x', 'test', now())", posting
        )
        with pytest.raises(asyncpg.CheckViolationError, match="sum to zero"):
            await connection.execute(
                "INSERT INTO ledger_entry (posting_id, account_id, unit, amount) VALUES ($1, $2, 'USD', 5)",
                posting,
                accounts.adjustments("USD").id,
            )
        await transaction.rollback()


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE ledger_entry SET amount = amount + 1",
        "DELETE FROM ledger_entry",
        "UPDATE ledger_posting SET reason = 'x'",
        "DELETE FROM ledger_posting",
        "TRUNCATE ledger_entry",
        "DELETE FROM ledger_link",
        "UPDATE ledger_account SET unit = 'EUR'",
        "DELETE FROM ledger_account",
    ],
)
async def test_the_past_cannot_be_changed(container: Container, statement: str) -> None:
    await fill(container, 100)
    await seal_batch(container.db, now=container.clock.now())
    pool = await container.db.asyncpg_pool()
    with pytest.raises(asyncpg.PostgresError, match=r"append-only|identity|foreign key"):
        await pool.execute(statement)


async def test_a_sealed_posting_takes_no_more_entries(container: Container) -> None:
    await fill(container, 100)
    await seal_batch(container.db, now=container.clock.now())
    pool = await container.db.asyncpg_pool()
    with pytest.raises(asyncpg.PostgresError, match="sealed"):
        await pool.execute(
            "INSERT INTO ledger_entry (posting_id, account_id, unit, amount) "
            "SELECT id, $1, 'USD', 1 FROM ledger_posting",
            accounts.adjustments("USD").id,
        )


async def test_a_wallet_never_falls_below_zero(container: Container) -> None:
    await fill(container, 100)
    with pytest.raises(InsufficientFunds) as refused:
        await move(container, WALLET, accounts.charges("USD"), 101)
    assert refused.value.data == {"unit": "USD", "available_minor": 100, "needed_minor": 101}
    pool = await container.db.asyncpg_pool()
    with pytest.raises(asyncpg.CheckViolationError):
        await pool.execute("UPDATE ledger_account SET balance = -1 WHERE owner_id IS NOT NULL")


async def test_the_same_key_posts_once(container: Container) -> None:
    assert await move(container, accounts.adjustments("USD"), WALLET, 7, key="once") is not None
    assert await move(container, accounts.adjustments("USD"), WALLET, 7, key="once") is None
    pool = await container.db.asyncpg_pool()
    assert await pool.fetchval("SELECT balance FROM ledger_account WHERE id = $1", WALLET.id) == 7


async def test_a_frozen_wallet_takes_money_in_and_gives_none_out(container: Container) -> None:
    await fill(container, 100)
    async with container.db.transaction() as session:
        await set_frozen(session, WALLET.id, frozen=True)
    with pytest.raises(WalletFrozen):
        await move(container, WALLET, accounts.charges("USD"), 1)
    await fill(container, 1)


async def spend_guarded(c: Container) -> bool:
    try:
        await move(c, WALLET, accounts.charges("USD"), 10)
    except InsufficientFunds:
        return False
    return True


async def spend_unguarded(c: Container, both_have_read: asyncio.Barrier) -> bool:
    """The popular mistake: read, decide, write back."""
    pool = await c.db.asyncpg_pool()
    balance = await pool.fetchval("SELECT balance FROM ledger_account WHERE id = $1", WALLET.id)
    await both_have_read.wait()
    if balance < 10:
        return False
    await pool.execute("UPDATE ledger_account SET balance = $2 WHERE id = $1", WALLET.id, balance - 10)
    return True


async def test_twenty_racing_payments_spend_a_wallet_exactly_once_each(container: Container) -> None:
    await fill(container, 50)
    at_once = asyncio.Semaphore(
        8
    )  # fewer than there are connections: on a busy machine the others wait here, patiently

    async def spend() -> bool:
        async with at_once:
            return await spend_guarded(container)

    spent = await asyncio.gather(*(spend() for _ in range(20)))
    assert sum(spent) == 5
    assert (await verify(container.db)).passed


async def test_the_same_race_without_the_guard_spends_more_than_there_is(container: Container) -> None:
    await fill(container, 50)
    barrier = asyncio.Barrier(8)
    spent = await asyncio.gather(*(spend_unguarded(container, barrier) for _ in range(8)))
    assert sum(spent) > 5


async def test_verification_finds_a_changed_cached_balance(container: Container) -> None:
    await fill(container, 100)
    pool = await container.db.asyncpg_pool()
    await pool.execute("UPDATE ledger_account SET balance = 101 WHERE id = $1", WALLET.id)
    report = await verify(container.db)
    assert list(report.findings["cached_balances"])
    assert not report.passed


async def tamper(c: Container, *statements: str) -> None:
    """Change the past as somebody with the server's keys could: with the triggers off."""
    pool = await c.db.asyncpg_pool()
    async with pool.acquire() as connection, connection.transaction():
        await connection.execute("SET LOCAL session_replication_role = replica")
        for statement in statements:
            await connection.execute(statement)


async def test_verification_finds_a_rewritten_past(container: Container) -> None:
    for _ in range(3):
        await fill(container, 100)
    assert await seal_batch(container.db, now=container.clock.now()) == 3
    assert (await verify(container.db)).passed
    await tamper(
        container,
        "UPDATE ledger_posting SET reason = 'changed' "
        "WHERE id = (SELECT posting_id FROM ledger_link WHERE position = 2)",
    )
    report = await verify(container.db)
    assert len(report.findings["broken_links"]) == 1
    assert "link 2" in report.findings["broken_links"][0]


async def test_a_truncated_chain_shows_against_the_last_check(container: Container, clock: FixedClock) -> None:
    for _ in range(3):
        await fill(container, 100)
    await seal_batch(container.db, now=clock.now())
    assert (await check_ledger(container.db, clock)).passed
    await tamper(
        container,
        "DELETE FROM ledger_entry WHERE posting_id = (SELECT posting_id FROM ledger_link WHERE position = 3)",
        "DELETE FROM ledger_posting WHERE id = (SELECT posting_id FROM ledger_link WHERE position = 3)",
        "DELETE FROM ledger_link WHERE position = 3",
        "UPDATE ledger_account SET balance = 200 WHERE balance = 300",
    )
    assert (await verify(container.db)).passed
    clock.advance(timedelta(hours=1))
    assert not (await check_ledger(container.db, clock)).passed


async def test_readiness_says_when_the_nightly_check_found_a_difference(
    container: Container, clock: FixedClock
) -> None:
    await fill(container, 100)
    await check_when_due(container.db, clock, hours=24)
    await ledger_is_right(container.db)
    await tamper(container, "UPDATE ledger_account SET balance = 1 WHERE balance = 100")
    clock.advance(timedelta(hours=23))
    await check_when_due(container.db, clock, hours=24)
    await ledger_is_right(container.db)
    clock.advance(timedelta(hours=1))
    await check_when_due(container.db, clock, hours=24)
    with pytest.raises(LedgerIsWrong):
        await ledger_is_right(container.db)


async def test_two_sealers_make_one_chain(container: Container) -> None:
    for _ in range(40):
        await fill(container, 1)
    sealed = await asyncio.gather(*(seal_batch(container.db, now=container.clock.now(), limit=7) for _ in range(6)))
    while found := await seal_batch(container.db, now=container.clock.now(), limit=7):
        sealed.append(found)
    assert sum(sealed) == 40
    assert (await verify(container.db)).links == 40


async def test_a_failed_posting_leaves_nothing_to_seal(container: Container) -> None:
    with pytest.raises(InsufficientFunds):
        await move(container, WALLET, accounts.charges("USD"), 1)
    assert await seal_batch(container.db, now=container.clock.now()) == 0


MOVES = st.lists(st.tuples(st.integers(0, 3), st.integers(0, 3), st.integers(1, 200)), min_size=1, max_size=15)


@settings(max_examples=10, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(moves=MOVES)
async def test_the_ledger_sums_to_zero_after_any_sequence(container: Container, moves: list[Any]) -> None:
    chart = [WALLET, accounts.charges("USD"), accounts.provider("sandbox", "USD"), accounts.wallet(new_id(), "USD")]
    for source, target, amount in moves:
        if source != target:
            try:
                await move(container, chart[source], chart[target], amount)
            except InsufficientFunds:
                continue
    await seal_batch(container.db, now=container.clock.now())
    assert (await verify(container.db)).passed
    pool = await container.db.asyncpg_pool()
    assert await pool.fetchval("SELECT coalesce(sum(amount), 0) FROM ledger_entry") == 0
