"""From what was asked to what is searched: places resolved, dates and parties checked. Pure."""

from collections.abc import Sequence
from datetime import date, datetime, timedelta
from itertools import pairwise
from typing import NamedTuple

from flight_service.catalogue.distance import distance_km
from flight_service.catalogue.layout import Cabin
from flight_service.fares.rule_set import BRANDS, BrandName
from flight_service.fares.segment_price import Party
from flight_service.search.network import Network
from flight_service.search.reference import Airport, Reference
from flight_service.search.schemas import BANDS, MAX_PASSENGERS, Filters, OfferSearch, SearchParams
from rihla.kernel import Money
from rihla.web.problems import ValidationFailed

NEARBY_KM = 150
_DAY = 24 * 60
Error = dict[str, str]


class SliceWanted(NamedTuple):
    """One slice, its places resolved to airports that are served."""

    origins: tuple[str, ...]
    destinations: tuple[str, ...]
    days: tuple[date, ...]


class Query(NamedTuple):
    """A checked search. Windows are minutes of the local day, prices minor units."""

    slices: tuple[SliceWanted, ...]
    party: Party
    cabin: Cabin
    currency: str
    sort: str
    limit: int
    cursor: str | None
    max_stops: int | None
    airlines: tuple[str, ...]
    exclude_airlines: tuple[str, ...]
    flight_number: str | None
    price_min: int
    price_max: int | None
    departure_window: tuple[int, int] | None
    arrival_window: tuple[int, int] | None
    max_duration: int | None
    min_layover: int
    max_layover: int
    brand: BrandName | None
    """None: no brand of the rules has what was asked, so nothing fits."""


class _Asked(NamedTuple):
    pointer: str
    origin: str
    destination: str
    day: date


