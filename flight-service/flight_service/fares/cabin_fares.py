"""Fares by cabin as admins write them (US dollars) and as tables keep them (an array of cents). Pure."""

from collections.abc import Mapping, Sequence

from flight_service.catalogue.layout import CABINS, AircraftLayout, Cabin
from rihla.kernel import DomainError, Money

CURRENCY = "USD"
LARGEST_CENTS = 10_000_000


class FareInvalid(DomainError):
    """A fare is not an amount of US dollars, or is for a cabin the aircraft lacks."""


def read_fares(fares: Mapping[Cabin, str], layout: AircraftLayout, present: Sequence[int] | None = None) -> list[int]:
    """Cents by cabin; cabins not named keep what is `present`. Raises FareInvalid with pointers."""
    cents = list(present or [0] * len(CABINS))
    for cabin, amount in fares.items():
        pointer = f"#/fares/{cabin}"
        if cabin not in layout.cabins:
            raise invalid(pointer, "cabin-not-on-aircraft", f"The aircraft has no {cabin} cabin.")
        try:
            minor = Money.parse(amount, CURRENCY).amount_minor
        except ValueError as error:
            raise invalid(pointer, "invalid-amount", str(error)) from error
        if not 0 <= minor <= LARGEST_CENTS:
            raise invalid(pointer, "invalid-amount", "A fare is from 0 (not for sale) to 100,000 US dollars.")
        cents[CABINS.index(cabin)] = minor
    if not any(cents):
        raise invalid("#/fares", "fare-required", "At least one cabin needs a fare.")
    return cents


def invalid(pointer: str, code: str, message: str) -> FareInvalid:
    """A refusal with its place."""
    return FareInvalid(message, errors=[{"pointer": pointer, "code": code, "message": message}])


def show_fares(cents: Sequence[int]) -> dict[str, dict[str, str]]:
    """Money by cabin, cabins without a fare left out."""
    return {
        cabin: {"amount": Money(value, CURRENCY).decimal(), "currency": CURRENCY}
        for cabin, value in zip(CABINS, cents, strict=True)
        if value
    }
