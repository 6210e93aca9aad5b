"""Every query on the tables of documents."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import RowMapping, and_, func, insert, select, text, update
from sqlalchemy.dialects.postgresql import distinct_on
from sqlalchemy.ext.asyncio import AsyncSession

from booking_service.documents.kinds import DocumentKind, JobState, MadeFile, Order
from booking_service.documents.tables import document, document_job
from rihla.kernel import new_id

LEASE = timedelta(seconds=60)
LIVE_JOBS = (JobState.QUEUED, JobState.WORKING)

_CLAIM = (
    "UPDATE document_job SET state = 'working', attempts = attempts + 1, due_at = :lease_until WHERE id IN ("
    "SELECT id FROM document_job WHERE state IN ('queued', 'working') AND {which} "
    "ORDER BY due_at, id LIMIT :most FOR UPDATE SKIP LOCKED) "
    "RETURNING id, booking_id, cause, orders, attempts, created_at"
)
_STANDS_BACK = "state = 'queued' AND attempts = 0 AND due_at > :now"
"""Not due, though nothing failed: queued in a rush. Two statements, so that a rush never reads the long line."""
_CLAIM_DUE = text(_CLAIM.format(which="due_at <= :now"))
_CLAIM_ANY = text(_CLAIM.format(which=f"(due_at <= :now OR ({_STANDS_BACK}))"))
_HURRY = text(f"UPDATE document_job SET due_at = :now WHERE booking_id = :booking_id AND {_STANDS_BACK}")


@dataclass(frozen=True, slots=True)
class Job:
    """A job this worker holds until its lease ends; `attempts` is the fence: a later claim has a higher one."""

    id: UUID
    booking_id: UUID
    cause: str
    orders: tuple[Order, ...]
    attempts: int
    created_at: datetime


async def add_job(
    session: AsyncSession,
    booking_id: UUID,
    cause: str,
    orders: Sequence[Order],
    now: datetime,
    *,
    due_at: datetime | None = None,
) -> UUID:
    """Queue a job, in the caller's transaction. A `due_at` in the future: it stands back in a rush until then."""
    job_id = new_id()
    values = {
        "id": job_id,
        "booking_id": booking_id,
        "cause": cause,
        "orders": [order.as_json() for order in orders],
        "state": JobState.QUEUED,
        "due_at": due_at or now,
        "created_at": now,
    }
    await session.execute(insert(document_job).values(values))
    return job_id


async def claim_jobs(session: AsyncSession, *, now: datetime, most: int, rush: bool) -> list[Job]:
    """Take jobs that are due or whose worker died, oldest first, and those that stand back when there is no `rush`;
    other workers skip them.
    """
    rows = await session.execute(
        _CLAIM_DUE if rush else _CLAIM_ANY, {"now": now, "lease_until": now + LEASE, "most": most}
    )
    return [
        Job(
            id=row.id,
            booking_id=row.booking_id,
            cause=row.cause,
            orders=tuple(Order.from_json(one) for one in row.orders),
            attempts=row.attempts,
            created_at=row.created_at,
        )
        for row in sorted(rows, key=lambda row: row.id)
    ]


async def hurry(session: AsyncSession, booking_id: UUID, *, now: datetime) -> None:
    """Somebody asks for this booking's papers: they stand back no longer."""
    await session.execute(_HURRY, {"booking_id": booking_id, "now": now})


async def finish_job(session: AsyncSession, job: Job, *, now: datetime) -> bool:
    """Mark the job done; False when its lease was lost to another worker, whose files count then."""
    done = await session.execute(
        update(document_job)
        .where(_still_ours(job))
        .values(state=JobState.DONE, finished_at=now, last_error=None)
        .returning(document_job.c.id)
    )
    return done.first() is not None


