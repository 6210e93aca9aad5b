"""Open an offer: verify its id, find its flights unchanged, price it as it was locked."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from functools import partial
from itertools import pairwise
from typing import Any
from uuid import UUID

from flight_service.catalogue.layout import CABINS, AircraftLayout, Cabin
from flight_service.fares.currencies import CurrencyRates
from flight_service.fares.rule_set import BRANDS, BrandName
from flight_service.fares.rules import PriceContext
from flight_service.fares.segment_price import Party, SegmentPricer
from flight_service.offers.extras import priced_extras, seat_prices
from flight_service.offers.offer_id import OfferInvalid, OfferSigner, OfferTerms
from flight_service.offers.offer_view import (
    breakdown_document,
    offer_document,
    refund_document,
    services_document,
)
from flight_service.offers.opened_offer import LockedFares, OpenedOffer, OpenedSegment
from flight_service.offers.price_flights import FlightPricer, Terms
from flight_service.offers.wire import local_time, utc_text
from flight_service.search.follow_changes import TimetableFeed
from flight_service.search.timetable import SELLABLE, minutes
from rihla.kernel import Clock, DomainError


class OfferExpired(DomainError):
    """The offer's time is over."""


class OfferNotFound(DomainError):
    """The id in the path is not one of ours."""


class OfferChanged(DomainError):
    """Fare, schedule or status behind the offer was changed; `current_offer` in the data is what holds now, or null."""


