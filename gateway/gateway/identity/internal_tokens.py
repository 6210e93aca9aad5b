"""The only credential services see: a token for one audience, at most a minute old (house.md, section 5)."""

from __future__ import annotations

import time
from dataclasses import replace

from gateway.identity.caller import Caller
from rihla.auth import TokenSigner

_SENT_SECONDS = 25.0
"""`TokenSigner` gives a token up to 30 s old, so one leaves here with at least five seconds to live."""


class InternalTokens:
    """Keeps the token beside its caller, so that the usual request costs one dictionary lookup."""

    def __init__(self, signer: TokenSigner) -> None:
        self._signer = signer

    def authorization(self, caller: Caller, audience: str) -> str:
        """The value of the `Authorization` header for `audience`."""
        kept = caller.tokens.get(audience)
        now = time.monotonic()
        if kept is not None and kept[1] > now:
            return kept[0]
        value = f"Bearer {self._signer.internal_token(audience, caller.principal)}"
        caller.tokens[audience] = (value, now + _SENT_SECONDS)
        return value

    def for_reading(self, caller: Caller, audience: str) -> str:
        """The same for a service that hands the token on: `audience` takes it for reading alone."""
        return f"Bearer {self._signer.internal_token(audience, replace(caller.principal, read_only=True))}"