async def put_back(session: AsyncSession, job: Job, *, due_at: datetime, error: str, give_up: bool) -> None:
    """Queue the job again for `due_at`, or set it aside as failed; the error stays visible."""
    state = JobState.FAILED if give_up else JobState.QUEUED
    await session.execute(
        update(document_job).where(_still_ours(job)).values(state=state, due_at=due_at, last_error=error[:500])
    )


def _still_ours(job: Job) -> Any:
    columns = document_job.c
    return and_(columns.id == job.id, columns.state == JobState.WORKING, columns.attempts == job.attempts)


async def add_documents(
    session: AsyncSession, job: Job, files: Sequence[tuple[MadeFile, str]], *, now: datetime
) -> list[dict[str, Any]]:
    """Record stored files (with their keys), each as the next version of its subject."""
    rows = []
    for file, key in files:
        newest = await session.scalar(
            select(func.max(document.c.version)).where(
                document.c.booking_id == job.booking_id,
                document.c.kind == file.kind,
                document.c.subject == file.subject,
                document.c.media_type == file.media_type,
            )
        )
        rows.append(
            {
                "id": new_id(),
                "booking_id": job.booking_id,
                "job_id": job.id,
                "kind": file.kind,
                "subject": file.subject,
                "version": (newest or 0) + 1,
                "media_type": file.media_type,
                "name": file.name,
                "storage_key": key,
                "sha256": hashlib.sha256(file.data).hexdigest(),
                "size": len(file.data),
                "passenger_id": file.passenger_id,
                "flight_id": file.flight_id,
                "made_at": now,
            }
        )
    if rows:
        await session.execute(insert(document), rows)
    return rows


async def current_documents(session: AsyncSession, booking_id: UUID) -> list[RowMapping]:
    """The newest version of each paper of a booking that still counts, in the order they were first made."""
    newest = (
        select(document)
        .where(document.c.booking_id == booking_id)
        .ext(distinct_on(document.c.kind, document.c.subject, document.c.media_type))
        .order_by(document.c.kind, document.c.subject, document.c.media_type, document.c.version.desc())
        .subquery()
    )
    found = await session.execute(select(newest).where(newest.c.voided_at.is_(None)).order_by(newest.c.id))
    return list(found.mappings())


async def find_document(session: AsyncSession, booking_id: UUID, document_id: UUID) -> RowMapping | None:
    """One document of a booking, older versions included."""
    found = await session.execute(
        select(document).where(document.c.id == document_id, document.c.booking_id == booking_id)
    )
    return found.mappings().one_or_none()


async def newest_document(
    session: AsyncSession, booking_id: UUID, kind: DocumentKind, subject: str, media_type: str
) -> RowMapping | None:
    """The newest version of one paper, unless it was voided."""
    found = await session.execute(
        select(document)
        .where(
            document.c.booking_id == booking_id,
            document.c.kind == kind,
            document.c.subject == subject,
            document.c.media_type == media_type,
        )
        .order_by(document.c.version.desc())
        .limit(1)
    )
    row = found.mappings().one_or_none()
    return None if row is None or row["voided_at"] is not None else row


async def live_jobs(session: AsyncSession, booking_id: UUID) -> list[RowMapping]:
    """Jobs of the booking that are still going on."""
    found = await session.execute(
        select(document_job)
        .where(document_job.c.booking_id == booking_id, document_job.c.state.in_(LIVE_JOBS))
        .order_by(document_job.c.created_at)
    )
    return list(found.mappings())


async def void_passes(session: AsyncSession, booking_id: UUID, subjects: Sequence[str], now: datetime) -> None:
    """Boarding passes of these passengers on these flights count no more."""
    prefixes = [document.c.subject.startswith(f"{subject}:") for subject in subjects]
    for prefix in prefixes:
        await session.execute(
            update(document)
            .where(
                document.c.booking_id == booking_id,
                document.c.kind == DocumentKind.BOARDING_PASS,
                document.c.voided_at.is_(None),
                prefix,
            )
            .values(voided_at=now)
        )
