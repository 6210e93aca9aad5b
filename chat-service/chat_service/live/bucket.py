"""A token bucket: so many frames at once, so many a second. Pure; the caller brings the time."""


class Bucket:
    """Begins full."""

    __slots__ = ("_at", "_burst", "_level", "_rate")

    def __init__(self, burst: int, per_second: float, now: float) -> None:
        self._burst = float(burst)
        self._rate = per_second
        self._level = self._burst
        self._at = now

    def take(self, now: float) -> bool:
        """Take one; False when there is none."""
        self._level = min(self._burst, self._level + max(0.0, now - self._at) * self._rate)
        self._at = now
        if self._level < 1:
            return False
        self._level -= 1
        return True

    @property
    def wait_seconds(self) -> float:
        """How long until there is one again."""
        return max(0.0, (1 - self._level) / self._rate)
