"""Sign in, refresh, sign out; the devices signed in; the feed of revocations for gateways."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Depends, Query

from auth_service.access.schemas import TokenPair
from auth_service.bootstrap import Container
from auth_service.codes.ask import Asked
from auth_service.people.identifiers import parse_address
from auth_service.problems import problems
from auth_service.sessions import store
from auth_service.sessions.list_sessions import list_own_sessions
from auth_service.sessions.refresh import refresh as refresh_pair
from auth_service.sessions.schemas import (
    CodeAsked,
    CodeLoginRequest,
    CodeLoginVerifyRequest,
    LoginRequest,
    LogoutRequest,
    MfaQuestion,
    RefreshRequest,
    RevocationFeed,
    RevocationItem,
    SessionView,
)
from auth_service.sessions.sign_in_with_code import ask_for_sign_in_code, sign_in_with_code
from auth_service.sessions.sign_in_with_password import sign_in_with_password
from auth_service.sessions.sign_out import sign_out_by_token, sign_out_everywhere, sign_out_session
from auth_service.sessions.visitor import FromVisitor, Owner
from auth_service.two_factor.challenge import MfaRequired
from rihla.auth import require_service
from rihla.web import Page, PageParams, container, problem_responses

router = APIRouter()
C = Annotated[Container, Depends(container)]


def signed_in(outcome: TokenPair | MfaRequired) -> TokenPair | MfaQuestion:
    """The outcome of a first factor as it travels."""
    if isinstance(outcome, MfaRequired):
        return MfaQuestion(mfa_token=outcome.mfa_token, expires_in=outcome.expires_in)
    return outcome


def code_asked(asked: Asked) -> CodeAsked:
    """A stored request as it travels."""
    return CodeAsked(
        request_id=asked.request_id,
        channel="sms" if asked.channel == "sms" else "email",
        expires_at=asked.expires_at,
        resend_at=asked.resend_at,
    )


@router.post(
    "/v1/auth/login",
    tags=["sign-in"],
    summary="Sign in with a password",
    responses=problem_responses(
        "invalid-credentials", "account-suspended", "too-many-attempts", "too-busy", "validation-failed", table=problems
    ),
)
async def login(body: LoginRequest, c: C, visitor: FromVisitor) -> TokenPair | MfaQuestion:
    """A token pair, or `mfa_required`. Unknown user and wrong password answer alike."""
    return signed_in(await sign_in_with_password(c, body.identifier, body.password, visitor))


@router.post(
    "/v1/auth/login/code",
    status_code=202,
    tags=["sign-in"],
    summary="Ask for a sign-in code",
    responses=problem_responses("too-many-codes", "validation-failed", table=problems),
)
async def request_login_code(body: CodeLoginRequest, c: C, visitor: FromVisitor) -> CodeAsked:
    """Sends six digits if an account exists; the answer is the same if none does."""
    return code_asked(await ask_for_sign_in_code(c, parse_address(body.identifier), body.locale, visitor))


@router.post(
    "/v1/auth/login/code/verify",
    tags=["sign-in"],
    summary="Sign in with a code",
    responses=problem_responses("invalid-code", "account-suspended", "validation-failed", table=problems),
)
async def login_with_code(body: CodeLoginVerifyRequest, c: C, visitor: FromVisitor) -> TokenPair | MfaQuestion:
    """A token pair, or `mfa_required`."""
    identifier = parse_address(body.identifier)
    return signed_in(await sign_in_with_code(c, identifier, body.code, visitor, body.request_id))


@router.post(
    "/v1/auth/refresh",
    tags=["sign-in"],
    summary="Exchange a refresh token for the next pair",
    responses=problem_responses("invalid-refresh-token", "refresh-token-reused", "validation-failed", table=problems),
)
async def refresh(body: RefreshRequest, c: C, visitor: FromVisitor) -> TokenPair:
    """Each token is good once. Sent again within ten seconds it gives the same new pair, later it ends the session."""
    return await refresh_pair(c, body.refresh_token, visitor)


@router.post(
    "/v1/auth/logout",
    status_code=204,
    tags=["sign-in"],
    summary="Sign this device out",
    responses=problem_responses("invalid-refresh-token", "validation-failed", table=problems),
)
async def logout(body: LogoutRequest, c: C, visitor: FromVisitor) -> None:
    """Ends the session of this refresh token; its access tokens stop working within seconds."""
    await sign_out_by_token(c, body.refresh_token)


@router.get(
    "/v1/me/sessions",
    tags=["sessions"],
    summary="Devices signed in",
    responses=problem_responses("unauthenticated", "forbidden", table=problems),
)
async def list_sessions(c: C, owner: Owner, page: PageParams) -> Page[SessionView]:
    """The newest first; `current` marks the one that asks."""
    return await list_own_sessions(c, owner, page.limit, page.cursor)


@router.delete(
    "/v1/me/sessions",
    status_code=204,
    tags=["sessions"],
    summary="Sign out every other device",
    responses=problem_responses("unauthenticated", "forbidden", table=problems),
)
async def end_other_sessions(
    c: C, owner: Owner, include_current: Annotated[bool, Query(description="This device too")] = False
) -> None:
    """Ends all sessions but the one that asks."""
    await sign_out_everywhere(c, owner.user_id, but=None if include_current else owner.session_id)


@router.delete(
    "/v1/me/sessions/{session_id}",
    status_code=204,
    tags=["sessions"],
    summary="Sign a device out",
    responses=problem_responses("unauthenticated", "forbidden", "not-found", table=problems),
)
async def end_session(session_id: UUID, c: C, owner: Owner) -> None:
    """Its tokens stop working within seconds."""
    await sign_out_session(c, owner.user_id, session_id)


@router.get(
    "/internal/v1/revocations",
    tags=["internal"],
    summary="What has been revoked",
    dependencies=[Depends(require_service("gateway"))],
    responses=problem_responses("unauthenticated", "forbidden", table=problems),
)
async def list_revocations(
    c: C, after: Annotated[int, Query(ge=0, description="The last number seen")] = 0
) -> RevocationFeed:
    """At most 1,000 lines; `last_seq` is the number to ask after next."""
    async with c.db.transaction() as session:
        rows = await store.revocations_after(session, after, 1000)
        last = rows[-1].seq if rows else max(after, await store.last_revocation(session))
    items = [RevocationItem(seq=row.seq, kind=row.kind, id=row.subject_id, at=row.at) for row in rows]
    return RevocationFeed(items=items, last_seq=last)
