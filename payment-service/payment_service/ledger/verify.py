"""Recompute the whole ledger and say where it differs: sums, cached and running balances, the hash chain."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import insert, select, text
from sqlalchemy.ext.asyncio import AsyncSession

from payment_service.ledger.chain import GENESIS, link_hash
from payment_service.ledger.seal import load_postings
from payment_service.ledger.tables import ledger_check
from rihla.db import Database
from rihla.kernel import Clock, new_id

_MOST = 20  # findings of a kind that are listed; one is already an alarm
_BATCH = 5000

_UNBALANCED = (
    "SELECT posting_id::text || ' ' || unit || ' ' || sum(amount)::text FROM ledger_entry "
    f"GROUP BY posting_id, unit HAVING sum(amount) <> 0 LIMIT {_MOST}"
)
_CACHED = (
    "SELECT a.id::text || ' ' || a.unit || ' cached ' || a.balance || ', entries ' || coalesce(e.total, 0) "
    "FROM ledger_account a LEFT JOIN (SELECT account_id, sum(amount) AS total FROM ledger_entry GROUP BY account_id) e "
    f"ON e.account_id = a.id WHERE a.balance IS NOT NULL AND a.balance <> coalesce(e.total, 0) LIMIT {_MOST}"
)
_RUNNING = (
    "SELECT 'entry ' || id || ' says ' || balance_after || ', entries ' || running FROM ("
    "SELECT id, balance_after, sum(amount) OVER (PARTITION BY account_id ORDER BY id) AS running "
    f"FROM ledger_entry WHERE balance_after IS NOT NULL) r WHERE balance_after <> running LIMIT {_MOST}"
)
_NEITHER_SEALED_NOR_QUEUED = (
    "SELECT p.id::text FROM ledger_posting p WHERE NOT EXISTS (SELECT 1 FROM ledger_link l WHERE l.posting_id = p.id) "
    f"AND NOT EXISTS (SELECT 1 FROM ledger_unsealed u WHERE u.posting_id = p.id) LIMIT {_MOST}"
)


@dataclass(frozen=True, slots=True)
class LedgerReport:
    """Findings by kind of check; the ledger is right when all lists are empty."""

    findings: dict[str, list[str]]
    links: int
    last_hash: bytes

    @property
    def passed(self) -> bool:
        return not any(self.findings.values())


async def verify(db: Database) -> LedgerReport:
    """Recompute everything from the entries. Reads one snapshot, writes nothing, blocks nobody."""
    async with db.transaction() as session:
        await session.execute(text("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY"))
        await session.execute(text("SET LOCAL statement_timeout = '10min'"))
        findings = {
            "unbalanced_postings": await _strings(session, _UNBALANCED),
            "cached_balances": await _strings(session, _CACHED),
            "running_balances": await _strings(session, _RUNNING),
            "unqueued_postings": await _strings(session, _NEITHER_SEALED_NOR_QUEUED),
        }
        broken, links, last_hash = await _walk_chain(session)
    return LedgerReport(findings | {"broken_links": broken}, links, last_hash)


async def _strings(session: AsyncSession, query: str) -> list[str]:
    return [str(row[0]) for row in await session.execute(text(query))]


async def _walk_chain(session: AsyncSession) -> tuple[list[str], int, bytes]:
    broken: list[str] = []
    previous, position = GENESIS, 0
    while len(broken) < _MOST:
        rows = (
            await session.execute(
                text(
                    "SELECT position, posting_id, hash FROM ledger_link "
                    "WHERE position > :after ORDER BY position LIMIT :n"
                ),
                {"after": position, "n": _BATCH},
            )
        ).all()
        if not rows:
            break
        postings = await load_postings(session, [row.posting_id for row in rows])
        for row in rows:
            if row.position != position + 1:
                broken.append(f"link {position + 1} is missing")
            if link_hash(previous, row.position, postings[row.posting_id]) != row.hash:
                broken.append(f"link {row.position} (posting {row.posting_id}) does not match its content")
            previous, position = row.hash, row.position
    return broken[:_MOST], position, previous


async def check_ledger(db: Database, clock: Clock) -> LedgerReport:
    """Verify and record the result, which `/health/ready` and `/v1/admin/ledger/checks` show.

    The chain may only grow: the last recorded check's end must still be where it was, so that a rewritten or
    truncated chain shows too.
    """
    started_at = clock.now()
    report = await verify(db)
    async with db.transaction() as session:
        changed = await _changed_since_last_check(session)
        if changed:
            report = LedgerReport(report.findings | {"rewritten_chain": [changed]}, report.links, report.last_hash)
        await session.execute(
            insert(ledger_check).values(
                id=new_id(),
                started_at=started_at,
                finished_at=clock.now(),
                passed=report.passed,
                findings={kind: found for kind, found in report.findings.items() if found},
                links=report.links,
                last_hash=report.last_hash,
            )
        )
    return report


async def _changed_since_last_check(session: AsyncSession) -> str | None:
    last = (
        await session.execute(
            select(ledger_check.c.links, ledger_check.c.last_hash).order_by(ledger_check.c.finished_at.desc()).limit(1)
        )
    ).one_or_none()
    if last is None or last.links == 0:
        return None
    found = await session.execute(text("SELECT hash FROM ledger_link WHERE position = :p"), {"p": last.links})
    if found.scalar_one_or_none() == last.last_hash:
        return None
    return f"link {last.links} is not what the last check recorded"


async def last_check(session: AsyncSession) -> tuple[datetime, bool] | None:
    """When the ledger was last recomputed, and whether it was right."""
    row = (
        await session.execute(
            select(ledger_check.c.finished_at, ledger_check.c.passed)
            .order_by(ledger_check.c.finished_at.desc())
            .limit(1)
        )
    ).one_or_none()
    return (row.finished_at, row.passed) if row else None
