"""What a person may take along: everything kept about them here and elsewhere (GDPR, articles 15 and 20)."""

import asyncio
from collections.abc import Mapping
from datetime import datetime
from typing import Annotated, Any
from uuid import UUID

from pydantic import Field
from sqlalchemy import select

from auth_service.bootstrap import Container
from auth_service.oidc.tables import LinkedIdentity
from auth_service.partners.tables import ApiKey
from auth_service.people.companions import every_companion
from auth_service.people.elsewhere import PARTS, NotRead, Part
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


_Items = list[dict[str, Any]]


class PersonalData(Schema):
    """What each service lists for its owner, item by item as it lists it."""

    exported_at: datetime
    profile: Me
    companions: list[CompanionView]
    sessions: list[ExportedSession]
    linked_providers: list[ExportedLink]
    api_keys: list[ExportedKey]
    bookings: _Items
    payments: _Items
    wallet_entries: _Items
    subscriptions: _Items
    saved_cards: Annotated[_Items, Field(description="Brand, last four digits and expiry; we never hold more")]
    notifications: _Items
    notification_preferences: Annotated[_Items, Field(description="One document: channels and quiet hours")]
    devices: Annotated[_Items, Field(description="Devices that take push messages, without their tokens")]
    conversations: Annotated[_Items, Field(description="Each with its messages")]
    support_tickets: _Items
    callbacks: _Items
    incomplete: Annotated[
        list[str], Field(description="Parts that could not be read now; ask again for them", examples=[[]])
    ]


async def export_personal_data(c: Container, user_id: UUID, headers: Mapping[str, str]) -> PersonalData:
    """Everything but secrets. `headers` carry the tokens for other services. Raises NotFound for a deleted account."""
    profile = await own_profile(c, user_id)
    companions = await every_companion(c, user_id)
    async with c.db.transaction() as session:
        sessions = (await session.scalars(select(Session).where(Session.account_id == user_id))).all()
        links = (await session.scalars(select(LinkedIdentity).where(LinkedIdentity.account_id == user_id))).all()
        keys = (await session.scalars(select(ApiKey).where(ApiKey.account_id == user_id))).all()
    elsewhere = dict(await asyncio.gather(*(_read(c, part, headers) for part in PARTS)))
    return PersonalData(
        exported_at=c.clock.now(),
        profile=profile,
        companions=companions,
        sessions=[ExportedSession.model_validate(row) for row in sessions],
        linked_providers=[ExportedLink.model_validate(row) for row in links],
        api_keys=[ExportedKey.model_validate(row) for row in keys],
        incomplete=[name for name, items in elsewhere.items() if items is None],
        **{name: items or [] for name, items in elsewhere.items()},
    )


async def _read(c: Container, part: Part, headers: Mapping[str, str]) -> tuple[str, _Items | None]:
    try:
        return part.name, await c.elsewhere.read(part, headers)
    except NotRead:
        return part.name, None
