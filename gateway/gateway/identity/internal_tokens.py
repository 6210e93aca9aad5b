"""The only credential services see: a token for one audience, at most a minute old (house.md, section 5)."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import replace

from gateway.identity.caller import Caller
from rihla.auth import TokenSigner

_LEAST_LEFT = 5.0
"""Seconds a token has to live at least when it leaves here. Signing is the greater part of what a caller who is seen
seldom costs, so each token is used until then."""


class InternalTokens:
    """Keeps the token beside its caller, so that the usual request costs one dictionary lookup."""

    def __init__(self, signer: TokenSigner, *, wall: Callable[[], float] = time.time) -> None:
        self._signer = signer
        self._wall = wall

    def authorization(self, caller: Caller, audience: str) -> str:
        """The value of the `Authorization` header for `audience`."""
        kept = caller.tokens.get(audience)
        now = self._wall()
        if kept is not None and kept[1] > now:
            return kept[0]
        token, expires = self._signer.new_internal_token(audience, caller.principal)
        value = f"Bearer {token}"
        caller.tokens[audience] = (value, expires - _LEAST_LEFT)
        return value

    def for_reading(self, caller: Caller, audience: str) -> str:
        """The same for a service that hands the token on: `audience` takes it for reading alone."""
        return f"Bearer {self._signer.internal_token(audience, replace(caller.principal, read_only=True))}"
