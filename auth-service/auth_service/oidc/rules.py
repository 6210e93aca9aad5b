"""What one trip to a provider carries: state, nonce, PKCE; and what must hold of the id token that comes back."""

import base64
import hashlib
import hmac
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import urlsplit

ATTEMPT_LIFETIME = timedelta(minutes=10)
TICKET_LIFETIME = timedelta(minutes=2)
_LEEWAY = timedelta(seconds=60)
_OLDEST_TOKEN = timedelta(minutes=10)
_CHALLENGE = re.compile(r"^[A-Za-z0-9_-]{43}$")


@dataclass(frozen=True, slots=True)
class Identity:
    """Who the provider says it is."""

    subject: str
    email: str | None
    email_verified: bool
    full_name: str | None


@dataclass(frozen=True, slots=True)
class TripSecrets:
    """Derived from the state, so that only its hash need be stored."""

    nonce: str
    verifier: str
    browser: str


def trip_secrets(secret: bytes, state: str) -> TripSecrets:
    """Nonce, PKCE verifier (43 characters, RFC 7636) and the value of the browser's cookie."""

    def derive(what: str) -> str:
        return url_safe(hmac.digest(secret, f"oidc\x1f{what}\x1f{state}".encode(), hashlib.sha256))

    return TripSecrets(nonce=derive("nonce"), verifier=derive("verifier"), browser=derive("browser"))


def challenge_of(verifier: str) -> str:
    """The S256 challenge of a verifier."""
    return url_safe(hashlib.sha256(verifier.encode()).digest())


def is_challenge(text: str) -> bool:
    """Whether it has the shape of an S256 challenge."""
    return bool(_CHALLENGE.match(text))


def url_safe(raw: bytes) -> str:
    """Base64url without padding."""
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


def may_return_to(url: str, allowed: tuple[str, ...]) -> bool:
    """Whether `url` lies under one of the allowed ones: same scheme, host and port, and below its path."""
    wanted = urlsplit(url)
    if "\\" in url or wanted.username or wanted.fragment or ".." in wanted.path:
        return False
    for prefix in allowed:
        base = urlsplit(prefix)
        folder = base.path.rstrip("/")
        same = (wanted.scheme, wanted.netloc) == (base.scheme, base.netloc)
        if same and base.netloc and (wanted.path == folder or wanted.path.startswith(folder + "/")):
            return True
    return False


def check_claims(claims: Mapping[str, Any], *, issuer: str, client_id: str, nonce: str, now: datetime) -> Identity:
    """The identity in a token whose signature held. ValueError when it is not for us, now, and this trip.

    OpenID Connect Core 1.0, section 3.1.3.7.
    """
    audience = claims.get("aud")
    audiences = audience if isinstance(audience, list) else [audience]
    if claims.get("iss") != issuer or client_id not in audiences:
        raise ValueError("another issuer or audience")
    if (len(audiences) > 1 or "azp" in claims) and claims.get("azp") != client_id:
        raise ValueError("another authorised party")
    if not hmac.compare_digest(str(claims.get("nonce", "")), nonce):
        raise ValueError("another nonce")
    expires, issued = float(claims["exp"]), float(claims["iat"])
    if expires + _LEEWAY.total_seconds() < now.timestamp():
        raise ValueError("expired")
    if abs(now.timestamp() - issued) > _OLDEST_TOKEN.total_seconds():
        raise ValueError("not issued just now")
    subject = str(claims.get("sub") or "")
    if not 0 < len(subject) <= 255:
        raise ValueError("no subject")
    verified = claims.get("email_verified")
    return Identity(
        subject=subject,
        email=str(claims["email"])[:320] if claims.get("email") else None,
        # Apple sends the word, others the value.
        email_verified=verified is True or verified == "true",
        full_name=str(claims["name"])[:200] if claims.get("name") else None,
    )
