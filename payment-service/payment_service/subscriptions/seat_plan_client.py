"""What payment-service asks booking-service for a month's seats (docs/contracts.md)."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final
from uuid import UUID

import httpx

from payment_service.subscriptions.errors import SeatPlanNotPossible, SeatPlanRefused
from rihla.http import ServiceClient, UpstreamUnavailable, problem_code

# A month of rides is a dozen bookings with their holds; one question needs a fraction of this.
_TIMEOUT_SECONDS: Final = 15.0
_LOST: Final = frozenset({"seat-plan-expired", "seat-plan-released", "seat-plan-unknown"})


class SeatPlanLost(Exception):
    """The seats are gone for good: expired and taken by others, or released."""


@dataclass(frozen=True, slots=True)
class SeatBooking:
    """One ride's booking."""

    booking_id: UUID
    departure_at: datetime


class SeatPlanClient:
    """Idempotent by the seat plan's id. Raises UpstreamUnavailable when no usable answer came."""

    def __init__(self, client: ServiceClient) -> None:
        self._client = client

    async def hold(self, plan_id: UUID, body: Mapping[str, Any]) -> None:
        """Hold every seat of the month or none. Raises SeatPlanNotPossible, SeatPlanRefused, SeatPlanLost."""
        answer = await self._ask("PUT", f"/{plan_id}", dict(body))
        if answer.is_success:
            return
        code = problem_code(answer)
        if code == "seat-plan-not-possible":
            missing = answer.json().get("missing", [])
            raise SeatPlanNotPossible("Not all of these rides have a seat; nothing was booked.", missing=missing)
        if code == "seat-plan-released":
            raise SeatPlanLost(code)
        if answer.status_code == 422:
            raise SeatPlanRefused(_detail(answer), reasons=answer.json().get("errors", []))
        raise UpstreamUnavailable("The seats could not be asked for.", upstream="booking", code=code)

    async def confirm(self, plan_id: UUID) -> list[SeatBooking]:
        """The month is paid: its bookings become confirmed. Raises SeatPlanLost."""
        answer = await self._ask("POST", f"/{plan_id}/confirm", {})
        if problem_code(answer) in _LOST:
            raise SeatPlanLost(problem_code(answer))
        return _bookings(answer)

    async def release(self, plan_id: UUID) -> list[SeatBooking]:
        """Free what is not flown yet; an id booking-service has not seen is refused from now on."""
        return _bookings(await self._ask("POST", f"/{plan_id}/release", {}))

    async def _ask(self, method: str, path: str, body: dict[str, Any]) -> httpx.Response:
        return await self._client.request(
            method, f"/internal/v1/seat-plans{path}", json=body, idempotent=True, timeout=_TIMEOUT_SECONDS
        )


def _bookings(answer: httpx.Response) -> list[SeatBooking]:
    if not answer.is_success:
        raise UpstreamUnavailable("The seats could not be settled.", upstream="booking", code=problem_code(answer))
    return [
        SeatBooking(UUID(one["booking_id"]), datetime.fromisoformat(one["departure_at"]))
        for one in answer.json().get("bookings", [])
    ]


def _detail(answer: httpx.Response) -> str:
    return str(answer.json().get("detail") or "The passenger or the contact is not complete.")
