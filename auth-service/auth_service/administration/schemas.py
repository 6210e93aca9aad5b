"""What administrators and support see of people, and what administrators change."""

from datetime import datetime
from typing import Annotated, Any, Literal
from uuid import UUID

from pydantic import Field

from auth_service.administration.permissions import Role
from auth_service.people.fields import ShortText
from rihla.web import RequestModel, Schema

Reason = Annotated[ShortText, Field(max_length=500, examples=["Card testing, ticket 4711"])]


class UserView(Schema):
    """A person as support sees them: no passport, no secrets."""

    id: UUID
    status: Literal["active", "suspended", "deleted"]
    roles: list[str]
    full_name: str
    email: str | None
    phone: str | None
    username: str | None
    locale: str
    customer_type: str
    created_at: datetime
    last_sign_in_at: datetime | None
    suspended_at: datetime | None
    suspended_reason: str | None


class RolesRequest(RequestModel):
    """All roles the person has from now on."""

    roles: Annotated[list[Role], Field(min_length=1, max_length=4, examples=[["traveller", "partner"]])]


class SuspendRequest(RequestModel):
    """Why; it goes into the audit log."""

    reason: Reason


class AuditView(Schema):
    """One change."""

    id: UUID
    at: datetime
    actor_id: UUID
    action: Annotated[str, Field(examples=["user.suspended"])]
    user_id: UUID | None
    details: dict[str, Any]
    client_ip: str | None
