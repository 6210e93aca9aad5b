"""Administration of people. Who may do what stands in `permissions.py`."""

from typing import Annotated, Literal
from uuid import UUID

from fastapi import APIRouter, Depends, Query

from auth_service.administration import change_user, search
from auth_service.administration.permissions import Role
from auth_service.administration.schemas import AuditView, RolesRequest, SuspendRequest, UserView
from auth_service.bootstrap import Container
from auth_service.problems import problems
from auth_service.sessions.visitor import FromVisitor, may
from rihla.auth import Principal
from rihla.web import Page, PageParams, container, problem_responses

router = APIRouter(prefix="/v1/admin", tags=["administration"])
C = Annotated[Container, Depends(container)]
_SIGNED_IN = ("unauthenticated", "forbidden")


@router.get(
    "/users",
    summary="Find people",
    dependencies=[may("users.read")],
    responses=problem_responses(*_SIGNED_IN, "invalid-cursor", table=problems),
)
async def list_users(
    c: C,
    page: PageParams,
    query: Annotated[
        str | None, Query(min_length=1, max_length=254, description="An id, or how an address or a name begins")
    ] = None,
    role: Role | None = None,
    status: Literal["active", "suspended", "deleted"] | None = None,
) -> Page[UserView]:
    """The newest first. For support and admin."""
    return await search.search_users(c, query=query, role=role, status=status, limit=page.limit, cursor=page.cursor)


@router.get(
    "/users/{user_id}",
    summary="One person",
    dependencies=[may("users.read")],
    responses=problem_responses(*_SIGNED_IN, "not-found", table=problems),
)
async def get_user(user_id: UUID, c: C) -> UserView:
    """For support and admin."""
    return await search.read_user(c, user_id)


@router.put(
    "/users/{user_id}/roles",
    summary="Set a person's roles",
    responses=problem_responses(*_SIGNED_IN, "not-found", "last-admin", "validation-failed", table=problems),
)
async def set_user_roles(
    user_id: UUID, body: RolesRequest, c: C, admin: Annotated[Principal, may("users.roles")], visitor: FromVisitor
) -> UserView:
    """Taking a role away ends the person's sessions; a role given is in their next access token. For admin."""
    return await change_user.change_roles(c, admin, user_id, body.roles, visitor)


@router.post(
    "/users/{user_id}/suspend",
    summary="Suspend a person",
    responses=problem_responses(*_SIGNED_IN, "not-found", "last-admin", "validation-failed", table=problems),
)
async def suspend_user(
    user_id: UUID, body: SuspendRequest, c: C, admin: Annotated[Principal, may("users.suspend")], visitor: FromVisitor
) -> UserView:
    """Ends every session and key within seconds; repeating it changes nothing. For admin."""
    return await change_user.suspend(c, admin, user_id, body.reason, visitor)


@router.post(
    "/users/{user_id}/restore",
    summary="Lift a suspension",
    responses=problem_responses(*_SIGNED_IN, "not-found", table=problems),
)
async def restore_user(
    user_id: UUID, c: C, admin: Annotated[Principal, may("users.suspend")], visitor: FromVisitor
) -> UserView:
    """Repeating it changes nothing. For admin."""
    return await change_user.restore(c, admin, user_id, visitor)


@router.get(
    "/audit-log",
    summary="What administrators changed",
    dependencies=[may("audit.read")],
    responses=problem_responses(*_SIGNED_IN, "invalid-cursor", table=problems),
)
async def list_audit_log(
    c: C, page: PageParams, user_id: UUID | None = None, actor_id: UUID | None = None
) -> Page[AuditView]:
    """The newest first. For admin."""
    return await search.read_audit_log(c, user_id=user_id, actor_id=actor_id, limit=page.limit, cursor=page.cursor)
