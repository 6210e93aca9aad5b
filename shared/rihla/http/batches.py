"""Questions that wait together in a process travel to another service in one request; one alone goes by itself.

A request costs both sides more than what is in it. Nobody waits for company: while one request is under way, the next
batch gathers, and it leaves without the answer to the last one when that is late.
"""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from contextvars import Context, copy_context
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

import msgspec

from rihla.db.group_writer import GroupWriter
from rihla.http.client import ServiceClient

Asked = TypeVar("Asked")
Answer = TypeVar("Answer")

_PATIENCE_SECONDS = 0.05


@dataclass(frozen=True, slots=True)
class _Wanted(Generic[Asked]):
    """`context` is that of the request, so that its id and trace go with it."""

    asked: Asked
    context: Context


class Batches(Generic[Asked, Answer]):
    """One for each deed of a process. `path` is the route that takes many, and must be safe to repeat; `body` is what
    it is given. `read` takes its answer apart, in the order asked: None for whatever the batch does not explain, and
    then `alone`, the request of one, answers for it.
    """

    def __init__(
        self,
        client: ServiceClient,
        name: str,
        *,
        path: str,
        body: Callable[[Sequence[Asked]], Any],
        read: Callable[[bytes], Sequence[Answer | Exception | None]],
        alone: Callable[[Asked], Awaitable[Answer]],
        full: Callable[[], Exception],
        largest: int,
    ) -> None:
        self._client = client
        self._path = path
        self._body = body
        self._read = read
        self._ask_alone = alone
        self._writer: GroupWriter[_Wanted[Asked], Answer] = GroupWriter(
            name, self._ask, keys=lambda _: frozenset(), full=full, largest_group=largest, patience=_PATIENCE_SECONDS
        )

    async def ask(self, asked: Asked) -> Answer:
        """The answer, or what its request alone raises."""
        return await self._writer.submit(_Wanted(asked, copy_context()))

    async def close(self) -> None:
        """Finish what is waiting."""
        await self._writer.close()

    async def _ask(self, batch: Sequence[_Wanted[Asked]]) -> list[Answer | Exception]:
        if len(batch) == 1:
            return [await self._alone(batch[0])]
        # A batch travels under the request id of its first member: the ids in it tell the others apart.
        return await asyncio.create_task(self._together(batch), context=batch[0].context)

    async def _together(self, batch: Sequence[_Wanted[Asked]]) -> list[Answer | Exception]:
        content = msgspec.json.encode(self._body([one.asked for one in batch]))
        answer = await self._client.request("POST", self._path, content=content, idempotent=True)
        # An instance that does not know the route yet (an upgrade under way) is asked one by one, as before.
        told = self._read(answer.content) if answer.status_code == 200 else [None] * len(batch)
        return await asyncio.gather(*(self._settle(one, said) for one, said in zip(batch, told, strict=True)))

    async def _settle(self, wanted: _Wanted[Asked], said: Answer | Exception | None) -> Answer | Exception:
        return await self._alone(wanted) if said is None else said

    async def _alone(self, wanted: _Wanted[Asked]) -> Answer | Exception:
        async def ask() -> Answer:
            return await self._ask_alone(wanted.asked)

        try:
            return await asyncio.create_task(ask(), context=wanted.context)
        except Exception as error:
            return error
