"""Copies of people and of everything they left in every database, made inside PostgreSQL.

Rows are found from a person's id through every uuid column, whatever the tables are called. Each is inserted again for
each copy: ids become other ids (the same in every database), texts that must be unique become others, what lies
behind moves with the day of the copy's booking, what lies ahead moves with its flight. Thus a copy of a true state is
true as well, and a table that is added tomorrow is copied too.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

SKIPPED = frozenset(
    {
        *("alembic_version", "inbox", "outbox", "idempotency_key", "session", "code_request", "mfa_challenge"),
        *("revocation", "registration", "ledger_link", "ledger_unsealed"),
        *("cabin_inventory", "flight", "schedule", "timetable_change"),
    }
)
"""Messages and keys live for days only, the chain over the ledger and the counters of cabins are made afterwards."""
SHARED = frozenset({"flight_id", "account_id", "organisation_id", "api_key_id", "actor_id", "plan_id"})
"""Columns that name something more than one person uses. `id` of what belongs to the person is found anyway."""
_ALPHABET = "ABCDEFGHJKLMNPQRSTUVWXYZ23456789"


@dataclass
class Original:
    """One person who travelled for real, and the strings by which others know what they did."""

    user_id: UUID
    email: str
    reference: str
    flight_id: UUID
    departs: datetime
    arrives: datetime
    departure_text: str
    arrival_text: str
    seats: list[str] = field(default_factory=list)
    ids: set[UUID] = field(default_factory=set)
    unique: set[str] = field(default_factory=set)
    """Texts of the person's rows that no other row may have."""


@dataclass(frozen=True)
class Column:
    """One column of a table. `unique`: no two rows may share its value."""

    name: str
    kind: str
    given: bool
    """The database makes the value: a serial number."""
    unique: bool


Tables = Mapping[str, Sequence[Column]]
Row = tuple[str, Mapping[str, str | None]]
"""A table and the text of each of its columns."""

COPY_COLUMNS: Mapping[str, str] = {
    "n": "int",
    "original": "int",
    "head": "text",
    "user_email": "text",
    "reference": "text",
    "flight_id": "uuid",
    "departs": "timestamptz",
    "arrives": "timestamptz",
    "departure_text": "text",
    "arrival_text": "text",
    "seats": "text[]",
    "past": "interval",
    "ahead": "interval",
}
"""A line for each copy. `past` and `ahead`: how far what lies behind its booking, and about its flight, is moved."""
COPY_TABLE = f"""
CREATE UNLOGGED TABLE bench_copy ({", ".join(f"{name} {kind}" for name, kind in COPY_COLUMNS.items())});
CREATE FUNCTION bench_id(old text, n int, head text) RETURNS uuid IMMUTABLE PARALLEL SAFE LANGUAGE sql AS
  $$ SELECT overlay(md5(old || n) placing head || '7' from 1 for 13)::uuid $$;
"""
DROP_COPY_TABLE = "DROP TABLE IF EXISTS bench_copy; DROP FUNCTION IF EXISTS bench_id(text, int, text)"


def reference(number: int) -> str:
    """A booking reference for a number below 32 to the power of 6; no two numbers share one."""
    mixed, letters = number * 387_420_489 % 32**6, ""
    for _ in range(6):
        mixed, digit = divmod(mixed, 32)
        letters += _ALPHABET[digit]
    return letters


async def tables(connection: Any) -> dict[str, list[Column]]:
    """Every table worth copying."""
    rows = await connection.fetch(
        "SELECT c.relname AS table, a.attname AS name, format_type(a.atttypid, NULL) AS kind, "
        "a.attidentity <> '' OR pg_get_expr(d.adbin, d.adrelid) LIKE 'nextval(%' AS given, "
        "EXISTS (SELECT 1 FROM pg_index i WHERE i.indrelid = c.oid AND i.indisunique AND i.indnkeyatts = 1 "
        "AND i.indkey[0] = a.attnum) AS unique "
        "FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped "
        "LEFT JOIN pg_attrdef d ON d.adrelid = c.oid AND d.adnum = a.attnum "
        "WHERE c.relkind = 'r' AND c.relnamespace = 'public'::regnamespace ORDER BY c.relname, a.attnum"
    )
    found: dict[str, list[Column]] = {}
    for row in rows:
        if row["table"] not in SKIPPED:
            column = Column(row["name"], row["kind"], bool(row["given"]), row["unique"])
            found.setdefault(row["table"], []).append(column)
    return found


async def belongings(connection: Any, known: Tables, one: Original) -> list[Row]:
    """The person's rows in this database, as far as the ids found up to now lead; `one` learns more ids."""
    found: dict[tuple[str, str], Row] = {}
    grew = True
    while grew:
        before = len(one.ids)
        for table, columns in known.items():
            for row in await _matching(connection, table, columns, one):
                found.setdefault((table, repr(row)), (table, row))
                _learn(columns, row, one)
        grew = len(one.ids) > before
    return list(found.values())


