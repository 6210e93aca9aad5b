"""The sandbox company's adapter (its API: payment-service/sandbox_provider)."""

import json
from collections.abc import Sequence
from datetime import datetime
from typing import Any, Final
from uuid import UUID

import httpx

from payment_service.providers.calls import ProviderHttp, json_object
from payment_service.providers.interface import (
    InvalidSignature,
    ProviderEvent,
    ProviderRefused,
    ProviderSilent,
    RawWebhook,
    RefundOrder,
    RefundOutcome,
    TakeOrder,
    TakeOutcome,
    TakeStatus,
)
from payment_service.providers.signatures import verify_timestamped

_STATUS: Final[dict[str, TakeStatus]] = {
    "succeeded": "succeeded",
    "declined": "failed",
    "cancelled": "failed",
    "requires_action": "requires_action",
    "processing": "processing",
}


class SandboxProvider:
    """Speaks to the sandbox over HTTP. The only adapter that sees a raw card."""

    name = "sandbox"

    def __init__(
        self,
        base_url: str,
        *,
        api_key: str,
        webhook_secrets: Sequence[str],
        timeout: float = 5.0,
        transport: httpx.AsyncBaseTransport | None = None,
    ) -> None:
        self._secrets = webhook_secrets
        self._http = ProviderHttp(
            self.name, base_url, headers={"Authorization": f"Bearer {api_key}"}, timeout=timeout, transport=transport
        )

    async def take(self, order: TakeOrder) -> TakeOutcome:
        if order.card is None:
            raise ProviderRefused("card_required", "The sandbox needs a card number.")
        body = {
            "amount_minor": order.amount_minor,
            "currency": order.currency,
            "reference": str(order.payment_id),
            "return_url": order.return_url,
            "card": {
                "number": order.card.number,
                "exp_month": order.card.exp_month,
                "exp_year": order.card.exp_year,
                "cvc": order.card.cvc,
            },
        }
        headers = {"Idempotency-Key": str(order.key)}
        response = await self._http.send("POST", "/v1/payments", json=body, headers=headers)
        return _taking(_accepted(response))

    async def look_up(self, key: UUID, reference: str | None) -> TakeOutcome | None:
        response = await self._http.send("GET", "/v1/payments", params={"idempotency_key": str(key)})
        return None if response.status_code == 404 else _taking(_accepted(response))

    async def cancel(self, key: UUID, reference: str | None) -> TakeOutcome | None:
        response = await self._http.send("POST", "/v1/payment-cancellations", json={"idempotency_key": str(key)})
        return _taking(_accepted(response))

    async def refund(self, order: RefundOrder) -> RefundOutcome:
        body = {
            "payment_id": order.taken_reference,
            "amount_minor": order.amount_minor,
            "reference": str(order.key),
        }
        headers = {"Idempotency-Key": str(order.key)}
        return _refunding(_accepted(await self._http.send("POST", "/v1/refunds", json=body, headers=headers)))

    async def look_up_refund(self, order: RefundOrder, reference: str | None) -> RefundOutcome | None:
        response = await self._http.send("GET", "/v1/refunds", params={"idempotency_key": str(order.key)})
        return None if response.status_code == 404 else _refunding(_accepted(response))

    def read_webhook(self, raw: RawWebhook, now: datetime) -> Sequence[ProviderEvent]:
        """One event is an object, several are an array."""
        header = raw.headers.get("sandbox-signature", "")
        if not verify_timestamped(header, raw.body, secrets=self._secrets, now=now):
            raise InvalidSignature("The signature does not match the body, or is too old.")
        return [_event(one) for one in _event_objects(raw.body)]

    async def close(self) -> None:
        await self._http.close()


def _event(event: dict[str, Any]) -> ProviderEvent:
    kind, data = event["type"], event["data"]
    if kind.startswith("payment."):
        return ProviderEvent(
            event["id"],
            kind,
            "taking",
            key=UUID(data["idempotency_key"]),
            reference=data["id"],
            taking=_taking(data),
        )
    if kind.startswith("refund."):
        key = UUID(data["idempotency_key"])
        return ProviderEvent(event["id"], kind, "refund", key=key, reference=data["id"], refund=_refunding(data))
    return ProviderEvent(event["id"], kind, "other")


def _event_objects(body: bytes) -> list[dict[str, Any]]:
    try:
        found = json.loads(body)
        events = found if isinstance(found, list) else [found]
        for event in events:
            if not (
                isinstance(event["id"], str) and isinstance(event["type"], str) and isinstance(event["data"], dict)
            ):
                raise ValueError
    except (ValueError, KeyError, TypeError):
        raise InvalidSignature("The body is not an event.") from None
    return events


def _accepted(response: httpx.Response) -> dict[str, Any]:
    answer = json_object(response)
    if response.is_success:
        return answer
    error = answer.get("error")
    if not isinstance(error, dict):
        raise ProviderSilent("an error of unknown shape")
    raise ProviderRefused(str(error.get("code", "refused")), str(error.get("message", "")))


def _taking(data: dict[str, Any]) -> TakeOutcome:
    status = _STATUS.get(data["status"], "processing")
    failed = status == "failed"
    cancelled = data["status"] == "cancelled"
    return TakeOutcome(
        status=status,
        reference=data["id"],
        amount_minor=data["amount_minor"],
        currency=data["currency"],
        failure_code=("cancelled" if cancelled else data.get("decline_code") or "card_declined") if failed else None,
        failure_message=(data.get("message") or "The payment was not completed.") if failed else None,
        action_url=data.get("confirmation_url"),
        card_brand=data.get("brand"),
        card_last4=data.get("last4"),
    )


def _refunding(data: dict[str, Any]) -> RefundOutcome:
    failed = data["status"] == "failed"
    code = data.get("failure_code") or "refund_refused"
    return RefundOutcome("failed" if failed else "succeeded", data["id"], code if failed else None)
