"""What flight-service refuses, in the words of a booking."""

from typing import Any

from booking_service.bookings.errors import (
    HoldLost,
    InvalidRequest,
    NotEnoughSeats,
    OfferChanged,
    OfferExpired,
    OfferNotValid,
    SeatTaken,
)
from rihla.http import UpstreamUnavailable
from rihla.kernel import DomainError

_WORDS: dict[str, type[DomainError]] = {
    "not-enough-seats": NotEnoughSeats,
    "seat-taken": SeatTaken,
    "offer-changed": OfferChanged,
    "offer-expired": OfferExpired,
    "hold-released": HoldLost,
    "hold-expired": HoldLost,
    "hold-unknown": HoldLost,
    "hold-content-differs": HoldLost,
    "hold-not-found": HoldLost,
    "invalid-offer": OfferNotValid,
    "offer-not-found": OfferNotValid,
    "offer-unknown": OfferNotValid,
    "offer-invalid": OfferNotValid,
}
_PROBLEM_MEMBERS = frozenset({"type", "title", "status", "code", "detail", "request_id", "instance"})


def refusal(status: int, problem: dict[str, Any]) -> DomainError:
    """The domain error for a problem document; UpstreamUnavailable for one that says nothing of the booking."""
    word = _WORDS.get(str(problem.get("code", "")))
    if word is not None:
        extensions = {key: value for key, value in problem.items() if key not in _PROBLEM_MEMBERS}
        return word(str(problem.get("detail", "")), **extensions)
    if status == 422:
        return InvalidRequest(*_translated(problem))
    return UpstreamUnavailable("Nothing is lost; try again in a moment.", upstream="flight")


def _translated(document: dict[str, Any]) -> list[tuple[str, str, str]]:
    """flight-service points into the hold's `lines`, which stand in the order of the caller's `passengers`."""
    findings = [
        (
            str(error.get("pointer", "")).replace("#/lines", "#/passengers", 1),
            str(error.get("code", "invalid")),
            str(error.get("message", "")),
        )
        for error in document.get("errors", [])
        if isinstance(error, dict)
    ]
    return findings or [("#", str(document.get("code", "invalid")), str(document.get("detail", "Not acceptable.")))]
