"""Events of auth-service."""

from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from booking_service.forgetting.tables import forgotten_person
from booking_service.seat_plans.kept_traveller import forget_kept_travellers
from rihla.contracts.events import Envelope, UserDeletedV1


async def person_deleted(session: AsyncSession, envelope: Envelope) -> None:
    """Remember the wish; `forget_people.py` carries it out as the person's journeys end."""
    gone = envelope.parse()
    assert isinstance(gone, UserDeletedV1)
    values = {"user_id": gone.user_id, "deleted_at": gone.deleted_at}
    await session.execute(insert(forgotten_person).values(values).on_conflict_do_nothing())
    await forget_kept_travellers(session, gone.user_id)
