"""Fill in passengers who are picked from the profile, before the order is quoted or placed."""

from collections.abc import Sequence
from uuid import UUID

from sqlalchemy import text

from booking_service.bookings.errors import InvalidRequest
from booking_service.bootstrap import Container
from booking_service.placing.order import Order
from booking_service.placing.saved_traveller import SavedTraveller
from booking_service.placing.schemas import BookingRequest
from rihla.auth import Principal
from rihla.web.idempotency import IdempotentRequest, Replay

_ANSWERED = text(
    "SELECT status, body, media_type FROM idempotency_key "
    "WHERE scope = :scope AND key = :key AND fingerprint = :fingerprint AND status IS NOT NULL"
)


async def filled_order(c: Container, principal: Principal, body: BookingRequest) -> Order:
    """The order with what auth-service has of the companions named; without any it is asked nothing.

    Raises InvalidRequest for one who is not the caller's own (a partner's key has none) or lacks what a ticket needs,
    and UpstreamUnavailable.
    """
    wanted = [one.companion_id for one in body.passengers]
    saved: dict[UUID, SavedTraveller] = {}
    for traveller_id in dict.fromkeys(one for one in wanted if one is not None):
        found = await c.travellers.read(principal.user_id, traveller_id) if principal.kind == "person" else None
        if found is None:
            raise _unknown(wanted, traveller_id)
        saved[traveller_id] = found
    return body.order(saved)


def _unknown(wanted: Sequence[UUID | None], traveller_id: UUID) -> InvalidRequest:
    message = "You have no such companion; give your own account id for what you saved of yourself."
    return InvalidRequest((f"#/passengers/{wanted.index(traveller_id)}/companion_id", "companion-not-found", message))


async def saved_answer(c: Container, idem: IdempotentRequest) -> Replay | None:
    """What the same request was answered before, if it was."""
    async with c.db.transaction() as session:
        found = await session.execute(
            _ANSWERED, {"scope": idem.scope, "key": idem.key, "fingerprint": idem.fingerprint}
        )
        row = found.one_or_none()
    return None if row is None else Replay(row.status, bytes(row.body), row.media_type)
