"""Who comes after whom, by what they touch."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Iterable


class Turns:
    """Messages that share a subject are handled one after the other, in the order in which they came."""

    def __init__(self) -> None:
        self._last: dict[str, asyncio.Future[None]] = {}

    @contextlib.asynccontextmanager
    async def of(self, subjects: Iterable[str]) -> AsyncIterator[None]:
        """Enter once everybody who came earlier with one of the subjects is done; who comes later is never waited for,
        so that no two messages with several subjects can wait for each other.
        """
        mine: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        touched = frozenset(subjects)
        earlier = {self._last[one] for one in touched if one in self._last}
        self._last.update(dict.fromkeys(touched, mine))
        try:
            if earlier:
                await asyncio.wait(earlier)
            yield
        finally:
            mine.set_result(None)
            for one in touched:
                if self._last[one] is mine:
                    del self._last[one]
