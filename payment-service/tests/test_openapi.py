"""The OpenAPI document is what partners read: complete, unique, valid."""

from typing import Any

from openapi_spec_validator import validate

from payment_service.main import create_app
from payment_service.settings import Settings
from rihla.testing.keyring import Keyring


def document(keyring: Keyring) -> dict[str, Any]:
    return create_app(Settings(**keyring.settings("payment"))).openapi()  # type: ignore[arg-type]


def operations(doc: dict[str, Any]) -> list[tuple[str, str, dict[str, Any]]]:
    return [(path, method, op) for path, item in doc["paths"].items() for method, op in item.items()]


def test_the_document_is_valid_openapi(keyring: Keyring) -> None:
    validate(document(keyring))


def test_every_operation_has_a_summary_a_tag_and_an_id_of_its_own(keyring: Keyring) -> None:
    found = operations(document(keyring))
    ids = [operation["operationId"] for _, _, operation in found]
    assert len(ids) == len(set(ids))
    for path, method, operation in found:
        assert operation.get("summary"), (path, method)
        assert operation.get("tags"), (path, method)


def test_the_idempotency_key_is_asked_for_where_money_moves(keyring: Keyring) -> None:
    doc = document(keyring)
    for path in ("/v1/payments", "/v1/wallet/top-ups", "/v1/admin/payments/{payment_id}/refunds"):
        parameters = doc["paths"][path]["post"]["parameters"]
        assert "idempotency-key" in {parameter["name"].lower() for parameter in parameters}, path


def test_every_route_of_the_public_contract_is_there(keyring: Keyring) -> None:
    found = {(method.upper(), path) for path, method, _ in operations(document(keyring))}
    wanted = {
        ("POST", "/v1/payments"), ("GET", "/v1/payments"), ("GET", "/v1/payments/{payment_id}"),
        ("POST", "/v1/webhooks/stripe"), ("POST", "/v1/webhooks/paymob"), ("POST", "/v1/webhooks/sandbox"),
        ("GET", "/v1/wallet"), ("GET", "/v1/wallet/entries"), ("POST", "/v1/wallet/top-ups"),
        ("GET", "/v1/subscription-plans"), ("POST", "/v1/subscriptions"),
        ("DELETE", "/v1/subscriptions/{subscription_id}"),
        ("POST", "/v1/promo-codes/{code}/check"), ("POST", "/v1/admin/promo-codes"), ("GET", "/v1/special-offers"),
        ("GET", "/v1/admin/payments"), ("GET", "/v1/admin/refunds"), ("GET", "/v1/admin/ledger/accounts"),
        ("PUT", "/internal/v1/promo-uses/{booking_id}"), ("POST", "/internal/v1/promo-uses/{booking_id}/release"),
        ("POST", "/internal/v1/promo-uses/{booking_id}/consume"), ("POST", "/internal/v1/promo-checks"),
        ("PUT", "/internal/v1/refunds/{refund_id}"), ("GET", "/internal/v1/refunds/{refund_id}"),
    }  # fmt: skip
    assert wanted - found == set()
