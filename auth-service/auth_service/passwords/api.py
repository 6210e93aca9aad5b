"""Forgotten and changed passwords."""

from typing import Annotated

from fastapi import APIRouter, Depends

from auth_service.bootstrap import Container
from auth_service.passwords.change import change_password as change
from auth_service.passwords.reset import forgot_password as forgot
from auth_service.passwords.reset import reset_password as reset
from auth_service.passwords.schemas import Accepted, ChangeRequest, ForgotRequest, ResetRequest
from auth_service.people.identifiers import parse_address
from auth_service.problems import problems
from auth_service.sessions.visitor import FromVisitor, Owner
from rihla.web import container, problem_responses

router = APIRouter(tags=["passwords"])
C = Annotated[Container, Depends(container)]


@router.post(
    "/v1/auth/password/forgot",
    status_code=202,
    summary="Ask for a code to set a new password",
    responses=problem_responses("validation-failed", table=problems),
)
async def forgot_password(body: ForgotRequest, c: C, visitor: FromVisitor) -> Accepted:
    """Always 202: it does not tell whether there is such an account."""
    await forgot(c, parse_address(body.identifier), body.locale, visitor)
    return Accepted(status="accepted")


@router.post(
    "/v1/auth/password/reset",
    status_code=204,
    summary="Set a new password with a code",
    responses=problem_responses("invalid-code", "validation-failed", "too-busy", table=problems),
)
async def reset_password(body: ResetRequest, c: C, visitor: FromVisitor) -> None:
    """Ends every session of the account."""
    await reset(c, parse_address(body.identifier), body.code, body.new_password, visitor, body.request_id)


@router.post(
    "/v1/me/password",
    status_code=204,
    summary="Change the password",
    responses=problem_responses(
        "unauthenticated", "forbidden", "invalid-credentials", "too-many-attempts", "validation-failed", table=problems
    ),
)
async def change_password(body: ChangeRequest, c: C, owner: Owner, visitor: FromVisitor) -> None:
    """Needs the present password; ends every other session."""
    await change(c, owner.user_id, owner.session_id, body.current_password, body.new_password, visitor)
