"""Two-factor sign-in: the second step, turning it on and off, recovery codes."""

from typing import Annotated

from fastapi import APIRouter, Depends

from auth_service.access.schemas import SteppedUpToken, TokenPair
from auth_service.bootstrap import Container
from auth_service.problems import problems
from auth_service.sessions.visitor import FromVisitor, Owner
from auth_service.two_factor import enable
from auth_service.two_factor.pass_challenge import pass_challenge
from auth_service.two_factor.qr_code import qr_data_uri
from auth_service.two_factor.schemas import (
    MfaRequest,
    RecoveryCodes,
    TwoFactorConfirm,
    TwoFactorOffer,
    TwoFactorProof,
    TwoFactorStart,
    TwoFactorState,
)
from auth_service.two_factor.step_up import step_up
from rihla.web import container, problem_responses

router = APIRouter()
C = Annotated[Container, Depends(container)]
_SIGNED_IN = ("unauthenticated", "forbidden", "too-many-attempts", "validation-failed")


@router.post(
    "/v1/auth/mfa",
    tags=["sign-in"],
    summary="Finish a sign-in with a second factor",
    responses=problem_responses(
        "invalid-mfa-token", "invalid-code", "too-many-attempts", "validation-failed", table=problems
    ),
)
async def complete_mfa(body: MfaRequest, c: C, visitor: FromVisitor) -> TokenPair:
    """Six digits of the authenticator app or a recovery code; five tries in five minutes."""
    return await pass_challenge(c, body.mfa_token, body.code, visitor)


@router.get(
    "/v1/me/two-factor",
    tags=["two-factor"],
    summary="Whether two-factor sign-in is on",
    responses=problem_responses("unauthenticated", "forbidden", table=problems),
)
async def get_two_factor(c: C, owner: Owner) -> TwoFactorState:
    """And how many recovery codes are left."""
    return await enable.two_factor_state(c, owner.user_id)


@router.post(
    "/v1/me/two-factor",
    status_code=201,
    tags=["two-factor"],
    summary="Begin two-factor sign-in",
    responses=problem_responses(*_SIGNED_IN, "invalid-credentials", "two-factor-already-on", table=problems),
)
async def begin_two_factor(
    c: C, owner: Owner, visitor: FromVisitor, body: TwoFactorStart | None = None
) -> TwoFactorOffer:
    """A secret for an authenticator app, shown once; it counts after it was confirmed. Needs the password."""
    secret, uri = await enable.begin_two_factor(c, owner.user_id, body.password if body else None, visitor)
    return TwoFactorOffer(secret=secret, otpauth_uri=uri, qr_code=qr_data_uri(uri))


@router.post(
    "/v1/me/two-factor/confirm",
    tags=["two-factor"],
    summary="Confirm with the first code",
    responses=problem_responses(
        *_SIGNED_IN, "invalid-code", "two-factor-not-on", "two-factor-already-on", table=problems
    ),
)
async def confirm_two_factor(body: TwoFactorConfirm, c: C, owner: Owner, visitor: FromVisitor) -> RecoveryCodes:
    """From now on signing in asks for a second factor. The recovery codes are shown once."""
    return RecoveryCodes(recovery_codes=await enable.confirm_two_factor(c, owner.user_id, body.code, visitor))


@router.delete(
    "/v1/me/two-factor",
    status_code=204,
    tags=["two-factor"],
    summary="Turn two-factor sign-in off",
    responses=problem_responses(*_SIGNED_IN, "invalid-code", "two-factor-not-on", table=problems),
)
async def disable_two_factor(body: TwoFactorProof, c: C, owner: Owner, visitor: FromVisitor) -> None:
    """Needs a second factor: six digits or a recovery code."""
    await enable.disable_two_factor(c, owner.user_id, body.code, visitor)


@router.post(
    "/v1/me/two-factor/recovery-codes",
    tags=["two-factor"],
    summary="Make new recovery codes",
    responses=problem_responses(*_SIGNED_IN, "invalid-code", "two-factor-not-on", table=problems),
)
async def renew_recovery_codes(body: TwoFactorProof, c: C, owner: Owner, visitor: FromVisitor) -> RecoveryCodes:
    """The old ones are good no more."""
    return RecoveryCodes(recovery_codes=await enable.renew_recovery_codes(c, owner.user_id, body.code, visitor))


@router.post(
    "/v1/me/two-factor/step-up",
    tags=["two-factor"],
    summary="Prove the second factor again",
    responses=problem_responses(*_SIGNED_IN, "invalid-code", "two-factor-not-on", table=problems),
)
async def step_up_session(body: TwoFactorProof, c: C, owner: Owner, visitor: FromVisitor) -> SteppedUpToken:
    """What to do after `step-up-required`: repeat the refused request with this access token. For some minutes refunds
    and saved cards are open to this session, with the tokens of later refreshes too."""
    return await step_up(c, owner, body.code, visitor)
