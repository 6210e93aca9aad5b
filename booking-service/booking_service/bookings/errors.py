"""Domain words of a booking. The table in `booking_service/problems.py` gives each its status and code."""

from rihla.kernel import DomainError


class BookingNotFound(DomainError):
    """No such booking, or somebody else's."""


class PassengerNotFound(DomainError):
    """The booking has no such passenger."""


class InvalidRequest(DomainError):
    """The payload has the right form but says something that cannot be; `errors` point at where."""

    def __init__(self, *errors: tuple[str, str, str]) -> None:
        """`errors` are (JSON pointer, code, message)."""
        super().__init__(
            errors[0][2] if len(errors) == 1 else f"{len(errors)} fields are not acceptable.",
            errors=[{"pointer": pointer, "code": code, "message": message} for pointer, code, message in errors],
        )


class TooManyPassengers(DomainError):
    """More than ten on one booking."""


class BookingChangedMeanwhile(DomainError):
    """What the caller decided on is not how the booking stands now."""


class StepUnderWay(DomainError):
    """Another step of this booking is still being finished."""


class OfferExpired(DomainError):
    """The price lock of the offer has ended."""


class OfferChanged(DomainError):
    """The airline changed what was offered; `current_offer` is what it is now."""


class NotEnoughSeats(DomainError):
    """Fewer seats are left than were asked for."""


class SeatTaken(DomainError):
    """Somebody else has the seat."""


class OfferNotValid(DomainError):
    """The offer id is not one we made."""


class HoldLost(DomainError):
    """The hold is gone for good: released, or expired and taken by others."""


class ExtrasNotOffered(DomainError):
    """What was asked for cannot be bought for this booking now."""


class PromoCodeNotApplicable(DomainError):
    """The promo code does not fit this booking."""


class PromoCodeUsedUp(DomainError):
    """The promo code has no uses left."""


class SubscriptionNotActive(DomainError):
    """The plan is not the caller's, or not running now."""


class SubscriptionRouteNotCovered(DomainError):
    """The plan does not cover a segment of the booking."""


class SubscriptionRidesUsedUp(DomainError):
    """Fewer rides are left in the period than the booking has segments."""


class ChargeNotDue(DomainError):
    """The charge is paid, void or past its time."""


class LookupLimited(DomainError):
    """Too many wrong guesses; `retry_after` is in seconds."""
