"""How this service's refusals look outside."""

from flight_service.catalogue.layout import LayoutInvalid
from flight_service.errors import AirplaneBusy, AlreadyExists, FlightNotFound, InUse, NotFound
from flight_service.fares.cabin_fares import FareInvalid
from flight_service.fares.currencies import CurrencyUnknown, RatesInvalid
from flight_service.fares.rule_set import RuleSetInvalid
from flight_service.inventory.problems import PROBLEMS as INVENTORY_PROBLEMS
from flight_service.offers.offer_id import OfferInvalid
from flight_service.offers.open_offer import OfferChanged, OfferExpired, OfferNotFound
from flight_service.offers.price_hold import AgeMismatch, ExtraInvalid, PartyDiffers, SeatChoiceInvalid
from flight_service.schedules.operations import OperationRefused
from flight_service.search.follow_changes import TimetableStale
from rihla.web import ProblemSpec, ProblemTable

problems = ProblemTable(
    {
        **INVENTORY_PROBLEMS,
        AlreadyExists: ProblemSpec(409, "already-exists", "This exists already"),
        InUse: ProblemSpec(409, "in-use", "This is still in use"),
        FlightNotFound: ProblemSpec(404, "flight-not-found", "There is no such flight"),
        AirplaneBusy: ProblemSpec(409, "airplane-busy", "The airplane flies something else then"),
        OperationRefused: ProblemSpec(409, "operation-refused", "The flight's state does not allow this"),
        FareInvalid: ProblemSpec(422, "fare-invalid", "The fare is not valid"),
        NotFound: ProblemSpec(404, "not-found", "There is nothing here"),
        LayoutInvalid: ProblemSpec(422, "layout-invalid", "The seat layout is not valid"),
        RuleSetInvalid: ProblemSpec(422, "fare-rules-invalid", "The fare rules are not valid"),
        RatesInvalid: ProblemSpec(422, "rates-invalid", "The currency rates are not valid"),
        CurrencyUnknown: ProblemSpec(422, "unknown-currency", "No prices in this currency"),
        OfferInvalid: ProblemSpec(422, "offer-invalid", "The offer id is not valid"),
        OfferNotFound: ProblemSpec(404, "offer-not-found", "There is no such offer"),
        OfferExpired: ProblemSpec(410, "offer-expired", "The offer has expired"),
        OfferChanged: ProblemSpec(409, "offer-changed", "The offer has changed"),
        PartyDiffers: ProblemSpec(422, "party-differs", "The passengers are not those of the offer"),
        AgeMismatch: ProblemSpec(422, "age-mismatch", "A passenger's age does not fit"),
        SeatChoiceInvalid: ProblemSpec(422, "seat-not-available", "The seat cannot be chosen"),
        ExtraInvalid: ProblemSpec(422, "extra-not-available", "The extra cannot be added"),
        TimetableStale: ProblemSpec(503, "search-unavailable", "Search is not available just now", retry_after=2),
    }
)
