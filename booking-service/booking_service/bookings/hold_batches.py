"""Holds that are put or sold together go to flight-service in one request (`rihla.http.batches`)."""

from collections.abc import Awaitable, Callable, Sequence
from typing import Any, Literal
from uuid import UUID

import msgspec

from booking_service.bookings.flight_refusals import refusal
from booking_service.bookings.hold import Hold
from rihla.http import ServiceClient, UpstreamUnavailable
from rihla.http.batches import Batches

_LARGEST_BATCH = 32

Wanted = tuple[UUID, dict[str, Any]]
"""The id of a hold, and what stands beside it in a batch."""


class _Outcome(msgspec.Struct):
    status: int
    hold: Hold | None = None
    problem: dict[str, Any] | None = None


class _Outcomes(msgspec.Struct):
    outcomes: list[_Outcome | None]


_outcomes = msgspec.json.Decoder(_Outcomes)


def hold_batches(
    client: ServiceClient,
    deed: Literal["placements", "confirmations"],
    alone: Callable[[UUID, dict[str, Any]], Awaitable[Hold]],
) -> Batches[Wanted, Hold]:
    """`deed` names the route that takes many; `alone` is the request of one hold."""

    def body(batch: Sequence[Wanted]) -> dict[str, Any]:
        return {deed: [{"id": hold_id, **beside} for hold_id, beside in batch]}

    async def one(wanted: Wanted) -> Hold:
        return await alone(*wanted)

    return Batches(
        client,
        f"hold_{deed}",
        path=f"/internal/v1/holds/{deed}",
        body=body,
        read=_read,
        alone=one,
        full=_full,
        largest=_LARGEST_BATCH,
    )


def _read(answer: bytes) -> list[Hold | Exception | None]:
    return [None if told is None else _hold_or_refusal(told) for told in _outcomes.decode(answer).outcomes]


def _hold_or_refusal(told: _Outcome) -> Hold | Exception:
    return refusal(told.status, told.problem or {}) if told.hold is None else told.hold


def _full() -> UpstreamUnavailable:
    return UpstreamUnavailable("Too many people are booking at this moment; try again in a second.", upstream="flight")
