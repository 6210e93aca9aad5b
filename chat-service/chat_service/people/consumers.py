"""Events of auth-service: suspended accounts are closed out, deleted ones are forgotten."""

from dataclasses import dataclass

from sqlalchemy.ext.asyncio import AsyncSession

from chat_service.people.erase import erase_person
from chat_service.people.store import remember_deletion, remember_suspension
from rihla.contracts.events import Envelope, UserDeletedV1, UserSuspendedV1
from rihla.kernel import Clock


@dataclass(frozen=True, slots=True)
class PeopleConsumers:
    """Handlers run in the transaction that recorded the event."""

    clock: Clock

    async def on_suspended(self, session: AsyncSession, envelope: Envelope) -> None:
        """Remember it; the newest word counts, in whatever order they come."""
        event = envelope.parse()
        assert isinstance(event, UserSuspendedV1)
        await remember_suspension(session, event.user_id, suspended=event.suspended, sequence=envelope.sequence)

    async def on_deleted(self, session: AsyncSession, envelope: Envelope) -> None:
        """Pseudonymise everything of this person."""
        event = envelope.parse()
        assert isinstance(event, UserDeletedV1)
        await remember_deletion(session, event.user_id, event.deleted_at, envelope.sequence)
        await erase_person(session, event.user_id, self.clock.now())
