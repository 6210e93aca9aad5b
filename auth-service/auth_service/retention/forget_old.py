"""Forget what has served its time, every few minutes."""

import asyncio
import contextlib
from datetime import timedelta

from sqlalchemy import delete

from auth_service.codes import store as codes
from auth_service.oidc.tables import OidcAttempt
from auth_service.sessions import store as sessions
from auth_service.two_factor import store as two_factor
from rihla.db import Database
from rihla.db.idempotency import forget_keys
from rihla.kernel import Clock

_EVERY_SECONDS = 300.0
# The daily budget of text messages looks back one day.
_CODES_KEPT = timedelta(days=2)
_ENDED_SESSIONS_KEPT = timedelta(days=30)
# An access token lives ten minutes; a day leaves room for a gateway that was away.
_REVOCATIONS_KEPT = timedelta(days=1)


class Sweeper:
    """Deletes old code requests with their unfinished registrations, sessions, revocations and challenges."""

    def __init__(self, db: Database, clock: Clock) -> None:
        self.name = "sweeper"
        self._db = db
        self._clock = clock

    async def run(self, stop: asyncio.Event) -> None:
        """Sweep until told to stop."""
        while not stop.is_set():
            await self.sweep()
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(_EVERY_SECONDS):
                    await stop.wait()

    async def sweep(self) -> None:
        """One round."""
        now = self._clock.now()
        async with self._db.transaction() as session:
            await codes.forget_before(session, now - _CODES_KEPT)
            await sessions.forget(
                session, sessions_before=now - _ENDED_SESSIONS_KEPT, revocations_before=now - _REVOCATIONS_KEPT
            )
            await two_factor.forget_challenges(session, now)
            await session.execute(delete(OidcAttempt).where(OidcAttempt.expires_at < now))
            await forget_keys(session, now=now)
