"""How dates, times, names, cabins and fare rules are worded on paper. English; names keep their own script."""

from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from typing import Any, Final

from booking_service.documents.papers.printable import printable
from booking_service.documents.papers.romanise import latin_name
from rihla.kernel import Money

AirportName = Callable[[str], str]

_DAYS: Final = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
_MONTHS: Final = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
_KINDS: Final = {"adult": "Adult", "child": "Child", "infant": "Infant", "senior": "Senior", "student": "Student"}
_SSR: Final = {
    "WCHR": "Wheelchair to the aircraft",
    "WCHS": "Wheelchair, cannot climb steps",
    "WCHC": "Wheelchair to the seat",
    "MOML": "Muslim (halal) meal",
    "VGML": "Vegan meal",
    "HNML": "Hindu meal",
    "KSML": "Kosher meal",
    "CHML": "Child meal",
    "INFT": "Infant on lap",
    "UMNR": "Unaccompanied minor",
    "BLND": "Blind passenger",
    "DEAF": "Deaf passenger",
}
# Product row BK26: report three hours before departure, one hour in a premium cabin.
_REPORT_ECONOMY: Final = timedelta(hours=3)
_REPORT_PREMIUM: Final = timedelta(hours=1)
_BOARDING: Final = timedelta(minutes=35)
_GATE_CLOSES: Final = timedelta(minutes=15)


def date_words(at: datetime) -> str:
    """`Tue 1 Dec 2026`, in the time zone the instant carries."""
    return f"{_DAYS[at.weekday()]} {at.day} {_MONTHS[at.month - 1]} {at.year}"


def time_words(at: datetime) -> str:
    """`08:30`, in the time zone the instant carries."""
    return f"{at.hour:02d}:{at.minute:02d}"


def zone_words(at: datetime) -> str:
    """`UTC+06:00`."""
    offset = at.strftime("%z") or "+0000"
    return f"UTC{offset[:3]}:{offset[3:5]}"


def duration_words(minutes: int) -> str:
    """`6 h 30 min`."""
    return f"{minutes // 60} h {minutes % 60:02d} min"


def money_words(amount_minor: int, currency: str) -> str:
    """`USD 612.40`, with the currency's own digits."""
    return f"{currency} {Money(amount_minor, currency).decimal()}"


def cabin_words(cabin: str) -> str:
    """`Premium economy`."""
    return cabin.replace("_", " ").capitalize()


def kind_words(kind: str) -> str:
    """`Adult`, `Infant`, ..."""
    return _KINDS.get(kind, kind.capitalize())


def request_words(ssr: tuple[str, ...]) -> str:
    """Special service requests in plain words, the code behind."""
    return ", ".join(f"{_SSR[code]} ({code})" if code in _SSR else code for code in ssr)


def full_name(given_name: str, surname: str) -> str:
    """The name as the traveller writes it."""
    return f"{given_name} {surname}".strip()


def printed_name(given_name: str, surname: str) -> str:
    """The name as our fonts can print it."""
    return printable(full_name(given_name, surname))


def airline_name_of(given_name: str, surname: str, title: str | None) -> str:
    """`RAHMAN/AMINA MS`, as an airline keys it; for a script we cannot romanise, the name as it is printed."""
    family, given = latin_name(surname), latin_name(given_name)
    if not family and not given:
        return printed_name(given_name, surname)
    return f"{family or given}/{given or family} {latin_name(title or '')}".strip()


def report_time(departure: datetime, cabin: str) -> str:
    """When to be at the airport."""
    return time_words(departure - (_REPORT_ECONOMY if cabin in ("economy", "premium_economy") else _REPORT_PREMIUM))


def boarding_time(departure: datetime) -> str:
    """When boarding begins: 35 minutes before departure."""
    return time_words(departure - _BOARDING)


def gate_closing_time(departure: datetime) -> str:
    """When the gate closes: 15 minutes before departure."""
    return time_words(departure - _GATE_CLOSES)


def fare_rule_words(rules: Mapping[str, Any], currency: str) -> tuple[str, ...]:
    """The conditions of the fare as sentences, from the rules flight-service sold."""
    lines = []
    if rules.get("changeable"):
        fee = int(rules.get("change_fee_minor") or 0)
        price = f"a fee of {money_words(fee, currency)} and the fare difference" if fee else "the fare difference"
        lines.append(f"Changes are allowed for {price}.")
    else:
        lines.append("Changes of flight are not allowed.")
    if rules.get("refundable"):
        lines.append("On cancellation the fare is returned less the fee below; unused airport taxes always return.")
        lines.extend(_bracket_words(rules.get("refund_brackets") or ()))
    else:
        lines.append("The fare is not refundable; unused airport taxes always return.")
    return tuple(lines)


def _bracket_words(brackets: Any) -> list[str]:
    lines = []
    for bracket in sorted(brackets, key=lambda one: -int(one["hours_before"])):
        hours, fee = int(bracket["hours_before"]), bracket["fee_percent"]
        when = "Later" if hours == 0 else f"More than {_span(hours)} before departure"
        lines.append(f"{when}: {fee} % of the fare.")
    return lines


def _span(hours: int) -> str:
    return f"{hours // 24} days" if hours % 24 == 0 and hours > 48 else f"{hours} hours"


INSTRUCTIONS: Final = (
    "Be at the airport three hours before departure, one hour in business or first class. Boarding begins 35 minutes "
    "and the gate closes 15 minutes before departure.",
    "Check in online from 48 hours to 60 minutes before departure; international flights need a valid passport.",
    "Carry the document you booked with. All times are local times of the airport.",
)
