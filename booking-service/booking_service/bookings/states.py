"""The state machine of a booking, its coupons and its charges: pure rules (api.md, "States").

```
                      ┌────────────► cancelled ◄──────────────┬───────────────┐
                      │                 ▲                     │               │
 placing ──► pending_payment ──► confirmed ◄──► disrupted ──► │               │
    │                 │            │  │ ▲           ▲                         │
    ▼                 ▼            │  │ └───┐       ▼                         │
 refused           expired ────────┘  └──► partially_cancelled ───────────────┘
                   (late payment)     │               │
                                      └► completed ◄──┘
```

`placing` and `refused` are internal: nobody but the deed that places a booking sees them. Confirming, cancelling and
changing
are steps that are kept as errands beside the booking (`bookings/errands.py`), so the state a person reads is always
true.
"""

from enum import StrEnum

from rihla.kernel import DomainError


class BookingState(StrEnum):
    """Where a booking stands."""

    PLACING = "placing"
    REFUSED = "refused"
    PENDING_PAYMENT = "pending_payment"
    CONFIRMED = "confirmed"
    EXPIRED = "expired"
    CANCELLED = "cancelled"
    PARTIALLY_CANCELLED = "partially_cancelled"
    DISRUPTED = "disrupted"
    COMPLETED = "completed"


class CouponState(StrEnum):
    """One passenger on one segment."""

    OPEN = "open"
    CHECKED_IN = "checked_in"
    FLOWN = "flown"
    REFUNDED = "refunded"
    VOID = "void"


class ChargeState(StrEnum):
    """What is to be paid, once."""

    DUE = "due"
    PAID = "paid"
    REFUNDED = "refunded"
    VOID = "void"


B, C, H = BookingState, CouponState, ChargeState

BOOKING_MOVES: dict[BookingState, frozenset[BookingState]] = {
    B.PLACING: frozenset({B.PENDING_PAYMENT, B.CONFIRMED, B.REFUSED}),
    B.REFUSED: frozenset({B.PLACING}),
    B.PENDING_PAYMENT: frozenset({B.CONFIRMED, B.EXPIRED, B.CANCELLED}),
    B.EXPIRED: frozenset({B.CONFIRMED}),
    B.CONFIRMED: frozenset({B.PARTIALLY_CANCELLED, B.DISRUPTED, B.CANCELLED, B.COMPLETED}),
    B.PARTIALLY_CANCELLED: frozenset({B.DISRUPTED, B.CANCELLED, B.COMPLETED}),
    B.DISRUPTED: frozenset({B.CONFIRMED, B.PARTIALLY_CANCELLED, B.CANCELLED}),
    B.CANCELLED: frozenset(),
    B.COMPLETED: frozenset(),
}

COUPON_MOVES: dict[CouponState, frozenset[CouponState]] = {
    C.OPEN: frozenset({C.CHECKED_IN, C.FLOWN, C.REFUNDED, C.VOID}),
    C.CHECKED_IN: frozenset({C.OPEN, C.FLOWN, C.REFUNDED, C.VOID}),
    C.FLOWN: frozenset(),
    C.REFUNDED: frozenset(),
    C.VOID: frozenset(),
}

CHARGE_MOVES: dict[ChargeState, frozenset[ChargeState]] = {
    H.DUE: frozenset({H.PAID, H.VOID}),
    # A late payment turns the charge of an expired booking from void to paid (or leaves it void and is refunded).
    H.VOID: frozenset({H.PAID}),
    H.PAID: frozenset({H.REFUNDED}),
    H.REFUNDED: frozenset(),
}

PUBLIC_STATES: frozenset[BookingState] = frozenset(BookingState) - {B.PLACING, B.REFUSED}
"""What a person may see in an answer or ask for in a list."""

TRAVELLING: frozenset[BookingState] = frozenset({B.CONFIRMED, B.PARTIALLY_CANCELLED, B.DISRUPTED})
"""Paid for and not at an end: seats are held, check-in and cancellation are possible."""

LIVE_COUPONS: frozenset[CouponState] = frozenset({C.OPEN, C.CHECKED_IN})


class MoveNotAllowed(DomainError):
    """The booking, coupon or charge cannot go from where it is to where it was asked to go."""


def move_booking(state: BookingState, to: BookingState) -> BookingState:
    """`to`, when the machine has that arrow; MoveNotAllowed otherwise."""
    if to not in BOOKING_MOVES[state]:
        raise MoveNotAllowed(f"A booking that is {state} cannot become {to}.", state=str(state), wanted=str(to))
    return to


def move_coupon(state: CouponState, to: CouponState) -> CouponState:
    """`to`, when the machine has that arrow; MoveNotAllowed otherwise."""
    if to not in COUPON_MOVES[state]:
        raise MoveNotAllowed(f"A coupon that is {state} cannot become {to}.", state=str(state), wanted=str(to))
    return to


def move_charge(state: ChargeState, to: ChargeState) -> ChargeState:
    """`to`, when the machine has that arrow; MoveNotAllowed otherwise."""
    if to not in CHARGE_MOVES[state]:
        raise MoveNotAllowed(f"A charge that is {state} cannot become {to}.", state=str(state), wanted=str(to))
    return to


def state_of_coupons(coupons: list[CouponState]) -> BookingState:
    """What a paid booking is, seen from its coupons: all gone is cancelled, some gone is partially cancelled."""
    gone = [coupon for coupon in coupons if coupon in {C.REFUNDED, C.VOID}]
    if len(gone) == len(coupons):
        return B.CANCELLED
    return B.PARTIALLY_CANCELLED if gone else B.CONFIRMED
