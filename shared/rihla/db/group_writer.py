"""One writer of a process takes everything that is waiting as one group; while it works, the next group gathers.

Nobody waits when nothing is going on: the first one starts at once, alone. Under load the groups grow by themselves,
so that many holds, or payments, share one transaction instead of queueing behind each other's round trips (ADR 0003).
"""

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Sequence
from typing import Generic, TypeVar

from rihla.telemetry import Histogram

Asked = TypeVar("Asked")
Answer = TypeVar("Answer")

GROUP_SIZE = Histogram(
    "rihla_group_size", "Requests that shared one transaction", ["writer"], buckets=(1, 2, 4, 8, 16, 32, 64)
)


class GroupWriter(Generic[Asked, Answer]):
    """Hands groups to `write`, which answers each member with a value or an exception, in order.

    `keys`: what a member touches; two that share a key never meet in one group. `full` makes the error of whoever comes
    when `longest_queue` are waiting already. `patience`: seconds after which the next group goes although the last one
    is not answered (never, when not given), for groups that travel and may be lost on the way.
    """

    def __init__(
        self,
        name: str,
        write: Callable[[Sequence[Asked]], Awaitable[Sequence[Answer | Exception]]],
        *,
        keys: Callable[[Asked], frozenset[object]],
        full: Callable[[], Exception],
        largest_group: int = 64,
        longest_queue: int = 5_000,
        patience: float | None = None,
    ) -> None:
        self._write = write
        self._keys = keys
        self._full = full
        self._largest_group = largest_group
        self._longest_queue = longest_queue
        self._patience = patience
        self._late: set[asyncio.Task[None]] = set()
        self._waiting: deque[tuple[Asked, asyncio.Future[Answer]]] = deque()
        self._writer: asyncio.Task[None] | None = None
        self._sizes = GROUP_SIZE.labels(name)

    async def submit(self, asked: Asked) -> Answer:
        """The answer to `asked`. A caller who goes away does not stop its group. Raises `full()` when too many wait."""
        if len(self._waiting) >= self._longest_queue:
            raise self._full()
        future: asyncio.Future[Answer] = asyncio.get_running_loop().create_future()
        self._waiting.append((asked, future))
        if self._writer is None:
            self._writer = asyncio.create_task(self._drain())
        return await future

    async def close(self) -> None:
        """Finish what is waiting."""
        if self._writer is not None:
            await self._writer
        await asyncio.gather(*self._late)

    async def _drain(self) -> None:
        try:
            while group := self._next_group():
                self._sizes.observe(len(group))
                if self._patience is None:
                    await self._answer(group)
                else:
                    await self._answer_or_go_on(group, self._patience)
        finally:
            self._writer = None

    async def _answer_or_go_on(self, group: list[tuple[Asked, "asyncio.Future[Answer]"]], patience: float) -> None:
        task = asyncio.create_task(self._answer(group))
        self._late.add(task)
        task.add_done_callback(self._late.discard)
        await asyncio.wait((task,), timeout=patience)

    def _next_group(self) -> list[tuple[Asked, "asyncio.Future[Answer]"]]:
        """The longest waiting ones that share no key: a repeat finds what the first one did, in the next group."""
        group: list[tuple[Asked, asyncio.Future[Answer]]] = []
        seen: set[object] = set()
        repeats: list[tuple[Asked, asyncio.Future[Answer]]] = []
        while self._waiting and len(group) < self._largest_group:
            member = self._waiting.popleft()
            if member[1].cancelled():
                continue
            keys = self._keys(member[0])
            (group if seen.isdisjoint(keys) else repeats).append(member)
            seen |= keys
        self._waiting.extendleft(reversed(repeats))
        return group

    async def _answer(self, group: list[tuple[Asked, "asyncio.Future[Answer]"]]) -> None:
        try:
            answers = await self._write([asked for asked, _ in group])
        except Exception as error:
            answers = [error] * len(group)
        for (_, future), answer in zip(group, answers, strict=True):
            if future.done():
                continue
            if isinstance(answer, Exception):
                future.set_exception(answer)
            else:
                future.set_result(answer)
