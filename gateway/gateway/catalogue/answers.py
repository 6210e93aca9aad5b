"""Answers of public catalogue reads, kept for the seconds their row allows.

The bound on staleness is that number of seconds; a change by staff through this process shows at once. What a
partner's test key sees differs, so it is kept apart. Nothing personal can get in: services are asked as nobody in
particular, or as the test key's world.
"""

from __future__ import annotations

import asyncio
import hashlib
import time
from collections import OrderedDict
from collections.abc import Awaitable, Callable

from gateway.problems import Header

LARGEST = 256 * 1024
_MOST_BYTES = 64 * 1024 * 1024
Key = tuple[bytes, bytes, bytes, bytes, bool]


class KeptAnswer:
    """A 200 with everything needed to give it again."""

    __slots__ = ("body", "etag", "headers", "kept_at", "seconds")

    def __init__(self, headers: list[Header], body: bytes, seconds: int) -> None:
        etag = next((value for name, value in headers if name == b"etag"), None)
        self.etag = etag or b'"%s"' % hashlib.sha256(body).hexdigest()[:32].encode()
        self.headers = [header for header in headers if header[0] not in (b"etag", b"cache-control", b"age")]
        self.body = body
        self.seconds = seconds
        self.kept_at = time.monotonic()

    @property
    def age(self) -> int:
        """Whole seconds since the service said it."""
        return int(time.monotonic() - self.kept_at)

    def fresh(self) -> bool:
        """Whether it may still be given."""
        return time.monotonic() - self.kept_at < self.seconds

    def head(self, shared: bool) -> list[Header]:
        """The headers of an answer made of it now; `shared` when caches in between may keep it too."""
        scope = b"public" if shared else b"private"
        age = self.age
        return [
            (b"etag", self.etag),
            (b"cache-control", b"%s, max-age=%d" % (scope, max(0, self.seconds - age))),
            (b"vary", b"Accept-Language, Accept-Encoding"),
        ]

    def matches(self, if_none_match: bytes | None) -> bool:
        """Whether the client has it already (RFC 9110, section 13.1.2: weak comparison)."""
        if if_none_match is None:
            return False
        wanted = self.etag.removeprefix(b"W/")
        return any(tag.strip().removeprefix(b"W/") in (wanted, b"*") for tag in if_none_match.split(b","))


def may_keep(status: int, headers: list[Header]) -> bool:
    """Whether a service's answer is fit for everybody."""
    if status != 200:
        return False
    for name, value in headers:
        if name == b"set-cookie":
            return False
        if name == b"cache-control" and (b"no-store" in value.lower() or b"private" in value.lower()):
            return False
        if name == b"vary" and b"*" in value:
            return False
    return True


class KeptAnswers:
    """The kept answers, oldest out first; of many askers at once one goes to the service."""

    def __init__(self, most_bytes: int = _MOST_BYTES) -> None:
        self._kept: OrderedDict[Key, KeptAnswer] = OrderedDict()
        self._bytes = 0
        self._most = most_bytes
        self._asking: dict[Key, asyncio.Future[KeptAnswer | None]] = {}
        self._generation = 0

    def get(self, key: Key) -> KeptAnswer | None:
        """A fresh answer, or None."""
        kept = self._kept.get(key)
        if kept is None:
            return None
        if kept.fresh():
            return kept
        self._drop(key)
        return None

    async def get_or_ask(self, key: Key, ask: Callable[[], Awaitable[KeptAnswer | None]]) -> KeptAnswer | None:
        """As `get`; else the first caller runs `ask` while the others wait. None: not to be kept, or answered by
        `ask`."""
        asking = self._asking.get(key)
        if asking is not None:
            return await asyncio.shield(asking)
        future = self._asking[key] = asyncio.get_running_loop().create_future()
        kept: KeptAnswer | None = None
        generation = self._generation
        try:
            kept = await ask()
            if kept is not None and generation == self._generation:
                self._put(key, kept)
            return kept
        finally:
            if self._asking.get(key) is future:
                del self._asking[key]
            future.set_result(kept)

    def forget(self) -> None:
        """Staff have changed something: whoever changed it must see it at the next read. Answers still on their way are
        from before the change and are not kept."""
        self._generation += 1
        self._kept.clear()
        self._asking.clear()
        self._bytes = 0

    def _put(self, key: Key, kept: KeptAnswer) -> None:
        self._drop(key)
        self._kept[key] = kept
        self._bytes += len(kept.body)
        while self._bytes > self._most:
            self._drop(next(iter(self._kept)))

    def _drop(self, key: Key) -> None:
        gone = self._kept.pop(key, None)
        if gone is not None:
            self._bytes -= len(gone.body)
