"""Every query on cabins, holds and their seats, on the bare driver: a hold is two round trips for a whole group (ADR
0003).

The functions that write are in migration 0002_inventory_functions; they raise `Moved` when what was read is no longer
so.
"""

import json
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any, TypeAlias
from uuid import UUID

import asyncpg
import msgspec

from flight_service.inventory.hold import Cabin, HoldStatus, Place, Preference, PreparedHold, StoredHold, StoredRow
from flight_service.inventory.rules import CabinRead, Snapshot, StaleHold

Connection: TypeAlias = "asyncpg.Connection[Any] | asyncpg.pool.PoolConnectionProxy[Any]"


class Moved(Exception):
    """Somebody changed what was read before: nothing was written; read again and decide again."""


class KnownHold(msgspec.Struct, array_like=True, frozen=True):
    """A hold id that is in use; a tombstone has no fingerprint."""

    id: str
    status: HoldStatus
    fingerprint: str | None


class _CabinRow(msgspec.Struct, array_like=True, frozen=True):
    flight_id: str
    cabin: str
    free: int
    version: int
    offer_version: int
    open: bool


class _OwnerRow(msgspec.Struct, array_like=True, frozen=True):
    flight_id: str
    designator: str
    hold_id: str


class _FlashRow(msgspec.Struct, array_like=True, frozen=True):
    sale_id: UUID
    left: int


_known = msgspec.json.Decoder(tuple[KnownHold, ...])
_cabins = msgspec.json.Decoder(tuple[_CabinRow, ...])
_owners = msgspec.json.Decoder(tuple[_OwnerRow, ...])
_flash = msgspec.json.Decoder(tuple[_FlashRow, ...])

_READ = """
SELECT (SELECT json_agg(json_build_array(h.id, h.status, encode(h.fingerprint, 'hex')))
        FROM hold h WHERE h.id = ANY ($2::uuid[])),
       (SELECT json_agg(json_build_array(c.flight_id, c.cabin, c.free_seats, c.version, f.offer_version,
                                         f.status IN ('scheduled', 'delayed') AND f.departure_at > $1))
        FROM unnest($3::uuid[], $4::text[]) k (flight_id, cabin)
        JOIN cabin_inventory c ON (c.flight_id, c.cabin) = (k.flight_id, k.cabin) JOIN flight f ON f.id = c.flight_id),
       (SELECT max(version) FROM fare_rule_set)
"""
_READ_OWNERS = """
SELECT json_agg(json_build_array(s.flight_id, s.designator, s.hold_id))
FROM unnest($1::uuid[], $2::text[]) k (flight_id, designator)
JOIN hold_seat s ON s.flight_id = k.flight_id AND s.designator = k.designator AND s.state IN ('held', 'sold')
"""
_READ_FLASH = "SELECT json_agg(json_build_array(id, stock_left)) FROM flash_sale WHERE id = ANY ($1::uuid[])"
_READ_STALE = """
WITH stale AS (
    SELECT h.id, h.expires_at FROM hold h WHERE h.status = 'held' AND h.expires_at <= $1 AND h.id IN (
        SELECT s.hold_id FROM unnest($2::uuid[]) k (flight_id)
        JOIN hold_seat s ON s.flight_id = k.flight_id AND s.state IN ('held', 'sold') WHERE s.state = 'held')
    ORDER BY h.expires_at, h.id LIMIT 500
)
SELECT stale.id, s.flight_id, s.cabin, count(*) AS seats
FROM stale JOIN hold_seat s ON s.hold_id = stale.id AND s.state = 'held'
GROUP BY stale.id, stale.expires_at, s.flight_id, s.cabin ORDER BY stale.expires_at, stale.id
"""
_TAKE = """
SELECT take_holds($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20, $21,
    $22, $23, $24, $25, $26, $27, $28)
"""


