"""What the worker does every so often: breaches, travellers who are away, files, old presence and turns, the inbox."""

import asyncio
from datetime import timedelta
from typing import Any

from chat_service.assistant.store import forget_turns
from chat_service.conversations.tell_absent import tell_absent
from chat_service.desk.store import forget_presence
from chat_service.tickets.store import mark_breaches
from rihla.db.inbox import forget_before
from rihla.telemetry import Counter
from rihla.web.loops import pause_or_stop

BREACHES = Counter("rihla_ticket_breaches_total", "Tickets whose time ran out")
ERASED = Counter("rihla_attachments_erased_total", "Attachments deleted")
_PRESENCE_KEPT = timedelta(days=1)
_TURNS_KEPT = timedelta(days=90)
_INBOX_KEPT = timedelta(days=30)


class Sweeper:
    """Each step may run in any number of workers at once."""

    name = "chat-sweeper"

    def __init__(self, container: Any) -> None:
        self._c = container

    async def run(self, stop: asyncio.Event) -> None:
        """Sweep until `stop`."""
        while not stop.is_set():
            await self.sweep()
            await pause_or_stop(stop, self._c.settings.sweep_seconds)

    async def sweep(self) -> None:
        """Once."""
        now = self._c.clock.now()
        async with self._c.db.transaction() as session:
            BREACHES.inc(await mark_breaches(session, now))
        await tell_absent(self._c.db, now, after=timedelta(seconds=self._c.settings.tell_absent_seconds))
        async with self._c.db.transaction() as session:
            await forget_presence(session, now - _PRESENCE_KEPT)
            await forget_turns(session, now - _TURNS_KEPT)
            await forget_before(session, instant=now - _INBOX_KEPT)
        ERASED.inc(await self._c.uploads.erase())
