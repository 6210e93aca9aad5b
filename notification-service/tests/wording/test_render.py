from datetime import UTC, datetime
from typing import Any

import pytest

from notification_service.wording.formats import money_in
from notification_service.wording.kinds import KINDS, LANGUAGES
from notification_service.wording.render import render, render_code, short_text

FLIGHT = "0197f6d2-4b7e-7c3a-9a51-3f1f2b8f6c01"
FACTS: dict[str, Any] = {
    "booking_id": "0197f6d2-4b7e-7c3a-9a51-3f1f2b8f6c10",
    "reference": "K7QX2M",
    "currency": "USD",
    "total_minor": 61240,
    "amount_minor": 61240,
    "price_minor": 61240,
    "refund_minor": 20000,
    "fee_minor": 500,
    "flight_id": FLIGHT,
    "occurred_at": "2026-12-01T08:00:00Z",
    "client_ip": "203.0.113.7",
    "device": "Firefox on Linux",
    "answer_by": "2026-12-02T08:00:00Z",
    "payment_required_by": "2026-12-01T08:15:00Z",
    "full_name": "<b>Amina</b>",
    "segments": [
        {
            "flight_id": FLIGHT,
            "flight_number": "RQ101",
            "airline": "RQ",
            "airline_name": "Rihla Air",
            "origin": "DAC",
            "destination": "JED",
            "departure_at": "2026-12-01T08:30:00+06:00",
            "arrival_at": "2026-12-01T12:00:00+03:00",
            "cabin": "economy",
        }
    ],
    "passengers": [
        {
            "given_name": "আমিনা",
            "surname": "<script>",
            "e_ticket_number": "9011000001",
            "coupons": [{"flight_id": FLIGHT, "status": "open", "seat": "12A"}],
        }
    ],
}


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_renders_in_every_language(kind: str, language: str) -> None:
    words = render(kind, FACTS, language, link="https://rihla.test/x", attached=["K7QX2M-tickets.pdf"])
    assert words.subject
    assert "\n" not in words.subject
    assert "https://rihla.test/x" in words.html
    assert "https://rihla.test/x" in words.text
    assert f'dir="{"rtl" if language in ("ar", "ur") else "ltr"}"' in words.html
    assert short_text(kind, FACTS, language)[1] == words.short


def test_names_from_outside_are_escaped_in_html_and_plain_in_text() -> None:
    words = render("booking_confirmed", FACTS, "en", link="https://rihla.test/x")
    assert "<script>" not in words.html
    assert "&lt;script&gt;" in words.html
    assert "আমিনা <script>" in words.text


def test_times_are_those_of_the_airport_and_say_so() -> None:
    text = render("booking_confirmed", FACTS, "en", link="l").text
    assert "08:30 (local time)" in text
    assert "12:00 (local time)" in text
    assert "Dhaka (DAC)" in text


def test_a_subject_cannot_grow_another_header() -> None:
    words = render("welcome", {"full_name": "Amina\r\nBcc: everybody@example.com"}, "en", link="l")
    assert "\r" not in words.subject
    assert "\n" not in words.subject


def test_money_has_the_digits_of_its_currency_in_the_readers_format() -> None:
    assert money_in("en", 61240, "USD") == "$612.40"
    assert money_in("en", 612, "JPY") == "¥612"
    assert money_in("en", 1234567, "KWD") == "KWD 1,234.567"
    assert "৬১২.৪০" in money_in("bn", 61240, "USD") or "612.40" in money_in("bn", 61240, "USD")


def test_the_mail_of_a_code_says_who_asked_and_until_when_and_hides_nothing_in_html() -> None:
    expires = datetime(2026, 12, 1, 8, 10, tzinfo=UTC)
    for language in LANGUAGES:
        words = render_code("login", language, code="482913", expires_at=expires, client_ip="203.0.113.7")
        for twin in (words.html, words.text):
            assert "482913" in twin
            assert "203.0.113.7" in twin
