"""Paymob: intentions, the verified transaction callback, refunds (https://developers.paymob.com).

Money is taken on Paymob's own page: the answer to an order is always `requires_action`. Of a callback only the fields
its HMAC covers may be believed; our key is not among them, so the payment is found by the order id of the intention.
"""

import json
from collections.abc import Sequence
from datetime import datetime
from typing import Any
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
from payment_service.providers.signatures import verify_paymob
from rihla.kernel import currency_digits


class PaymobProvider:
    """The adapter. The reference of a payment is the order id; of a refund the transaction id."""

    name = "paymob"

    def __init__(
        self,
        base_url: str,
        *,
        secret_key: str,
        public_key: str,
        integration_ids: Sequence[int],
        hmac_secrets: Sequence[str],
        callback_url: str,
        public_url: str,
        timeout: float = 10.0,
        transport: httpx.AsyncBaseTransport | None = None,
    ) -> None:
        self._base_url, self._public_key = base_url.rstrip("/"), public_key
        self._callback_url, self._public_url = callback_url, public_url
        self._integrations, self._secrets = list(integration_ids), list(hmac_secrets)
        headers = {"Authorization": f"Token {secret_key}"}
        self._http = ProviderHttp(self.name, base_url, headers=headers, timeout=timeout, transport=transport)

    async def take(self, order: TakeOrder) -> TakeOutcome:
        if currency_digits(order.currency) != 2:
            raise ProviderRefused("currency_not_supported", f"Paymob does not take {order.currency}.")
        body = {
            "amount": order.amount_minor,
            "currency": order.currency,
            "payment_methods": self._integrations,
            "items": [{"name": "Booking", "amount": order.amount_minor, "quantity": 1}],
            # Required by the API; people's data stays with us.
            "billing_data": {"first_name": "NA", "last_name": "NA", "email": "NA@example.com", "phone_number": "NA"},
            "special_reference": str(order.key),
            "notification_url": self._callback_url,
            "redirection_url": order.return_url or self._public_url,
        }
        response = await self._http.send("POST", "/v1/intention/", json=body)
        answer = json_object(response)
        if not response.is_success:
            raise ProviderRefused("paymob_refused", str(answer.get("detail") or "The payment was refused."))
        url = f"{self._base_url}/unifiedcheckout/?publicKey={self._public_key}&clientSecret={answer['client_secret']}"
        reference = str(answer["intention_order_id"])
        return TakeOutcome("requires_action", reference, order.amount_minor, order.currency, action_url=url)

    async def look_up(self, key: UUID, reference: str | None) -> TakeOutcome | None:
        """The order's transaction, asked for by the merchant's reference."""
        response = await self._http.send(
            "POST", "/api/ecommerce/orders/transaction_inquiry", json={"merchant_order_id": str(key)}
        )
        if response.status_code == 404:
            return None
        answer = json_object(response)
        if not response.is_success:
            raise ProviderRefused("paymob_refused", str(answer.get("detail", "")))
        return _taking(answer)

    async def cancel(self, key: UUID, reference: str | None) -> TakeOutcome | None:
        """Paymob has no cancellation of an unpaid intention; a payment that still comes is refunded by itself."""
        return await self.look_up(key, reference)

    async def refund(self, order: RefundOrder) -> RefundOutcome:
        """Paymob has no idempotency keys: a repeat first asks how much has gone back, and refunds go one by one."""
        if order.waits:
            raise ProviderSilent("an earlier refund of this payment has not ended")
        paid = await self._paid(order)
        if order.attempt > 1 and (sent := _sent_before(paid, order)) is not None:
            return sent
        body = {"transaction_id": str(paid["id"]), "amount_cents": str(order.amount_minor)}
        response = await self._http.send("POST", "/api/acceptance/void_refund/refund", json=body)
        answer = json_object(response)
        if not response.is_success:
            raise ProviderRefused("paymob_refused", str(answer.get("detail") or answer.get("message") or ""))
        return _refunding(answer)

    async def look_up_refund(self, order: RefundOrder, reference: str | None) -> RefundOutcome | None:
        if not reference:
            return _sent_before(await self._paid(order), order)
        response = await self._http.send("GET", f"/api/acceptance/transactions/{reference}")
        return None if response.status_code == 404 else _refunding(json_object(response))

    def read_webhook(self, raw: RawWebhook, now: datetime) -> Sequence[ProviderEvent]:
        transaction = _transaction(raw)
        if not verify_paymob(transaction, raw.query.get("hmac", ""), secrets=self._secrets):
            raise InvalidSignature("The HMAC does not match the transaction.")
        # The scheme has no timestamp and no event id: a transaction's states are told apart by its signed flags.
        flags = "".join(
            str(int(_true(transaction.get(name)))) for name in ("success", "pending", "is_refunded", "is_voided")
        )
        event_id = f"{transaction['id']}:{flags}"
        if _true(transaction.get("has_parent_transaction")):
            return [ProviderEvent(event_id, "transaction.child", "other")]
        outcome = _taking(transaction)
        return [ProviderEvent(event_id, "transaction", "taking", reference=outcome.reference, taking=outcome)]

    async def _paid(self, order: RefundOrder) -> dict[str, Any]:
        """The transaction that took the money, which the refund must name."""
        response = await self._http.send(
            "POST", "/api/ecommerce/orders/transaction_inquiry", json={"merchant_order_id": str(order.taken_key)}
        )
        answer = json_object(response)
        if not response.is_success or not _true(answer.get("success")):
            raise ProviderRefused("payment_unknown", "Paymob does not know this payment.")
        return answer

    async def close(self) -> None:
        await self._http.close()


