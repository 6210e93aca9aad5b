"""A trip to a provider and back: begin it, and take what comes back, once."""

import hashlib
import hmac
import json
import secrets
from dataclasses import asdict, dataclass, replace
from urllib.parse import urlencode

from auth_service.bootstrap import Container
from auth_service.oidc.provider_client import ProviderClient
from auth_service.oidc.rules import (
    ATTEMPT_LIFETIME,
    TICKET_LIFETIME,
    Identity,
    challenge_of,
    is_challenge,
    may_return_to,
    trip_secrets,
)
from auth_service.oidc.tables import OidcAttempt
from auth_service.problems import NotFound, OidcFailed
from rihla.web import ValidationFailed

_AGAIN = "This sign-in was not begun here, took too long, or was used already; start again."


@dataclass(frozen=True, slots=True)
class Departure:
    """Where the browser goes, and the cookie that ties the trip to it."""

    url: str
    browser: str
    form_post: bool


@dataclass(frozen=True, slots=True)
class Arrival:
    """Who came back. `ticket_url` when the trip began with a page to return to."""

    provider: str
    identity: Identity
    ticket_url: str | None


def provider_of(c: Container, name: str) -> ProviderClient:
    """Raises NotFound for one that settings do not name."""
    if name not in c.providers:
        raise NotFound("There is no such provider.")
    return c.providers[name]


async def depart(c: Container, name: str, *, return_to: str | None, client_challenge: str | None) -> Departure:
    """Begin. Raises NotFound, ValidationFailed (where to return), UpstreamUnavailable."""
    provider = provider_of(c, name)
    _check_return(c, return_to, client_challenge)
    state = secrets.token_urlsafe(32)
    trip = trip_secrets(c.code_secret, state)
    url = await provider.authorization_url(
        redirect_uri=redirect_uri(c, name), state=state, nonce=trip.nonce, challenge=challenge_of(trip.verifier)
    )
    now = c.clock.now()
    async with c.db.transaction() as session:
        session.add(
            OidcAttempt(
                state_hash=hashed(state),
                provider=name,
                return_to=return_to,
                client_challenge=client_challenge,
                created_at=now,
                expires_at=now + ATTEMPT_LIFETIME,
            )
        )
    return Departure(url, trip.browser, form_post=provider.provider.response_mode == "form_post")


async def arrive(
    c: Container, name: str, *, state: str, code: str, browser: str | None, form_user: str | None = None
) -> Arrival:
    """Take the code that came back, for the browser that went. Raises OidcFailed, UpstreamUnavailable, NotFound."""
    provider = provider_of(c, name)
    trip = trip_secrets(c.code_secret, state)
    if browser is None or not hmac.compare_digest(browser.encode(), trip.browser.encode()):
        raise OidcFailed(_AGAIN)
    now = c.clock.now()
    async with c.db.transaction() as session:
        attempt = await session.get(OidcAttempt, hashed(state), with_for_update=True)
        if attempt is None or attempt.provider != name or attempt.used_at is not None or attempt.expires_at <= now:
            raise OidcFailed(_AGAIN)
        attempt.used_at = now
    identity = await provider.identity(
        code=code, verifier=trip.verifier, redirect_uri=redirect_uri(c, name), nonce=trip.nonce, now=now
    )
    identity = _with_form_name(identity, form_user)
    if attempt.return_to is None:
        return Arrival(name, identity, None)
    ticket = secrets.token_urlsafe(32)
    async with c.db.transaction() as session:
        stored = await session.get(OidcAttempt, attempt.state_hash, with_for_update=True)
        if stored is None:
            raise OidcFailed(_AGAIN)
        stored.ticket_hash = hashed(ticket)
        stored.identity = asdict(identity)
        stored.expires_at = c.clock.now() + TICKET_LIFETIME
    joint = "&" if "?" in attempt.return_to else "?"
    return Arrival(name, identity, f"{attempt.return_to}{joint}{urlencode({'ticket': ticket, 'provider': name})}")


def redirect_uri(c: Container, name: str) -> str:
    """Where the provider sends the browser back to; it must be registered there."""
    return f"{c.settings.public_url.rstrip('/')}/v1/auth/oidc/{name}/callback"


def hashed(text: str) -> bytes:
    """What is stored of a state or a ticket."""
    return hashlib.sha256(text.encode()).digest()


def _check_return(c: Container, return_to: str | None, client_challenge: str | None) -> None:
    if return_to is None:
        return
    allowed = (c.settings.public_url, *(url.strip() for url in c.settings.oidc_return_urls.split(",") if url.strip()))
    if not may_return_to(return_to, allowed):
        raise ValidationFailed(
            {"pointer": "#/return_to", "code": "return-not-allowed", "message": "This page is not in OIDC_RETURN_URLS."}
        )
    if client_challenge is None or not is_challenge(client_challenge):
        raise ValidationFailed(
            {"pointer": "#/code_challenge", "code": "challenge", "message": "Send an S256 challenge with return_to."}
        )


def _with_form_name(identity: Identity, form_user: str | None) -> Identity:
    """Apple sends the name beside the code, the first time only, and unsigned: good enough for a name."""
    if identity.full_name or not form_user:
        return identity
    try:
        name = json.loads(form_user)["name"]
        full_name = f"{name.get('firstName', '')} {name.get('lastName', '')}".strip()[:200]
    except (ValueError, KeyError, TypeError, AttributeError):
        return identity
    return replace(identity, full_name=full_name or None)