async def read_group(
    connection: Connection, group: Sequence[PreparedHold], now: datetime
) -> tuple[dict[str, KnownHold], Snapshot]:
    """Which of the ids are in use, and the cabins and seats the group wants as they are now. Locks nothing."""
    cabins = sorted({cabin for hold in group for cabin, _ in hold.takes})
    places = {(row.flight_id, row.designator) for hold in group for row in hold.rows if row.designator}
    sales = {sale for hold in group for sale, _ in hold.flash_uses}
    row: Any = await connection.fetchrow(
        _READ, now, [hold.id for hold in group], [flight for flight, _ in cabins], [cabin for _, cabin in cabins]
    )
    known = {found.id: found for found in _known.decode(row[0])} if row[0] else {}
    snapshot = Snapshot(_cabins_read(row[1]), await read_owners(connection, places) if places else {})
    snapshot.rules_version = row[2]
    if sales:
        left = await connection.fetchval(_READ_FLASH, list(sales))
        snapshot.flash_left = {found.sale_id: found.left for found in _flash.decode(left)} if left else {}
    return known, snapshot


def _cabins_read(document: str | None) -> dict[Cabin, CabinRead]:
    return {
        (found.flight_id, found.cabin): CabinRead(found.free, found.version, found.offer_version, found.open)
        for found in (_cabins.decode(document) if document else ())
    }


async def read_owners(connection: Connection, places: Iterable[Place]) -> dict[Place, str]:
    """The hold that owns each of these seats now."""
    wanted = sorted(places)
    found = await connection.fetchval(_READ_OWNERS, [p[0] for p in wanted], [p[1] for p in wanted])
    return {(o.flight_id, o.designator): o.hold_id for o in _owners.decode(found)} if found else {}


async def read_known(connection: Connection, hold_id: UUID) -> KnownHold | None:
    """Whether this id is in use, and for what."""
    row = await connection.fetchrow("SELECT id, status, encode(fingerprint, 'hex') FROM hold WHERE id = $1", hold_id)
    return KnownHold(str(row[0]), row[1], row[2]) if row else None


async def read_stale(connection: Connection, flights: Iterable[str], now: datetime) -> dict[str, StaleHold]:
    """Expired holds with seats on these flights that nobody has taken yet, oldest first (at most 500)."""
    seats: dict[str, dict[Cabin, int]] = {}
    for row in await connection.fetch(_READ_STALE, now, sorted(set(flights))):
        seats.setdefault(str(row["id"]), {})[str(row["flight_id"]), row["cabin"]] = row["seats"]
    return {id_: StaleHold(id_, cabins) for id_, cabins in seats.items()}


async def take(
    connection: Connection,
    holds: Sequence[PreparedHold],
    *,
    takes: Sequence[tuple[Cabin, int, int]],
    stale: Iterable[str],
    now: datetime,
    patient: bool,
) -> None:
    """Put accepted holds on the inventory: one statement, one transaction. `takes` is (cabin, seats, version read).

    `patient` retries a version that moved from a fresh read inside the statement. Raises Moved.
    """
    holds = sorted(holds, key=lambda hold: hold.id.int)
    takes = sorted(takes)
    flights = sorted({flight for hold in holds for flight in hold.flights})
    rows = sorted(
        ((hold.id, row) for hold in holds for row in hold.rows),
        key=lambda pair: (pair[1].flight_id, pair[1].designator or ""),
    )
    uses = [(hold.id, sale, n) for hold in holds for sale, n in hold.flash_uses]
    await _moved(
        connection.fetchval(
            _TAKE,
            now,
            patient,
            sorted(stale),
            [flight for flight, _ in flights],
            [version for _, version in flights],
            [cabin[0] for cabin, _, _ in takes],
            [cabin[1] for cabin, _, _ in takes],
            [seats for _, seats, _ in takes],
            [version for _, _, version in takes],
            [hold.id for hold in holds],
            [hold.fingerprint for hold in holds],
            [hold.offer_id for hold in holds],
            [hold.expires_at for hold in holds],
            [hold.currency for hold in holds],
            [hold.total_minor for hold in holds],
            [hold.priced for hold in holds],
            [id_ for id_, _ in rows],
            [row.passenger_id for _, row in rows],
            [row.flight_id for _, row in rows],
            [row.cabin for _, row in rows],
            [row.designator for _, row in rows],
            [row.preference for _, row in rows],
            [row.under_12 for _, row in rows],
            [row.with_infant for _, row in rows],
            [id_ for id_, _, _ in uses],
            [sale for _, sale, _ in uses],
            [n for _, _, n in uses],
            max(hold.rules_version for hold in holds),
        )
    )


