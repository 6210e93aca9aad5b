"""The departure board, and one flight."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta, timezone
from typing import Any
from uuid import UUID

from sqlalchemy import text

from flight_service.catalogue.layout import CABINS, Cabin
from flight_service.errors import FlightNotFound
from flight_service.fares.rules import PriceContext
from flight_service.fares.segment_price import Party
from flight_service.offers.price_flights import FlightPricer
from flight_service.offers.wire import duration_text, money, utc_text
from flight_service.search.timetable import SELLABLE, load_percent
from rihla.db import Database
from rihla.web.paging import InvalidCursor

_ONE_ADULT = Party((1, 0, 0, 0, 0))
_COLUMNS = """
f.id, f.no, f.flight_number, f.airline, f.origin, f.destination, f.departure_at, f.arrival_at, f.departure_offset,
f.arrival_offset, f.aircraft, f.status, f.gate, f.terminal, f.delay_minutes, f.base_fares,
(SELECT json_object_agg(i.cabin, json_build_array(i.free_seats, i.capacity))
 FROM cabin_inventory i WHERE i.flight_id = f.id) AS cabins
"""
_BOARD = text(
    f"""
SELECT {_COLUMNS} FROM flight f JOIN airline l ON l.iata = f.airline AND l.test_only = :test_mode
JOIN airport a ON a.iata = f.origin
WHERE f.local_date = coalesce(
        CAST(:day AS date), (CAST(:now AS timestamptz) AT TIME ZONE a.time_zone)::date + CAST(:shift AS int))
    AND f.local_date BETWEEN CAST(:first AS date) AND CAST(:last AS date)
    AND (CAST(:origins AS text[]) IS NULL OR f.origin = ANY (:origins))
    AND (CAST(:destinations AS text[]) IS NULL OR f.destination = ANY (:destinations))
    AND (CAST(:airline AS text) IS NULL OR f.airline = :airline)
    AND (CAST(:flight_number AS text) IS NULL OR f.flight_number = :flight_number)
    AND (NOT :available OR f.status IN ('scheduled', 'delayed') AND f.departure_at > :now AND EXISTS (
        SELECT 1 FROM cabin_inventory i WHERE i.flight_id = f.id AND i.free_seats > 0))
    AND (CAST(:after_at AS timestamptz) IS NULL OR (f.departure_at, f.no) > (:after_at, :after_no))
ORDER BY f.departure_at, f.no LIMIT :limit
"""
)
_ONE = text(
    f"SELECT {_COLUMNS} FROM flight f JOIN airline l ON l.iata = f.airline "
    "WHERE f.id = :id AND l.test_only = coalesce(CAST(:test_mode AS boolean), l.test_only)"
)
_TIMELINE = text("SELECT at, kind FROM flight_status_entry WHERE flight_id = :id ORDER BY sequence")


@dataclass(frozen=True, slots=True)
class BoardQuery:
    """What the board is asked. `day` None: today plus `shift` days, in each origin's own zone."""

    day: date | None
    shift: int
    origins: list[str] | None
    destinations: list[str] | None
    airline: str | None
    flight_number: str | None
    available: bool
    test_mode: bool
    limit: int
    cursor: dict[str, Any] | None


@dataclass(frozen=True, slots=True)
class Board:
    """Flights and the position after the last, None at the end."""

    items: list[dict[str, Any]]
    after: dict[str, Any] | None


async def read_board(db: Database, query: BoardQuery, pricer: FlightPricer, now: datetime) -> Board:
    """Flights of a day by departure. Raises InvalidCursor."""
    after_at, after_no = _position(query.cursor)
    middle = query.day or (now + timedelta(days=query.shift)).date()
    values = {
        "day": query.day,
        "shift": query.shift,
        "now": now,
        # Anywhere on earth it is at most a day earlier or later than in UTC: bounds for the index.
        "first": middle - timedelta(days=1),
        "last": middle + timedelta(days=1),
        "origins": query.origins,
        "destinations": query.destinations,
        "airline": query.airline,
        "flight_number": query.flight_number,
        "available": query.available,
        "test_mode": query.test_mode,
        "after_at": after_at,
        "after_no": after_no,
        "limit": query.limit + 1,
    }
    async with db.transaction() as session:
        rows = (await session.execute(_BOARD, values)).mappings().all()
    items = [flight_document(dict(row), pricer, now) for row in rows[: query.limit]]
    if len(rows) <= query.limit:
        return Board(items, None)
    last = rows[query.limit - 1]
    return Board(items, {"at": last["departure_at"].isoformat(), "no": last["no"]})


