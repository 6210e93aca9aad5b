"""The regular recomputation of the ledger and what readiness says about it."""

from datetime import timedelta

from payment_service.ledger.verify import check_ledger, last_check
from rihla.db import Database
from rihla.kernel import Clock
from rihla.telemetry import Gauge, get_logger

_RIGHT = Gauge("rihla_ledger_right", "1 when the last recomputation of the ledger found nothing, else 0")
_log = get_logger(__name__)


class LedgerIsWrong(Exception):
    """The last recomputation found differences; `/v1/admin/ledger/checks` lists them."""


async def check_when_due(db: Database, clock: Clock, *, hours: float) -> int:
    """Recompute when the last time is `hours` ago. Always 0: one round is enough until the next pause."""
    async with db.transaction() as session:
        last = await last_check(session)
    if last is None or clock.now() - last[0] >= timedelta(hours=hours):
        report = await check_ledger(db, clock)
        _RIGHT.set(int(report.passed))
        if not report.passed:
            _log.error("ledger_is_wrong", findings={kind: len(found) for kind, found in report.findings.items()})
    return 0


async def ledger_is_right(db: Database) -> None:
    """Raise LedgerIsWrong when the last recomputation found differences."""
    async with db.transaction() as session:
        last = await last_check(session)
    if last is not None and not last[1]:
        raise LedgerIsWrong
