"""The few questions the gateway asks auth-service."""

from __future__ import annotations

from typing import Any

import aiohttp
import msgspec

from rihla.auth import TokenSigner

_TIMEOUT = aiohttp.ClientTimeout(total=2.0, sock_connect=0.5)


class AuthUnavailable(Exception):
    """auth-service cannot be reached or does not answer sensibly."""


class ExchangedKey(msgspec.Struct, frozen=True):
    """What a partner's key stands for (docs/contracts.md)."""

    key_id: str
    user_id: str
    organisation_id: str | None
    scopes: list[str]
    test_mode: bool
    roles: list[str]
    rate_limit_per_minute: int | None = None
    unpaid_bookings: int | None = None
    expires_at: str | None = None


class AuthClient:
    """Tries each instance of auth-service in turn; asking is always harmless to repeat."""

    def __init__(self, session: aiohttp.ClientSession, addresses: tuple[str, ...], signer: TokenSigner) -> None:
        self._session = session
        self._addresses = addresses
        self._signer = signer

    async def jwks(self) -> dict[str, Any]:
        """The published key set. Raises `AuthUnavailable`."""
        status, body = await self._ask("GET", "/.well-known/jwks.json")
        if status != 200:
            raise AuthUnavailable(f"key set: {status}")
        document: dict[str, Any] = msgspec.json.decode(body)
        return document

    async def revocations(self, after: int) -> bytes:
        """The answer of the revocation list, unread. Raises `AuthUnavailable`."""
        status, body = await self._ask("GET", f"/internal/v1/revocations?after={after}")
        if status != 200:
            raise AuthUnavailable(f"revocations: {status}")
        return body

    async def exchange(self, key: str) -> ExchangedKey | None:
        """What a key stands for; None when auth-service does not know it. Raises `AuthUnavailable`."""
        status, body = await self._ask("POST", "/internal/v1/api-keys/exchange", msgspec.json.encode({"key": key}))
        if status in (401, 404, 422):
            return None
        if status != 200:
            raise AuthUnavailable(f"key exchange: {status}")
        try:
            return msgspec.json.decode(body, type=ExchangedKey)
        except msgspec.ValidationError as error:
            raise AuthUnavailable("key exchange: unexpected answer") from error

    async def _ask(self, method: str, path: str, body: bytes | None = None) -> tuple[int, bytes]:
        headers = {
            "Authorization": f"Bearer {self._signer.internal_token('auth')}",
            "Content-Type": "application/json",
            "Accept": "application/json",
        }
        reason = "no address configured"
        for address in self._addresses:
            try:
                async with self._session.request(
                    method, address + path, data=body, headers=headers, timeout=_TIMEOUT, allow_redirects=False
                ) as answer:
                    content = await answer.read()
                    if answer.status < 500:
                        return answer.status, content
                    reason = f"status {answer.status}"
            except (aiohttp.ClientError, OSError, TimeoutError) as error:
                reason = type(error).__name__
        raise AuthUnavailable(reason)
