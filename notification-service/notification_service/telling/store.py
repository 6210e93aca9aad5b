"""The two statements of telling: how each recipient is reached, and the notices with their deliveries."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from notification_service.driver import driver_of
from notification_service.preferences.rules import Preferences
from notification_service.preferences.store import preferences_of
from notification_service.telling.facts import Fact

_REACH = """
SELECT r.user_id, c.email, c.phone, c.locale,
  c.deleted_at IS NOT NULL AS deleted, coalesce(c.suspended, false) AS suspended,
  p.channels, p.quiet_from, p.quiet_to, p.time_zone, p.locale AS chosen_locale,
  ARRAY(SELECT d.platform || ':' || d.token FROM device d WHERE d.user_id = r.user_id ORDER BY d.id) AS devices,
  $2::text IS NULL OR EXISTS (SELECT 1 FROM trip_document t
    WHERE t.booking_id = $3 AND t.cause = $2 AND t.sequence > $4) AS documents_ready
FROM unnest($1::uuid[]) AS r (user_id)
LEFT JOIN contact c ON c.user_id = r.user_id LEFT JOIN preference p ON p.user_id = r.user_id
"""
_TELL = """
WITH told AS (
  INSERT INTO notice (id, fact, user_id, kind, locale, booking_id, facts, created_at)
  SELECT g.id, $1, g.user_id, $2, g.locale, $3, $4::jsonb, $5
  FROM unnest($6::uuid[], $7::uuid[], $8::text[]) AS g (id, user_id, locale)
  ON CONFLICT DO NOTHING RETURNING id, user_id),
sent AS (
  INSERT INTO delivery (id, notice_id, channel, address, message_id, state, waits_for, waits_after, booking_id,
    due_at, created_at)
  SELECT d.id, d.notice_id, d.channel, d.address, d.message_id, d.state, d.waits_for, d.waits_after, $3, d.due_at, $5
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


async def reach_of(
    session: AsyncSession, user_ids: Sequence[UUID], fact: Fact, *, waits_for: str | None
) -> dict[UUID, Reach]:
    """Contacts, wishes and devices of users, and whether the documents the fact waits for are ready."""
    connection = await driver_of(session)
    cause = waits_for if fact.booking_id is not None else None
    rows = await connection.fetch(_REACH, list(user_ids), cause, fact.booking_id, fact.sequence)
    return {row["user_id"]: _reach(row) for row in rows}


def _reach(row: Any) -> Reach:
    chosen: Mapping[str, Sequence[str]] | None = row["channels"]
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
    session: AsyncSession, fact: Fact, notices: Sequence[NewNotice], deliveries: Sequence[NewDelivery], now: datetime
) -> list[tuple[UUID, UUID]]:
    """Store what is new, deliveries only of new notices; (notice id, user id) of those."""
    connection = await driver_of(session)
    rows = await connection.fetch(
        _TELL,
        fact.name,
        fact.kind,
        fact.booking_id,
        json.dumps(dict(fact.values)),
        now,
        [one.id for one in notices],
        [one.user_id for one in notices],
        [one.locale for one in notices],
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
