"""Stripe's saved cards: customers, SetupIntents and PaymentMethods (https://docs.stripe.com/payments/save-and-reuse).

The browser confirms the SetupIntent with its client secret; numbers of cards never come here.
"""

from typing import Any, Final
from uuid import UUID

import httpx

from payment_service.providers.calls import ProviderHttp, json_object
from payment_service.providers.interface import ProviderRefused, ProviderSilent, SavedWord
from payment_service.providers.keeping import KeptCard, Setup, SetupStatus

METHOD_FIELD: Final = "rihla_method"
SETUP_WORDS: Final[dict[str, SavedWord]] = {
    "setup_intent.succeeded": "succeeded",
    "setup_intent.setup_failed": "failed",
    "payment_method.detached": "detached",
}
# Life of a SetupIntent: https://docs.stripe.com/payments/paymentintents/lifecycle
_ENDED: Final[dict[str, SetupStatus]] = {"succeeded": "succeeded", "canceled": "cancelled"}


class StripeMethods:
    """The part of the adapter that keeps cards."""

    def __init__(self, http: ProviderHttp) -> None:
        self._http = http

    async def open_customer(self, key: UUID, user_id: UUID) -> str:
        return _id(await self._create("/v1/customers", key, {"metadata[rihla_user]": str(user_id)}))

    async def close_customer(self, customer: str) -> None:
        response = await self._http.send("DELETE", f"/v1/customers/{customer}")
        if response.status_code != 404:
            _accepted(response)

    async def start_setup(self, key: UUID, customer: str) -> Setup:
        form = {
            "customer": customer,
            "usage": "off_session",
            "payment_method_types[0]": "card",
            f"metadata[{METHOD_FIELD}]": str(key),
        }
        return _setup(await self._create("/v1/setup_intents", key, form))

    async def read_setup(self, reference: str) -> Setup | None:
        response = await self._http.send("GET", f"/v1/setup_intents/{reference}")
        return None if response.status_code == 404 else _setup(_accepted(response))

    async def cancel_setup(self, reference: str) -> Setup | None:
        response = await self._http.send("POST", f"/v1/setup_intents/{reference}/cancel")
        # One that has ended cannot be cancelled: its end says what there is to do.
        return _setup(json_object(response)) if response.is_success else await self.read_setup(reference)

    async def adopt(self, token: str, method_id: UUID) -> KeptCard | None:
        form = {f"metadata[{METHOD_FIELD}]": str(method_id)}
        response = await self._http.send("POST", f"/v1/payment_methods/{token}", data=form)
        if response.status_code == 404:
            return None
        method = _accepted(response)
        if not method.get("customer"):
            return None
        card = method.get("card") or {}
        return KeptCard(card.get("brand"), card.get("last4"), card.get("exp_month"), card.get("exp_year"))

    async def detach(self, token: str) -> None:
        response = await self._http.send("POST", f"/v1/payment_methods/{token}/detach")
        if response.is_success:
            return
        known = await self._http.send("GET", f"/v1/payment_methods/{token}")
        if known.status_code != 404 and _accepted(known).get("customer"):
            _accepted(response)

    async def _create(self, path: str, key: UUID, form: dict[str, str]) -> dict[str, Any]:
        return _accepted(await self._http.send("POST", path, data=form, headers={"Idempotency-Key": str(key)}))


def _setup(intent: dict[str, Any]) -> Setup:
    status = _ENDED.get(str(intent.get("status"))) or ("failed" if intent.get("last_setup_error") else "open")
    token = intent.get("payment_method") if status == "succeeded" else None
    secret = intent.get("client_secret")
    return Setup(_id(intent), status, str(secret) if secret else None, str(token) if token else None)


def _id(thing: dict[str, Any]) -> str:
    """An answer without an id says nothing: somebody else on the way gave it."""
    if not isinstance(thing.get("id"), str):
        raise ProviderSilent("an answer of unknown shape")
    return str(thing["id"])


def _accepted(response: httpx.Response) -> dict[str, Any]:
    answer = json_object(response)
    if response.is_success:
        return answer
    error = answer.get("error")
    if not isinstance(error, dict):
        raise ProviderSilent("an error of unknown shape")
    if error.get("type") == "idempotency_error" or error.get("code") == "lock_timeout":
        raise ProviderSilent("the same key is at work")
    # Stripe's sentences may name its ids, which are tokens here.
    raise ProviderRefused(str(error.get("code") or error.get("type") or "refused"), "The request was refused.")