_READ_HOLDS = """
SELECT h.id, h.status, h.expires_at, h.priced, h.notes, (
    SELECT json_agg(json_build_array(s.passenger_id, s.flight_id, s.cabin, s.designator, s.state, s.preference,
        s.under_12, s.with_infant)
                    ORDER BY s.passenger_id, s.flight_id)
    FROM hold_seat s WHERE s.hold_id = h.id)
FROM hold h WHERE h.id = ANY ($1::uuid[])
"""
_rows = msgspec.json.Decoder(tuple[tuple[UUID, str, str, str | None, str, Preference | None, bool, bool], ...])


async def read_holds(connection: Connection, ids: Sequence[UUID]) -> dict[UUID, StoredHold]:
    """These holds with their seats, as they are now."""
    found = await connection.fetch(_READ_HOLDS, ids)
    return {
        row[0]: StoredHold(
            row[0],
            row[1],
            row[2],
            row[3],
            tuple(row[4]),
            tuple(StoredRow(*values) for values in _rows.decode(row[5] or "[]")),
        )
        for row in found
    }


async def read_taken(connection: Connection, flights: Iterable[str], now: datetime) -> dict[str, dict[str, str]]:
    """The seats with a live owner on each flight, and the state a seat map shows: held or sold.

    Seats of expired holds are in it: only a transaction that takes them may call them free.
    """
    rows = await connection.fetch(_READ_TAKEN, sorted(set(flights)), now)
    taken: dict[str, dict[str, str]] = {}
    for flight_id, designator, state in rows:
        taken.setdefault(str(flight_id), {})[designator] = state
    return taken


class Seated(msgspec.Struct, frozen=True):
    """Who sits on a flight: its aircraft type and number, and the seats with a live owner."""

    aircraft: str
    number: str
    taken: list[str]


async def read_seated(connection: Connection, flights: Iterable[str]) -> dict[str, Seated]:
    """These flights with the seats that are held or sold. Seats of expired holds are in it, as in `read_taken`."""
    rows = await connection.fetch(_READ_SEATED, sorted(set(flights)))
    return {str(id_): Seated(aircraft, number, taken) for id_, aircraft, number, taken in rows}


async def read_aircraft(connection: Connection, flights: Iterable[str]) -> dict[str, tuple[str, str]]:
    """(aircraft type, flight number) of each flight."""
    rows = await connection.fetch(
        "SELECT id, aircraft, flight_number FROM flight WHERE id = ANY ($1::uuid[])", sorted(set(flights))
    )
    return {str(id_): (aircraft, number) for id_, aircraft, number in rows}


_READ_TAKEN = """
SELECT s.flight_id, s.designator, CASE WHEN s.state = 'held' AND h.expires_at <= $2 THEN 'stale' ELSE s.state END
FROM hold_seat s JOIN hold h ON h.id = s.hold_id
WHERE s.flight_id = ANY ($1::uuid[]) AND s.state IN ('held', 'sold') AND s.designator IS NOT NULL
"""

_READ_SEATED = """
SELECT f.id, f.aircraft, f.flight_number, ARRAY(
    SELECT s.designator FROM hold_seat s
    WHERE s.flight_id = f.id AND s.state IN ('held', 'sold') AND s.designator IS NOT NULL)
FROM flight f WHERE f.id = ANY ($1::uuid[])
"""


