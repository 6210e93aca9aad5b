"""The one table from domain word to problem document (RFC 9457)."""

from booking_service.bookings import errors, states
from booking_service.cancelling import errors as cancelling
from booking_service.changing import errors as changing
from booking_service.check_in import errors as check_in
from booking_service.disruptions import errors as disruptions
from booking_service.documents.errors import DOCUMENT_PROBLEMS
from booking_service.placing.desk import TooManyAtOnce
from booking_service.placing.hold_budget import TooManyUnpaidBookings
from booking_service.seat_plans import errors as seat_plans
from rihla.web import ProblemSpec, ProblemTable

PROBLEMS = ProblemTable(
    {
        errors.BookingNotFound: ProblemSpec(404, "booking-not-found", "There is no such booking"),
        errors.PassengerNotFound: ProblemSpec(404, "passenger-not-found", "The booking has no such passenger"),
        errors.InvalidRequest: ProblemSpec(422, "validation-failed", "The request is not valid"),
        errors.OfferNotValid: ProblemSpec(422, "invalid-offer", "The offer id is not valid"),
        errors.OfferExpired: ProblemSpec(410, "offer-expired", "The offer has expired"),
        errors.OfferChanged: ProblemSpec(409, "offer-changed", "The airline changed this offer"),
        errors.NotEnoughSeats: ProblemSpec(409, "not-enough-seats", "Not enough seats are left"),
        errors.SeatTaken: ProblemSpec(409, "seat-taken", "The seat is taken"),
        errors.HoldLost: ProblemSpec(409, "hold-lost", "The seats are no longer held"),
        errors.ExtrasNotOffered: ProblemSpec(409, "extras-not-offered", "These extras are not offered now"),
        errors.PromoCodeNotApplicable: ProblemSpec(
            409, "promo-code-not-applicable", "The promo code does not fit this booking"
        ),
        errors.PromoCodeUsedUp: ProblemSpec(409, "promo-code-used-up", "The promo code is used up"),
        errors.SubscriptionNotActive: ProblemSpec(409, "subscription-not-active", "The plan is not active"),
        errors.SubscriptionRouteNotCovered: ProblemSpec(
            409, "subscription-route-not-covered", "The plan does not cover this route"
        ),
        errors.SubscriptionRidesUsedUp: ProblemSpec(409, "subscription-rides-used-up", "The rides are used up"),
        TooManyUnpaidBookings: ProblemSpec(409, "too-many-unpaid-bookings", "Too many unpaid bookings"),
        TooManyAtOnce: ProblemSpec(429, "too-many-requests", "Too many are booking at this moment", retry_after=1),
        errors.ChargeNotDue: ProblemSpec(409, "charge-not-due", "Nothing is due"),
        errors.BookingChangedMeanwhile: ProblemSpec(409, "booking-changed", "The booking has changed meanwhile"),
        errors.StepUnderWay: ProblemSpec(
            409, "booking-step-under-way", "Another step of this booking is being finished", retry_after=1
        ),
        errors.LookupLimited: ProblemSpec(429, "too-many-lookups", "Too many wrong guesses"),
        states.MoveNotAllowed: ProblemSpec(409, "booking-state-conflict", "The booking's state does not allow this"),
        cancelling.NothingToCancel: ProblemSpec(409, "nothing-to-cancel", "There is nothing left to cancel"),
        cancelling.AlreadyDeparted: ProblemSpec(409, "flight-departed", "The flight has left"),
        cancelling.QuoteNotFound: ProblemSpec(404, "quote-not-found", "There is no such quote"),
        cancelling.QuoteExpired: ProblemSpec(410, "quote-expired", "The quote has expired"),
        cancelling.QuoteOutdated: ProblemSpec(409, "quote-outdated", "The booking changed after this quote"),
        check_in.CheckInNotOpen: ProblemSpec(409, "check-in-not-open", "Check-in is not open yet"),
        check_in.CheckInClosed: ProblemSpec(409, "check-in-closed", "Check-in has closed"),
        check_in.PassportRequired: ProblemSpec(409, "passport-required", "Passport data are needed first"),
        check_in.NotCheckedIn: ProblemSpec(409, "not-checked-in", "The passenger is not checked in"),
        check_in.NothingToCheckIn: ProblemSpec(409, "nothing-to-check-in", "Nobody can be checked in"),
        changing.SeatNotOffered: ProblemSpec(409, "seat-not-offered", "This seat cannot be chosen now"),
        changing.NotChangeable: ProblemSpec(409, "not-changeable", "The fare does not allow this change"),
        changing.OtherRoute: ProblemSpec(409, "other-route", "The new flight goes elsewhere"),
        disruptions.NoDisruption: ProblemSpec(409, "no-disruption", "There is nothing to answer"),
        seat_plans.SeatPlanUnknown: ProblemSpec(404, "seat-plan-unknown", "There is no such seat plan"),
        seat_plans.SeatPlanNotPossible: ProblemSpec(409, "seat-plan-not-possible", "Not every ride can be had"),
        seat_plans.SeatPlanReleased: ProblemSpec(409, "seat-plan-released", "The seat plan was released"),
        seat_plans.SeatPlanExpired: ProblemSpec(409, "seat-plan-expired", "The seats are no longer held"),
        seat_plans.SeatPlanDiffers: ProblemSpec(422, "seat-plan-differs", "The id was used for another plan"),
        **DOCUMENT_PROBLEMS,
    }
)
