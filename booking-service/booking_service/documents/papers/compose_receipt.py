"""From a booking to what its receipts print."""

from datetime import datetime
from uuid import UUID

from booking_service.bookings.view import BookingView, RefundView
from booking_service.documents.papers import wording
from booking_service.documents.papers.printable import printable
from booking_service.documents.papers.receipt import ReceiptLine, ReceiptSheet
from booking_service.documents.papers.ticket import ChargeLine

_CHARGES = {"initial": "Booking", "extras": "Extras", "change": "Change of booking", "seats": "Seats"}


def compose_receipt(booking: BookingView, *, link: str, qr_svg: str) -> ReceiptSheet:
    """All that was paid for the booking, line by line; the lines add up to the charges to the minor unit."""
    paid = tuple(charge for charge in booking.charges if charge.status in ("paid", "refunded"))
    charges = {charge.id for charge in paid}
    flights = {one.flight_id: one.flight_number for one in (*booking.segments, *booking.replaced_segments)}
    names = {one.id: wording.full_name(one.given_name, one.surname) for one in booking.passengers}
    lines = tuple(
        ReceiptLine(
            passenger=printable(names.get(line.passenger_id, "")),
            flight=flights.get(line.flight_id, ""),
            name=line.name,
            amount=wording.money_words(line.amount_minor, booking.currency),
        )
        for line in booking.price_lines
        if line.charge_id in charges
    )
    payments = tuple(
        ChargeLine(
            f"{_CHARGES.get(charge.kind, charge.kind.capitalize())}, paid {_day(charge.paid_at)}",
            wording.money_words(charge.amount_minor, charge.currency),
        )
        for charge in paid
    )
    total = wording.money_words(sum(charge.amount_minor for charge in paid), booking.currency)
    return ReceiptSheet(
        title=f"Receipt {booking.reference}",
        reference=booking.reference,
        issued_on=_day(booking.confirmed_at or booking.created_at),
        billed_to=booking.contact_email,
        link=link,
        qr_svg=qr_svg,
        lines=lines,
        payments=payments,
        total=ChargeLine("Total paid", total),
        notes=(),
        keywords=(booking.reference, *names.values()),
    )


def compose_refund_receipt(booking: BookingView, refund_id: UUID, *, link: str, qr_svg: str) -> ReceiptSheet | None:
    """The receipt of one refund; None when the booking has no such refund."""
    refund = next((one for one in booking.refunds if one.id == refund_id), None)
    if refund is None:
        return None
    currency = refund.currency
    before = refund.amount_minor + refund.fee_minor
    return ReceiptSheet(
        title=f"Refund receipt {booking.reference}",
        reference=booking.reference,
        issued_on=_day(refund.created_at),
        billed_to=booking.contact_email,
        link=link,
        qr_svg=qr_svg,
        lines=(),
        payments=(
            ChargeLine("Value of what was given back", wording.money_words(before, currency)),
            ChargeLine("Fee by the fare rules", wording.money_words(-refund.fee_minor, currency)),
        ),
        total=ChargeLine("Refund", wording.money_words(refund.amount_minor, currency)),
        notes=(f"Reason: {refund.reason.replace('_', ' ')}.", *_destinations(refund)),
        keywords=(booking.reference, str(refund.id)),
    )


def _destinations(refund: RefundView) -> tuple[str, ...]:
    places = {"card": "the card you paid with", "wallet": "your wallet", "coins": "your coins"}
    return tuple(f"Returned to {places.get(one['kind'], one['kind'])}." for one in refund.destinations)


def _day(at: datetime | None) -> str:
    return wording.date_words(at) if at else "-"