class QueryReader:
    """Reads searches against the present reference data."""

    def __init__(self, reference: Reference, network: Network, now: datetime) -> None:
        self._reference = reference
        self._network = network
        self._now = now
        self._tomorrow = now.date() + timedelta(days=1)
        """Wherever you are, later days lie ahead."""

    def from_params(self, params: SearchParams) -> Query:
        """A one-way or return search. Raises ValidationFailed with all that is wrong."""
        asked = [_Asked("#/query", params.origin, params.destination, params.departure_date)]
        errors: list[Error] = []
        if params.return_date is not None:
            if params.return_date < params.departure_date:
                errors.append(
                    _error("#/query/return_date", "return-before-departure", "The return is before the departure.")
                )
            asked.append(_Asked("#/query", params.destination, params.origin, params.return_date))
        return self._read(asked, params, params.counts(), params, "#/query", errors)

    def from_body(self, body: OfferSearch) -> Query:
        """A search of one to six slices. Raises ValidationFailed with all that is wrong."""
        asked = [
            _Asked(f"#/slices/{index}", part.origin, part.destination, part.departure_date)
            for index, part in enumerate(body.slices)
        ]
        errors = [
            _error(f"{later.pointer}/departure_date", "slices-out-of-order", "A slice leaves before the one before it.")
            for earlier, later in pairwise(asked)
            if later.day < earlier.day
        ]
        return self._read(asked, body, body.passengers.counts(), body.filters, "#/filters", errors)

    def _read(
        self,
        asked: Sequence[_Asked],
        options: SearchParams | OfferSearch,
        counts: tuple[int, int, int, int, int],
        filters: Filters,
        filter_pointer: str,
        errors: list[Error],
    ) -> Query:
        errors += self._party_errors(counts, "#/query" if filters is options else "#/passengers")
        slices = tuple([self._slice(part, options.flexible_days, filters.include_nearby, errors) for part in asked])
        scale = options.currency in self._reference.rates.micro
        if not scale:
            pointer = "#/query/currency" if filters is options else "#/currency"
            known = ", ".join(sorted(self._reference.rates.micro))
            errors.append(_error(pointer, "unknown-currency", f"Prices are offered in {known}."))
        price_min = self._amount(filters.price_min, options.currency, f"{filter_pointer}/price_min", errors) or 0
        price_max = self._amount(filters.price_max, options.currency, f"{filter_pointer}/price_max", errors)
        if price_max is not None and price_max < price_min:
            errors.append(_error(f"{filter_pointer}/price_max", "empty-range", "price_max is below price_min."))
        if (
            filters.min_layover is not None
            and filters.max_layover is not None
            and filters.max_layover < filters.min_layover
        ):
            errors.append(_error(f"{filter_pointer}/max_layover", "empty-range", "max_layover is below min_layover."))
        leaving = BANDS[filters.departure_band] if filters.departure_band else None
        if leaving is not None and (filters.departure_after or filters.departure_before):
            message = "Give a part of the day or two times, not both."
            errors.append(_error(f"{filter_pointer}/departure_band", "conflicting-filters", message))
        if errors:
            raise ValidationFailed(*errors, detail=errors[0]["message"])
        return Query(
            slices=slices,
            party=Party.of(counts),
            cabin=options.cabin,
            currency=options.currency,
            sort=options.sort,
            limit=options.limit,
            cursor=options.cursor,
            max_stops=filters.max_stops,
            airlines=tuple(sorted(set(filters.airlines))),
            exclude_airlines=tuple(sorted(set(filters.exclude_airlines))),
            flight_number=filters.flight_number,
            price_min=price_min,
            price_max=price_max,
            departure_window=_window(*(leaving or (filters.departure_after, filters.departure_before))),
            arrival_window=_window(filters.arrival_after, filters.arrival_before),
            max_duration=filters.max_duration,
            min_layover=filters.min_layover or 0,
            max_layover=filters.max_layover if filters.max_layover is not None else _DAY,
            brand=self._brand(options.cabin, filters),
        )

    def _party_errors(self, counts: tuple[int, int, int, int, int], pointer: str) -> list[Error]:
        adults, children, infants, seniors, students = counts
        grown = adults + seniors + students
        errors = []
        if sum(counts) > MAX_PASSENGERS:
            errors.append(
                _error(f"{pointer}/adults", "too-many-passengers", "A booking is for at most ten passengers.")
            )
        if infants > grown:
            errors.append(
                _error(f"{pointer}/infants", "too-many-infants", "Each infant needs an adult's lap of its own.")
            )
        if grown == 0:
            message = "Children travel with an adult." if children else "At least one passenger must travel."
            errors.append(_error(f"{pointer}/adults", "adult-required", message))
        return errors

    def _slice(self, part: _Asked, flexible: int, nearby: bool, errors: list[Error]) -> SliceWanted:
        origins = self._airports(part.origin, f"{part.pointer}/origin", errors)
        destinations = self._airports(part.destination, f"{part.pointer}/destination", errors)
        if part.origin == part.destination or (origins and set(origins) == set(destinations)):
            errors.append(_error(f"{part.pointer}/destination", "same-place", "Origin and destination are the same."))
        days = tuple([part.day + timedelta(days=shift) for shift in range(-flexible, flexible + 1)])
        if nearby:
            origins, destinations = self._with_nearby(origins), self._with_nearby(destinations)
        if days[0] > self._tomorrow:
            return SliceWanted(origins, destinations, days)
        first = min([self._today(code) for code in origins], default=self._now.date())
        if part.day < first:
            name = (
                "departure_date" if not any(e["pointer"].endswith("departure_date") for e in errors) else "return_date"
            )
            errors.append(_error(f"{part.pointer}/{name}", "date-in-past", f"Choose a day from {first} on."))
        return SliceWanted(origins, destinations, tuple(day for day in days if day >= first))

    def _airports(self, code: str, pointer: str, errors: list[Error]) -> tuple[str, ...]:
        if code in self._reference.airports:
            return (code,)
        members = self._reference.cities.get(code)
        if members is None:
            errors.append(_error(pointer, "unknown-place", f"There is no airport or city with the code {code}."))
            return ()
        return members

    def _with_nearby(self, codes: tuple[str, ...]) -> tuple[str, ...]:
        """Those airports, and served ones within NEARBY_KM."""
        served = self._network.out.keys() | self._network.into.keys()
        centres = [self._reference.airports[code] for code in codes]
        near = sorted(
            code for code in served if code not in codes and _is_near(self._reference.airports[code], centres)
        )
        return codes + tuple(near)

    def _today(self, airport: str) -> date:
        return self._now.astimezone(self._reference.airports[airport].zone).date()

    def _amount(self, text: str | None, currency: str, pointer: str, errors: list[Error]) -> int | None:
        if text is None:
            return None
        try:
            return Money.parse(text, currency).amount_minor
        except ValueError as error:
            errors.append(_error(pointer, "invalid-amount", str(error)))
            return None

    def _brand(self, cabin: Cabin, filters: Filters) -> BrandName | None:
        for name in (filters.fare_brand,) if filters.fare_brand else BRANDS:
            brand = self._reference.rules.brands[name]
            bag = brand.checked_kg[cabin] > 0
            if filters.refundable in (None, brand.refundable) and filters.checked_bag in (None, bag):
                return name
        return None


def _is_near(airport: Airport, centres: list[Airport]) -> bool:
    return any(
        abs(airport.latitude - c.latitude) < 2
        and distance_km(airport.latitude, airport.longitude, c.latitude, c.longitude) <= NEARBY_KM
        for c in centres
    )


def _window(after: str | None, before: str | None) -> tuple[int, int] | None:
    """Minutes of the day [after, before); a window over midnight has after > before."""
    if after is None and before is None:
        return None
    return _minute_of_day(after or "00:00"), _minute_of_day(before or "24:00")


def _minute_of_day(text: str) -> int:
    return int(text[:2]) * 60 + int(text[3:])


def _error(pointer: str, code: str, message: str) -> Error:
    return {"pointer": pointer, "code": code, "message": message}
