"""Refunds as the APIs show them."""

from collections.abc import Sequence

from payment_service.refunds.records import RefundPartRecord, RefundRecord
from payment_service.refunds.schemas import AdminDestinationOut, AdminRefundOut, DestinationOut, RefundOut
from rihla.web import MoneyModel


def refund_out(refund: RefundRecord, parts: Sequence[RefundPartRecord]) -> RefundOut:
    """For booking-service."""
    return RefundOut.model_validate(
        {
            "id": refund.id,
            "status": refund.status,
            "amount_minor": refund.amount_minor,
            "currency": refund.currency,
            "destinations": [DestinationOut.model_validate(part) for part in parts],
        }
    )


def admin_refund_out(refund: RefundRecord, parts: Sequence[RefundPartRecord]) -> AdminRefundOut:
    """For operations."""
    values = {name: getattr(refund, name) for name in AdminRefundOut.model_fields if hasattr(refund, name)}
    return AdminRefundOut.model_validate(
        {
            **values,
            "amount": MoneyModel.of(refund.amount_minor, refund.currency),
            "destinations": [_destination(part) for part in parts],
        }
    )


def _destination(part: RefundPartRecord) -> AdminDestinationOut:
    values = {name: getattr(part, name) for name in AdminDestinationOut.model_fields if hasattr(part, name)}
    return AdminDestinationOut.model_validate({**values, "amount": MoneyModel.of(part.amount_minor, part.currency)})
