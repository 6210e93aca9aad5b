"""Stripe: PaymentIntents, refunds and webhooks (https://docs.stripe.com/api). Numbers of cards never come here.

A payment method token (`pm_...`) is confirmed at once; without one the answer is `requires_action` with the address of
our own payment page, where the browser confirms the intent with its client secret. So it is when the bank wants the
holder of a saved card to confirm.
"""

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
    RefundStatus,
    TakeOrder,
    TakeOutcome,
    TakeStatus,
)
from payment_service.providers.signatures import verify_timestamped
from payment_service.providers.stripe_methods import METHOD_FIELD, SETUP_WORDS, StripeMethods

API_VERSION: Final = "2024-06-20"
_KEY_FIELD: Final = "rihla_part"

# Life of a PaymentIntent: https://docs.stripe.com/payments/paymentintents/lifecycle
_INTENT: Final[dict[str, TakeStatus]] = {
    "succeeded": "succeeded",
    "processing": "processing",
    "requires_action": "requires_action",
    "requires_confirmation": "requires_action",
    "requires_payment_method": "requires_action",
    "requires_capture": "processing",
    "canceled": "failed",
}
_REFUND: Final[dict[str, RefundStatus]] = {
    "succeeded": "succeeded",
    "pending": "processing",
    "requires_action": "processing",
    "failed": "failed",
    "canceled": "failed",
}


