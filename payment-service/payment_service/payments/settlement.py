"""What a provider collected and paid back on one day, as the ledger has it: one line each, then the totals."""

import csv
import io
from collections import defaultdict
from datetime import UTC, date, datetime, time, timedelta

from sqlalchemy import text

from rihla.db import Database
from rihla.kernel import Money

_LINES = text(
    "SELECT p.posted_at, p.kind, p.reference_id, e.unit, -e.amount AS amount, "
    "coalesce(pp.provider_reference, rp.provider_reference) AS provider_reference "
    "FROM ledger_entry e JOIN ledger_posting p ON p.id = e.posting_id "
    "JOIN ledger_account a ON a.id = e.account_id "
    "LEFT JOIN payment_part pp ON p.kind <> 'refund' AND p.key = 'part:' || pp.id || '\\:taken' "
    "LEFT JOIN refund_part rp ON p.kind = 'refund' AND p.key = 'refund_part:' || rp.provider_key "
    "WHERE a.kind = :account AND p.posted_at >= :start AND p.posted_at < :end ORDER BY e.id"
)


async def settlement_csv(db: Database, provider: str, day: date) -> str:
    """The report of one UTC day. `amount` is what the provider owes us for the line, negative for refunds."""
    start = datetime.combine(day, time(), UTC)
    parameters = {"account": f"provider:{provider}", "start": start, "end": start + timedelta(days=1)}
    async with db.transaction() as session:
        rows = (await session.execute(_LINES, parameters)).all()
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\r\n")
    writer.writerow(["posted_at", "type", "reference_id", "provider_reference", "currency", "amount"])
    totals: dict[str, int] = defaultdict(int)
    for row in rows:
        totals[row.unit] += row.amount
        kind = row.kind if row.kind in ("refund", "refund_reversed") else "capture"
        amount = Money(row.amount, row.unit).decimal()
        writer.writerow(
            [
                row.posted_at.astimezone(UTC).isoformat(),
                kind,
                row.reference_id,
                row.provider_reference,
                row.unit,
                amount,
            ]
        )
    for unit, total in sorted(totals.items()):
        writer.writerow(["", "total", "", "", unit, Money(total, unit).decimal()])
    return out.getvalue()
