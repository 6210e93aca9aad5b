"""Whether a promo code applies to a booking, and what it takes off. Pure."""

from dataclasses import dataclass
from datetime import date, datetime
from itertools import pairwise
from typing import Literal

from payment_service.promos.errors import PromoCodeNotApplicable
from rihla.kernel import Money


@dataclass(frozen=True, slots=True)
class Promo:
    """The conditions of a code. Percentages are basis points (1 % = 100), rounded down to the minor unit."""

    code: str
    kind: Literal["percent", "fixed"]
    percent_basis_points: int | None = None
    value_minor: int | None = None
    currency: str | None = None
    max_discount_minor: int | None = None
    min_spend_minor: int = 0
    routes: tuple[str, ...] = ()
    airlines: tuple[str, ...] = ()
    cabins: tuple[str, ...] = ()
    first_booking_only: bool = False
    starts_at: datetime | None = None
    ends_at: datetime | None = None
    travel_from: date | None = None
    travel_until: date | None = None
    stackable: bool = True
    active: bool = True


@dataclass(frozen=True, slots=True)
class Trip:
    """What the code is to be used for. Unknown facts (None) are not tested: a check before placing knows little."""

    currency: str
    total_minor: int
    route: tuple[str, ...] = ()
    airlines: tuple[str, ...] = ()
    cabin: str | None = None
    departure_date: date | None = None
    first_booking: bool | None = None
    has_discount: bool = False


def discount(promo: Promo, trip: Trip, now: datetime) -> int:
    """Minor units to take off, at most the total. Raises PromoCodeNotApplicable with the reason for the traveller."""
    for applies, reason in _conditions(promo, trip, now):
        if not applies:
            raise PromoCodeNotApplicable(reason)
    if promo.kind == "fixed":
        amount = promo.value_minor or 0
    else:
        amount = trip.total_minor * (promo.percent_basis_points or 0) // 10_000
    if promo.max_discount_minor is not None:
        amount = min(amount, promo.max_discount_minor)
    amount = min(amount, trip.total_minor)
    if amount <= 0:
        raise PromoCodeNotApplicable("The code takes nothing off this total.")
    return amount


def _conditions(promo: Promo, trip: Trip, now: datetime) -> list[tuple[bool, str]]:
    least = Money(promo.min_spend_minor, promo.currency or trip.currency)
    return [
        (promo.active, "This code is not active."),
        (promo.starts_at is None or promo.starts_at <= now, "This code is not valid yet."),
        (promo.ends_at is None or now < promo.ends_at, "This code has ended."),
        (promo.currency in (None, trip.currency), f"This code is for prices in {promo.currency}."),
        (trip.total_minor >= promo.min_spend_minor, f"This code needs a total of {least} or more."),
        (_route_fits(promo.routes, trip.route), "This code is for other routes."),
        (_all_in(trip.airlines, promo.airlines), "This code is for other airlines."),
        (not promo.cabins or trip.cabin in (None, *promo.cabins), "This code is for other cabins."),
        (_travels_in(promo, trip.departure_date), "This code is for other travel dates."),
        (not promo.first_booking_only or trip.first_booking is not False, "This code is for a first booking."),
        (promo.stackable or not trip.has_discount, "This code cannot be used with another discount."),
    ]


def _route_fits(patterns: tuple[str, ...], route: tuple[str, ...]) -> bool:
    """Patterns are `DAC-JED`, `DAC-*` or `*-JED`; one leg, or the way from first to last airport, must match one."""
    if not patterns or not route:
        return True
    legs = {*pairwise(route), (route[0], route[-1])}
    wanted = [tuple(pattern.split("-", 1)) for pattern in patterns]
    return any(
        start in ("*", origin) and end in ("*", destination) for origin, destination in legs for start, end in wanted
    )


def _all_in(found: tuple[str, ...], allowed: tuple[str, ...]) -> bool:
    return not allowed or set(found) <= set(allowed)


def _travels_in(promo: Promo, departure: date | None) -> bool:
    if departure is None:
        return True
    return (promo.travel_from is None or promo.travel_from <= departure) and (
        promo.travel_until is None or departure <= promo.travel_until
    )


def free_slot(taken: set[int], limit: int) -> int | None:
    """The lowest of the slots 1..limit that is free; None when a person has used the code as often as allowed."""
    return next((slot for slot in range(1, limit + 1) if slot not in taken), None)
