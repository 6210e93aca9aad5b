"""The end of every sign-in: a session and its first pair, or the question for the second factor."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from auth_service.access.schemas import TokenPair
from auth_service.access.tokens import AccessTokens, TokenSubject
from auth_service.people.tables import Account
from auth_service.people.tell import notice
from auth_service.problems import AccountSuspended
from auth_service.sessions import store
from auth_service.sessions.refresh_token import RefreshToken, encode_refresh_token, token_hash
from auth_service.sessions.tables import Session
from auth_service.sessions.visitor import Visitor
from auth_service.two_factor.challenge import MfaRequired, challenge_if_needed
from rihla.kernel import new_id


@dataclass(frozen=True, slots=True)
class SessionMaker:
    """What is needed to make token pairs."""

    access_tokens: AccessTokens
    refresh_secret: bytes
    lifetime: timedelta

    def pair(self, row: Session, roles: list[str], *, second_factor_at: int | None) -> TokenPair:
        """The pair of the session's present generation; asked again, the same pair. `second_factor_at` as in a token's
        claim."""
        return TokenPair.model_construct(
            access_token=self.access_token(row, roles, second_factor_at=second_factor_at, issued_at=row.rotated_at),
            refresh_token=self.refresh_token(row.id, row.generation),
            token_type="Bearer",
            expires_in=int(self.access_tokens.lifetime.total_seconds()),
        )

    def access_token(self, row: Session, roles: list[str], *, second_factor_at: int | None, issued_at: datetime) -> str:
        """An access token of the session."""
        subject = TokenSubject(row.account_id, row.id, tuple(roles), second_factor_at)
        return self.access_tokens.mint(subject, issued_at=issued_at, generation=row.generation)

    def refresh_token(self, session_id: UUID, generation: int) -> str:
        """The refresh token of one generation."""
        return encode_refresh_token(self.refresh_secret, RefreshToken(session_id, generation))


async def sign_in(
    session: AsyncSession, account: Account, *, visitor: Visitor, method: str, maker: SessionMaker, now: datetime
) -> TokenPair | MfaRequired:
    """Part of the caller's transaction, after the first factor was right. Raises AccountSuspended."""
    if account.status != "active":
        raise AccountSuspended("This account is suspended; write to support.")
    challenge = await challenge_if_needed(session, account.id, method=method, now=now)
    if challenge is not None:
        return challenge
    return await start_session(session, account, visitor=visitor, methods=[method], maker=maker, now=now)


async def start_session(
    session: AsyncSession,
    account: Account,
    *,
    visitor: Visitor,
    methods: list[str],
    maker: SessionMaker,
    now: datetime,
    second_factor: bool = False,
) -> TokenPair:
    """A new session, in the caller's transaction, with `second_factor` when one was just proved. A device never seen
    before is told to the owner."""
    known = await store.knows_device(session, account.id, visitor.device)
    session_id = new_id()
    row = Session(
        id=session_id,
        account_id=account.id,
        generation=0,
        token_hash=token_hash(maker.refresh_token(session_id, 0)),
        rotated_at=now,
        created_at=now,
        last_used_at=now,
        expires_at=now + maker.lifetime,
        device=visitor.device,
        client_ip=visitor.client_ip,
        methods=methods,
        second_factor_at=now if second_factor else None,
    )
    session.add(row)
    account.last_sign_in_at = now
    if known is False:
        await notice(session, account, "new_device", now=now, client_ip=visitor.client_ip, device=visitor.device)
    return maker.pair(row, account.roles, second_factor_at=int(now.timestamp()) if second_factor else None)
