"""Sign-up: register, verify, another code."""

from typing import Annotated

from fastapi import APIRouter, Depends

from auth_service.access.schemas import TokenPair
from auth_service.bootstrap import Container
from auth_service.codes.ask import Asked
from auth_service.people.identifiers import parse_address
from auth_service.problems import problems
from auth_service.registration.register import register as register_account
from auth_service.registration.schemas import (
    Registered,
    RegisterRequest,
    ResendRequest,
    Verification,
    VerifyRequest,
)
from auth_service.registration.verify import resend
from auth_service.registration.verify import verify as verify_account
from auth_service.sessions.visitor import FromVisitor
from rihla.web import container, problem_responses

router = APIRouter(prefix="/v1/auth", tags=["sign-up"])
C = Annotated[Container, Depends(container)]


def _answer(asked: Asked) -> Registered:
    return Registered(
        verification=Verification(
            request_id=asked.request_id,
            channel="sms" if asked.channel == "sms" else "email",
            expires_at=asked.expires_at,
            resend_at=asked.resend_at,
        )
    )


@router.post(
    "/register",
    status_code=201,
    summary="Register with an e-mail address or a phone number",
    responses=problem_responses("validation-failed", "too-many-codes", "too-busy", table=problems),
)
async def register(body: RegisterRequest, c: C, visitor: FromVisitor) -> Registered:
    """Sends a six-digit code to the address; the account exists once it is verified.

    The answer is the same whether or not the address has an account; its owner then gets a message that says so.
    Registering again replaces a registration that was never verified, at the earliest after `resend_at`.
    """
    identifier = parse_address(body.email or body.phone or "")
    details = body.model_dump(mode="json", exclude={"password"})
    return _answer(await register_account(c, identifier, body.password, details, visitor))


@router.post(
    "/verify",
    summary="Prove the address and sign in",
    responses=problem_responses("invalid-code", "validation-failed", table=problems),
)
async def verify(body: VerifyRequest, c: C, visitor: FromVisitor) -> TokenPair:
    """A code is good for ten minutes, five tries and one use."""
    return await verify_account(c, parse_address(body.identifier), body.code, visitor, body.request_id)


@router.post(
    "/verify/resend",
    status_code=202,
    summary="Send the sign-up code again",
    responses=problem_responses("too-many-codes", "validation-failed", table=problems),
)
async def resend_verification(body: ResendRequest, c: C, visitor: FromVisitor) -> Registered:
    """A new code, which replaces the last one, at the earliest after `resend_at`; before that the last one stands."""
    return _answer(await resend(c, parse_address(body.identifier), visitor))
