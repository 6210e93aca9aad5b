"""Create, change and remove airlines and aircraft types; change airports. Each with an audit row in the same commit."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Table, delete, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncSession

from flight_service.catalogue.audit import add_audit
from flight_service.catalogue.layout import read_layout
from flight_service.catalogue.place_names import search_text
from flight_service.catalogue.tables import aircraft_type, airline, airport, country
from flight_service.errors import AlreadyExists, InUse, NotFound
from flight_service.schedules.tables import flight
from rihla.db import Database
from rihla.web import ValidationFailed


async def put_airline(db: Database, iata: str, values: dict[str, Any], *, actor: UUID, now: datetime) -> bool:
    """Create or replace an airline; whether it is new. Raises AlreadyExists for a taken accounting code."""
    async with db.transaction() as session:
        if not await session.scalar(select(country.c.code).where(country.c.code == values["country"])):
            message = "There is no such country in our list."
            raise ValidationFailed({"pointer": "#/country", "code": "unknown-country", "message": message})
        taken = select(airline.c.iata).where(
            airline.c.accounting_code == values["accounting_code"], airline.c.iata != iata
        )
        if await session.scalar(taken):
            raise AlreadyExists("Another airline has this accounting code.", accounting_code=values["accounting_code"])
        return await put_row(session, airline, "iata", iata, values, "airline", actor, now)


async def put_aircraft(db: Database, code: str, values: dict[str, Any], *, actor: UUID, now: datetime) -> bool:
    """Create or replace an aircraft type; whether it is new. Raises LayoutInvalid, and InUse where flights use it.

    The layout of a type that flies cannot change under people's chosen seats: make a new type and move schedules to it.
    """
    after = read_layout(values["layout"])
    async with db.transaction() as session:
        before = await session.scalar(select(aircraft_type.c.layout).where(aircraft_type.c.code == code))
        if before is not None and read_layout(before) != after and await _flies(session, code):
            raise InUse("Flights use this layout. Create a type with a new code and move the schedules to it.")
        return await put_row(session, aircraft_type, "code", code, values, "aircraft", actor, now)


async def remove_airline(db: Database, iata: str, *, actor: UUID, now: datetime) -> None:
    """Raises NotFound, and InUse where schedules or flights name it: make it inactive instead."""
    await remove_row(db, airline, "iata", iata, "airline", actor, now)


async def remove_aircraft(db: Database, code: str, *, actor: UUID, now: datetime) -> None:
    """Raises NotFound, and InUse where schedules or flights name it: make it inactive instead."""
    await remove_row(db, aircraft_type, "code", code, "aircraft", actor, now)


async def change_airport(db: Database, iata: str, values: dict[str, Any], *, actor: UUID, now: datetime) -> None:
    """Names and connection times. Raises NotFound."""
    async with db.transaction() as session:
        row = (
            (await session.execute(select(airport).where(airport.c.iata == iata).with_for_update())).mappings().first()
        )
        if row is None:
            raise NotFound(f"There is no airport with the code {iata}.")
        after = {**row, **values}
        values["search_text"] = search_text(iata, after["city"], after["name"], row["subdivision"], row["city_code"])
        await session.execute(update(airport).where(airport.c.iata == iata).values(**values))
        before = {name: row[name] for name in values}
        await add_audit(
            session,
            actor=actor,
            action="change",
            resource="airport",
            resource_id=iata,
            now=now,
            before=before,
            after=values,
        )


async def _flies(session: AsyncSession, code: str) -> bool:
    return await session.scalar(select(flight.c.id).where(flight.c.aircraft == code).limit(1)) is not None


async def put_row(
    session: AsyncSession,
    table: Table,
    key: str,
    code: str,
    values: dict[str, Any],
    resource: str,
    actor: UUID,
    now: datetime,
) -> bool:
    """Create or replace a row of reference data with its audit row; whether it is new. In the caller's transaction."""
    before = (await session.execute(select(table).where(table.c[key] == code).with_for_update())).mappings().first()
    statement = insert(table).values({key: code, **values})
    await session.execute(statement.on_conflict_do_update(index_elements=[key], set_=values))
    await add_audit(
        session,
        actor=actor,
        action="change" if before else "create",
        resource=resource,
        resource_id=code,
        now=now,
        before=dict(before) if before else None,
        after=values,
    )
    return before is None


async def remove_row(
    db: Database,
    table: Table,
    key: str,
    code: str,
    resource: str,
    actor: UUID,
    now: datetime,
    *,
    in_use: str = "Schedules or flights still name it. Make it inactive instead.",
) -> None:
    """Delete a row of reference data with its audit row. Raises NotFound, and InUse with these words."""
    try:
        async with db.transaction() as session:
            gone = (
                (await session.execute(delete(table).where(table.c[key] == code).returning(table))).mappings().first()
            )
            if gone is None:
                raise NotFound(f"There is no {resource} with the code {code}.")
            await add_audit(
                session,
                actor=actor,
                action="remove",
                resource=resource,
                resource_id=code,
                now=now,
                before=dict(gone),
            )
    except IntegrityError as error:
        raise InUse(in_use) from error
