"""Verified access tokens, remembered as long as they and the published keys hold, and checked against revocations every
time."""

from __future__ import annotations

import hashlib
from collections import OrderedDict
from collections.abc import Callable

from gateway.identity.access_token import LONGEST, NotAccepted, UnknownKey, read_token
from gateway.identity.caller import Caller
from gateway.identity.key_set import KeySet
from gateway.identity.revocations import Revocations

_MOST_KEPT = 150_000


class KeysUnavailable(Exception):
    """No public key has been seen yet, so nothing can be said about any token."""


class AccessTokens:
    """`wall` gives Unix seconds."""

    def __init__(
        self, keys: KeySet, revocations: Revocations, issuer: str, audience: str, wall: Callable[[], float]
    ) -> None:
        self._keys = keys
        self._revocations = revocations
        self._issuer = issuer
        self._audience = audience
        self._wall = wall
        self._verified: OrderedDict[bytes, tuple[float, int, Caller]] = OrderedDict()

    async def caller(self, token: str) -> Caller:
        """Whom the token speaks for. Raises `NotAccepted`; `KeysUnavailable` before the first key set."""
        if len(token) > LONGEST or not token.isascii():
            raise NotAccepted("shape")
        digest = hashlib.sha256(token.encode()).digest()
        kept = self._verified.get(digest)
        if kept is not None and kept[0] > self._wall() and kept[1] == self._keys.withdrawals:
            caller = kept[2]
        else:
            caller = await self._verify(token)
            self._keep(digest, caller)
        if self._revocations.is_revoked(caller):
            raise NotAccepted("revoked")
        return caller

    async def _verify(self, token: str) -> Caller:
        try:
            return self._read(token)
        except UnknownKey:
            await self._keys.refresh_for_unknown()
            if not self._keys.ready:
                raise KeysUnavailable from None
            return self._read(token)

    def _read(self, token: str) -> Caller:
        return read_token(token, self._keys.key, self._issuer, self._audience, self._wall())

    def _keep(self, digest: bytes, caller: Caller) -> None:
        before = self._verified.pop(digest, None)
        if before is not None:
            caller.tokens = before[2].tokens  # the same token, so the same internal tokens
        self._verified[digest] = (caller.expires_at, self._keys.withdrawals, caller)
        if len(self._verified) > _MOST_KEPT:
            self._verified.popitem(last=False)
