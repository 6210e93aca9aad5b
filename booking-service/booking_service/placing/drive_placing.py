"""Drive a placing that has begun to its end, whoever began it: hold, promo code, store. Every call repeats harmlessly.

The ids were fixed by the first transaction, so the request's own process, the caller's repeat and the sweeper do the
same
thing; `attempt` fences the slower ones off in the database.
"""

from dataclasses import replace
from datetime import timedelta
from typing import Any

from booking_service.bookings import errors, facts
from booking_service.bookings.errors import HoldLost, InvalidRequest, NotEnoughSeats, OfferNotValid, SeatTaken
from booking_service.bookings.hold import Hold
from booking_service.bookings.view import BookingView
from booking_service.bookings.wire import booking_json
from booking_service.bootstrap import Container
from booking_service.placing.compose import Placing, compose
from booking_service.placing.refusal_store import Ending
from booking_service.placing.rules import check_travel_days
from booking_service.placing.seal_order import sealed_order
from booking_service.placing.store import place_values
from booking_service.problems import PROBLEMS
from rihla.contracts.events import Envelope
from rihla.db.idempotency import RequestInProgress
from rihla.http import UpstreamUnavailable
from rihla.kernel import DomainError, new_id
from rihla.web.idempotency import IdempotentRequest

TEST_AIRLINE = "ZZ"
_OUTAGE = "outage"
_NOTHING_HELD = (NotEnoughSeats, SeatTaken)
_LATE_HOLD = timedelta(seconds=10)
"""When flight-service said no, only a call that is still on its way could hold anything: its tombstone may wait until
the rush that sold the last seat is over."""


async def drive(c: Container, placing: Placing, idem: IdempotentRequest | None) -> tuple[BookingView, bytes]:
    """Hold, reserve, store. The booking and its JSON.

    Raises what flight-service or payment-service refuse, UpstreamUnavailable when one does not answer, and
    RequestInProgress when another process has taken this placing over.
    """
    order = placing.order
    expires_at = placing.payment_required_by + c.settings.hold_grace
    hold = await c.flights.put_hold(placing.hold_id, order.offer_id, expires_at, order.hold_lines())
    check_hold(placing, hold)
    discount = await _reserve_discount(c, placing, hold)
    view = compose(replace(placing, order=sealed_order(c.cipher, order)), hold, discount)
    return view, await _store(c, placing, view, idem)


def check_hold(placing: Placing, hold: Hold) -> None:
    """What can only be said once the flights are known. Raises InvalidRequest or OfferNotValid."""
    if not hold.adds_up():
        raise UpstreamUnavailable("The price of this offer could not be read; try again.", upstream="flight")
    departure = min(segment.departure_at for segment in hold.segments)
    arrival = max(segment.arrival_at for segment in hold.segments)
    findings = check_travel_days(placing.order.travellers, departure.date(), arrival.date())
    if findings:
        raise InvalidRequest(*findings)
    if placing.test_mode != all(segment.airline == TEST_AIRLINE for segment in hold.segments):
        raise OfferNotValid("Test keys book the test airline ZZ, and nobody else does.")


def promo_question(placing: Placing, hold: Hold) -> dict[str, Any]:
    """What payment-service needs to judge a code (contracts.md)."""
    first, last = hold.segments[0], hold.segments[-1]
    of_first_slice = [segment for segment in hold.segments if segment.slice_index == first.slice_index]
    return {
        "code": placing.order.promo_code,
        "user_id": placing.user_id,
        "currency": hold.currency,
        "lines_minor": [line.amount_minor for line in hold.price_lines],
        "total_minor": hold.total_minor,
        "route": [first.origin, of_first_slice[-1].destination if of_first_slice else last.destination],
        "airlines": sorted({segment.airline for segment in hold.segments}),
        "cabin": first.cabin,
        "departure_date": first.departure_at.date(),
    }


