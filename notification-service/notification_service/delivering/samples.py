"""Made-up facts for the preview of a template. Pure."""

from typing import Any

_FLIGHT = "0197f6d2-4b7e-7c3a-9a51-3f1f2b8f6c01"

SAMPLE_FACTS: dict[str, Any] = {
    "reference": "K7QX2M",
    "currency": "USD",
    "total_minor": 61240,
    "amount_minor": 61240,
    "price_minor": 39900,
    "refund_minor": 20000,
    "fee_minor": 500,
    "flight_id": _FLIGHT,
    "flight_number": "RQ101",
    "airline": "RQ",
    "airline_name": "Rihla Air",
    "origin": "DAC",
    "destination": "JED",
    "departure_at": "2026-12-01T08:30:00+06:00",
    "arrival_at": "2026-12-01T12:00:00+03:00",
    "terminal": "1",
    "gate": "A4",
    "delay_minutes": 45,
    "occurred_at": "2026-12-01T08:00:00+00:00",
    "client_ip": "203.0.113.7",
    "device": "Firefox on Linux",
    "answer_by": "2026-12-02T08:00:00+00:00",
    "payment_required_by": "2026-12-01T08:15:00+00:00",
    "full_name": "Amina Rahman",
    "number": "T-100001",
    "topic": "My bag is missing",
    "answer": "Dear Amina Rahman,\nwe found your bag in Jeddah. It arrives tomorrow.",
    "passport_expires_on": "2027-01-15",
    "visa_expires_on": "2026-12-01",
    "country": "SA",
    "segments": [
        {
            "flight_id": _FLIGHT,
            "flight_number": "RQ101",
            "airline": "RQ",
            "airline_name": "Rihla Air",
            "origin": "DAC",
            "destination": "JED",
            "departure_at": "2026-12-01T08:30:00+06:00",
            "arrival_at": "2026-12-01T12:00:00+03:00",
            "cabin": "economy",
            "terminal": "1",
            "gate": "A4",
        }
    ],
    "passengers": [
        {
            "given_name": "Amina",
            "surname": "Rahman",
            "e_ticket_number": "9011000000001",
            "coupons": [{"flight_id": _FLIGHT, "status": "open", "seat": "12A"}],
        }
    ],
}
