"""One's own profile, addresses and travel companions."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Depends, Query, Request, Response

from auth_service.bootstrap import Container
from auth_service.people import companions, profile
from auth_service.people.delete_account import delete_account
from auth_service.people.identifiers import normal_username, parse_address
from auth_service.people.personal_data import PersonalData, export_personal_data
from auth_service.people.prove_address import prove_address
from auth_service.people.schemas import (
    CompanionRequest,
    CompanionUpdate,
    CompanionView,
    ContactVerifyRequest,
    DeleteRequest,
    Me,
    MeUpdate,
    UsernameAvailability,
)
from auth_service.problems import problems
from auth_service.sessions.visitor import FromVisitor, Owner
from rihla.web import Page, PageParams, ValidationFailed, container, problem_responses
from rihla.web.idempotency import IdempotentRequest, Replay, idempotent_request, replay_response

router = APIRouter(prefix="/v1/me", tags=["profile"])
C = Annotated[Container, Depends(container)]
Optional = Annotated[IdempotentRequest, Depends(idempotent_request(required=False))]
_SIGNED_IN = ("unauthenticated", "forbidden")


@router.get("", summary="The signed-in person", responses=problem_responses(*_SIGNED_IN, table=problems))
async def get_me(c: C, owner: Owner) -> Me:
    """Profile, preferences and the saved passport."""
    return await profile.own_profile(c, owner.user_id)


@router.patch(
    "",
    summary="Change one's profile",
    responses=problem_responses(*_SIGNED_IN, "username-taken", "too-many-codes", "validation-failed", table=problems),
)
async def update_me(body: MeUpdate, c: C, owner: Owner, visitor: FromVisitor) -> Me:
    """Only the fields sent change. A new `email` or `phone` waits as pending until its code comes back."""
    return await profile.change_profile(c, owner.user_id, body, visitor)


@router.delete(
    "",
    status_code=204,
    summary="Delete one's account",
    responses=problem_responses(
        *_SIGNED_IN, "invalid-credentials", "too-many-attempts", "last-admin", "validation-failed", table=problems
    ),
)
async def delete_me(c: C, owner: Owner, visitor: FromVisitor, body: DeleteRequest | None = None) -> None:
    """Personal data is erased at once here, and by every other service that keeps some; bookings stay as law asks.

    Needs the password, or without one a sign-in of the last ten minutes.
    """
    await delete_account(c, owner, body.password if body else None, visitor)


@router.get(
    "/export",
    summary="Everything kept about oneself",
    responses=problem_responses(*_SIGNED_IN, table=problems),
)
async def export_me(c: C, owner: Owner, request: Request, response: Response) -> PersonalData:
    """As a file to keep, with one's bookings, payments, notices and conversations; `incomplete` names what could not
    be read just now."""
    response.headers["Content-Disposition"] = 'attachment; filename="rihla-personal-data.json"'
    response.headers["Cache-Control"] = "no-store"
    return await export_personal_data(c, owner.user_id, request.headers)


@router.post(
    "/contact/verify",
    summary="Prove a new address with its code",
    responses=problem_responses(*_SIGNED_IN, "invalid-code", "validation-failed", table=problems),
)
async def verify_contact(body: ContactVerifyRequest, c: C, owner: Owner, visitor: FromVisitor) -> Me:
    """The pending address becomes the account's own; the old one is told."""
    await prove_address(c, owner.user_id, parse_address(body.identifier), body.code, visitor)
    return await profile.own_profile(c, owner.user_id)


@router.get(
    "/username-availability",
    summary="Whether a user name is free",
    responses=problem_responses(*_SIGNED_IN, "validation-failed", table=problems),
)
async def check_username(
    c: C, owner: Owner, username: Annotated[str, Query(min_length=3, max_length=30)]
) -> UsernameAvailability:
    """User names are compared without regard to case."""
    try:
        normal = normal_username(username)
    except ValueError as error:
        raise ValidationFailed({"pointer": "#/username", "code": "username", "message": str(error)}) from error
    return UsernameAvailability(username=normal, available=await profile.username_is_free(c, normal))


@router.get(
    "/companions",
    tags=["companions"],
    summary="Travel companions",
    responses=problem_responses(*_SIGNED_IN, "invalid-cursor", table=problems),
)
async def list_companions(c: C, owner: Owner, page: PageParams) -> Page[CompanionView]:
    """The newest first; passport numbers are masked here."""
    return await companions.list_companions(c, owner.user_id, page.limit, page.cursor)


@router.post(
    "/companions",
    status_code=201,
    tags=["companions"],
    summary="Add a travel companion",
    response_model=CompanionView,
    responses=problem_responses(
        *_SIGNED_IN, "validation-failed", "idempotency-key-reused", "request-in-progress", table=problems
    ),
)
async def create_companion(body: CompanionRequest, c: C, owner: Owner, idem: Optional) -> CompanionView | Response:
    """An Idempotency-Key makes a repeat harmless. The passport number is masked here; read the companion to see it."""
    made = await companions.add_companion(c, owner.user_id, body, idem)
    return replay_response(made) if isinstance(made, Replay) else made


@router.get(
    "/companions/{companion_id}",
    tags=["companions"],
    summary="One travel companion",
    responses=problem_responses(*_SIGNED_IN, "not-found", table=problems),
)
async def get_companion(companion_id: UUID, c: C, owner: Owner) -> CompanionView:
    """With the whole passport number, to fill in a booking."""
    return await companions.read_companion(c, owner.user_id, companion_id)


@router.patch(
    "/companions/{companion_id}",
    tags=["companions"],
    summary="Change a travel companion",
    responses=problem_responses(*_SIGNED_IN, "not-found", "validation-failed", table=problems),
)
async def update_companion(companion_id: UUID, body: CompanionUpdate, c: C, owner: Owner) -> CompanionView:
    """Only the fields sent change."""
    return await companions.change_companion(c, owner.user_id, companion_id, body)


@router.delete(
    "/companions/{companion_id}",
    status_code=204,
    tags=["companions"],
    summary="Remove a travel companion",
    responses=problem_responses(*_SIGNED_IN, "not-found", table=problems),
)
async def delete_companion(companion_id: UUID, c: C, owner: Owner) -> None:
    """The passport goes with the companion."""
    await companions.remove_companion(c, owner.user_id, companion_id)
