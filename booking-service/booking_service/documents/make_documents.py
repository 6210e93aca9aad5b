"""The worker loop that makes documents: claim, make, store the files, record them with their event.

Any number of workers may run. A worker that dies leaves a lease that ends; whoever takes the job then writes the same
keys again, and only the newest claim may record them.
"""

import asyncio
import random
from datetime import timedelta
from typing import Any

from booking_service.bookings.read_booking import load_booking
from booking_service.bookings.store import next_sequence
from booking_service.documents import store
from booking_service.documents.kinds import MadeFile
from booking_service.documents.make_papers import make_papers
from booking_service.documents.parts import DocumentParts
from booking_service.documents.rush import Rush
from booking_service.forgetting.erased import ERASED_EMAIL
from rihla.contracts.events import BookingDocumentsReadyV1
from rihla.contracts.events.booking import DocumentFact
from rihla.db import Database
from rihla.db.outbox import add_event
from rihla.kernel import Clock
from rihla.telemetry import Counter, Histogram, get_logger
from rihla.web.loops import pause_or_stop

MADE = Counter("rihla_documents_made_total", "Documents made", ["kind"])
FAILURES = Counter("rihla_document_failures_total", "Document jobs put back or given up")
SECONDS = Histogram("rihla_document_job_seconds", "Making and storing the files of one job")
log = get_logger("documents")

_AT_ONCE = 16
"""Jobs of one claim, all under way together: while some wait for the database or the store, another is typeset."""
_IDLE_SECONDS = 0.1
_MOST_ATTEMPTS = 12
_LONGEST_PAUSE = timedelta(minutes=10)


class DocumentMaker:
    """`run` is a worker loop; `work_off` makes what is due now and returns how many jobs that was."""

    name = "document-maker"

    def __init__(self, db: Database, parts: DocumentParts, rush: Rush, *, clock: Clock) -> None:
        self._db = db
        self._parts = parts
        self._rush = rush
        self._clock = clock

    async def run(self, stop: asyncio.Event) -> None:
        """Make documents until `stop`."""
        while not stop.is_set():
            if await self.work_off() == 0:
                await pause_or_stop(stop, _IDLE_SECONDS)

    async def work_off(self) -> int:
        """Claim a few jobs and do them, all at once: those that are due and, when there is no rush, those that could
        wait.
        """
        rush = await self._rush.is_on()
        async with self._db.transaction() as session:
            jobs = await store.claim_jobs(session, now=self._clock.now(), most=_AT_ONCE, rush=rush)
        await asyncio.gather(*(self._do(job) for job in jobs))
        return len(jobs)

    async def _do(self, job: store.Job) -> None:
        try:
            with SECONDS.time():
                files = await self._make(job)
                stored = [(file, await self._keep(job, file)) for file in files]
            await self._record(job, stored)
        except Exception as error:
            # A store that is away, or one booking that cannot be printed: neither may hold up the other jobs.
            await self._put_back(job, error)

    async def _make(self, job: store.Job) -> list[MadeFile]:
        async with self._db.transaction() as session:
            booking = await load_booking(session, job.booking_id)
        if booking is None or booking.contact_email == ERASED_EMAIL:
            return []
        return [file for order in job.orders for file in await make_papers(self._parts, booking, order)]

    async def _keep(self, job: store.Job, file: MadeFile) -> str:
        key = f"bookings/{job.booking_id}/{job.id}/{file.name}"
        await self._parts.storage.put(key, file.data, media_type=file.media_type)
        return key

    async def _record(self, job: store.Job, stored: list[tuple[MadeFile, str]]) -> None:
        now = self._clock.now()
        async with self._db.transaction() as session:
            if not await store.finish_job(session, job, now=now):
                return
            # Recorded even when the booking was erased meanwhile: the forgetter takes away what it finds in the rows.
            rows = await store.add_documents(session, job, stored, now=now)
            booking = await load_booking(session, job.booking_id)
            if not rows or booking is None or booking.contact_email == ERASED_EMAIL:
                return
            event = BookingDocumentsReadyV1(
                booking_id=booking.id,
                reference=booking.reference,
                user_id=booking.user_id,
                cause=job.cause,
                documents=tuple(map(_fact, rows)),
            )
            sequence = await next_sequence(session, booking.id)
            await add_event(session, event, aggregate_id=booking.id, sequence=sequence, now=now)
        for row in rows:
            MADE.labels(row["kind"]).inc()

    async def _put_back(self, job: store.Job, error: Exception) -> None:
        FAILURES.inc()
        log.warning("document_job_failed", job_id=str(job.id), attempts=job.attempts, exc_info=error)
        pause = min(timedelta(seconds=2**job.attempts), _LONGEST_PAUSE) * random.uniform(0.8, 1.2)
        async with self._db.transaction() as session:
            await store.put_back(
                session,
                job,
                due_at=self._clock.now() + pause,
                error=f"{type(error).__name__}: {error}",
                give_up=job.attempts >= _MOST_ATTEMPTS,
            )


def _fact(row: dict[str, Any]) -> DocumentFact:
    return DocumentFact(
        kind=row["kind"],
        name=row["name"],
        media_type=row["media_type"],
        storage_key=row["storage_key"],
        sha256=row["sha256"],
        passenger_id=row["passenger_id"],
        flight_id=row["flight_id"],
    )
