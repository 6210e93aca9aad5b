"""The tokens services see are signed as seldom as their minute allows."""

import time
from typing import Any

from gateway.identity.caller import Caller
from gateway.identity.internal_tokens import InternalTokens
from rihla.auth import Principal, TokenSigner, TokenVerifier
from rihla.kernel import new_id


def test_a_caller_seen_now_and_then_is_signed_for_once_in_fifty_five_seconds(keyring: Any) -> None:
    now = [time.time() + 1_000]  # the library also looks at the machine's clock, and only for what is past
    signer = TokenSigner(keyring.settings("gateway")["service_key"], time_source=lambda: now[0])
    verifier = TokenVerifier(keyring.jwks, "booking", time_source=lambda: now[0])
    tokens = InternalTokens(signer, wall=lambda: now[0])
    caller = Caller(Principal(kind="person", issuer="gateway", subject=new_id()))
    sent = []
    for _ in range(11):  # 0, 11, 22, ... 110 seconds
        sent.append(tokens.authorization(caller, "booking"))
        assert verifier.verify(sent[-1].removeprefix("Bearer ")) == caller.principal
        now[0] += 11
    assert len(set(sent)) == 3
    assert tokens.authorization(caller, "payment") not in sent
