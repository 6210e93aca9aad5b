"""Payments that wait together ask booking-service what is due in one request; one alone asks by itself.

A request costs both sides more than the answer in it. Nobody waits for company: while one request is under way, the
next batch gathers, and it leaves without the answer to the last one when that is late.
"""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from contextvars import Context, copy_context
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

import msgspec

from rihla.db.group_writer import GroupWriter
from rihla.http import ServiceClient, UpstreamUnavailable

_LARGEST_BATCH = 64
_PATIENCE_SECONDS = 0.05


@dataclass(frozen=True, slots=True)
class ChargeDue:
    """Amount and currency of a charge, as booking-service states them."""

    booking_id: UUID
    charge_id: UUID
    user_id: UUID
    reference: str
    amount_minor: int
    currency: str
    payable_until: datetime | None


@dataclass(frozen=True, slots=True)
class Question:
    """Whose booking, and which of its charges; None: the oldest that is due."""

    booking_id: UUID
    user_id: UUID
    charge_id: UUID | None


@dataclass(frozen=True, slots=True)
class _Wanted:
    """`context` is that of the request, so that its id and trace go with it."""

    question: Question
    context: Context


_found = msgspec.json.Decoder(dict[str, list[ChargeDue | None]])


class DueBatches:
    """`alone` is the request for one charge, which answers for whatever a batch does not: it knows why."""

    def __init__(self, client: ServiceClient, alone: Callable[[Question], Awaitable[ChargeDue]]) -> None:
        self._client = client
        self._ask_alone = alone
        self._writer: GroupWriter[_Wanted, ChargeDue] = GroupWriter(
            "charges_due",
            self._ask,
            keys=lambda _: frozenset(),
            full=_full,
            largest_group=_LARGEST_BATCH,
            patience=_PATIENCE_SECONDS,
        )

    async def ask(self, question: Question) -> ChargeDue:
        """The charge, or what its request alone raises."""
        return await self._writer.submit(_Wanted(question, copy_context()))

    async def close(self) -> None:
        """Finish what is waiting."""
        await self._writer.close()

    async def _ask(self, batch: Sequence[_Wanted]) -> list[ChargeDue | Exception]:
        if len(batch) == 1:
            return [await self._alone(batch[0])]
        # A batch travels under the request id of its first member: booking ids tell the others apart.
        return await asyncio.create_task(self._together(batch), context=batch[0].context)

    async def _together(self, batch: Sequence[_Wanted]) -> list[ChargeDue | Exception]:
        content = msgspec.json.encode({"charges": [one.question for one in batch]})
        answer = await self._client.request("POST", "/internal/v1/charges/due", content=content, idempotent=True)
        # An instance that does not know the route yet (an upgrade under way) is asked one by one, as before.
        found = _found.decode(answer.content)["charges"] if answer.status_code == 200 else [None] * len(batch)
        return await asyncio.gather(*(self._read(one, due) for one, due in zip(batch, found, strict=True)))

    async def _read(self, wanted: _Wanted, due: ChargeDue | None) -> ChargeDue | Exception:
        return await self._alone(wanted) if due is None else due

    async def _alone(self, wanted: _Wanted) -> ChargeDue | Exception:
        async def ask() -> ChargeDue:
            return await self._ask_alone(wanted.question)

        try:
            return await asyncio.create_task(ask(), context=wanted.context)
        except Exception as error:
            return error


def _full() -> UpstreamUnavailable:
    return UpstreamUnavailable("Too many people are paying at this moment; try again in a second.", upstream="booking")
