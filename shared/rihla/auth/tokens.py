"""Internal tokens: JWTs of one algorithm, made for one audience, at most 60 seconds old (RFC 8725).

`python-jose` stays behind this module. Keys are prebuilt: signing from PEM text costs a thousand times more.
"""

import base64
import json
import time
from collections.abc import Callable
from typing import Any

import msgspec
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature
from jose import jwk, jwt
from jose.backends.cryptography_backend import CryptographyECKey
from jose.constants import ALGORITHMS
from jose.exceptions import JOSEError

from rihla.auth.principal import Principal
from rihla.kernel.kept_until import KeptUntil

INTERNAL_TYPE = "rihla-internal+jwt"
LIFETIME_SECONDS = 60
_REUSE_SECONDS = 30
_CACHE_SIZE = 20_000
_ES256, _COORDINATE_BYTES = ec.ECDSA(hashes.SHA256()), 32
_FORBIDDEN_HEADERS = frozenset({"jku", "x5u", "jwk", "x5c", "crit"})


class InvalidToken(Exception):
    """The token is not one we accept; the reason is for the log, never for the caller."""


def _base64url(raw: bytes) -> bytes:
    return base64.urlsafe_b64encode(raw).rstrip(b"=")


def issuer_of(kid: str) -> str:
    """The caller a key belongs to: the part of `kid` before its last dash."""
    return kid.rpartition("-")[0]


class TokenSigner:
    """Signs tokens of one caller with its own key. Tokens are reused for half their life."""

    def __init__(self, private_jwk: str, *, time_source: Callable[[], float] = time.time) -> None:
        key = json.loads(private_jwk)
        self._kid = str(key["kid"])
        self.issuer = issuer_of(self._kid)
        self._key = CryptographyECKey(key, ALGORITHMS.ES256).prepared_key
        self._heads: dict[str, bytes] = {}
        self._time = time_source
        self._cache = KeptUntil[tuple[str, Principal], str](_CACHE_SIZE, time_source)

    def internal_token(self, audience: str, principal: Principal | None = None) -> str:
        """A token for `audience` on behalf of `principal` (default: this service itself)."""
        principal = principal or Principal(kind="service", issuer=self.issuer)
        cached = self._cache.get((audience, principal))
        if cached is not None:
            return cached
        token, expires = self.new_internal_token(audience, principal)
        self._cache.keep((audience, principal), token, until=expires - LIFETIME_SECONDS + _REUSE_SECONDS)
        return token

    def new_internal_token(self, audience: str, principal: Principal) -> tuple[str, int]:
        """A new token and the Unix seconds at which it expires, for callers who keep it themselves."""
        issued = int(self._time())
        expires = issued + LIFETIME_SECONDS
        claims = {**principal.claims(), "aud": audience, "iat": issued, "exp": expires}
        return self.sign(claims, token_type=INTERNAL_TYPE), expires

    def sign(self, claims: dict[str, Any], *, token_type: str) -> str:
        """A JWT of `claims` with this caller as `iss` unless they name another.

        The compact form (RFC 7515, section 7.1) is written here, since the library's own way costs as much as the
        signature; the verifier reads it by the library.
        """
        head = self._heads.get(token_type)
        if head is None:
            fields = {"alg": ALGORITHMS.ES256, "kid": self._kid, "typ": token_type}
            head = self._heads[token_type] = _base64url(msgspec.json.encode(fields))
        signed = b"%b.%b" % (head, _base64url(msgspec.json.encode({"iss": self.issuer, **claims})))
        r, s = decode_dss_signature(self._key.sign(signed, _ES256))
        signature = r.to_bytes(_COORDINATE_BYTES, "big") + s.to_bytes(_COORDINATE_BYTES, "big")
        return (b"%b.%b" % (signed, _base64url(signature))).decode()


class TokenVerifier:
    """Verifies internal tokens for one audience against the public keys of all callers. Verified tokens are cached."""

    def __init__(self, jwks: str, audience: str, *, time_source: Callable[[], float] = time.time) -> None:
        self._audience = audience
        self._keys = {key["kid"]: jwk.construct(key, ALGORITHMS.ES256) for key in json.loads(jwks)["keys"]}
        self._time = time_source
        self._cache = KeptUntil[str, Principal](_CACHE_SIZE, time_source)

    def verify(self, token: str) -> Principal:
        """The principal of `token`; InvalidToken when it is forged, expired, or meant for another audience."""
        cached = self._cache.get(token)
        if cached is not None:
            return cached
        claims = self._claims(token)
        try:
            principal = Principal.from_claims(claims)
        except (KeyError, ValueError) as error:
            raise InvalidToken("claims do not describe a principal") from error
        self._cache.keep(token, principal, until=float(claims["exp"]))
        return principal

    def _claims(self, token: str) -> dict[str, Any]:
        try:
            header = jwt.get_unverified_header(token)
            kid = header.get("kid", "")
            if header.get("alg") != "ES256" or header.get("typ") != INTERNAL_TYPE or _FORBIDDEN_HEADERS & header.keys():
                raise InvalidToken("header is not acceptable")
            if kid not in self._keys:
                raise InvalidToken("unknown key")
            claims: dict[str, Any] = jwt.decode(
                token,
                self._keys[kid],
                algorithms=[ALGORITHMS.ES256],
                audience=self._audience,
                issuer=issuer_of(kid),
                options={"require_exp": True, "require_iat": True, "require_aud": True, "verify_exp": False},
            )
        except (JOSEError, ValueError, AttributeError, TypeError) as error:
            raise InvalidToken("token does not verify") from error
        now, expires = self._time(), claims["exp"]
        if not isinstance(expires, int) or expires <= now or expires - claims["iat"] > LIFETIME_SECONDS:
            raise InvalidToken("token has expired or lives too long")
        if claims.get("kind") in ("person", "partner", "anonymous") and claims["iss"] != "gateway":
            raise InvalidToken("only the gateway speaks for people")
        return claims
