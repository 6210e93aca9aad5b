"""Administrators define codes; everybody reads the offers made of them."""

from typing import Any
from uuid import UUID

from sqlalchemy import Row, insert, select, update
from sqlalchemy.exc import IntegrityError

from payment_service.promos import store
from payment_service.promos.errors import PromoCodeExists, PromoCodeNotFound
from payment_service.promos.schemas import PromoCodeIn, PromoCodeOut, SpecialOfferOut
from payment_service.promos.tables import promo_code
from rihla.db import Database
from rihla.kernel import Clock, new_id
from rihla.web import MoneyModel


async def create_promo(db: Database, clock: Clock, body: PromoCodeIn) -> PromoCodeOut:
    """A new code. Raises PromoCodeExists."""
    now = clock.now()
    try:
        async with db.transaction() as session:
            values = {"id": new_id(), "created_at": now, "updated_at": now, **_columns(body)}
            row = (await session.execute(insert(promo_code).values(values).returning(*promo_code.c))).one()
    except IntegrityError as error:
        if "uq_promo_code_code" in str(error.orig):
            raise PromoCodeExists("There is a code with this name; change that one, or choose another name.") from None
        raise
    return promo_out(row)


async def replace_promo(db: Database, clock: Clock, promo_id: UUID, body: PromoCodeIn) -> PromoCodeOut:
    """The code's new definition; uses stay counted. Raises PromoCodeNotFound, PromoCodeExists."""
    try:
        async with db.transaction() as session:
            row = (
                await session.execute(
                    update(promo_code)
                    .where(promo_code.c.id == promo_id)
                    .values(updated_at=clock.now(), version=promo_code.c.version + 1, **_columns(body))
                    .returning(*promo_code.c)
                )
            ).one_or_none()
    except IntegrityError as error:
        if "ck_promo_code_used_within_limit" in str(error.orig):
            raise PromoCodeExists("More uses than the new limit are taken already.") from None
        if "uq_promo_code_code" in str(error.orig):
            raise PromoCodeExists("There is another code with this name.") from None
        raise
    if row is None:
        raise PromoCodeNotFound("There is no such promo code.")
    return promo_out(row)


async def retire_promo(db: Database, clock: Clock, promo_id: UUID) -> None:
    """Nobody can use the code from now on; its uses remain. Raises PromoCodeNotFound."""
    async with db.transaction() as session:
        changed = await session.execute(
            update(promo_code)
            .where(promo_code.c.id == promo_id)
            .values(active=False, updated_at=clock.now(), version=promo_code.c.version + 1)
            .returning(promo_code.c.id)
        )
        if changed.first() is None:
            raise PromoCodeNotFound("There is no such promo code.")


async def read_promo(db: Database, promo_id: UUID) -> PromoCodeOut:
    """One code. Raises PromoCodeNotFound."""
    async with db.transaction() as session:
        row = (await session.execute(select(promo_code).where(promo_code.c.id == promo_id))).one_or_none()
    if row is None:
        raise PromoCodeNotFound("There is no such promo code.")
    return promo_out(row)


async def list_promos(db: Database, *, before: UUID | None, limit: int) -> list[PromoCodeOut]:
    """Codes, newest first."""
    query = select(promo_code).order_by(promo_code.c.id.desc()).limit(limit)
    if before is not None:
        query = query.where(promo_code.c.id < before)
    async with db.transaction() as session:
        return [promo_out(row) for row in await session.execute(query)]


async def special_offers(db: Database, clock: Clock) -> list[SpecialOfferOut]:
    """Offers that can be used now."""
    async with db.transaction() as session:
        rows = await store.live_offers(session, now=clock.now())
    return [
        SpecialOfferOut(
            code=row.code,
            title=row.title,
            description=row.description,
            percent=_percent(row.percent_basis_points),
            value=_value(row),
            routes=row.routes,
            airlines=row.airlines,
            cabins=row.cabins,
            minimum_spend_minor=row.min_spend_minor,
            ends_at=row.ends_at,
        )
        for row in rows
    ]


def promo_out(row: Row[Any]) -> PromoCodeOut:
    """A row for operations."""
    values = {name: getattr(row, name) for name in PromoCodeOut.model_fields if name not in ("percent", "value")}
    return PromoCodeOut(**values, percent=_percent(row.percent_basis_points), value=_value(row))


def _percent(basis_points: int | None) -> str | None:
    if basis_points is None:
        return None
    whole, fraction = divmod(basis_points, 100)
    return f"{whole}.{fraction:02d}" if fraction else str(whole)


def _value(row: Row[Any]) -> MoneyModel | None:
    return MoneyModel.of(row.value_minor, row.currency) if row.value_minor is not None else None


def _columns(body: PromoCodeIn) -> dict[str, Any]:
    values = body.model_dump(exclude={"percent", "value", "code", "currency"})
    value = body.value.money() if body.value else None
    return {
        **values,
        "code": body.code.upper(),
        "percent_basis_points": body.basis_points() if body.kind == "percent" else None,
        "value_minor": value.amount_minor if value else None,
        "currency": value.currency if value else body.currency,
    }
