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
_TODAY = text(
    """
SELECT f.id, f.departure_at, f.base_fares, i.cabin, i.free_seats, i.capacity
FROM flight f JOIN cabin_inventory i ON i.flight_id = f.id
WHERE f.status IN ('scheduled', 'delayed') AND f.departure_at > :now
    AND f.departure_at < CAST(:now AS timestamptz) + interval '60 days'
    AND f.no > :after AND NOT EXISTS (
        SELECT 1 FROM price_history h WHERE h.flight_id = f.id AND h.cabin = i.cabin AND h.reason = 'day'
            AND h.at > CAST(:now AS timestamptz) - interval '20 hours')
ORDER BY f.no LIMIT 4000
"""
)
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
    noted = 0
    while True:
        async with db.transaction() as session:
            rows = (await session.execute(_TODAY, {"now": now, "after": 0})).mappings().all()
            if not rows:
                return noted
            priced = [(row, row["base_fares"][CABINS.index(row["cabin"])]) for row in rows]
            values = {
                "now": now,
                "flights": [row["id"] for row, _ in priced],
                "cabins": [row["cabin"] for row, _ in priced],
                "bases": [base for _, base in priced],
                "adults": [_lowest(rules, row, base, now) for row, base in priced],
            }
            await session.execute(_KEEP, values)
        noted += len(rows)


async def read_history(db: Database, flight_id: UUID, cabin: str | None) -> list[dict[str, Any]]:
    """The newest four hundred points."""
    async with db.transaction() as session:
        found = await session.execute(_READ, {"flight": flight_id, "cabin": cabin})
        return [dict(row) for row in found.mappings()]


def _lowest(rules: FareRules, row: Any, base: int, now: datetime) -> int:
    hours = int((row["departure_at"] - now).total_seconds()) // 3600
    context = PriceContext(base, row["cabin"], load_percent(row["free_seats"], row["capacity"]), hours, 1)
    return base * rules.brands["basic"].multiplier * demand_factor(rules, context) // FULL**3
