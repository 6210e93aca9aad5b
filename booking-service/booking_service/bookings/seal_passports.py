"""Seal the numbers of passports that were written before numbers were sealed.

The rows of the old version, and what its last processes still write while a new version is rolled out. When none is
left the loop only looks, in an index that holds nothing.
"""

import asyncio

from sqlalchemy import text

from booking_service.bookings.sealed_passport import masked, sealed_bytes
from booking_service.bootstrap import Container
from rihla.telemetry import get_logger
from rihla.web.loops import pause_or_stop

log = get_logger("seal_passports")
_EVERY_SECONDS = 60.0
_BATCH = 200
_PLAIN = text(
    "SELECT id, passport_number FROM passenger WHERE passport_number IS NOT NULL "
    "ORDER BY id LIMIT :limit FOR NO KEY UPDATE SKIP LOCKED"
)
_SEAL = text(
    "UPDATE passenger SET passport_number = NULL, passport_masked = :masked, passport_sealed = :sealed WHERE id = :id"
)


class PassportSealer:
    """`run` is a worker loop; `seal_plain` seals a batch. Takes several workers (SKIP LOCKED)."""

    name = "passport-sealer"

    def __init__(self, c: Container) -> None:
        self._c = c

    async def run(self, stop: asyncio.Event) -> None:
        """Seal until `stop`."""
        while not stop.is_set():
            if await self.seal_plain() == 0:
                await pause_or_stop(stop, _EVERY_SECONDS)

    async def seal_plain(self, limit: int = _BATCH) -> int:
        """Seal up to `limit` plain numbers in one transaction; how many there were."""
        async with self._c.db.transaction() as session:
            rows = (await session.execute(_PLAIN, {"limit": limit})).all()
            sealed = [
                {
                    "id": row.id,
                    "masked": masked(row.passport_number),
                    "sealed": sealed_bytes(self._c.cipher, row.passport_number, row.id),
                }
                for row in rows
            ]
            if sealed:
                await session.execute(_SEAL, sealed)
        if rows:
            log.info("passports_sealed", count=len(rows))
        return len(rows)