async def read_flight(
    db: Database, flight_id: UUID, pricer: FlightPricer, now: datetime, *, test_mode: bool | None
) -> dict[str, Any]:
    """One flight with its timeline; `test_mode` None: of any airline. Raises FlightNotFound."""
    async with db.transaction() as session:
        row = (await session.execute(_ONE, {"id": flight_id, "test_mode": test_mode})).mappings().first()
        if row is None:
            raise FlightNotFound("There is no such flight; it may have been archived.")
        timeline = (await session.execute(_TIMELINE, {"id": flight_id})).mappings().all()
    delay = timedelta(minutes=row["delay_minutes"])
    departure, arrival = (
        _local(row["departure_at"], row["departure_offset"]),
        _local(row["arrival_at"], row["arrival_offset"]),
    )
    return {
        **flight_document(dict(row), pricer, now),
        "aircraft": row["aircraft"],
        "duration": duration_text(int((row["arrival_at"] - row["departure_at"]).total_seconds()) // 60),
        "estimated_departure_at": (departure + delay).isoformat(),
        "estimated_arrival_at": (arrival + delay).isoformat(),
        "timeline": [{"at": utc_text(entry["at"]), "kind": entry["kind"]} for entry in timeline],
    }


def flight_document(row: Mapping[str, Any], pricer: FlightPricer, now: datetime) -> dict[str, Any]:
    """A flight as the board shows it."""
    sellable = row["status"] in SELLABLE and row["departure_at"] > now
    return {
        "id": str(row["id"]),
        "flight_number": row["flight_number"],
        "airline": row["airline"],
        "origin": row["origin"],
        "destination": row["destination"],
        "departure_at": _local(row["departure_at"], row["departure_offset"]).isoformat(),
        "arrival_at": _local(row["arrival_at"], row["arrival_offset"]).isoformat(),
        "status": row["status"],
        "gate": row["gate"],
        "terminal": row["terminal"],
        "delay_minutes": row["delay_minutes"],
        "cabins": [
            {
                "cabin": cabin,
                "free_seats": row["cabins"][cabin][0],
                "from_price": _from_price(row, cabin, pricer, now) if sellable and row["cabins"][cabin][0] else None,
            }
            for cabin in CABINS
            if cabin in (row["cabins"] or {})
        ],
    }


def _from_price(row: Mapping[str, Any], cabin: Cabin, pricer: FlightPricer, now: datetime) -> dict[str, str] | None:
    base = row["base_fares"][CABINS.index(cabin)]
    if not base:
        return None
    context = PriceContext(
        base_minor=base,
        cabin=cabin,
        load_percent=load_percent(*row["cabins"][cabin]),
        hours_ahead=int((row["departure_at"] - now).total_seconds()) // 3600,
        seated=1,
    )
    route = pricer.route(row["origin"], row["destination"])
    return money(pricer.segments.price("USD", "basic", route, context, _ONE_ADULT).total, "USD")


def _local(at: datetime, offset: int) -> datetime:
    return at.astimezone(timezone(timedelta(minutes=offset)))


def _position(cursor: dict[str, Any] | None) -> tuple[datetime | None, int]:
    if cursor is None:
        return None, 0
    try:
        return datetime.fromisoformat(cursor["at"]), int(cursor["no"])
    except (KeyError, TypeError, ValueError) as error:
        raise InvalidCursor("Start again without a cursor.") from error
