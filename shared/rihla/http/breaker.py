"""A circuit breaker: after several failures in a row, fail at once for a while, then let one call try."""

import time
from collections.abc import Callable


class Breaker:
    """Closed, open, or half open with one call on trial. Times in seconds of a monotonic clock."""

    def __init__(
        self, *, failures: int = 5, open_for: float = 2.0, time_source: Callable[[], float] = time.monotonic
    ) -> None:
        self._limit = failures
        self._open_for = open_for
        self._time = time_source
        self._failures = 0
        self._open_until = 0.0

    @property
    def is_open(self) -> bool:
        """Whether calls fail at once."""
        return self._failures >= self._limit and self._time() < self._open_until

    def allows(self) -> bool:
        """Whether a call may go out now; when half open, one caller gets through for each interval."""
        if self._failures < self._limit:
            return True
        if self._time() < self._open_until:
            return False
        self._open_until = self._time() + self._open_for
        return True

    def succeeded(self) -> None:
        """A call was answered."""
        self._failures = 0

    def failed(self) -> None:
        """A call was not answered."""
        self._failures += 1
        if self._failures >= self._limit:
            self._open_until = self._time() + self._open_for
