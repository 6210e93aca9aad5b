"""The two statements of telling: how each recipient is reached, and the notices with their deliveries.

Each serves any number of facts at once; both run in the caller's transaction."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

from notification_service.driver import Driver
from notification_service.preferences.rules import Preferences
from notification_service.preferences.store import preferences_of
from notification_service.telling.facts import Fact

_REACH = """
SELECT r.user_id, c.email, c.phone, c.locale,
  c.deleted_at IS NOT NULL AS deleted, coalesce(c.suspended, false) AS suspended,
  CAST(p.channels AS text) AS channels, p.quiet_from, p.quiet_to, p.time_zone, p.locale AS chosen_locale,
  ARRAY(SELECT d.platform || ':' || d.token FROM device d WHERE d.user_id = r.user_id ORDER BY d.id) AS devices,
  r.cause IS NULL OR EXISTS (SELECT 1 FROM trip_document t
    WHERE t.booking_id = r.booking_id AND t.cause = r.cause AND t.sequence > r.sequence) AS documents_ready
FROM unnest($1::uuid[], $2::text[], $3::uuid[], $4::bigint[]) WITH ORDINALITY
  AS r (user_id, cause, booking_id, sequence, place)
LEFT JOIN contact c ON c.user_id = r.user_id LEFT JOIN preference p ON p.user_id = r.user_id
ORDER BY r.place
"""
_TELL = """
WITH told AS (
  INSERT INTO notice (id, fact, user_id, kind, locale, booking_id, facts, created_at)
  SELECT g.*, $1 FROM unnest($2::uuid[], $3::text[], $4::uuid[], $5::text[], $6::text[], $7::uuid[], $8::jsonb[]) AS g
  ON CONFLICT DO NOTHING RETURNING id, user_id, booking_id),
sent AS (
  INSERT INTO delivery (id, notice_id, channel, address, message_id, state, waits_for, waits_after, due_at,
    booking_id, created_at)
  SELECT d.*, told.booking_id, $1
  FROM unnest($9::uuid[], $10::uuid[], $11::text[], $12::text[], $13::text[], $14::text[], $15::text[], $16::bigint[],
    $17::timestamptz[]) AS d (id, notice_id, channel, address, message_id, state, waits_for, waits_after, due_at)
  JOIN told ON told.id = d.notice_id
  ON CONFLICT DO NOTHING)
SELECT id, user_id FROM told
"""


@dataclass(frozen=True, slots=True)
class Reach:
    """How one user can be reached. `devices` are `platform:token`."""

    user_id: UUID
    email: str | None = field(repr=False)
    phone: str | None = field(repr=False)
    locale: str | None
    deleted: bool
    suspended: bool
    wishes: Preferences
    devices: tuple[str, ...] = field(repr=False)
    documents_ready: bool


@dataclass(frozen=True, slots=True)
class NewNotice:
    """A notice that may turn out to be known already."""

    id: UUID
    fact: Fact
    user_id: UUID
    locale: str


@dataclass(frozen=True, slots=True)
class NewDelivery:
    """A delivery of a new notice."""

    id: UUID
    notice_id: UUID
    channel: str
    address: str = field(repr=False)
    message_id: str
    state: str
    waits_for: str | None
    waits_after: int | None
    due_at: datetime


@dataclass(frozen=True, slots=True)
class Question:
    """How a user is reached with a fact. `waits_for`: the cause of the documents its mail attaches, if it does."""

    user_id: UUID
    fact: Fact
    waits_for: str | None


async def reach_of(connection: Driver, questions: Sequence[Question]) -> list[Reach]:
    """Contacts, wishes and devices of users, and whether the documents the fact waits for are ready; in order."""
    rows = await connection.fetch(
        _REACH,
        [one.user_id for one in questions],
        [one.waits_for if one.fact.booking_id is not None else None for one in questions],
        [one.fact.booking_id for one in questions],
        [one.fact.sequence for one in questions],
    )
    return [_reach(row) for row in rows]


def _reach(row: Any) -> Reach:
    chosen: Mapping[str, Sequence[str]] | None = json.loads(row["channels"]) if row["channels"] else None
    return Reach(
        user_id=row["user_id"],
        email=row["email"],
        phone=row["phone"],
        locale=row["locale"],
        deleted=row["deleted"],
        suspended=row["suspended"],
        wishes=preferences_of(chosen, row["quiet_from"], row["quiet_to"], row["time_zone"], row["chosen_locale"]),
        devices=tuple(row["devices"]),
        documents_ready=row["documents_ready"],
    )


async def add_notices(
    connection: Driver, notices: Sequence[NewNotice], deliveries: Sequence[NewDelivery], now: datetime
) -> list[tuple[UUID, UUID]]:
    """Store what is new, deliveries only of new notices; (notice id, user id) of those."""
    rows = await connection.fetch(
        _TELL,
        now,
        [one.id for one in notices],
        [one.fact.name for one in notices],
        [one.user_id for one in notices],
        [one.fact.kind for one in notices],
        [one.locale for one in notices],
        [one.fact.booking_id for one in notices],
        [json.dumps(dict(one.fact.values)) for one in notices],
        [one.id for one in deliveries],
        [one.notice_id for one in deliveries],
        [one.channel for one in deliveries],
        [one.address for one in deliveries],
        [one.message_id for one in deliveries],
        [one.state for one in deliveries],
        [one.waits_for for one in deliveries],
        [one.waits_after for one in deliveries],
        [one.due_at for one in deliveries],
    )
    return [(row["id"], row["user_id"]) for row in rows]
