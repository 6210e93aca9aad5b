"""End changes and extras nobody paid for, and changes whose process stopped while holding: nothing stays held."""

import asyncio
from datetime import timedelta

from sqlalchemy import text

from booking_service.bookings.store import add_errand, add_timeline
from booking_service.bootstrap import Container
from rihla.web.loops import pause_or_stop

_BATCH = 25
_STALLED_AFTER = timedelta(minutes=2)
_DUE = text(
    "SELECT id, booking_id, charge_id, hold_id, state FROM booking_change "
    "WHERE (state = 'awaiting_payment' AND payable_until <= :now) OR (state = 'holding' AND created_at <= :stalled) "
    "ORDER BY payable_until LIMIT :limit FOR UPDATE SKIP LOCKED"
)
_END = text("UPDATE booking_change SET state = :state WHERE id = :id")
# A charge that was paid in the very last moment is not voided: its errand finishes the change.
_VOID = text("UPDATE charge SET state = 'void' WHERE id = :id AND state = 'due' RETURNING id")


class ChangeSweeper:
    """`run` is a worker loop; `end_due` ends what is over now."""

    name = "change-sweeper"

    def __init__(self, c: Container) -> None:
        self._c = c

    async def run(self, stop: asyncio.Event) -> None:
        """Sweep until `stop`."""
        while not stop.is_set():
            if await self.end_due() == 0:
                await pause_or_stop(stop, max(1.0, self._c.settings.sweep_every_seconds))

    async def end_due(self) -> int:
        """End a batch; how many there were."""
        now = self._c.clock.now()
        ended = 0
        async with self._c.db.transaction() as session:
            values = {"now": now, "stalled": now - _STALLED_AFTER, "limit": _BATCH}
            for row in (await session.execute(_DUE, values)).all():
                if row.charge_id and (await session.execute(_VOID, {"id": row.charge_id})).first() is None:
                    continue
                state = "expired" if row.state == "awaiting_payment" else "refused"
                await session.execute(_END, {"id": row.id, "state": state})
                if row.hold_id is not None:
                    await add_errand(session, row.booking_id, "release_hold", now=now, hold_id=row.hold_id)
                await add_timeline(session, row.booking_id, f"change_{state}", actor="system", now=now)
                ended += 1
        return ended
