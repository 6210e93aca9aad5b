"""Find airports by what a person types, by country, or around a point."""

from dataclasses import dataclass
from typing import Any

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from flight_service.catalogue.place_names import fold
from flight_service.cursors import after_text
from flight_service.errors import NotFound
from rihla.db import Database
from rihla.web.paging import InvalidCursor

_COLUMNS = """
a.iata, a.icao, a.name, a.city, a.city_code, a.subdivision, a.country, c.name AS country_name, a.latitude, a.longitude,
a.time_zone, coalesce(a.min_connection_domestic, 60) AS min_connection_domestic,
coalesce(a.min_connection_international, 90) AS min_connection_international
"""
# Codes first, then words that begin with what was typed, then what is merely like it; busy airports win a tie.
_SCORE = """
round(CASE
    WHEN lower(a.iata) = :query THEN 5000000
    WHEN lower(a.city_code) = :query THEN 4000000
    WHEN position(' ' || :query || ' ' IN ' ' || a.search_text || ' ') > 0 THEN 3000000
    WHEN position(' ' || :query IN ' ' || a.search_text) > 0 THEN 2000000
    ELSE 1000000 * word_similarity(:query, a.search_text)
END + 5000 * a.weight)::bigint
"""
_SEARCH = text(
    f"""
WITH found AS (
    SELECT a.iata, {_SCORE} AS score FROM airport a
    WHERE (a.search_text LIKE :contains ESCAPE '!' OR :query <% a.search_text)
        AND (CAST(:country AS text) IS NULL OR a.country = :country)
), bounded AS (SELECT iata, score FROM found WHERE score >= (SELECT max(score) FROM found) * :share)
SELECT {_COLUMNS}, b.score FROM bounded b JOIN airport a USING (iata) JOIN country c ON c.code = a.country
WHERE CAST(:score AS bigint) IS NULL OR b.score < :score OR (b.score = :score AND b.iata > :after)
ORDER BY b.score DESC, b.iata LIMIT :limit
"""
)
_LIST = text(
    f"""
SELECT {_COLUMNS} FROM airport a JOIN country c ON c.code = a.country
WHERE (CAST(:country AS text) IS NULL OR a.country = :country) AND a.iata > :after ORDER BY a.iata LIMIT :limit
"""
)
_ONE = text(f"SELECT {_COLUMNS} FROM airport a JOIN country c ON c.code = a.country WHERE a.iata = :iata")
_NEARBY = text(
    f"""
SELECT * FROM (
    SELECT {_COLUMNS}, round(12742 * asin(sqrt(
        power(sin(radians(a.latitude - o.latitude) / 2), 2)
        + cos(radians(a.latitude)) * cos(radians(o.latitude)) * power(sin(radians(a.longitude - o.longitude) / 2), 2)
    )))::int AS distance_km
    FROM airport o JOIN airport a ON a.latitude BETWEEN o.latitude - :degrees AND o.latitude + :degrees
        AND a.iata <> o.iata
    JOIN country c ON c.code = a.country WHERE o.iata = :iata
) n WHERE distance_km <= :radius ORDER BY distance_km, iata LIMIT 100
"""
)
# "dahka" shares a third of its letter groups with "dhaka": low enough for swapped letters, and results far below the
# best one are cut, so that a good match is not followed by noise.
_SIMILAR_ENOUGH = "0.3"
_SHARE_OF_BEST = 0.4
_KM_A_DEGREE = 111.0


@dataclass(frozen=True, slots=True)
class AirportPage:
    """Rows and the position after the last, None at the end."""

    rows: list[dict[str, Any]]
    after: dict[str, Any] | None


async def find_airports(
    db: Database, *, query: str | None, country: str | None, limit: int, cursor: dict[str, Any] | None
) -> AirportPage:
    """A page of airports: the best matches first when a query is given, else by code. Raises InvalidCursor."""
    typed = fold(query or "")
    async with db.transaction() as session:
        if typed:
            return await _search(session, typed, country, limit, cursor)
        after = after_text(cursor, "iata")
        found = await session.execute(_LIST, {"country": country, "after": after, "limit": limit + 1})
        rows = [dict(row) for row in found.mappings()]
    more = len(rows) > limit
    return AirportPage(rows[:limit], {"iata": rows[limit - 1]["iata"]} if more else None)


async def get_airport(db: Database, iata: str) -> dict[str, Any]:
    """One airport. Raises NotFound."""
    async with db.transaction() as session:
        row = (await session.execute(_ONE, {"iata": iata.upper()})).mappings().first()
    if row is None:
        raise NotFound(f"There is no airport with the code {iata.upper()}.")
    return dict(row)


async def find_nearby(db: Database, iata: str, radius_km: int) -> list[dict[str, Any]]:
    """Airports within `radius_km` of one, nearest first. Raises NotFound."""
    await get_airport(db, iata)
    values = {"iata": iata.upper(), "radius": radius_km, "degrees": radius_km / _KM_A_DEGREE}
    async with db.transaction() as session:
        return [dict(row) for row in (await session.execute(_NEARBY, values)).mappings()]


async def _search(
    session: AsyncSession, typed: str, country: str | None, limit: int, cursor: dict[str, Any] | None
) -> AirportPage:
    await session.execute(text(f"SET LOCAL pg_trgm.word_similarity_threshold = {_SIMILAR_ENOUGH}"))
    contains = "%" + typed.replace("!", "!!").replace("%", "!%").replace("_", "!_") + "%"
    values = {
        "query": typed,
        "contains": contains,
        "country": country,
        "share": _SHARE_OF_BEST,
        "score": _whole(cursor, "score") if cursor else None,
        "after": after_text(cursor, "iata"),
        "limit": limit + 1,
    }
    rows = [dict(row) for row in (await session.execute(_SEARCH, values)).mappings()]
    more = len(rows) > limit
    last = rows[limit - 1] if more else None
    return AirportPage(rows[:limit], {"score": last["score"], "iata": last["iata"]} if last else None)


def _whole(cursor: dict[str, Any], name: str) -> int:
    value = cursor.get(name)
    if not isinstance(value, int):
        raise InvalidCursor("Start again without a cursor.")
    return value
