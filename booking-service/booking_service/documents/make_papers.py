"""From one order and a booking to finished files: compose, draw symbols, typeset. No database, no store."""

from collections.abc import Callable, Coroutine
from typing import Any

from booking_service.bookings.view import BookingView
from booking_service.documents.kinds import DocumentKind, MadeFile, Order
from booking_service.documents.papers.compose_pass import compose_pass, find_checked_in, pass_code
from booking_service.documents.papers.compose_receipt import compose_receipt, compose_refund_receipt
from booking_service.documents.papers.compose_ticket import airlines_of, compose_ticket
from booking_service.documents.parts import DocumentParts, airport_name
from booking_service.documents.symbols import aztec_svg, pdf417_svg, qr_svg

PDF, PNG = "application/pdf", "image/png"


async def make_papers(parts: DocumentParts, booking: BookingView, order: Order) -> list[MadeFile]:
    """The files of one order; none when the booking no longer has what was ordered (undone in the meantime)."""
    return await _MAKERS[order.kind](parts, booking, order)


def booking_link(parts: DocumentParts, booking: BookingView) -> str:
    """Where the QR code leads: the booking at the public address."""
    return f"{parts.public_url}/v1/bookings/{booking.id}"


async def _ticket(parts: DocumentParts, booking: BookingView, _: Order) -> list[MadeFile]:
    link = booking_link(parts, booking)
    symbol = qr_svg(link)
    airlines = airlines_of(booking)
    files = []
    for airline in (None, *airlines) if len(airlines) > 1 else (None,):
        sheet = compose_ticket(booking, link=link, qr_svg=symbol, airport_name=airport_name, airline=airline)
        name = f"{booking.reference}-tickets.pdf" if airline is None else f"{booking.reference}-ticket-{airline}.pdf"
        data = await parts.typesetter.pdf("ticket", sheet)
        files.append(MadeFile(DocumentKind.TICKET, airline or "", name, PDF, data))
    return files


async def _receipt(parts: DocumentParts, booking: BookingView, _: Order) -> list[MadeFile]:
    link = booking_link(parts, booking)
    sheet = compose_receipt(booking, link=link, qr_svg=qr_svg(link))
    data = await parts.typesetter.pdf("receipt", sheet)
    return [MadeFile(DocumentKind.RECEIPT, "", f"{booking.reference}-receipt.pdf", PDF, data)]


async def _refund_receipt(parts: DocumentParts, booking: BookingView, order: Order) -> list[MadeFile]:
    if order.refund_id is None:
        return []
    link = booking_link(parts, booking)
    sheet = compose_refund_receipt(booking, order.refund_id, link=link, qr_svg=qr_svg(link))
    if sheet is None:
        return []
    data = await parts.typesetter.pdf("receipt", sheet)
    name = f"{booking.reference}-refund-{str(order.refund_id)[-6:]}.pdf"
    return [MadeFile(DocumentKind.REFUND_RECEIPT, str(order.refund_id), name, PDF, data)]


async def _boarding_pass(parts: DocumentParts, booking: BookingView, order: Order) -> list[MadeFile]:
    if order.passenger_id is None or order.flight_id is None:
        return []
    found = find_checked_in(booking, order.passenger_id, order.flight_id)
    if found is None:
        return []
    passenger, segment, coupon = found
    text = pass_code(booking, passenger, segment, coupon, parts.signer).encode()
    sheet = compose_pass(
        booking,
        passenger,
        segment,
        coupon,
        code_svg=aztec_svg(text),
        strip_svg=pdf417_svg(text),
        airport_name=airport_name,
    )
    subject = pass_subject(order.passenger_id, order.flight_id, coupon.sequence)
    stem = f"{booking.reference}-{segment.flight_number}-{coupon.sequence:04d}"
    ids = {"passenger_id": order.passenger_id, "flight_id": order.flight_id}
    pdf = await parts.typesetter.pdf("boarding_pass", sheet)
    png = await parts.typesetter.png("boarding_pass", sheet)
    return [
        MadeFile(DocumentKind.BOARDING_PASS, subject, f"{stem}.pdf", PDF, pdf, **ids),
        MadeFile(DocumentKind.BOARDING_PASS, subject, f"{stem}.png", PNG, png, **ids),
    ]


def pass_subject(passenger_id: object, flight_id: object, sequence: int | None) -> str:
    """What tells one pass from another: a new check-in of the same passenger is a new pass."""
    return f"{passenger_id}:{flight_id}:{sequence}"


_MAKERS: dict[DocumentKind, Callable[[DocumentParts, BookingView, Order], Coroutine[Any, Any, list[MadeFile]]]] = {
    DocumentKind.TICKET: _ticket,
    DocumentKind.RECEIPT: _receipt,
    DocumentKind.REFUND_RECEIPT: _refund_receipt,
    DocumentKind.BOARDING_PASS: _boarding_pass,
}
