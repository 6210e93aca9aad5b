"""What booking-service asks of payment-service: promo codes, rides of plans and refunds (docs/contracts.md)."""

from dataclasses import dataclass
from typing import Any
from uuid import UUID

import httpx
import msgspec

from booking_service.bookings.errors import (
    PromoCodeNotApplicable,
    PromoCodeUsedUp,
    SubscriptionNotActive,
    SubscriptionRidesUsedUp,
    SubscriptionRouteNotCovered,
)
from rihla.http import ServiceClient, UpstreamUnavailable, problem_code
from rihla.kernel import DomainError

_WORDS: dict[str, type[DomainError]] = {
    "promo-code-not-applicable": PromoCodeNotApplicable,
    "promo-code-not-found": PromoCodeNotApplicable,
    "promo-code-unknown": PromoCodeNotApplicable,
    "promo-code-used-up": PromoCodeUsedUp,
    "subscription-not-active": SubscriptionNotActive,
    "subscription-not-found": SubscriptionNotActive,
    "subscription-route-not-covered": SubscriptionRouteNotCovered,
    "subscription-rides-used-up": SubscriptionRidesUsedUp,
}
_FINAL_REFUSALS = frozenset({404, 409, 410, 422})


class PromoUseRefused(DomainError):
    """payment-service will never do this with the promo use, however often it is asked."""


class RefundRefused(DomainError):
    """payment-service will never make this refund (more than was captured); operations must look."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PromoUse:
    discount_minor: int
    currency: str
    status: str = "reserved"


@dataclass(frozen=True, slots=True, kw_only=True)
class RefundAnswer:
    status: str
    destinations: tuple[dict[str, Any], ...] = ()


class PaymentClient:
    """Idempotent by the booking's or the refund's id. Raises UpstreamUnavailable when no usable answer came."""

    def __init__(self, client: ServiceClient) -> None:
        self._client = client

    async def reserve_promo(self, booking_id: UUID, body: dict[str, Any]) -> PromoUse:
        """Take one use of a code for this booking. PromoCodeNotApplicable or PromoCodeUsedUp when it is refused."""
        answer = await self._call("PUT", f"/promo-uses/{booking_id}", body)
        return msgspec.json.decode(_accepted(answer).content, type=PromoUse)

    async def check_promo(self, body: dict[str, Any]) -> PromoUse:
        """The discount a code would give; reserves nothing."""
        answer = await self._call("POST", "/promo-checks", body)
        return msgspec.json.decode(_accepted(answer).content, type=PromoUse)

    async def release_promo(self, booking_id: UUID) -> None:
        """Give the use back; one that never arrived becomes a tombstone. PromoUseRefused when it can never be."""
        _settled(await self._call("POST", f"/promo-uses/{booking_id}/release", {}))

    async def consume_promo(self, booking_id: UUID) -> None:
        """The use is final. PromoUseRefused when it can never be."""
        _settled(await self._call("POST", f"/promo-uses/{booking_id}/consume", {}))

    async def reserve_rides(self, booking_id: UUID, body: dict[str, Any]) -> PromoUse:
        """Take rides of a plan for this booking. SubscriptionNotActive, SubscriptionRouteNotCovered or
        SubscriptionRidesUsedUp when it is refused.
        """
        answer = await self._call("PUT", f"/subscription-uses/{booking_id}", body)
        return msgspec.json.decode(_accepted(answer).content, type=PromoUse)

    async def consume_rides(self, booking_id: UUID) -> None:
        """The rides are flown or lost. PromoUseRefused when it can never be."""
        _settled(await self._call("POST", f"/subscription-uses/{booking_id}/consume", {}))

    async def release_rides(self, booking_id: UUID, segments: int | None) -> None:
        """Give rides back: all (None), or so many segments in total. PromoUseRefused when it can never be."""
        _settled(await self._call("POST", f"/subscription-uses/{booking_id}/release", {"segments": segments}))

    async def put_refund(self, refund_id: UUID, body: dict[str, Any]) -> RefundAnswer:
        """Start the refund, or learn how far it is. RefundRefused when it can never be made."""
        answer = await self._call("PUT", f"/refunds/{refund_id}", body)
        if answer.status_code in _FINAL_REFUSALS:
            raise RefundRefused(problem_code(answer))
        return msgspec.json.decode(_accepted(answer).content, type=RefundAnswer)

    async def _call(self, method: str, path: str, body: dict[str, Any]) -> httpx.Response:
        return await self._client.request(
            method, f"/internal/v1{path}", content=msgspec.json.encode(body), idempotent=True
        )

    async def close(self) -> None:
        await self._client.close()


def _settled(answer: httpx.Response) -> None:
    if answer.status_code in _FINAL_REFUSALS:
        raise PromoUseRefused(problem_code(answer) or f"status {answer.status_code}")
    _accepted(answer)


def _accepted(answer: httpx.Response) -> httpx.Response:
    if answer.is_success:
        return answer
    word = _WORDS.get(problem_code(answer))
    if word is not None:
        subject = "plan" if word.__name__.startswith("Subscription") else "promo code"
        raise word(f"This {subject} cannot be used for this booking.")
    raise UpstreamUnavailable("Nothing is lost; try again in a moment.", upstream="payment")
