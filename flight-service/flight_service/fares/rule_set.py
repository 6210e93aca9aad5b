"""A fare rule set as a pure value, read from the document admins edit (table `fare_rule_set`).

Percentages and multipliers are basis points (10,000 = 1.0), amounts are USD cents; every version is kept, so that an
offer prices by the version it was made with.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from rihla.kernel import DomainError

PassengerType = Literal["adult", "child", "infant", "senior", "student"]
PASSENGER_TYPES: tuple[PassengerType, ...] = ("adult", "child", "infant", "senior", "student")
"""Fixed order: offer ids pack counts in it."""
BrandName = Literal["basic", "standard", "flex"]
BRANDS: tuple[BrandName, ...] = ("basic", "standard", "flex")
"""Fixed order, cheapest first."""
FULL = 10_000


class RuleSetInvalid(DomainError):
    """The document is not a rule set; `pointer` in the data says where."""


@dataclass(frozen=True, slots=True)
class RefundBracket:
    """At least `hours_before` a slice's departure, a refund costs `fee_percent` of its fare."""

    hours_before: int
    fee_percent: int


@dataclass(frozen=True, slots=True)
class Brand:
    """What a fare brand includes. Weights in kg by cabin."""

    name: BrandName
    multiplier: int
    changeable: bool
    refundable: bool
    change_fee_minor: int
    seat_choice: Literal["free", "paid", "none"]
    seat_price_factor: int
    checked_kg: Mapping[str, int]
    cabin_kg: Mapping[str, int]
    fare_class: Mapping[str, str]
    refund_brackets: tuple[RefundBracket, ...]


@dataclass(frozen=True, slots=True)
class Tax:
    """A tax or charge of a country or airport (`place`; `*` is everywhere), per passenger and segment."""

    code: str
    name: str
    place: str
    at: Literal["departure", "arrival"]
    journeys: Literal["all", "domestic", "international"]
    amount_minor: int
    percent: int
    premium_multiplier: int
    exempt: frozenset[str]
    kind: Literal["tax", "charge"]
    refund_class: Literal["fare", "airport_tax"]


@dataclass(frozen=True, slots=True)
class Extra:
    """Something sold per passenger and segment beside the seat."""

    code: str
    name: str
    kind: Literal["bag", "meal", "service"]
    amount_minor: int
    by_distance: bool
    max_quantity: int
    kg: int = 0


@dataclass(frozen=True, slots=True)
class FareRules:
    """One version of the whole rule set."""

    version: int
    brands: Mapping[BrandName, Brand]
    type_factor: Mapping[PassengerType, int]
    type_discount: Mapping[PassengerType, int]
    load_steps: tuple[tuple[int, int], ...]
    day_steps: tuple[tuple[int, int], ...]
    early_bird_days: int
    early_bird_off: int
    last_minute_hours: int
    last_minute_max_load: int
    last_minute_off: int
    group_size: int
    group_off: int
    discount_cap: int
    taxes: tuple[Tax, ...]
    seat_prices: Mapping[str, int]
    distance_steps: tuple[tuple[int, int], ...]
    extras: Mapping[str, Extra]
    max_extra_kg: int