def rides_question(placing: Placing, hold: Hold) -> dict[str, Any]:
    """What payment-service needs to pay a booking with rides (contracts.md): `lines_minor` is the fare of each segment,
    in the order of `segments`.
    """
    segments = sorted(hold.segments, key=lambda one: (one.slice_index, one.segment_index))
    fares = dict.fromkeys((segment.flight_id for segment in segments), 0)
    for line in hold.price_lines:
        if line.refund_class == "fare":
            fares[line.flight_id] += line.amount_minor
    return {
        "subscription_id": placing.order.subscription_id,
        "user_id": placing.user_id,
        "segments": [
            {
                "flight_id": one.flight_id,
                "route": f"{one.origin}-{one.destination}",
                "cabin": one.cabin,
                "local_date": one.departure_at.date(),
            }
            for one in segments
        ],
        "passenger_count": len(placing.order.travellers),
        "currency": hold.currency,
        "lines_minor": [fares[one.flight_id] for one in segments],
    }


async def _reserve_discount(c: Container, placing: Placing, hold: Hold) -> int:
    expires_at = placing.payment_required_by + c.settings.hold_grace
    if placing.order.subscription_id:
        rides = {**rides_question(placing, hold), "expires_at": expires_at}
        return (await c.payments.reserve_rides(placing.booking_id, rides)).discount_minor
    if not placing.order.promo_code:
        return 0
    use = await c.payments.reserve_promo(
        placing.booking_id, {**promo_question(placing, hold), "expires_at": expires_at}
    )
    return use.discount_minor


async def _store(c: Container, placing: Placing, view: BookingView, idem: IdempotentRequest | None) -> bytes:
    now = c.clock.now()
    body = booking_json(view, now)
    event = facts.created(view)
    envelope = Envelope.of(event, subject=str(view.id), sequence=1, time=now)
    sold = place_values(
        view,
        attempt=placing.attempt,
        step=None if view.total_minor else "confirming",
        errand_id=new_id(),
        envelope=envelope,
        idem=idem,
        body=body,
        now=now,
    )
    if not await c.placings.place(sold):
        raise RequestInProgress("Another try of this request is being finished; ask again shortly.")
    return body


async def give_up(c: Container, placing: Placing, error: DomainError, idem: IdempotentRequest | None) -> bool:
    """End the attempt without a booking: whatever was or will be held under its ids is released, for good.

    The hold's release leaves a tombstone if the hold itself is still on its way. False when another process took over.
    """
    now = c.clock.now()
    order, refusal = placing.order, refusal_of(error)
    late = _LATE_HOLD if isinstance(error, _NOTHING_HELD) else timedelta(0)
    promo, rides = ["release_promo"] * bool(order.promo_code), ["release_rides"] * bool(order.subscription_id)
    # A repeat of the request hears the same refusal; after an outage or a mistake it is a new attempt.
    mistaken = isinstance(error, InvalidRequest | OfferNotValid)
    lasting = not mistaken and refusal["kind"] != _OUTAGE
    ending = Ending(
        refusal=refusal,
        errands=["release_hold", *promo, *rides],
        due_at=now + late,
        answer=idem.saved_refusal(error, PROBLEMS) if idem is not None and lasting else None,
        forget_key=mistaken,
    )
    return await c.placings.refuse(placing, ending, idem, now=now)


def refusal_of(error: DomainError) -> dict[str, Any]:
    """The refusal as it is kept with the booking, to be said again to a repeat."""
    if isinstance(error, UpstreamUnavailable | HoldLost):
        return {"kind": _OUTAGE}
    return {"kind": type(error).__name__, "detail": error.detail, "data": error.data}


def refusal_again(refusal: dict[str, Any] | None) -> DomainError | None:
    """The domain error a kept refusal stands for; None when only an outage ended the attempt, and it may begin
    again.
    """
    if refusal is None or refusal["kind"] == _OUTAGE:
        return None
    kind = getattr(errors, refusal["kind"], DomainError)
    error: DomainError = kind.__new__(kind)
    DomainError.__init__(error, refusal["detail"], **refusal["data"])
    return error
