"""The end of a placing without a booking, as one statement."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import msgspec

from booking_service.placing.compose import Placing
from rihla.kernel import new_id
from rihla.web.idempotency import IdempotentRequest

REFUSE = """
WITH refused AS (
  UPDATE booking SET state = 'refused', draft = NULL, lease_until = NULL, refusal = $3::jsonb
  WHERE id = $1 AND state = (SELECT 'placing') AND attempt = $2 RETURNING id),
errands AS (
  INSERT INTO errand (id, booking_id, kind, payload, due_at, created_at)
  SELECT e.id, r.id, e.kind, $4::jsonb, $5::timestamptz, $6::timestamptz
  FROM refused r, unnest($7::uuid[], $8::text[]) AS e (id, kind)),
answered AS (
  UPDATE idempotency_key SET status = $11::int, body = $12::bytea, media_type = 'application/problem+json' FROM refused
  WHERE scope = $9 AND key = $10 AND $11::int IS NOT NULL),
forgotten AS (
  DELETE FROM idempotency_key USING refused
  WHERE scope = $9 AND key = $10 AND status IS NULL AND $13::boolean)
SELECT count(*) FROM refused
"""
"""The attempt has ended; the personal data of the draft goes. 0 when another took over."""


@dataclass(frozen=True, slots=True)
class Ending:
    """What is left to do and to say: `errands` to release, due at `due_at`; the (status, body) a repeat will hear, if
    any; whether the key is free again (a payload refused for its shape: the corrected one may use it)."""

    refusal: dict[str, Any]
    errands: Sequence[str]
    due_at: datetime
    answer: tuple[int, bytes] | None = None
    forget_key: bool = False


def refuse_values(
    placing: Placing, ending: Ending, idem: IdempotentRequest | None, *, now: datetime
) -> tuple[Any, ...]:
    """What `REFUSE` is given."""
    status, body = ending.answer or (None, None)
    return (
        placing.booking_id,
        placing.attempt,
        msgspec.json.encode(ending.refusal).decode(),
        msgspec.json.encode({"hold_id": placing.hold_id}).decode(),
        ending.due_at,
        now,
        [new_id() for _ in ending.errands],
        list(ending.errands),
        idem.scope if idem else None,
        idem.key if idem else None,
        status,
        body,
        ending.forget_key,
    )
