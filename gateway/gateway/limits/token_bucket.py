"""The rule of a token bucket: `quota` tokens at most, refilled evenly over one window. Pure; time is given in
seconds."""

from __future__ import annotations

from dataclasses import dataclass

WINDOW_SECONDS = 60


@dataclass(slots=True)
class TokenBucket:
    """A bucket that counts in this process only."""

    quota: int
    tokens: float
    at: float

    def take(self, wanted: int, now: float) -> int:
        """Up to `wanted` whole tokens; 0 when there is none."""
        self.tokens = min(self.quota, self.tokens + (now - self.at) * self.quota / WINDOW_SECONDS)
        self.at = now
        granted = min(wanted, int(self.tokens))
        self.tokens -= granted
        return granted

    def wait(self) -> float:
        """Seconds until there is one token, as of the last `take`."""
        return max(0.0, (1 - self.tokens) * WINDOW_SECONDS / self.quota)


def lease_size(quota: int, most: int) -> int:
    """How many tokens to fetch at once: a twentieth of the quota, so that an unused lease takes little from other
    gateways."""
    return max(1, min(most, quota // 20))
