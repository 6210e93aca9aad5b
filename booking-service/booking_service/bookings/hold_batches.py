"""Holds that wait together in a process go to flight-service in one request; one alone goes by itself.

A request costs both sides more than the hold in it. Nobody waits for company: while one request is under way, the next
batch gathers, and it leaves without the answer to the last one when that is late.
"""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from contextvars import Context, copy_context
from dataclasses import dataclass
from typing import Any, Literal
from uuid import UUID

import msgspec

from booking_service.bookings.flight_refusals import refusal
from booking_service.bookings.hold import Hold
from rihla.db.group_writer import GroupWriter
from rihla.http import ServiceClient, UpstreamUnavailable

_LARGEST_BATCH = 32
_PATIENCE_SECONDS = 0.05

Alone = Callable[[UUID, dict[str, Any]], Awaitable[Hold]]


@dataclass(frozen=True, slots=True)
class _Wanted:
    """A hold to be put or sold; `context` is its request's, so that its id and trace go with it."""

    hold_id: UUID
    body: dict[str, Any]
    context: Context


class _Outcome(msgspec.Struct):
    status: int
    hold: Hold | None = None
    problem: dict[str, Any] | None = None


class _Outcomes(msgspec.Struct):
    outcomes: list[_Outcome | None]


_outcomes = msgspec.json.Decoder(_Outcomes)


class HoldBatches:
    """One for each deed of a process. `deed` names the route that takes many; `alone` is the request of one hold, which
    answers for whatever a batch does not explain.
    """

    def __init__(self, client: ServiceClient, deed: Literal["placements", "confirmations"], alone: Alone) -> None:
        self._client = client
        self._deed = deed
        self._ask_alone = alone
        self._writer: GroupWriter[_Wanted, Hold] = GroupWriter(
            f"hold_{deed}",
            self._ask,
            keys=lambda _: frozenset(),
            full=_full,
            largest_group=_LARGEST_BATCH,
            patience=_PATIENCE_SECONDS,
        )

    async def ask(self, hold_id: UUID, body: dict[str, Any]) -> Hold:
        """The hold, or what its request alone raises. `body`: what stands beside its id in a batch."""
        return await self._writer.submit(_Wanted(hold_id, body, copy_context()))

    async def close(self) -> None:
        """Finish what is waiting."""
        await self._writer.close()

    async def _ask(self, batch: Sequence[_Wanted]) -> list[Hold | Exception]:
        if len(batch) == 1:
            return [await self._alone(batch[0])]
        # A batch travels under the request id of its first member: the ids of the holds tell the others apart.
        return await asyncio.create_task(self._together(batch), context=batch[0].context)

    async def _together(self, batch: Sequence[_Wanted]) -> list[Hold | Exception]:
        content = msgspec.json.encode({self._deed: [{"id": one.hold_id, **one.body} for one in batch]})
        path = f"/internal/v1/holds/{self._deed}"
        answer = await self._client.request("POST", path, content=content, idempotent=True)
        # An instance that does not know the route yet (an upgrade under way) is asked one by one, as before.
        outcomes = _outcomes.decode(answer.content).outcomes if answer.status_code == 200 else [None] * len(batch)
        return await asyncio.gather(*(self._read(one, told) for one, told in zip(batch, outcomes, strict=True)))

    async def _read(self, wanted: _Wanted, told: _Outcome | None) -> Hold | Exception:
        if told is None:
            return await self._alone(wanted)
        return refusal(told.status, told.problem or {}) if told.hold is None else told.hold

    async def _alone(self, wanted: _Wanted) -> Hold | Exception:
        async def ask() -> Hold:
            return await self._ask_alone(wanted.hold_id, wanted.body)

        try:
            return await asyncio.create_task(ask(), context=wanted.context)
        except Exception as error:
            return error


def _full() -> UpstreamUnavailable:
    return UpstreamUnavailable("Too many people are booking at this moment; try again in a second.", upstream="flight")
