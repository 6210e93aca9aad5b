"""Make, list, revoke and exchange API keys."""

from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from auth_service.bootstrap import Container
from auth_service.partners import store
from auth_service.partners.rules import api_key_hash, new_api_key, read_api_key
from auth_service.partners.schemas import ApiKeyRequest, ApiKeyView, ExchangedKey, NewApiKey
from auth_service.partners.tables import ApiKey, Membership, Organisation
from auth_service.people.find import account_of
from auth_service.people.tables import Account
from auth_service.people.tell import notice
from auth_service.problems import InvalidApiKey, NotFound, TooManyKeys
from auth_service.sessions.list_sessions import id_of
from auth_service.sessions.store import add_revocations
from auth_service.sessions.visitor import Visitor
from rihla.kernel import new_id
from rihla.web import Page, ValidationFailed, encode_cursor

MOST_KEYS = 50
_DEFAULT_LIMIT = 600
_USE_NOTED_EVERY = timedelta(minutes=1)
_REFUSED = "This API key is unknown, revoked or expired."


async def make_api_key(c: Container, user_id: UUID, wanted: ApiKeyRequest, visitor: Visitor) -> NewApiKey:
    """A key, shown this once. A partner without an organisation gets one of their own. Raises TooManyKeys."""
    now = c.clock.now()
    if wanted.expires_at is not None and (wanted.expires_at.tzinfo is None or wanted.expires_at <= now):
        raise ValidationFailed(
            {
                "pointer": "#/expires_at",
                "code": "not-in-future",
                "message": "Give an instant in the future, with offset.",
            }
        )
    key = new_api_key(test_mode=wanted.mode == "test")
    async with c.db.transaction() as session:
        account = await account_of(session, user_id)
        await store.lock_keys_of(session, user_id)
        organisation = await store.organisation_of(session, user_id) or await _own_organisation(session, account, now)
        if await store.count_live_keys(session, organisation.id, now) >= MOST_KEYS:
            raise TooManyKeys(f"{MOST_KEYS} keys are in use; revoke one first.")
        row = ApiKey(
            id=new_id(),
            account_id=user_id,
            organisation_id=organisation.id,
            name=wanted.name,
            prefix=read_api_key(key).prefix,
            key_hash=api_key_hash(_secret(c), key),
            test_mode=wanted.mode == "test",
            scopes=sorted(set(wanted.scopes)),
            rate_limit_per_minute=_DEFAULT_LIMIT,
            created_at=now,
            expires_at=wanted.expires_at,
        )
        session.add(row)
        await notice(session, account, "api_key_created", now=now, client_ip=visitor.client_ip, device=visitor.device)
    return NewApiKey(**_view(row).model_dump(), key=key)


async def list_api_keys(c: Container, user_id: UUID, limit: int, cursor: dict[str, Any] | None) -> Page[ApiKeyView]:
    """One page of one's own keys, the newest first."""
    async with c.db.transaction() as session:
        rows = await store.live_keys(session, user_id, c.clock.now(), before=id_of(cursor), limit=limit + 1)
    items = [_view(row) for row in rows[:limit]]
    return Page(items=items, next_cursor=encode_cursor({"id": str(items[-1].id)}) if len(rows) > limit else None)


async def revoke_api_key(c: Container, user_id: UUID, key_id: UUID) -> None:
    """The key stops working within seconds. Raises NotFound for somebody else's or one revoked already."""
    now = c.clock.now()
    async with c.db.transaction() as session:
        row = await session.get(ApiKey, key_id, with_for_update=True)
        if row is None or row.account_id != user_id or row.revoked_at is not None:
            raise NotFound("There is no such key.")
        row.revoked_at = now
        revoked = await add_revocations(session, "api_key", [key_id], now)
    await c.revocations.send(revoked)


async def exchange_api_key(c: Container, text: str) -> ExchangedKey:
    """Whom a key speaks for. Raises InvalidApiKey, in one form for every reason."""
    try:
        parts = read_api_key(text)
    except ValueError as error:
        raise InvalidApiKey(_REFUSED) from error
    now = c.clock.now()
    async with c.db.transaction() as session:
        row = await store.key_by_prefix(session, parts.prefix)
        if row is None or not row.matches(api_key_hash(_secret(c), text)) or not row.holds(now):
            raise InvalidApiKey(_REFUSED)
        account = await session.get(Account, row.account_id)
        if account is None or account.status != "active" or "partner" not in account.roles:
            raise InvalidApiKey(_REFUSED)
        await store.touch(session, row.id, now=now, older_than=now - _USE_NOTED_EVERY)
    return ExchangedKey(
        key_id=row.id,
        user_id=row.account_id,
        organisation_id=row.organisation_id,
        scopes=row.scopes,
        test_mode=row.test_mode,
        # A key never carries more than the partner's own role: support and admin sign in as people.
        roles=["partner"],
        rate_limit_per_minute=row.rate_limit_per_minute,
        unpaid_bookings=row.unpaid_bookings,
        expires_at=row.expires_at,
    )


async def _own_organisation(session: AsyncSession, account: Account, now: datetime) -> Organisation:
    organisation = Organisation(id=new_id(), name=account.full_name, created_at=now)
    session.add(organisation)
    await session.flush()
    session.add(Membership(account_id=account.id, organisation_id=organisation.id, joined_at=now))
    return organisation


def _secret(c: Container) -> bytes:
    return c.settings.api_key_secret.get_secret_value().encode()


def _view(row: ApiKey) -> ApiKeyView:
    return ApiKeyView(
        id=row.id,
        name=row.name,
        prefix=row.prefix,
        mode="test" if row.test_mode else "live",
        scopes=row.scopes,
        rate_limit_per_minute=row.rate_limit_per_minute,
        unpaid_bookings=row.unpaid_bookings,
        organisation_id=row.organisation_id,
        created_at=row.created_at,
        expires_at=row.expires_at,
        last_used_at=row.last_used_at,
    )
