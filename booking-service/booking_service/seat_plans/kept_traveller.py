"""Who travels on a subscription: given with its first period, kept encrypted for the later ones, so that
payment-service never stores a passenger's data.
"""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

import msgspec
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from booking_service.placing.order import Order, Traveller
from rihla.encryption import DataCipher
from rihla.kernel import new_id

KEPT_TRAVELLER: Final = "kept-traveller"
_UNUSED_FOR = timedelta(days=1)
_KEEP = text(
    "INSERT INTO kept_traveller (subscription_id, user_id, sealed, kept_at) "
    "VALUES (:subscription_id, :user_id, :sealed, :now) ON CONFLICT (subscription_id) DO UPDATE "
    "SET sealed = excluded.sealed, kept_at = excluded.kept_at WHERE kept_traveller.user_id = excluded.user_id"
)
_KEPT = text("SELECT sealed FROM kept_traveller WHERE subscription_id = :subscription_id AND user_id = :user_id")
_FORGET = text("DELETE FROM kept_traveller WHERE user_id = :user_id")
# A subscription that never got its first seats has no later periods.
_FORGET_UNUSED = text(
    "DELETE FROM kept_traveller k WHERE k.kept_at < :before AND NOT EXISTS (SELECT 1 FROM seat_plan p "
    "WHERE p.subscription_id = k.subscription_id AND p.state <> 'refused')"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class PlanTraveller:
    """The one passenger of a plan, and how to reach them."""

    traveller: Traveller
    contact_email: str
    contact_phone: str | None
    locale: str

    def order(self, offer_id: str, subscription_id: UUID, **ride: str) -> Order:
        """What a ride of theirs asks for. Every booking has a passenger id of its own; `ride` is for the draft only."""
        return Order(
            offer_id=offer_id,
            travellers=(replace(self.traveller, id=new_id()),),
            contact_email=self.contact_email,
            contact_phone=self.contact_phone,
            locale=self.locale,
            subscription_id=subscription_id,
            metadata=ride,
        )


async def keep_traveller(
    session: AsyncSession,
    cipher: DataCipher,
    who: PlanTraveller,
    subscription_id: UUID,
    user_id: UUID,
    *,
    now: datetime,
) -> None:
    """Keep the traveller for the subscription's later periods; what was kept and never used goes."""
    sealed = cipher.encrypt(msgspec.json.encode(who).decode(), what=KEPT_TRAVELLER, owner=subscription_id)
    await session.execute(_KEEP, {"subscription_id": subscription_id, "user_id": user_id, "sealed": sealed, "now": now})
    await session.execute(_FORGET_UNUSED, {"before": now - _UNUSED_FOR})


async def kept_traveller_of(
    session: AsyncSession, cipher: DataCipher, subscription_id: UUID, user_id: UUID
) -> PlanTraveller | None:
    """Who was kept; None when nobody was, or they asked to be forgotten. Raises UnreadableData."""
    found = await session.execute(_KEPT, {"subscription_id": subscription_id, "user_id": user_id})
    sealed = found.scalar_one_or_none()
    if sealed is None:
        return None
    text_of = cipher.decrypt(sealed, what=KEPT_TRAVELLER, owner=subscription_id)
    return msgspec.json.decode(text_of, type=PlanTraveller)


async def forget_kept_travellers(session: AsyncSession, user_id: UUID) -> None:
    """Erase at once what was kept of the subscriptions of a person who asked to be forgotten."""
    await session.execute(_FORGET, {"user_id": user_id})
