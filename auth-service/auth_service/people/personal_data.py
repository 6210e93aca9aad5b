"""What a person may take along: everything this service keeps about them (GDPR, articles 15 and 20)."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import select

from auth_service.bootstrap import Container
from auth_service.oidc.tables import LinkedIdentity
from auth_service.partners.tables import ApiKey
from auth_service.people.companions import every_companion
from auth_service.people.profile import own_profile
from auth_service.people.schemas import CompanionView, Me
from auth_service.sessions.tables import Session
from rihla.web import Schema


class ExportedSession(Schema):
    """A sign-in."""

    device: str
    client_ip: str | None
    created_at: datetime
    last_used_at: datetime
    ended_at: datetime | None


class ExportedLink(Schema):
    """A provider that signs in to the account."""

    provider: str
    subject: str
    email: str | None
    linked_at: datetime


class ExportedKey(Schema):
    """An API key."""

    name: str
    prefix: str
    created_at: datetime
    last_used_at: datetime | None
    revoked_at: datetime | None


class PersonalData(Schema):
    """Bookings, payments and messages are exported by the services that keep them."""

    exported_at: datetime
    profile: Me
    companions: list[CompanionView]
    sessions: list[ExportedSession]
    linked_providers: list[ExportedLink]
    api_keys: list[ExportedKey]


async def export_personal_data(c: Container, user_id: UUID) -> PersonalData:
    """Everything but secrets. Raises NotFound for a deleted account."""
    profile = await own_profile(c, user_id)
    companions = await every_companion(c, user_id)
    async with c.db.transaction() as session:
        sessions = (await session.scalars(select(Session).where(Session.account_id == user_id))).all()
        links = (await session.scalars(select(LinkedIdentity).where(LinkedIdentity.account_id == user_id))).all()
        keys = (await session.scalars(select(ApiKey).where(ApiKey.account_id == user_id))).all()
    return PersonalData(
        exported_at=c.clock.now(),
        profile=profile,
        companions=companions,
        sessions=[ExportedSession.model_validate(row) for row in sessions],
        linked_providers=[ExportedLink.model_validate(row) for row in links],
        api_keys=[ExportedKey.model_validate(row) for row in keys],
    )
