"""Events of auth-service; the aggregate is the user."""

from datetime import datetime
from typing import ClassVar, Literal
from uuid import UUID

from rihla.contracts.events.envelope import EventData


class _UserEvent(EventData):
    producer: ClassVar[str] = "auth"
    user_id: UUID


class UserRegisteredV1(_UserEvent):
    """A person verified a first address: the account is active."""

    event_type: ClassVar[str] = "user.registered.v1"
    email: str | None = None
    phone: str | None = None
    full_name: str
    locale: str = "en"
    currency: str = "USD"
    registered_at: datetime


class UserUpdatedV1(_UserEvent):
    """A person changed how they are reached or addressed; the event carries the new whole."""

    event_type: ClassVar[str] = "user.updated.v1"
    email: str | None = None
    phone: str | None = None
    full_name: str
    locale: str = "en"
    currency: str = "USD"
    updated_at: datetime


class UserSuspendedV1(_UserEvent):
    """An account was suspended, or (`suspended` false) restored, by an administrator."""

    event_type: ClassVar[str] = "user.suspended.v1"
    suspended: bool = True
    reason: str | None = None


class UserDeletedV1(_UserEvent):
    """A person asked to be forgotten: personal data is erased or pseudonymised by every service that keeps some."""

    event_type: ClassVar[str] = "user.deleted.v1"
    deleted_at: datetime
    ended_organisation_id: UUID | None = None
    """The partner organisation whose last person this was: it ended too."""


class SessionEndedV1(_UserEvent):
    """A sign-in ended before its time: signed out, or revoked. The aggregate is the session, which ends once."""

    event_type: ClassVar[str] = "session.ended.v1"
    session_id: UUID
    ended_at: datetime


class UserSecurityNoticeV1(_UserEvent):
    """Something about the account's safety that its owner should hear."""

    event_type: ClassVar[str] = "user.security_notice.v1"
    kind: Literal[
        "new_device",
        "password_changed",
        "password_reset",
        "refresh_token_reused",
        "two_factor_enabled",
        "two_factor_disabled",
        "email_changed",
        "phone_changed",
        "profile_changed",
        "api_key_created",
    ]
    email: str | None = None
    phone: str | None = None
    locale: str = "en"
    client_ip: str | None = None
    device: str | None = None
    occurred_at: datetime
