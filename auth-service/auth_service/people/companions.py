"""Travel companions: list, read, add, change, remove."""

from collections.abc import Sequence
from datetime import date
from typing import Any
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from auth_service.bootstrap import Container
from auth_service.people.passports import passport_view, save_passport
from auth_service.people.rules import birth_date_problem
from auth_service.people.schemas import CompanionRequest, CompanionUpdate, CompanionView
from auth_service.people.tables import Companion, Passport
from auth_service.problems import NotFound
from auth_service.sessions.list_sessions import id_of
from rihla.kernel import new_id
from rihla.web import Page, ValidationFailed, encode_cursor
from rihla.web.idempotency import IdempotentRequest, Replay


async def list_companions(
    c: Container, user_id: UUID, limit: int, cursor: dict[str, Any] | None
) -> Page[CompanionView]:
    """One page, the newest first; passport numbers are masked."""
    before = id_of(cursor)
    query = select(Companion).where(Companion.account_id == user_id)
    if before is not None:
        query = query.where(Companion.id < before)
    async with c.db.transaction() as session:
        rows = (await session.scalars(query.order_by(Companion.id.desc()).limit(limit + 1))).all()
        passports = await _passports(session, [row.id for row in rows])
    items = [_view(c, row, passports.get(row.id), hidden=True) for row in rows[:limit]]
    return Page(items=items, next_cursor=encode_cursor({"id": str(items[-1].id)}) if len(rows) > limit else None)


async def every_companion(c: Container, user_id: UUID) -> list[CompanionView]:
    """All of them with whole passport numbers, for the export of one's data."""
    async with c.db.transaction() as session:
        rows = (await session.scalars(select(Companion).where(Companion.account_id == user_id))).all()
        passports = await _passports(session, [row.id for row in rows])
    return [_view(c, row, passports.get(row.id)) for row in rows]


async def read_companion(c: Container, user_id: UUID, companion_id: UUID) -> CompanionView:
    """One companion with the whole passport number. Raises NotFound, also for somebody else's."""
    async with c.db.transaction() as session:
        row = await _own(session, user_id, companion_id)
        return _view(c, row, await session.get(Passport, row.id))


async def add_companion(
    c: Container, user_id: UUID, wanted: CompanionRequest, idem: IdempotentRequest
) -> CompanionView | Replay:
    """A new companion, once for each Idempotency-Key. Raises ValidationFailed."""
    now = c.clock.now()
    _refuse_future(wanted.date_of_birth, now.date())
    async with c.db.transaction() as session:
        began = await idem.begin(session, resource_id=new_id(), now=now)
        if isinstance(began, Replay):
            return began
        row = Companion(
            id=began.resource_id,
            account_id=user_id,
            created_at=now,
            updated_at=now,
            **wanted.model_dump(exclude={"passport"}),
        )
        session.add(row)
        await session.flush()
        if wanted.passport is not None:
            await save_passport(session, c.cipher, wanted.passport, account_id=user_id, holder_id=row.id, now=now)
        # The answer is kept in plain text for a repeat of the key, so it carries the masked number.
        view = _view(c, row, await session.get(Passport, row.id), hidden=True)
        await idem.finish(session, status=201, body=view.model_dump_json().encode())
    return view


async def change_companion(c: Container, user_id: UUID, companion_id: UUID, change: CompanionUpdate) -> CompanionView:
    """Change what was sent. Raises NotFound, ValidationFailed."""
    now = c.clock.now()
    _refuse_future(change.date_of_birth, now.date())
    async with c.db.transaction() as session:
        row = await _own(session, user_id, companion_id, lock=True)
        for name in change.model_fields_set - {"passport"}:
            setattr(row, name, getattr(change, name))
        row.updated_at = now
        if "passport" in change.model_fields_set:
            await save_passport(session, c.cipher, change.passport, account_id=user_id, holder_id=row.id, now=now)
        await session.flush()
        return _view(c, row, await session.get(Passport, row.id))


async def remove_companion(c: Container, user_id: UUID, companion_id: UUID) -> None:
    """Forget a companion and the passport. Raises NotFound."""
    async with c.db.transaction() as session:
        row = await _own(session, user_id, companion_id, lock=True)
        await save_passport(session, c.cipher, None, account_id=user_id, holder_id=row.id, now=c.clock.now())
        await session.delete(row)


async def _own(session: AsyncSession, user_id: UUID, companion_id: UUID, *, lock: bool = False) -> Companion:
    row = await session.get(Companion, companion_id, with_for_update=lock)
    if row is None or row.account_id != user_id:
        raise NotFound("There is no such companion.")
    return row


async def _passports(session: AsyncSession, holders: Sequence[UUID]) -> dict[UUID, Passport]:
    rows = (await session.scalars(select(Passport).where(Passport.holder_id.in_(holders)))).all()
    return {row.holder_id: row for row in rows}


def _refuse_future(born: date | None, today: date) -> None:
    reason = birth_date_problem(born, today) if born else None
    if reason:
        raise ValidationFailed({"pointer": "#/date_of_birth", "code": "date-of-birth", "message": reason})


def _view(c: Container, row: Companion, passport: Passport | None, *, hidden: bool = False) -> CompanionView:
    return CompanionView(
        id=row.id,
        given_name=row.given_name,
        surname=row.surname,
        relationship=row.relationship,
        date_of_birth=row.date_of_birth,
        gender=row.gender,
        frequent=row.frequent,
        passport=passport_view(c.cipher, passport, hidden=hidden),
        created_at=row.created_at,
        updated_at=row.updated_at,
    )
