"""Fares of schedules, rule sets, currency rates and flash sales: what admins set."""

from collections.abc import Callable
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import delete, func, select, text, update
from sqlalchemy.ext.asyncio import AsyncSession

from flight_service.catalogue.audit import add_audit
from flight_service.catalogue.layout import CABINS, Cabin
from flight_service.catalogue.store import load_layouts
from flight_service.errors import FlightNotFound, NotFound
from flight_service.fares.cabin_fares import read_fares
from flight_service.fares.currencies import read_rates
from flight_service.fares.price_history import note_fares
from flight_service.fares.rule_set import read_rule_set
from flight_service.fares.tables import currency_rates, fare_rule_set, flash_sale
from flight_service.inventory.open_cabins import CabinRow, insert_cabin_rows
from flight_service.schedules.tables import flight, schedule
from rihla.db import Database
from rihla.kernel import new_id
from rihla.web import ValidationFailed
from rihla.web.idempotency import IdempotentRequest, Replay

_LOCK = 7_421_102


async def set_schedule_fares(
    db: Database, schedule_id: UUID, fares: dict[Cabin, str], *, actor: UUID, now: datetime
) -> int:
    """Set fares of a schedule and of all its future flights; how many those are. Offers made before end.

    Raises NotFound, FareInvalid.
    """
    async with db.transaction() as session:
        found = await session.execute(select(schedule).where(schedule.c.id == schedule_id).with_for_update())
        row = found.mappings().first()
        if row is None:
            raise NotFound("There is no such schedule.")
        layout = (await load_layouts(session))[row["aircraft"]]
        cents = read_fares(fares, layout, row["base_fares"])
        await session.execute(
            update(schedule).where(schedule.c.id == schedule_id).values(base_fares=cents, version=row["version"] + 1)
        )
        touched = await session.execute(
            update(flight)
            .where(flight.c.schedule_id == schedule_id, flight.c.departure_at > now, flight.c.base_fares != cents)
            .values(base_fares=cents, offer_version=flight.c.offer_version + 1)
            .returning(flight.c.id)
        )
        flights = list(touched.scalars())
        cabins = [
            CabinRow(flight_id, cabin, capacity)
            for flight_id in flights
            for cabin, capacity in layout.capacities().items()
            if cents[CABINS.index(cabin)]
        ]
        await insert_cabin_rows(session, cabins)
        await note_fares(session, flights, cents, reason="fare", now=now)
        await add_audit(
            session,
            actor=actor,
            action="change",
            resource="fare",
            resource_id=schedule_id,
            now=now,
            before={"base_fares": row["base_fares"]},
            after={"base_fares": cents},
        )
    return len(flights)


async def set_rules(db: Database, document: dict[str, Any], note: str, *, actor: UUID, now: datetime) -> int:
    """Make a new version of the fare rules; all offers made before end. Raises RuleSetInvalid."""
    read_rule_set(1, document)
    async with db.transaction() as session:
        version = await _next_version(session, fare_rule_set.c.version)
        values = {"version": version, "document": document, "note": note, "created_at": now, "created_by": actor}
        await session.execute(fare_rule_set.insert().values(**values))
        await add_audit(session, actor=actor, action="create", resource="fare-rules", resource_id=version, now=now)
    return version


async def set_rates(db: Database, rates: dict[str, str], *, actor: UUID, now: datetime) -> int:
    """Load a new rate table. Offers made before keep the rates they were made with. Raises RatesInvalid."""
    read_rates(1, rates)
    async with db.transaction() as session:
        version = await _next_version(session, currency_rates.c.version)
        values = {"version": version, "rates": rates, "created_at": now, "created_by": actor}
        await session.execute(currency_rates.insert().values(**values))
        await add_audit(
            session, actor=actor, action="create", resource="currency-rates", resource_id=version, now=now, after=rates
        )
    return version


async def start_flash_sale(
    db: Database,
    *,
    flight_id: UUID,
    cabin: Cabin,
    percent_off: int,
    stock: int,
    starts_at: datetime,
    ends_at: datetime,
    actor: UUID,
    now: datetime,
    repeat: IdempotentRequest,
    answer: Callable[[dict[str, Any]], bytes],
) -> Replay | bytes:
    """Announce a sale of `stock` seats of one cabin; the `answer` to its row, or the one saved under the same key.

    Raises FlightNotFound, ValidationFailed, KeyReused, RequestInProgress.
    """
    if not starts_at < ends_at or ends_at <= now:
        message = "A sale ends after it begins, and in the future."
        raise ValidationFailed({"pointer": "#/ends_at", "code": "empty-range", "message": message})
    async with db.transaction() as session:
        began = await repeat.begin(session, resource_id=new_id(), now=now)
        if isinstance(began, Replay):
            return began
        row = (await session.execute(select(flight.c.base_fares).where(flight.c.id == flight_id))).first()
        if row is None:
            raise FlightNotFound("There is no such flight; it may have been archived.")
        if not row.base_fares[CABINS.index(cabin)]:
            message = f"The flight sells no {cabin} seats."
            raise ValidationFailed({"pointer": "#/cabin", "code": "cabin-not-on-aircraft", "message": message})
        values: dict[str, Any] = {
            "id": began.resource_id,
            "flight_id": flight_id,
            "cabin": cabin,
            "percent_off": percent_off,
            "stock": stock,
            "stock_left": stock,
            "starts_at": starts_at,
            "ends_at": ends_at,
        }
        await session.execute(flash_sale.insert().values(**values))
        await add_audit(
            session,
            actor=actor,
            action="create",
            resource="flash-sale",
            resource_id=values["id"],
            now=now,
            after=values,
        )
        body = answer(values)
        await repeat.finish(session, status=201, body=body)
    return body


async def end_flash_sale(db: Database, sale_id: UUID, *, actor: UUID, now: datetime) -> None:
    """End a sale; offers made at its price are refused from now on. Raises NotFound."""
    async with db.transaction() as session:
        gone = await session.execute(delete(flash_sale).where(flash_sale.c.id == sale_id).returning(flash_sale.c.id))
        if gone.first() is None:
            raise NotFound("There is no such sale.")
        await add_audit(session, actor=actor, action="remove", resource="flash-sale", resource_id=sale_id, now=now)


async def _next_version(session: AsyncSession, column: Any) -> int:
    await session.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": _LOCK})
    newest: int | None = await session.scalar(select(func.max(column)))
    return (newest or 0) + 1