class SeatGiven(msgspec.Struct, frozen=True):
    """A seat for one traveller of one hold."""

    hold_id: UUID
    passenger_id: UUID
    flight_id: str
    designator: str


async def confirm(connection: Connection, notes: Mapping[UUID, Sequence[str]], seats: Sequence[SeatGiven]) -> None:
    """Sell what these holds hold, with the seats given to them. Raises Moved, having changed nothing."""
    holds = sorted(notes)
    await _moved(
        connection.execute(
            "SELECT confirm_holds($1, $2, $3, $4, $5, $6)",
            holds,
            [json.dumps(list(notes[id_])) for id_ in holds],
            [seat.hold_id for seat in seats],
            [seat.passenger_id for seat in seats],
            [seat.flight_id for seat in seats],
            [seat.designator for seat in seats],
        )
    )


async def move(
    connection: Connection,
    hold_id: UUID,
    seats: Sequence[SeatGiven],
    *,
    stale: Iterable[str],
    notes: Sequence[str],
    now: datetime,
) -> None:
    """Put travellers of a live hold on other seats, all or none. Raises Moved."""
    await _moved(
        connection.execute(
            "SELECT move_seats($1, $2, $3, $4, $5, $6, $7)",
            now,
            hold_id,
            sorted(stale),
            [seat.passenger_id for seat in seats],
            [seat.flight_id for seat in seats],
            [seat.designator for seat in seats],
            list(notes),
        )
    )


async def release(
    connection: Connection, hold_id: UUID, items: Sequence[tuple[UUID, UUID]] | None, now: datetime
) -> None:
    """Give back the seats of these (passenger, flight) pairs, or all; an unknown id becomes a tombstone."""
    await _moved(
        connection.execute(
            "SELECT release_hold($1, $2, $3, $4)",
            now,
            hold_id,
            None if items is None else [passenger for passenger, _ in items],
            None if items is None else [flight for _, flight in items],
        )
    )


async def extend(connection: Connection, hold_id: UUID, expires_at: datetime) -> bool:
    """Move the end of a hold that is still held; False when it is not."""
    sql = "UPDATE hold SET expires_at = greatest(expires_at, $2) WHERE id = $1 AND status = 'held'"
    return bool(await connection.execute(sql, hold_id, expires_at) == "UPDATE 1")


async def reinstate(
    connection: Connection,
    hold: StoredHold,
    *,
    expires_at: datetime,
    stale: Iterable[str],
    lost: Sequence[StoredRow],
    notes: Sequence[str],
    now: datetime,
) -> None:
    """Hold again what an expired hold held; `lost` rows come back without their seat. Raises Moved."""
    await _moved(
        connection.execute(
            "SELECT reinstate_hold($1, $2, $3, $4, $5, $6, $7)",
            now,
            hold.id,
            expires_at,
            sorted(stale),
            [row.passenger_id for row in lost],
            [row.flight_id for row in lost],
            list(notes),
        )
    )


async def expire(connection: Connection, now: datetime, limit: int) -> int:
    """Give back the seats of the `limit` longest expired holds nobody else is working on; how many there were."""
    return int(await _moved(connection.fetchval("SELECT expire_holds($1, $2)", now, limit)))


async def read_cabins(connection: Connection, cabins: Iterable[Cabin], now: datetime) -> dict[Cabin, CabinRead]:
    """These cabins as they are now."""
    wanted = sorted(cabins)
    row: Any = await connection.fetchrow(
        _READ, now, [], [flight for flight, _ in wanted], [cabin for _, cabin in wanted]
    )
    return _cabins_read(row[1])


async def _moved(call: Any) -> Any:
    try:
        return await call
    except asyncpg.PostgresError as error:
        if error.sqlstate in ("RH001", "40P01", "40001"):
            raise Moved(str(error)) from error
        raise