def _transaction(raw: RawWebhook) -> dict[str, Any]:
    """The transaction of a callback (JSON `{"type": "TRANSACTION", "obj": {...}}`) or of a redirect (query)."""
    if not raw.body:
        return dict(raw.query)
    try:
        found = json.loads(raw.body)
        found = found.get("obj", found)
        if not isinstance(found, dict) or "id" not in found:
            raise ValueError
    except (ValueError, AttributeError):
        raise InvalidSignature("The body is not a transaction.") from None
    return dict(found)


def _true(value: object) -> bool:
    return value is True or str(value).lower() == "true"


def _taking(transaction: dict[str, Any]) -> TakeOutcome:
    status: TakeStatus = "failed"
    if _true(transaction.get("pending")):
        status = "processing"
    elif _true(transaction.get("success")) and not _true(transaction.get("is_voided")):
        status = "succeeded"
    order = transaction.get("order")
    card = transaction.get("source_data")
    card = card if isinstance(card, dict) else {}
    last4 = str(card.get("pan") or transaction.get("source_data.pan") or "")[-4:]
    failed = status == "failed"
    return TakeOutcome(
        status=status,
        reference=str(order["id"] if isinstance(order, dict) else order),
        amount_minor=int(transaction["amount_cents"]),
        currency=str(transaction["currency"]),
        failure_code="card-declined" if failed else None,
        failure_message="The payment was declined." if failed else None,
        card_brand=str(card.get("sub_type") or transaction.get("source_data.sub_type") or "").lower() or None,
        card_last4=last4 if last4.isdigit() and len(last4) == 4 else None,
    )


def _sent_before(paid: dict[str, Any], order: RefundOrder) -> RefundOutcome | None:
    """What became of an earlier try of this refund, by the sum Paymob has given back; None when it did not act."""
    back = int(paid.get("refunded_amount_cents") or 0)
    if back == order.settled_minor:
        return None
    if back == order.settled_minor + order.amount_minor:
        return RefundOutcome("succeeded", None)
    # Somebody else refunded this payment, at Paymob's own page: only a person can say what is owed now.
    raise ProviderRefused("refund_unclear", "Paymob has given back another sum than we asked for.")


def _refunding(transaction: dict[str, Any]) -> RefundOutcome:
    reference = str(transaction["id"])
    if _true(transaction.get("pending")):
        return RefundOutcome("processing", reference)
    if _true(transaction.get("success")):
        return RefundOutcome("succeeded", reference)
    return RefundOutcome("failed", reference, "refund_refused")
