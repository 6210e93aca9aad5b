"""The scheduler: looks every few seconds what time has made due. Any number of workers may run it."""

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy.ext.asyncio import AsyncSession

from notification_service.reminders import store
from notification_service.reminders.rules import (
    WINDOWS,
    Window,
    flight_reminder,
    passport_reminders,
    payment_reminder,
    unfinished_reminder,
    visa_reminders,
)
from notification_service.telling.facts import Fact, Recipient
from notification_service.telling.tell import Teller
from notification_service.trips.recipients import is_checked_in, owner_of, travellers_of
from rihla.db import Database
from rihla.kernel import Clock
from rihla.telemetry import Counter
from rihla.web.loops import pause_or_stop

REMINDERS = Counter("rihla_reminders_total", "Reminders given", ["kind"])


DueBookings = Callable[[AsyncSession, datetime], Awaitable[Sequence[Any]]]
FactsOf = Callable[[Mapping[str, Any]], Iterable[Fact]]
_ABOUT_BOOKINGS: tuple[tuple[str, DueBookings, FactsOf], ...] = (
    ("reminder_payment", store.due_payments, lambda facts: [payment_reminder(facts)]),
    ("reminder_passport", store.due_passports, passport_reminders),
    ("reminder_visa", store.due_visas, visa_reminders),
    ("reminder_unfinished", store.due_unfinished, lambda facts: [unfinished_reminder(facts)]),
)


class ReminderScheduler:
    """`run` is a worker loop; `remind` gives what is due now and returns how many reminders that was."""

    name = "reminder-scheduler"

    def __init__(self, db: Database, teller: Teller, *, clock: Clock, every_seconds: float) -> None:
        self._db = db
        self._teller = teller
        self._clock = clock
        self._every = every_seconds

    async def run(self, stop: asyncio.Event) -> None:
        """Look, give, rest."""
        while not stop.is_set():
            if await self.remind() < store.MOST:
                await pause_or_stop(stop, self._every)

    async def remind(self) -> int:
        """Give every reminder that is due, each kind in its own transaction."""
        given = 0
        for window in WINDOWS:
            async with self._db.transaction() as session:
                given += await self._flights(session, window)
        for kind, due, facts_of in _ABOUT_BOOKINGS:
            async with self._db.transaction() as session:
                given += await self._bookings(session, kind, due, facts_of)
        return given

    async def _flights(self, session: AsyncSession, window: Window) -> int:
        now = self._clock.now()
        rows = await store.due_flights(session, window, now)
        given = await store.give(session, window.kind, [(row.booking_id, row.flight_id) for row in rows], now)
        for row in rows:
            if (row.booking_id, row.flight_id) not in given:
                continue
            if window.only_open and is_checked_in(row.facts, row.flight_id):
                continue
            fact = flight_reminder(
                window.kind, row.facts, row.flight_id, row.departs_at, gate=row.gate, terminal=row.terminal
            )
            await self._tell(session, fact, await travellers_of(session, row.facts, row.flight_id))
        return len(given)

    async def _bookings(self, session: AsyncSession, kind: str, due: DueBookings, facts_of: FactsOf) -> int:
        now = self._clock.now()
        rows = await due(session, now)
        given = await store.give(session, kind, [(row.booking_id, row.booking_id) for row in rows], now)
        for row in rows:
            if (row.booking_id, row.booking_id) in given:
                for fact in facts_of(row.facts):
                    await self._tell(session, fact, [owner_of(row.facts)])
        return len(given)

    async def _tell(self, session: AsyncSession, fact: Fact | None, recipients: Iterable[Recipient]) -> None:
        if fact is None:
            return
        await self._teller.tell(session, fact, recipients, now=self._clock.now())
        REMINDERS.labels(fact.kind).inc()
