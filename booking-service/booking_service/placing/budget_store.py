"""Queries of the hold budget. Each unpaid booking occupies a numbered slot of its owner, unique by an index over the
unpaid states: two requests at once cannot both get the last one, and a booking that is paid, refused or over gives its
slot back by its change of state alone.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

SLOT_INDEX = "uq_booking_unpaid_slot"
SLOT_CHECK = "ck_booking_unpaid_slot"
_OWNER = "coalesce(b.api_key_id, b.user_id)"
# The rides of a seat plan are payment-service's to pay: they take no slot and count for nothing here.
_UNPAID = "b.state IN ('placing', 'pending_payment') AND b.seat_plan_id IS NULL"
_LAPSED = "b.confirmed_at IS NULL AND b.state IN ('expired', 'cancelled') AND b.seat_plan_id IS NULL"
_LAPSED_AT = "coalesce(b.expired_at, b.cancelled_at)"
_DRAWN_FROM = 16


def free_slot(owner: str, most: str) -> str:
    """SQL of one row `n`: a free slot, drawn at random so that rivals seldom draw the same; NULL when none is free.

    Only a few more slots than are taken are looked at: a partner's key may have thousands.
    """
    taken = f"SELECT count(*)::int FROM booking b WHERE {_OWNER} = {owner} AND {_UNPAID}"
    last = f"least({most}, ({taken}) + {_DRAWN_FROM})"
    return f"""SELECT (SELECT n FROM generate_series(1, {last}) AS n WHERE NOT EXISTS (
      SELECT 1 FROM booking b WHERE {_OWNER} = {owner} AND {_UNPAID} AND b.unpaid_slot = n)
    ORDER BY random() LIMIT 1) AS n"""


def slot_at_once(owner: str, most: str, since: str) -> str:
    """The same for the hot path: NULL as well when so many lapsed that the rules must look."""
    return f"""SELECT s.n FROM ({free_slot(owner, most)}) AS s WHERE s.n IS NOT NULL AND (
    SELECT count(*) FROM booking b WHERE {_OWNER} = {owner} AND {_LAPSED} AND {_LAPSED_AT} > {since}) <= {most}"""


@dataclass(frozen=True, slots=True)
class Kept:
    """How many unpaid bookings there are, and when earlier ones lapsed."""

    unpaid: int
    lapsed: Sequence[datetime]


_READ = text(
    f"SELECT (SELECT count(*) FROM booking b WHERE {_OWNER} = :owner AND {_UNPAID} AND b.id <> :except) AS unpaid, "
    f"(SELECT array_agg({_LAPSED_AT}) FROM booking b WHERE {_OWNER} = :owner AND {_LAPSED} AND {_LAPSED_AT} > :since) "
    "AS lapsed"
)


async def read_kept(session: AsyncSession, owner: UUID, *, since: datetime, but: UUID) -> Kept:
    """What the caller keeps unpaid (booking `but` left out), and what lapsed after `since`."""
    row = (await session.execute(_READ, {"owner": owner, "since": since, "except": but})).one()
    return Kept(row.unpaid, tuple(row.lapsed or ()))
