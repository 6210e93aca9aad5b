"""Who may travel together, and who is what age on the day: pure rules.

Sources: IATA passenger types (ADT, CHD, INF); api.md: at most ten on a booking, infants under 2 on a lap, one per
adult,
children 2-11, ages at departure.
"""

from collections.abc import Sequence
from datetime import date

from booking_service.bookings.name_rules import name_finding
from booking_service.placing.order import Order, Traveller

Finding = tuple[str, str, str]
"""(JSON pointer, code, message)"""

MOST_PASSENGERS = 10
ADULTS = frozenset({"adult", "senior"})
UNACCOMPANIED_MINOR = "UMNR"

# Lowest and highest age in whole years on the day of departure, both included.
AGES: dict[str, tuple[int, int]] = {
    "adult": (12, 130),
    "child": (2, 11),
    "infant": (0, 1),
    "senior": (60, 130),
    "student": (12, 130),
}


def age_on(born: date, day: date) -> int:
    """Whole years on `day`; somebody born on 29 February has their birthday on 1 March in other years."""
    return day.year - born.year - ((day.month, day.day) < (born.month, born.day))


def check_party(order: Order, today: date) -> list[Finding]:
    """Everything that can be said of an order before the flights are known. `today` in UTC."""
    findings = _check_counts(order.travellers) + _check_plan(order)
    for index, traveller in enumerate(order.travellers):
        findings += _check_traveller(index, traveller, today)
    return findings


def _check_plan(order: Order) -> list[Finding]:
    """Rides pay for the subscriber alone, so that what a cancellation gives back is never in doubt."""
    findings: list[Finding] = []
    if order.subscription_id is None:
        return findings
    if len(order.travellers) > 1:
        message = "Rides of a plan pay for one passenger; book the others separately."
        findings.append(("#/passengers", "plan-for-one-passenger", message))
    if order.promo_code:
        findings.append(("#/promo_code", "promo-code-with-plan", "Use either a promo code or a plan."))
    return findings


def _check_counts(travellers: Sequence[Traveller]) -> list[Finding]:
    types = [traveller.type for traveller in travellers]
    adults = sum(one in ADULTS for one in types)
    findings: list[Finding] = []
    if not travellers:
        findings.append(("#/passengers", "no-passengers", "A booking needs at least one passenger."))
    if len(travellers) > MOST_PASSENGERS:
        message = f"At most {MOST_PASSENGERS} passengers, infants included, fit on one booking."
        findings.append(("#/passengers", "too-many-passengers", message))
    if types.count("infant") > adults:
        findings.append(("#/passengers", "infant-without-adult", "Each infant needs an adult of its own to sit with."))
    if adults == 0 and "student" not in types and "child" in types:
        for index, traveller in enumerate(travellers):
            if traveller.type == "child" and UNACCOMPANIED_MINOR not in traveller.ssr:
                message = "A child travels with an adult, or with the service for unaccompanied minors (UMNR)."
                findings.append((f"#/passengers/{index}/type", "child-without-adult", message))
    return findings


def _check_traveller(index: int, traveller: Traveller, today: date) -> list[Finding]:
    at = f"#/passengers/{index}"
    findings: list[Finding] = []
    for member in ("given_name", "surname"):
        reason = name_finding(getattr(traveller, member))
        if reason:
            findings.append((f"{at}/{member}", "invalid-name", reason))
    if traveller.date_of_birth > today:
        findings.append((f"{at}/date_of_birth", "date-in-future", "The date of birth lies in the future."))
    elif age_on(traveller.date_of_birth, today) > AGES["adult"][1]:
        findings.append((f"{at}/date_of_birth", "date-too-early", "The date of birth is too long ago."))
    if traveller.passport and traveller.passport.expires_on <= today:
        findings.append((f"{at}/passport/expires_on", "passport-expired", "The passport has expired."))
    flights = [seat.flight_id for seat in traveller.seats]
    if len(set(flights)) != len(flights):
        findings.append((f"{at}/seats", "seat-chosen-twice", "A passenger takes one seat on each flight."))
    if traveller.seats and traveller.type == "infant":
        findings.append((f"{at}/seats", "infant-takes-no-seat", "An infant travels on an adult's lap."))
    return findings


def check_travel_days(travellers: Sequence[Traveller], departure: date, last_arrival: date) -> list[Finding]:
    """Ages on the local day of the first departure, and passports until the day of the last arrival.

    On later slices flight-service prices by the age of that day (a child who is 12 by then pays an adult's fare).
    """
    findings: list[Finding] = []
    for index, traveller in enumerate(travellers):
        at = f"#/passengers/{index}"
        lowest, highest = AGES[traveller.type]
        age = age_on(traveller.date_of_birth, departure)
        if not lowest <= age <= highest:
            message = (
                f"This passenger is {age} on the day of departure: not {_named(traveller.type)} ({lowest}-{highest})."
            )
            findings.append((f"{at}/date_of_birth", "age-does-not-fit", message))
        if traveller.passport and traveller.passport.expires_on < last_arrival:
            message = f"The passport expires before the journey ends on {last_arrival.isoformat()}."
            findings.append((f"{at}/passport/expires_on", "passport-expires-before-travel", message))
    return findings


def _named(kind: str) -> str:
    return f"an {kind}" if kind[0] in "ai" else f"a {kind}"


def laps(travellers: Sequence[Traveller]) -> dict[int, int]:
    """Which adult (by index) each infant (by index) sits with: the first infant with the first adult, and so on."""
    infants = [index for index, one in enumerate(travellers) if one.type == "infant"]
    adults = [index for index, one in enumerate(travellers) if one.type in ADULTS]
    return dict(zip(infants, adults, strict=False))
