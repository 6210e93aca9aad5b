"""What somebody wants from the assistant, and what it says. Pure: bookings and FAQ entries come as plain values."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

from chat_service.assistant.phrases import phrase
from chat_service.faq.words import overlap, words_of

CHECK_IN_OPENS = timedelta(hours=48)
CHECK_IN_CLOSES = timedelta(minutes=60)
GOOD_ENOUGH = 0.5
"""Share of the words asked for that an FAQ entry must speak of."""
_REFERENCE = re.compile(r"\b[A-HJ-NP-Z2-9]{6}\b")


class Intent(StrEnum):
    """What a question is about; FAQ is everything that is none of the others."""

    PERSON = "person"
    REFUND = "refund"
    CHECK_IN = "check_in"
    STATUS = "status"
    FAQ = "faq"


_MARKS: Mapping[Intent, tuple[str, ...]] = {
    Intent.PERSON: (
        r"\b(human|agent|person|somebody|someone|representative|operator|staff)\b",
        "موظف|شخص|إنسان",
        "মানুষ|প্রতিনিধি|কারো সাথে",
        "نمائندہ|انسان|کسی سے بات",
    ),
    Intent.REFUND: (r"\b(refund\w*|money back)\b", "استرداد|استرجاع", "ফেরত|রিফান্ড", "رقم کی واپسی|ریفنڈ"),
    Intent.CHECK_IN: (
        r"\b(check[\s-]?(ed[\s-]?)?in|boarding pass\w*)\b",
        "تسجيل الوصول|بطاقة الصعود",
        "চেক[\\s-]?ইন|বোর্ডিং",
        "چیک[\\s-]?ان|بورڈنگ",
    ),
    Intent.STATUS: (
        r"\b(my|status of)\b.*\b(booking|flight|trip|reservation|ticket)s?\b|\bstatus\b",
        "حجزي|رحلتي|حالة الحجز",
        "আমার (বুকিং|ফ্লাইট|টিকিট)|বুকিংয়ের অবস্থা",
        "میری (بکنگ|پرواز|فلائٹ)|بکنگ کی حالت",
    ),
}


@dataclass(frozen=True, slots=True)
class Source:
    """Where an answer comes from; `path` is the public address of it."""

    kind: str
    title: str
    path: str


@dataclass(frozen=True, slots=True)
class Reply:
    """What the assistant says, what it rests on, and the kinds of buttons it offers. It does nothing by itself."""

    text: str
    sources: Sequence[Source] = ()
    buttons: Sequence[str] = field(default=("talk_to_person",))


def intent_of(question: str) -> Intent:
    """The first intent whose marks are in the question, in the order above."""
    lowered = question.lower()
    for intent, marks in _MARKS.items():
        if any(re.search(mark, lowered) for mark in marks):
            return intent
    return Intent.FAQ


def needs_bookings(intent: Intent) -> bool:
    """Whether the answer rests on the person's own bookings."""
    return intent in (Intent.REFUND, Intent.CHECK_IN, Intent.STATUS)


def best_entry(question: str, entries: Sequence[Mapping[str, Any]]) -> Mapping[str, Any] | None:
    """The FAQ entry that speaks of most of what was asked, if that is enough; ties go to the more helpful one."""
    asked = words_of(question)
    scored = [
        (overlap(asked, f"{entry['question']} {entry['question']} {entry['answer']}"), entry["helpful"], number)
        for number, entry in enumerate(entries)
    ]
    if not scored:
        return None
    score, _, number = max(scored, key=lambda one: (one[0], one[1], -one[2]))
    return entries[number] if score >= GOOD_ENOUGH else None


def pick_booking(question: str, bookings: Sequence[Mapping[str, Any]]) -> Mapping[str, Any] | None:
    """The booking whose reference is in the question, else the first; None when a named one is not among them."""
    named = [word for word in _REFERENCE.findall(question.upper()) if any(sign.isdigit() for sign in word)]
    by_reference = {booking["reference"]: booking for booking in bookings}
    for reference in named:
        if reference in by_reference:
            return by_reference[reference]
    return None if named or not bookings else bookings[0]


def reply_about_booking(intent: Intent, booking: Mapping[str, Any] | None, now: datetime, language: str) -> Reply:
    """Status, refund or check-in of one booking, from its own data."""
    if booking is None:
        return Reply(phrase("no_booking", language), buttons=("talk_to_person", "open_ticket"))
    source = Source("booking", booking["reference"], f"/v1/bookings/{booking['id']}")
    about = {Intent.REFUND: _refund, Intent.CHECK_IN: _check_in}.get(intent, _status)
    return Reply(about(booking, now, language), (source,), ("talk_to_person", "open_ticket"))


def reply_from_entry(entry: Mapping[str, Any]) -> Reply:
    """An FAQ answer, word for word."""
    return Reply(entry["answer"], (Source("faq", entry["question"], f"/v1/faq/{entry['id']}"),))


def reply_to_call_for_person(language: str) -> Reply:
    """Handing over needs the person's yes, like every other deed."""
    return Reply(phrase("person", language))


def reply_when_lost(language: str) -> Reply:
    """Better no answer than a guess."""
    return Reply(phrase("lost", language), buttons=("talk_to_person", "open_ticket"))


def reply_without_bookings(language: str) -> Reply:
    """Bookings cannot be read at present."""
    return Reply(phrase("bookings_away", language), buttons=("talk_to_person", "open_ticket"))


def _status(booking: Mapping[str, Any], now: datetime, language: str) -> str:
    words = phrase("status", language, reference=booking["reference"], status=booking["status"].replace("_", " "))
    flights = [
        phrase(
            "flight",
            language,
            number=segment["flight_number"],
            origin=segment["origin"],
            destination=segment["destination"],
            at=datetime.fromisoformat(segment["departure_at"]).strftime("%Y-%m-%d %H:%M"),
            status=segment["status"],
        )
        for segment in _segments(booking)
    ]
    return "\n".join([words, *flights])


def _refund(booking: Mapping[str, Any], now: datetime, language: str) -> str:
    refunds = booking["refunds"]
    if not refunds:
        return phrase("no_refund", language, reference=booking["reference"])
    lines = [
        phrase(
            "refund",
            language,
            amount=refund["amount"]["amount"],
            currency=refund["amount"]["currency"],
            status=refund["status"],
        )
        for refund in refunds
    ]
    return "\n".join([phrase("refunds", language, reference=booking["reference"]), *lines])


def _check_in(booking: Mapping[str, Any], now: datetime, language: str) -> str:
    reference = booking["reference"]
    coming = [one for one in _segments(booking) if datetime.fromisoformat(one["departure_at"]) > now]
    if booking["status"] not in ("confirmed", "partially_cancelled", "disrupted") or not coming:
        return phrase("check_in_never", language, reference=reference)
    departs = datetime.fromisoformat(coming[0]["departure_at"])
    opens, closes = departs - CHECK_IN_OPENS, departs - CHECK_IN_CLOSES
    number = coming[0]["flight_number"]
    if now < opens:
        at = opens.strftime("%Y-%m-%d %H:%M")
        return phrase("check_in_later", language, reference=reference, number=number, at=at)
    if now > closes:
        return phrase("check_in_over", language, reference=reference, number=number)
    at = closes.strftime("%Y-%m-%d %H:%M")
    return phrase("check_in_open", language, reference=reference, number=number, at=at)


def _segments(booking: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    return [segment for part in booking["slices"] for segment in part["segments"]]
