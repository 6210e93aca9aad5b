"""Events of auth-service: who can be reached where, and what the owner of an account should hear."""

from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import delete, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from notification_service.contacts.tables import contact
from notification_service.devices.store import forget_session
from notification_service.devices.tables import device
from notification_service.preferences.tables import preference
from notification_service.telling.facts import Fact, Recipient
from notification_service.telling.tables import notice
from notification_service.telling.tell import Teller
from notification_service.trips.tables import trip, trip_document
from rihla.contracts.events import (
    Envelope,
    SessionEndedV1,
    UserDeletedV1,
    UserRegisteredV1,
    UserSecurityNoticeV1,
    UserSuspendedV1,
    UserUpdatedV1,
)
from rihla.kernel import Clock


@dataclass(frozen=True, slots=True)
class ContactConsumers:
    """Handlers run in the transaction that recorded the event."""

    teller: Teller
    clock: Clock

    async def on_registered(self, session: AsyncSession, envelope: Envelope) -> None:
        """Keep the contact and say welcome. Nothing comes back of a person who was erased in the meantime."""
        person = envelope.parse()
        assert isinstance(person, UserRegisteredV1)
        await _keep_contact(session, person, envelope.sequence)
        facts = {"full_name": person.full_name}
        fact = Fact(f"welcome:{person.user_id}", "welcome", facts)
        await self.teller.tell(session, fact, [Recipient(person.user_id)], now=self.clock.now())

    async def on_updated(self, session: AsyncSession, envelope: Envelope) -> None:
        """Reach the person where they are reached now; what is older than what we know changes nothing."""
        person = envelope.parse()
        assert isinstance(person, UserUpdatedV1)
        await _keep_contact(session, person, envelope.sequence)

    async def on_security_notice(self, session: AsyncSession, envelope: Envelope) -> None:
        """Warn the owner, at the address the event names (after a change of address: the old one)."""
        warning = envelope.parse()
        assert isinstance(warning, UserSecurityNoticeV1)
        await self._learn_address(session, warning)
        recipient = Recipient(warning.user_id, warning.email, warning.phone, warning.locale)
        kind = f"security_{warning.kind}"
        fact = Fact(f"{kind}:{envelope.id}", kind, warning.model_dump(mode="json"))
        await self.teller.tell(session, fact, [recipient], now=self.clock.now())

    async def on_suspended(self, session: AsyncSession, envelope: Envelope) -> None:
        """Remember it: offers stop while an account is suspended."""
        change = envelope.parse()
        assert isinstance(change, UserSuspendedV1)
        await session.execute(
            update(contact).where(contact.c.user_id == change.user_id).values(suspended=change.suspended)
        )

    async def on_session_ended(self, session: AsyncSession, envelope: Envelope) -> None:
        """Clear the push token of the device that was signed out."""
        ended = envelope.parse()
        assert isinstance(ended, SessionEndedV1)
        await forget_session(session, ended.session_id)

    async def on_deleted(self, session: AsyncSession, envelope: Envelope) -> None:
        """Erase everything personal; a mark stays so that late events bring nothing back."""
        gone = envelope.parse()
        assert isinstance(gone, UserDeletedV1)
        await erase_person(session, gone.user_id)
        values = {"email": None, "phone": None, "full_name": "", "deleted_at": gone.deleted_at}
        statement = insert(contact).values(user_id=gone.user_id, **values)
        await session.execute(statement.on_conflict_do_update(index_elements=["user_id"], set_=values))

    async def _learn_address(self, session: AsyncSession, warning: UserSecurityNoticeV1) -> None:
        """An account we never heard of (its registration is still on the way) gets its address from the warning."""
        values = {"email": warning.email, "phone": warning.phone, "locale": warning.locale}
        statement = insert(contact).values(user_id=warning.user_id, **values)
        await session.execute(statement.on_conflict_do_nothing())


async def _keep_contact(session: AsyncSession, person: UserRegisteredV1 | UserUpdatedV1, sequence: int) -> None:
    """The newest wins by the account's sequence; an erased person stays erased."""
    values = {
        "email": person.email,
        "phone": person.phone,
        "full_name": person.full_name[:200],
        "locale": person.locale,
        "sequence": sequence,
    }
    statement = insert(contact).values(user_id=person.user_id, **values)
    newer = contact.c.deleted_at.is_(None) & (contact.c.sequence < sequence)
    await session.execute(statement.on_conflict_do_update(index_elements=["user_id"], set_=values, where=newer))


async def erase_person(session: AsyncSession, user_id: UUID) -> None:
    """Delete notices with their deliveries, trips, documents' names, devices and preferences of a user."""
    bookings = select(trip.c.booking_id).where(trip.c.user_id == user_id)
    await session.execute(delete(trip_document).where(trip_document.c.booking_id.in_(bookings)))
    await session.execute(delete(trip).where(trip.c.user_id == user_id))
    for table in (notice, device, preference):
        await session.execute(delete(table).where(table.c.user_id == user_id))
