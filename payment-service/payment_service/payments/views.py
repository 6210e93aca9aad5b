"""Payments as the API shows them."""

from collections.abc import Sequence

from payment_service.payments.records import PartRecord, PaymentRecord
from payment_service.payments.schemas import (
    AdminPaymentOut,
    FailureOut,
    NextActionOut,
    PaymentOut,
    PaymentPartOut,
)
from rihla.web import MoneyModel


def payment_out(payment: PaymentRecord, parts: Sequence[PartRecord]) -> PaymentOut:
    """A payment for its owner."""
    return PaymentOut.model_validate(_values(payment, parts))


def payment_json(payment: PaymentRecord, parts: Sequence[PartRecord]) -> bytes:
    """The same as the bytes that are sent and saved."""
    return payment_out(payment, parts).model_dump_json().encode()


def admin_payment_out(payment: PaymentRecord, parts: Sequence[PartRecord]) -> AdminPaymentOut:
    """A payment for operations."""
    return AdminPaymentOut.model_validate(
        {
            **_values(payment, parts),
            "user_id": payment.user_id,
            "booking_reference": payment.booking_reference,
            "test_mode": payment.test_mode,
            "provider_references": [part.provider_reference for part in parts if part.provider_reference],
        }
    )


def _values(payment: PaymentRecord, parts: Sequence[PartRecord]) -> dict[str, object]:
    failure = None
    if payment.failure_code is not None:
        failure = FailureOut(code=payment.failure_code, message=payment.failure_message or "")
    return {
        "id": payment.id,
        "booking_id": payment.booking_id,
        "charge_id": payment.charge_id,
        "purpose": payment.purpose,
        "status": payment.status,
        "amount": MoneyModel.of(payment.amount_minor, payment.currency),
        "method": payment.method_type,
        "failure": failure,
        "next_action": NextActionOut(**payment.next_action) if payment.next_action else None,
        "parts": [_part(part) for part in parts],
        "created_at": payment.created_at,
        "succeeded_at": payment.succeeded_at,
    }


def _part(part: PartRecord) -> PaymentPartOut:
    return PaymentPartOut.model_validate(
        {
            "kind": part.kind,
            "provider": part.provider,
            "amount": MoneyModel.of(part.amount_minor, part.currency),
            "coins": part.coins,
            "status": part.status,
            "card_brand": part.card_brand,
            "card_last4": part.card_last4,
            "refunded": MoneyModel.of(part.refunded_minor, part.currency),
        }
    )