async def _matching(connection: Any, table: str, columns: Sequence[Column], one: Original) -> list[dict[str, Any]]:
    by_id = [f'"{column.name}" = ANY($1::uuid[])' for column in columns if column.kind == "uuid"]
    names = {column.name for column in columns}
    # Keys into other companies' systems are texts: an id of ours as theirs, or theirs that we have learnt.
    by_text = [f'"{name}" = ANY($2::text[])' for name in ("idempotency_key", "payment_id") if _is_text(columns, name)]
    by_text += ['"id" = ANY($2::text[])'] if _is_text(columns, "id") else []
    texts = [str(known) for known in one.ids] + sorted(one.unique)
    if not by_id and not by_text:
        return []
    shown = ", ".join(f'"{name}"::text AS "{name}"' for name in sorted(names))
    where = " OR ".join([*by_id, *by_text])
    ids = list(one.ids)
    # Both parameters are named, so that a table that needs one of them takes both.
    query = f'SELECT {shown} FROM "{table}" WHERE ({where}) AND cardinality($1::uuid[]) + cardinality($2::text[]) > 0'
    return [dict(row) for row in await connection.fetch(query, ids, texts)]


def _is_text(columns: Sequence[Column], name: str) -> bool:
    return any(column.name == name and column.kind in ("text", "character varying") for column in columns)


def _learn(columns: Sequence[Column], row: Mapping[str, str | None], one: Original) -> None:
    for column in columns:
        value = row[column.name]
        if value is None:
            continue
        if column.kind == "uuid" and column.name not in SHARED:
            one.ids.add(UUID(value))
        elif column.name == "provider_reference" or (column.unique and _is_text(columns, column.name)):
            one.unique.add(value)


def insertion(known: Tables, row: Row, one: Original, number: int) -> str:
    """The statement that makes this row's copies: one for each line of `bench_copy` with this original."""
    table, values = row
    columns = [column for column in known[table] if not column.given]
    names = ", ".join(f'"{column.name}"' for column in columns)
    shown = ", ".join(_expression(column, values[column.name], one) for column in columns)
    return f'INSERT INTO "{table}" ({names}) SELECT {shown} FROM bench_copy c WHERE c.original = {number}'


def _expression(column: Column, value: str | None, one: Original) -> str:
    if value is None:
        return "NULL"
    if column.kind == "uuid":
        return _uuid(UUID(value), one)
    if column.kind == "timestamp with time zone":
        return _instant(value, one)
    return f"{_text(value, one, column.unique)}::{column.kind}"


def _uuid(value: UUID, one: Original) -> str:
    if value == one.flight_id:
        return "c.flight_id"
    return f"bench_id('{value}', c.n, c.head)" if value in one.ids else f"'{value}'::uuid"


def _instant(value: str, one: Original) -> str:
    instant = datetime.fromisoformat(re.sub(r"([+-]\d\d)$", r"\1:00", value))
    if instant == one.departs:
        return "c.departs"
    if instant == one.arrives:
        return "c.arrives"
    near_its_flight = instant > one.departs - timedelta(days=2)
    return f"'{value}'::timestamptz + c.{'ahead' if near_its_flight else 'past'}"


_UUID = re.compile(r"[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}")


def _text(value: str, one: Original, unique: bool) -> str:
    """`value` with everything in it that belongs to this person replaced, as an expression."""
    if value in one.seats:
        return f"c.seats[{one.seats.index(value) + 1}]"
    expression, changed = _literal(value), False
    parts = {found: f"{_uuid(UUID(found), one)}::text" for found in set(_UUID.findall(value))}
    parts = {found: new for found, new in parts.items() if not new.startswith("'")}
    for old, new in (
        (one.email, "c.user_email"),
        (one.reference, "c.reference"),
        (one.departure_text, "c.departure_text"),
        (one.arrival_text, "c.arrival_text"),
    ):
        if old in value:
            parts[old] = new
    for place, seat in enumerate(one.seats, start=1):
        if f'"{seat}"' in value:
            parts[f'"{seat}"'] = f"('\"' || c.seats[{place}] || '\"')"
    for old in one.unique:
        if old in value and not any(inner in old for inner in parts):
            parts[old] = _other(old)
    for old, new in sorted(parts.items(), key=lambda part: -len(part[0])):
        expression, changed = f"replace({expression}, {_literal(old)}, {new})", True
    return expression if changed or not unique else _other(value)


def _other(value: str) -> str:
    """Another text of the same kind, for each copy its own."""
    if re.fullmatch(r"\d{13}", value):
        # An e-ticket's number: the airline's three digits, ten of the document; real ones begin at 1,000,001.
        return f"'{value[:3]}' || (5000000000 + c.n::bigint * 8 + {int(value[3:]) % 8})"
    name, at, host = value.partition("@")
    return f"{_literal(name + '.')} || c.n || {_literal(at + host)}"


def _literal(value: str) -> str:
    return "'" + value.replace("'", "''") + "'"