def read_rule_set(version: int, document: Mapping[str, Any]) -> FareRules:
    """Read and check a rule set. Raises RuleSetInvalid naming the part that is wrong."""
    part = ""
    try:
        part = "brands"
        brands = {name: _brand(name, document["brands"][name]) for name in BRANDS}
        part = "taxes"
        taxes = tuple(_tax(entry) for entry in document["taxes"])
        part = "extras"
        extras = {entry["code"]: Extra(**entry) for entry in document["extras"]}
        part = "passenger_types"
        types = document["passenger_types"]
        factor = {name: _ratio(types[name]["factor"], 0, FULL) for name in PASSENGER_TYPES}
        off = {name: _ratio(types[name].get("off", 0), 0, 5_000) for name in PASSENGER_TYPES}
        part = "load_steps"
        load_steps = _steps(document["load_steps"], top=100)
        part = "day_steps"
        day_steps = _steps(document["day_steps"], top=400)
        part = "seats"
        distance_steps = _steps(document["seats"]["distance_steps"], top=25_000)
        part = "discounts"
        early, last, group = (document["discounts"][name] for name in ("early_bird", "last_minute", "group"))
        return FareRules(
            version=version,
            brands=brands,
            type_factor=factor,
            type_discount=off,
            load_steps=load_steps,
            day_steps=day_steps,
            early_bird_days=int(early["days"]),
            early_bird_off=_ratio(early["off"], 0, 5_000),
            last_minute_hours=int(last["hours"]),
            last_minute_max_load=int(last["max_load"]),
            last_minute_off=_ratio(last["off"], 0, 5_000),
            group_size=int(group["size"]),
            group_off=_ratio(group["off"], 0, 5_000),
            discount_cap=_ratio(document["discounts"]["cap"], 0, 9_000),
            taxes=taxes,
            seat_prices={name: _amount(value) for name, value in document["seats"]["prices"].items()},
            distance_steps=distance_steps,
            extras=extras,
            max_extra_kg=int(document["max_extra_kg"]),
        )
    except (KeyError, TypeError, ValueError) as error:
        raise RuleSetInvalid(
            f"The rule set's part `{part}` is not complete or out of bounds: {error}.", pointer=f"/{part}"
        ) from error


def _brand(name: BrandName, entry: Mapping[str, Any]) -> Brand:
    brackets = tuple(RefundBracket(**bracket) for bracket in entry["refund_brackets"])
    hours = [bracket.hours_before for bracket in brackets]
    if hours != sorted(hours, reverse=True) or not hours or hours[-1] != 0:
        raise ValueError("refund brackets go from many hours down to 0")
    if any(not 0 <= bracket.fee_percent <= 100 for bracket in brackets):
        raise ValueError("a refund fee is 0 to 100 percent")
    if entry["seat_choice"] not in ("free", "paid", "none"):
        raise ValueError("seat_choice is free, paid or none")
    return Brand(
        name=name,
        multiplier=_ratio(entry["multiplier"], 1_000, 100_000),
        changeable=bool(entry["changeable"]),
        refundable=bool(entry["refundable"]),
        change_fee_minor=_amount(entry["change_fee_minor"]),
        seat_choice=entry["seat_choice"],
        seat_price_factor=_ratio(entry["seat_price_factor"], 0, 50_000),
        checked_kg=dict(entry["checked_kg"]),
        cabin_kg=dict(entry["cabin_kg"]),
        fare_class=dict(entry["fare_class"]),
        refund_brackets=brackets,
    )


def _tax(entry: Mapping[str, Any]) -> Tax:
    return Tax(
        code=entry["code"],
        name=entry["name"],
        place=entry["place"],
        at=entry["at"],
        journeys=entry["journeys"],
        amount_minor=_amount(entry.get("amount_minor", 0)),
        percent=_ratio(entry.get("percent", 0), 0, FULL),
        premium_multiplier=_ratio(entry.get("premium_multiplier", FULL), 0, 100_000),
        exempt=frozenset(entry.get("exempt", ())),
        kind=entry.get("kind", "tax"),
        refund_class=entry.get("refund_class", "airport_tax"),
    )


def _steps(entries: Any, *, top: int) -> tuple[tuple[int, int], ...]:
    """[[from, factor], ...]: rising, beginning at 0."""
    steps = tuple((int(start), _ratio(factor, 1_000, 100_000)) for start, factor in entries)
    starts = [start for start, _ in steps]
    if not steps or starts[0] != 0 or starts != sorted(set(starts)) or starts[-1] > top:
        raise ValueError(f"steps begin at 0, rise, and end at {top} at most")
    return steps


def _ratio(value: Any, low: int, high: int) -> int:
    if not isinstance(value, int) or not low <= value <= high:
        raise ValueError(f"{value!r} is not between {low} and {high} basis points")
    return value


def _amount(value: Any) -> int:
    if not isinstance(value, int) or not 0 <= value <= 100_000_000:
        raise ValueError(f"{value!r} is not an amount in cents")
    return value
