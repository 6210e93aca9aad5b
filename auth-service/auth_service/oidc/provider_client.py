"""Talk to a provider: its description, its keys, and the exchange of a code for an id token."""

import time
from collections.abc import Callable
from datetime import datetime
from typing import Any
from urllib.parse import urlencode

import httpx
from jose import jwk, jws, jwt
from jose.exceptions import JOSEError

from auth_service.oidc.providers import Provider
from auth_service.oidc.rules import Identity, check_claims
from auth_service.problems import OidcFailed
from rihla.http import UpstreamUnavailable
from rihla.telemetry import get_logger

log = get_logger(__name__)

_ALGORITHMS = {"RS256": "RSA", "ES256": "EC"}
_DESCRIBED_FOR = 3600.0
_KEYS_ASKED_EVERY = 30.0
_APPLE_SECRET_SECONDS = 300
_FAILED = "The provider's answer does not verify; start again."


class ProviderClient:
    """One provider. Its description is kept for an hour; its keys are asked for again when a new one signs."""

    def __init__(
        self, provider: Provider, client: httpx.AsyncClient, *, seconds: Callable[[], float] = time.monotonic
    ) -> None:
        self.provider = provider
        self._client = client
        self._seconds = seconds
        self._description: tuple[float, dict[str, Any]] | None = None
        self._keys: dict[str, dict[str, Any]] = {}
        self._keys_asked = float("-inf")

    async def authorization_url(self, *, redirect_uri: str, state: str, nonce: str, challenge: str) -> str:
        """Where the browser goes."""
        query = {
            "response_type": "code",
            "client_id": self.provider.client_id,
            "redirect_uri": redirect_uri,
            "scope": self.provider.scopes,
            "state": state,
            "nonce": nonce,
            "code_challenge": challenge,
            "code_challenge_method": "S256",
        }
        if self.provider.response_mode != "query":
            query["response_mode"] = self.provider.response_mode
        endpoint = self.provider.authorization_endpoint or str((await self._describe())["authorization_endpoint"])
        return f"{endpoint}{'&' if '?' in endpoint else '?'}{urlencode(query)}"

    async def identity(self, *, code: str, verifier: str, redirect_uri: str, nonce: str, now: datetime) -> Identity:
        """Exchange the code and verify the id token. Raises OidcFailed, UpstreamUnavailable."""
        endpoint = self.provider.token_endpoint or str((await self._describe())["token_endpoint"])
        form = {
            "grant_type": "authorization_code",
            "code": code,
            "redirect_uri": redirect_uri,
            "client_id": self.provider.client_id,
            "client_secret": self._client_secret(now),
            "code_verifier": verifier,
        }
        answer = await self._call("POST", endpoint, data={name: value for name, value in form.items() if value})
        token = answer.get("id_token")
        if not isinstance(token, str):
            log.warning("oidc_no_id_token", provider=self.provider.name)
            raise OidcFailed(_FAILED)
        return await self._verified(token, nonce, now)

    async def _verified(self, token: str, nonce: str, now: datetime) -> Identity:
        try:
            header = jwt.get_unverified_header(token)
            algorithm = str(header.get("alg"))
            if algorithm not in _ALGORITHMS:
                raise ValueError("algorithm")
            found = await self._key(str(header.get("kid", "")))
            if found.get("kty") != _ALGORITHMS[algorithm] or found.get("use", "sig") != "sig":
                raise ValueError("key of another kind")
            jws.verify(token, jwk.construct(found, algorithm), [algorithm])
            return check_claims(
                jwt.get_unverified_claims(token),
                issuer=self.provider.issuer,
                client_id=self.provider.client_id,
                nonce=nonce,
                now=now,
            )
        except (JOSEError, ValueError, KeyError, TypeError) as error:
            log.warning("oidc_token_refused", provider=self.provider.name, reason=type(error).__name__)
            raise OidcFailed(_FAILED) from error

    async def _key(self, kid: str) -> dict[str, Any]:
        if kid not in self._keys and self._seconds() - self._keys_asked > _KEYS_ASKED_EVERY:
            self._keys_asked = self._seconds()
            uri = self.provider.jwks_uri or str((await self._describe())["jwks_uri"])
            keys = (await self._call("GET", uri)).get("keys", [])
            self._keys = {str(key.get("kid", "")): key for key in keys}
        return self._keys[kid]

    async def _describe(self) -> dict[str, Any]:
        if self._description is None or self._description[0] < self._seconds() - _DESCRIBED_FOR:
            found = await self._call("GET", self.provider.discovery)
            if found.get("issuer") != self.provider.issuer:
                raise OidcFailed("The provider describes itself as another.")
            self._description = (self._seconds(), found)
        return self._description[1]

    def _client_secret(self, now: datetime) -> str:
        signing = self.provider.signing_secret
        if signing is None:
            return self.provider.client_secret.get_secret_value()
        issued = int(now.timestamp())
        claims = {
            "iss": signing.team_id,
            "iat": issued,
            "exp": issued + _APPLE_SECRET_SECONDS,
            "aud": self.provider.issuer,
            "sub": self.provider.client_id,
        }
        key = signing.private_key.get_secret_value()
        return str(jwt.encode(claims, key, algorithm="ES256", headers={"kid": signing.key_id}))

    async def _call(self, method: str, url: str, **kwargs: Any) -> dict[str, Any]:
        try:
            response = await self._client.request(method, url, headers={"accept": "application/json"}, **kwargs)
            answer = response.json()
        except (httpx.HTTPError, ValueError) as error:
            raise UpstreamUnavailable(
                "The provider does not answer; try again.", upstream=self.provider.name
            ) from error
        if response.status_code >= 500:
            raise UpstreamUnavailable("The provider does not answer; try again.", upstream=self.provider.name)
        if response.status_code >= 400 or not isinstance(answer, dict):
            raise OidcFailed("The provider refused; start again.")
        return answer
