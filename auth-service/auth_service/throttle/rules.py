"""How failed sign-ins slow down the next ones without locking the owner out.

Three counters, each forgotten after a quiet quarter of an hour:

- this account from this address: refused for a time that doubles, at most five minutes;
- this address: refused likewise, but much later, since many people may share one;
- this account from anywhere: answers come later, at most three seconds. Nobody is refused for it, so an attacker
  elsewhere cannot keep the owner out.
"""

from dataclasses import dataclass

FREE_TRIES_PAIR = 5
FREE_TRIES_ADDRESS = 100
FREE_TRIES_ACCOUNT = 10
WINDOW_SECONDS = 900


@dataclass(frozen=True, slots=True)
class Failures:
    """Failed tries within the window."""

    pair: int = 0
    address: int = 0
    account: int = 0


def pair_refusal_seconds(failures: Failures) -> int:
    """How long after its last failure this account is refused to this address."""
    return _doubling(failures.pair - FREE_TRIES_PAIR, 300)


def address_refusal_seconds(failures: Failures) -> int:
    """How long after its last failure this address is refused."""
    return _doubling(failures.address - FREE_TRIES_ADDRESS, 60)


def pause_seconds(failures: Failures) -> float:
    """How much later the answer comes."""
    beyond = failures.account - FREE_TRIES_ACCOUNT
    return 0.0 if beyond < 0 else min(3.0, 0.25 * 2 ** min(beyond, 10))


def _doubling(beyond: int, most: int) -> int:
    return 0 if beyond < 0 else min(most, 2 ** min(beyond, 20))
