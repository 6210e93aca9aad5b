"""Price history per flight and cabin: noted when a fare is set, and once a day by the worker."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any, Literal
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from flight_service.catalogue.layout import CABINS
from flight_service.fares.rule_set import FULL, FareRules
from flight_service.fares.rules import PriceContext, demand_factor
from flight_service.search.timetable import load_percent
from rihla.db import Database

Reason = Literal["opened", "fare", "day"]
_NOTE = text(
    """
INSERT INTO price_history (flight_id, cabin, at, base_minor, adult_minor, reason)
SELECT f, c, :now, base, base, :reason
FROM unnest(CAST(:flights AS uuid[])) AS f
CROSS JOIN unnest(CAST(:cabins AS text[]), CAST(:bases AS int[])) AS b(c, base)
WHERE base > 0
"""
)
_PAGE = text(
    """
SELECT max(no) FROM (
    SELECT no FROM flight WHERE status IN ('scheduled', 'delayed') AND departure_at > :now
        AND departure_at < CAST(:now AS timestamptz) + interval '60 days' AND no > :after
    ORDER BY no LIMIT :limit) page
"""
)
# Flight by flight, whatever is known of the tables: the timetable was copied in a moment ago, and a plan made without
# statistics compared each flight with everything noted so far, for minutes.
_TODAY = text(
    """
SELECT f.id, f.departure_at, f.base_fares, i.cabin, i.free_seats, i.capacity
FROM flight f
CROSS JOIN LATERAL (
    SELECT cabin, free_seats, capacity FROM cabin_inventory WHERE flight_id = f.id OFFSET 0) i
LEFT JOIN LATERAL (
    SELECT true AS noted FROM price_history h WHERE h.flight_id = f.id AND h.cabin = i.cabin AND h.reason = 'day'
        AND h.at > CAST(:now AS timestamptz) - interval '20 hours' LIMIT 1) day ON true
WHERE f.status IN ('scheduled', 'delayed') AND f.departure_at > :now
    AND f.departure_at < CAST(:now AS timestamptz) + interval '60 days'
    AND f.no > :after AND f.no <= :upto AND day.noted IS NULL
"""
)
_FLIGHTS_AT_ONCE = 1000
_KEEP = text(
    """
INSERT INTO price_history (flight_id, cabin, at, base_minor, adult_minor, reason)
SELECT f, c, :now, base, adult, 'day'
FROM unnest(CAST(:flights AS uuid[]), CAST(:cabins AS text[]), CAST(:bases AS int[]), CAST(:adults AS int[]))
    AS r(f, c, base, adult)
"""
)
_READ = text(
    "SELECT cabin, at, base_minor, adult_minor, reason FROM price_history "
    "WHERE flight_id = :flight AND (CAST(:cabin AS text) IS NULL OR cabin = :cabin) ORDER BY at DESC, cabin LIMIT 400"
)


async def note_fares(
    session: AsyncSession, flights: Sequence[UUID], fares: Sequence[int], *, reason: Reason, now: datetime
) -> None:
    """Note the published fares of flights, in the caller's transaction."""
    values = {"flights": list(flights), "cabins": list(CABINS), "bases": list(fares), "reason": reason, "now": now}
    await session.execute(_NOTE, values)


async def note_day(db: Database, rules: FareRules, now: datetime) -> int:
    """Note today's lowest adult fare of each cabin on sale in the next 60 days, once a day; how many were noted."""
    noted = after = 0
    while True:
        async with db.transaction() as session:
            page = await session.execute(_PAGE, {"now": now, "after": after, "limit": _FLIGHTS_AT_ONCE})
            upto = page.scalar_one()
            if upto is None:
                return noted
            rows = (await session.execute(_TODAY, {"now": now, "after": after, "upto": upto})).mappings().all()
            if rows:
                await session.execute(_KEEP, _prices(rules, rows, now))
        noted, after = noted + len(rows), upto


def _prices(rules: FareRules, rows: Sequence[Any], now: datetime) -> dict[str, Any]:
    bases = [row["base_fares"][CABINS.index(row["cabin"])] for row in rows]
    return {
        "now": now,
        "flights": [row["id"] for row in rows],
        "cabins": [row["cabin"] for row in rows],
        "bases": bases,
        "adults": [_lowest(rules, row, base, now) for row, base in zip(rows, bases, strict=True)],
    }


async def read_history(db: Database, flight_id: UUID, cabin: str | None) -> list[dict[str, Any]]:
    """The newest four hundred points."""
    async with db.transaction() as session:
        found = await session.execute(_READ, {"flight": flight_id, "cabin": cabin})
        return [dict(row) for row in found.mappings()]


def _lowest(rules: FareRules, row: Any, base: int, now: datetime) -> int:
    hours = int((row["departure_at"] - now).total_seconds()) // 3600
    context = PriceContext(base, row["cabin"], load_percent(row["free_seats"], row["capacity"]), hours, 1)
    return base * rules.brands["basic"].multiplier * demand_factor(rules, context) // FULL**3
