"""The one place where settings become engines, clients and keys."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta

import httpx
from redis.asyncio import Redis

from auth_service.access.load_keys import load_signing_keys
from auth_service.access.schemas import JsonWebKeySet
from auth_service.access.tokens import AccessTokens
from auth_service.codes.rules import CodePolicy
from auth_service.oidc.provider_client import ProviderClient
from auth_service.oidc.providers import read_providers
from auth_service.passwords.hashing import Passwords
from auth_service.people.elsewhere import Elsewhere
from auth_service.people.encryption import DataCipher
from auth_service.sessions.revoke import RevocationPush
from auth_service.sessions.start_session import SessionMaker
from auth_service.settings import Settings
from auth_service.throttle.attempts import SignInAttempts
from rihla.db import Database
from rihla.kernel import Clock

Pause = Callable[[float], Awaitable[None]]


@dataclass(frozen=True, slots=True)
class Container:
    """What deeds work with."""

    settings: Settings
    clock: Clock
    db: Database
    passwords: Passwords
    attempts: SignInAttempts
    revocations: RevocationPush
    session_maker: SessionMaker
    jwks: JsonWebKeySet
    cipher: DataCipher
    code_policy: CodePolicy
    code_secret: bytes
    providers: dict[str, ProviderClient]
    elsewhere: Elsewhere


def code_policy(settings: Settings) -> CodePolicy:
    """The limits of codes as settings have them."""
    return CodePolicy(
        lifetime=timedelta(minutes=settings.code_minutes),
        tries=settings.code_tries,
        resend_after=timedelta(seconds=settings.code_resend_seconds),
        per_hour=settings.codes_per_hour,
        sms_per_number_per_day=settings.sms_per_number_per_day,
        sms_per_address_per_day=settings.sms_per_address_per_day,
    )


@asynccontextmanager
async def open_database(settings: Settings) -> AsyncIterator[Database]:
    """The service's own database."""
    db = Database(settings.database_url, pool_size=settings.db_pool_size, application_name="auth")
    try:
        yield db
    finally:
        await db.close()


@asynccontextmanager
async def open_container(
    settings: Settings,
    clock: Clock,
    *,
    pause: Pause = asyncio.sleep,
    provider_transport: httpx.AsyncBaseTransport | None = None,
) -> AsyncIterator[Container]:
    """Everything the API process needs, closed at the end. Tests replace the way to OpenID providers."""
    async with AsyncExitStack() as stack:
        db = await stack.enter_async_context(open_database(settings))
        redis = Redis.from_url(settings.redis_url, socket_timeout=0.5, socket_connect_timeout=0.5)
        stack.push_async_callback(redis.aclose)
        providers = read_providers(settings.oidc_providers.get_secret_value())
        web = await stack.enter_async_context(httpx.AsyncClient(transport=provider_transport, timeout=5))
        passwords = Passwords(threads=settings.password_threads, queue=settings.password_queue)
        stack.callback(passwords.close)
        elsewhere = Elsewhere(_others(settings))
        stack.push_async_callback(elsewhere.close)
        access_tokens = AccessTokens(
            await load_signing_keys(settings, db, clock),
            issuer=settings.public_url,
            lifetime=timedelta(minutes=settings.access_token_minutes),
        )
        yield Container(
            settings=settings,
            clock=clock,
            db=db,
            passwords=passwords,
            attempts=SignInAttempts(
                redis, namespace=settings.namespace, pause=pause, seconds=lambda: clock.now().timestamp()
            ),
            revocations=RevocationPush(redis, namespace=settings.namespace),
            session_maker=SessionMaker(
                access_tokens,
                settings.refresh_secret.get_secret_value().encode(),
                timedelta(days=settings.refresh_days),
            ),
            jwks=JsonWebKeySet.model_validate(access_tokens.jwks),
            cipher=DataCipher(settings.encryption_keys()),
            code_policy=code_policy(settings),
            code_secret=settings.code_secret.get_secret_value().encode(),
            providers={name: ProviderClient(provider, web) for name, provider in providers.items()},
            elsewhere=elsewhere,
        )


def _others(settings: Settings) -> dict[str, str]:
    return {
        "booking": settings.booking_url,
        "payment": settings.payment_url,
        "notification": settings.notification_url,
        "chat": settings.chat_url,
    }
