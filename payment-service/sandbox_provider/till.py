"""Payments that are asked for at the same moment are stored by one statement, each with the event that tells of it."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

import asyncpg
import msgspec

from rihla.db import Database
from rihla.db.group_writer import GroupWriter

# What a key was used for before is left as it is, and nothing is told of it again.
_STORE: Final = """
WITH made AS (
  INSERT INTO payment SELECT * FROM jsonb_populate_recordset(NULL::payment, $1::jsonb)
  ON CONFLICT (idempotency_key) DO NOTHING RETURNING id),
told AS (
  INSERT INTO event (id, type, body, created_at)
  SELECT t.id, t.type, t.body, t.created_at
  FROM jsonb_to_recordset($2::jsonb) AS t(payment_id text, id text, type text, body jsonb, created_at timestamptz)
  JOIN made ON made.id = t.payment_id RETURNING id, created_at),
owed AS (
  INSERT INTO delivery (event_id, url, next_attempt_at)
  SELECT told.id, customer.url, told.created_at FROM told CROSS JOIN unnest($3::text[]) AS customer(url))
SELECT id FROM made"""

# What one payment's values can cause; the statement was undone as a whole.
_OF_ONE: Final = (asyncpg.DataError, asyncpg.IntegrityConstraintViolationError, asyncpg.UntranslatableCharacterError)
_encoder: Final = msgspec.json.Encoder()


@dataclass(frozen=True, slots=True)
class Taken:
    """A payment's row, every column of it, and its event: id, type and body."""

    payment: dict[str, Any]
    event_id: str
    event_type: str
    event_body: dict[str, Any]
    at: datetime


class TooBusy(Exception):
    """More payments wait than will be stored in good time."""


class Till:
    """Stores what was decided, once for an idempotency key."""

    def __init__(self, db: Database, urls: Sequence[str]) -> None:
        self._db, self._urls = db, list(urls)
        self._writer: GroupWriter[Taken, bool] = GroupWriter(
            "sandbox", self._write, keys=lambda taken: frozenset({taken.payment["idempotency_key"]}), full=TooBusy
        )

    async def store(self, taken: Taken) -> bool:
        """Whether it was stored: False when the key is known. Raises TooBusy."""
        return await self._writer.submit(taken)

    async def close(self) -> None:
        """Finish what waits."""
        await self._writer.close()

    async def _write(self, group: Sequence[Taken]) -> list[bool | Exception]:
        payments = _encoder.encode([taken.payment for taken in group]).decode()
        events = _encoder.encode([_event(taken) for taken in group]).decode()
        try:
            rows = await (await self._db.asyncpg_pool()).fetch(_STORE, payments, events, self._urls)
        except _OF_ONE as error:
            if len(group) == 1:
                return [error]
            return [answer for taken in group for answer in await self._write([taken])]
        made = {row["id"] for row in rows}
        return [taken.payment["id"] in made for taken in group]


def _event(taken: Taken) -> dict[str, Any]:
    event = {"id": taken.event_id, "type": taken.event_type, "body": taken.event_body, "created_at": taken.at}
    return {**event, "payment_id": taken.payment["id"]}
