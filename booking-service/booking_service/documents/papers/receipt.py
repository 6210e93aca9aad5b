"""What a receipt prints: of a payment (`refund` empty) or of a refund."""

from dataclasses import dataclass

from booking_service.documents.papers.ticket import ChargeLine


@dataclass(frozen=True, slots=True)
class ReceiptLine:
    """One passenger's one line on one flight, as apportioned when the booking was placed."""

    passenger: str
    flight: str
    name: str
    amount: str


@dataclass(frozen=True, slots=True)
class ReceiptSheet:
    title: str
    reference: str
    issued_on: str
    billed_to: str
    link: str
    qr_svg: str
    lines: tuple[ReceiptLine, ...]
    payments: tuple[ChargeLine, ...]
    total: ChargeLine
    notes: tuple[str, ...]
    keywords: tuple[str, ...]