class StripeProvider:
    """The adapter. Keys of ours travel as Stripe idempotency keys and in the metadata."""

    name = "stripe"

    def __init__(
        self,
        base_url: str,
        *,
        api_key: str,
        webhook_secrets: Sequence[str],
        public_url: str,
        timeout: float = 10.0,
        transport: httpx.AsyncBaseTransport | None = None,
    ) -> None:
        self._secrets = list(webhook_secrets)
        self._public_url = public_url
        headers = {"Authorization": f"Bearer {api_key}", "Stripe-Version": API_VERSION}
        self._http = ProviderHttp(self.name, base_url, headers=headers, timeout=timeout, transport=transport)
        self.methods = StripeMethods(self._http)

    async def take(self, order: TakeOrder) -> TakeOutcome:
        form = {
            "amount": str(order.amount_minor),
            "currency": order.currency.lower(),
            "description": order.description,
            "automatic_payment_methods[enabled]": "true",
            f"metadata[{_KEY_FIELD}]": str(order.key),
            "metadata[rihla_payment]": str(order.payment_id),
        }
        if order.token is not None:
            form |= {"payment_method": order.token, "confirm": "true"}
            if order.customer is None:
                form["return_url"] = order.return_url or self._public_url
            else:
                # Nobody is there to be sent to another page; Stripe wants to be told, or it refuses to confirm.
                form |= {"customer": order.customer, "off_session": "true"}
                form["automatic_payment_methods[allow_redirects]"] = "never"
        response = await self._http.send(
            "POST", "/v1/payment_intents", data=form, headers={"Idempotency-Key": str(order.key)}
        )
        answer = json_object(response)
        if response.is_success:
            return self._intent(answer)
        return self._declined(answer, order)

    async def look_up(self, key: UUID, reference: str | None) -> TakeOutcome | None:
        found = await self._find(key, reference)
        return self._intent(found) if found else None

    async def cancel(self, key: UUID, reference: str | None) -> TakeOutcome | None:
        """Cancel the intent. One Stripe has never seen cannot be cancelled in advance: its key expires after 24 h."""
        found = await self._find(key, reference)
        if found is None:
            return None
        if _INTENT.get(found["status"]) not in ("requires_action",):
            return self._intent(found)
        response = await self._http.send("POST", f"/v1/payment_intents/{found['id']}/cancel")
        if response.is_success:
            return self._intent(json_object(response))
        return await self.look_up(key, found["id"])

    async def refund(self, order: RefundOrder) -> RefundOutcome:
        form = {
            "payment_intent": order.taken_reference,
            "amount": str(order.amount_minor),
            f"metadata[{_KEY_FIELD}]": str(order.key),
        }
        response = await self._http.send("POST", "/v1/refunds", data=form, headers={"Idempotency-Key": str(order.key)})
        return _refunding(_accepted(response))

    async def look_up_refund(self, order: RefundOrder, reference: str | None) -> RefundOutcome | None:
        if reference:
            response = await self._http.send("GET", f"/v1/refunds/{reference}")
            return None if response.status_code == 404 else _refunding(_accepted(response))
        params = {"payment_intent": order.taken_reference, "limit": "100"}
        listed = _accepted(await self._http.send("GET", "/v1/refunds", params=params))
        mine = [item for item in listed.get("data", []) if item.get("metadata", {}).get(_KEY_FIELD) == str(order.key)]
        return _refunding(mine[0]) if mine else None

    def read_webhook(self, raw: RawWebhook, now: datetime) -> Sequence[ProviderEvent]:
        header = raw.headers.get("stripe-signature", "")
        if not verify_timestamped(header, raw.body, secrets=self._secrets, now=now):
            raise InvalidSignature("The signature does not match the body, or is too old.")
        try:
            event = json.loads(raw.body)
            event_id, kind, thing = str(event["id"]), str(event["type"]), event["data"]["object"]
        except (ValueError, KeyError, TypeError):
            raise InvalidSignature("The body is not an event.") from None
        return [self._event(event_id, kind, thing)]

    def _event(self, event_id: str, kind: str, thing: dict[str, Any]) -> ProviderEvent:
        key = _uuid((thing.get("metadata") or {}).get(_KEY_FIELD))
        if kind.startswith("payment_intent.") and thing.get("object") == "payment_intent":
            # A declined card leaves the intent open for another one: for us the attempt has failed, unless it was a
            # saved card whose holder must be there.
            failed = kind == "payment_intent.payment_failed" and not _wants_holder(thing.get("last_payment_error"))
            outcome = self._intent(thing, failed=failed)
            return ProviderEvent(event_id, kind, "taking", key=key, reference=thing["id"], taking=outcome)
        if thing.get("object") == "refund" and key is not None:
            return ProviderEvent(event_id, kind, "refund", key=key, reference=thing["id"], refund=_refunding(thing))
        method_id = _uuid((thing.get("metadata") or {}).get(METHOD_FIELD))
        if kind in SETUP_WORDS and method_id is not None:
            setup = str(thing["id"]) if thing.get("object") == "setup_intent" else None
            return ProviderEvent(event_id, kind, "method", key=method_id, reference=setup, saved=SETUP_WORDS[kind])
        return ProviderEvent(event_id, kind, "other")

    async def _find(self, key: UUID, reference: str | None) -> dict[str, Any] | None:
        if reference:
            response = await self._http.send("GET", f"/v1/payment_intents/{reference}")
            return None if response.status_code == 404 else _accepted(response)
        params = {"query": f"metadata['{_KEY_FIELD}']:'{key}'"}
        listed = _accepted(await self._http.send("GET", "/v1/payment_intents/search", params=params))
        return next(iter(listed.get("data", [])), None)

    def _intent(self, intent: dict[str, Any], *, failed: bool = False) -> TakeOutcome:
        status: TakeStatus = "failed" if failed else _INTENT.get(intent["status"], "processing")
        error = intent.get("last_payment_error") or {}
        method = error.get("payment_method") or intent.get("payment_method")
        card = (method.get("card") or {}) if isinstance(method, dict) else {}
        action = (intent.get("next_action") or {}).get("redirect_to_url") or {}
        return TakeOutcome(
            status=status,
            reference=intent["id"],
            amount_minor=int(intent["amount_received"] if status == "succeeded" else intent["amount"]),
            currency=str(intent["currency"]).upper(),
            failure_code=_code(error, default="cancelled") if status == "failed" else None,
            failure_message=str(error.get("message") or "The payment was not completed.")
            if status == "failed"
            else None,
            action_url=self._action(intent, action) if status == "requires_action" else None,
            card_brand=card.get("brand"),
            card_last4=card.get("last4"),
        )

    def _action(self, intent: dict[str, Any], action: dict[str, Any]) -> str | None:
        if action.get("url"):
            return str(action["url"])
        secret = intent.get("client_secret")
        return f"{self._public_url}/pay/stripe#{secret}" if secret else None

    def _declined(self, answer: dict[str, Any], order: TakeOrder) -> TakeOutcome:
        """402 carries the intent inside the error; other errors mean that nothing was made."""
        error = answer.get("error")
        if not isinstance(error, dict):
            raise ProviderSilent("an error of unknown shape")
        if error.get("type") == "idempotency_error" or error.get("code") == "lock_timeout":
            raise ProviderSilent("the same key is at work")
        if error.get("type") != "card_error":
            raise ProviderRefused(str(error.get("code") or error.get("type") or "refused"), "The payment was refused.")
        intent = error.get("payment_intent") or {}
        if _wants_holder(error) and intent.get("client_secret"):
            return self._intent({**intent, "status": "requires_action"})
        return TakeOutcome(
            status="failed",
            reference=intent.get("id"),
            amount_minor=order.amount_minor,
            currency=order.currency,
            failure_code=_code(error, default="card_declined"),
            failure_message=str(error.get("message") or "The card was declined."),
        )

    async def close(self) -> None:
        await self._http.close()


def _wants_holder(error: object) -> bool:
    """Whether the bank declined a saved card only because its holder was not there to confirm."""
    return isinstance(error, dict) and error.get("code") == "authentication_required"


def _code(error: dict[str, Any], *, default: str) -> str:
    """The issuer's reason where Stripe passes it on, kebab-case as all our codes."""
    return str(error.get("decline_code") or error.get("code") or default).replace("_", "-")


def _accepted(response: httpx.Response) -> dict[str, Any]:
    answer = json_object(response)
    if response.is_success:
        return answer
    error = answer.get("error")
    if not isinstance(error, dict):
        raise ProviderSilent("an error of unknown shape")
    raise ProviderRefused(str(error.get("code") or error.get("type") or "refused"), str(error.get("message", "")))


def _refunding(thing: dict[str, Any]) -> RefundOutcome:
    status = _REFUND.get(str(thing.get("status")), "processing")
    code = str(thing.get("failure_reason") or "refund_refused")
    return RefundOutcome(status, thing["id"], code if status == "failed" else None)


def _uuid(value: object) -> UUID | None:
    try:
        return UUID(str(value)) if value else None
    except ValueError:
        return None