class OfferDesk:
    """Opens offers and says what is current. `pricer` is shared with search, which remembers prices in it."""

    def __init__(self, feed: TimetableFeed, signer: OfferSigner, clock: Clock, lifetime: timedelta) -> None:
        self._feed = feed
        self.signer = signer
        self._clock = clock
        self.lifetime = lifetime
        self._pricer: FlightPricer | None = None
        self._older: dict[int, SegmentPricer] = {}

    @property
    def token(self) -> object:
        """Another object whenever rules, rates, airlines or flash sales known to this process have changed."""
        return self._feed.reference

    @property
    def pricer(self) -> FlightPricer:
        """The pricer of the present reference data and timetable."""
        if self._pricer is None or self._pricer.reference is not self._feed.reference:
            self._pricer = FlightPricer(self._feed, self._feed.reference)
            self._older.clear()
        return self._pricer

    async def open(self, offer_id: str) -> OpenedOffer:
        """The offer at its locked price. Raises OfferInvalid, OfferExpired, OfferChanged, TimetableStale."""
        terms = self.signer.decode(offer_id)
        if self._clock.now() >= terms.expires_at:
            raise OfferExpired(
                "This offer has expired; search again for the present price.", expired_at=utc_text(terms.expires_at)
            )
        await self._feed.fresh()
        if not self._unchanged(terms):
            raise OfferChanged(
                "The airline has changed this offer's fare, schedule or status; see the current offer.",
                current_offer=self._current(terms),
            )
        return self._opened(offer_id, terms)

    async def read(self, offer_id: str, *, test_mode: bool) -> dict[str, Any]:
        """The offer in its long form. Raises OfferNotFound for an id that is not ours, and what `open` raises."""
        try:
            terms = self.signer.decode(offer_id)
        except OfferInvalid as error:
            raise OfferNotFound("There is no such offer; search again.") from error
        if terms.test_mode != test_mode:
            raise OfferNotFound("There is no such offer; search again.")
        offer = await self.open(offer_id)
        free = {segment.flight_id: self._free(terms, index) for index, segment in enumerate(offer.segments)}
        brands = [self._current(replace(terms, brand=brand)) for brand in BRANDS]
        return {
            **offer_document(offer, free, self._feed.reference.airport_changes),
            "breakdown": breakdown_document(offer, self._pricer_of(terms)),
            "services": services_document(offer),
            "refund_schedule": refund_document(offer),
            "fare_options": [
                {
                    "fare_brand": name,
                    "offer_id": option["id"],
                    "total": option["price"]["total"],
                    "fare_rules": option["fare_rules"],
                }
                for name, option in zip(BRANDS, brands, strict=True)
                if option is not None
            ],
        }

    def _free(self, terms: OfferTerms, index: int) -> int:
        locked = [segment for part in terms.slices for segment in part][index]
        slot = self._feed.timetable.slot(locked.flight_no)
        return 0 if slot is None else self._feed.timetable.free[CABINS.index(terms.cabin)][slot]

    async def current(self, offer_id: str) -> dict[str, Any] | None:
        """The same flights for the same party at today's price, as an offer; None when they can no longer be sold."""
        await self._feed.fresh()
        return self._current(self.signer.decode(offer_id))

    def segments_of(self, documents: Sequence[Mapping[str, Any]], currency: str) -> tuple[OpenedSegment, ...]:
        """Segments of a stored hold at present prices of seats and extras (their fares are left out)."""
        pricer = self.pricer.segments
        segments = []
        for entry in documents:
            route = self.pricer.route(entry["origin"], entry["destination"])
            brand = pricer.rules.brands[entry["fare_brand"]]
            cabin: Cabin = entry["cabin"]
            values = {name: value for name, value in entry.items() if name != "baggage"} | dict(entry["baggage"])
            values["flight_id"] = UUID(str(entry["flight_id"]))
            for name in ("departure_at", "arrival_at"):
                values[name] = datetime.fromisoformat(entry[name])
            segments.append(
                OpenedSegment(
                    **values,
                    offer_version=0,
                    layout=self._layout(entry["aircraft"]).cabins[cabin],
                    fares={},
                    seats=seat_prices(pricer.rules, pricer.rates, currency, brand, cabin, route.distance_km),
                    extras=priced_extras(pricer.rules, pricer.rates, currency, route.distance_km),
                    max_extra_kg=pricer.rules.max_extra_kg,
                )
            )
        return tuple(segments)

    def _layout(self, aircraft: str) -> AircraftLayout:
        return self._feed.reference.layouts[aircraft]

    def _unchanged(self, terms: OfferTerms) -> bool:
        """Whether fare, schedule and status are those the offer was made with."""
        table, now = self._feed.timetable, minutes(self._clock.now())
        if terms.rules_version != self._feed.reference.rules.version:
            return False
        for locked in (segment for part in terms.slices for segment in part):
            if locked.flash_sale_no and locked.flash_sale_no not in self._feed.reference.flash_sales:
                return False
            slot = table.slot(locked.flight_no)
            if slot is None or table.version[slot] != locked.offer_version:
                return False
            if table.status[slot] not in SELLABLE or table.departure[slot] <= now:
                return False
        return True

    def _current(self, terms: OfferTerms) -> dict[str, Any] | None:
        table, party = self._feed.timetable, Party(terms.party)
        now, cabin = self._clock.now(), CABINS.index(terms.cabin)
        slots = [[table.slot(segment.flight_no) for segment in part] for part in terms.slices]
        found = [[slot for slot in part if slot is not None] for part in slots]
        if found != slots:
            return None
        for part in found:
            for slot in part:
                sellable = table.status[slot] in SELLABLE and table.departure[slot] > minutes(now)
                if not sellable or table.free[cabin][slot] < party.seated or not table.base[cabin][slot]:
                    return None
            if any(table.departure[b] <= table.arrival[a] for a, b in pairwise(part)):
                return None
        if terms.currency not in self._feed.reference.rates.micro:
            return None
        priced = Terms(terms.cabin, terms.brand, terms.currency, party, minutes(now))
        pricer = self.pricer
        renewed = replace(
            terms,
            issued_at=now.replace(microsecond=0),
            lifetime=self.lifetime,
            rules_version=pricer.reference.rules.version,
            rates_version=pricer.reference.rates.version,
            slices=tuple(tuple(pricer.lock(slot, priced) for slot in part) for part in found),
        )
        offer_id = self.signer.encode(renewed)
        free = {table.flight_id(slot): table.free[cabin][slot] for part in found for slot in part}
        return offer_document(self._opened(offer_id, renewed), free, self._feed.reference.airport_changes)

    def _opened(self, offer_id: str, terms: OfferTerms) -> OpenedOffer:
        pricer = self._pricer_of(terms)
        brand = pricer.rules.brands[terms.brand]
        party = Party(terms.party)
        segments = []
        for slice_index, part in enumerate(terms.slices):
            for segment_index, locked in enumerate(part):
                slot = self._feed.timetable.slot(locked.flight_no)
                if slot is None:
                    raise OfferInvalid("This offer is for a flight that is no longer listed; search again.")
                sale = self._feed.reference.flash_sales.get(locked.flash_sale_no)
                cabin = CABINS.index(terms.cabin)
                context = PriceContext(
                    base_minor=self._feed.timetable.base[cabin][slot],
                    cabin=terms.cabin,
                    load_percent=locked.load_percent,
                    hours_ahead=(self._feed.timetable.departure[slot] - minutes(terms.issued_at)) // 60,
                    seated=party.seated,
                    flash_percent=sale.percent_off if sale else 0,
                )
                segments.append(
                    self._segment(slot, slice_index, segment_index, terms, context, pricer, sale.id if sale else None)
                )
        return OpenedOffer(
            offer_id=offer_id,
            issued_at=terms.issued_at,
            expires_at=terms.expires_at,
            currency=terms.currency,
            cabin=terms.cabin,
            brand=brand,
            change_fee_minor=pricer.rates.convert(brand.change_fee_minor, terms.currency),
            party=dict(party.items()),
            segments=tuple(segments),
            test_mode=terms.test_mode,
            rules_version=terms.rules_version,
        )

    def _pricer_of(self, terms: OfferTerms) -> SegmentPricer:
        """The rules of now (an offer of other rules has changed) with the rates the offer was made with."""
        present = self.pricer
        if terms.rates_version == present.reference.rates.version:
            return present.segments
        if terms.rates_version not in self._older:
            rates: CurrencyRates | None = present.reference.rates_of(terms.rates_version)
            if rates is None:
                raise OfferInvalid("This offer was made with currency rates that are no longer kept; search again.")
            self._older[terms.rates_version] = SegmentPricer(present.reference.rules, rates)
        return self._older[terms.rates_version]

    def _segment(
        self,
        slot: int,
        slice_index: int,
        segment_index: int,
        terms: OfferTerms,
        context: PriceContext,
        pricer: SegmentPricer,
        flash_sale_id: UUID | None,
    ) -> OpenedSegment:
        table, airlines = self._feed.timetable, self._feed.reference.airlines
        airline = airlines[table.airline[slot]]
        route = self.pricer.route(table.origin[slot], table.destination[slot])
        brand = pricer.rules.brands[terms.brand]
        name: BrandName = terms.brand
        return OpenedSegment(
            flight_id=table.flight_id(slot),
            offer_version=table.version[slot],
            slice_index=slice_index,
            segment_index=segment_index,
            flight_number=table.number[slot],
            airline=airline.iata,
            airline_name=airline.name,
            accounting_code=airline.accounting_code,
            aircraft=table.aircraft[slot],
            origin=table.origin[slot],
            destination=table.destination[slot],
            departure_at=local_time(table.departure[slot], table.departure_offset[slot]),
            arrival_at=local_time(table.arrival[slot], table.arrival_offset[slot]),
            duration_minutes=table.arrival[slot] - table.departure[slot],
            terminal=table.terminal[slot],
            gate=table.gate[slot],
            status=table.status[slot],
            cabin=terms.cabin,
            fare_brand=name,
            fare_class=brand.fare_class[terms.cabin],
            international=route.international,
            checked_kg=brand.checked_kg[terms.cabin],
            cabin_kg=brand.cabin_kg[terms.cabin],
            layout=self._layout(table.aircraft[slot]).cabins[terms.cabin],
            fares=LockedFares(partial(pricer.lines, terms.currency, name, route, context)),
            seats=seat_prices(pricer.rules, pricer.rates, terms.currency, brand, terms.cabin, route.distance_km),
            extras=priced_extras(pricer.rules, pricer.rates, terms.currency, route.distance_km),
            max_extra_kg=pricer.rules.max_extra_kg,
            flash_sale_id=flash_sale_id,
            context=context,
        )
