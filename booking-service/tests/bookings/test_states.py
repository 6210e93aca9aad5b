"""The state machine: every arrow of api.md, and no other."""

from itertools import product

import pytest
from hypothesis import given
from hypothesis import strategies as st

from booking_service.bookings.states import (
    BOOKING_MOVES,
    COUPON_MOVES,
    PUBLIC_STATES,
    BookingState,
    ChargeState,
    CouponState,
    MoveNotAllowed,
    move_booking,
    move_charge,
    move_coupon,
    state_of_coupons,
)

B = BookingState
ARROWS = {
    (B.PENDING_PAYMENT, B.CONFIRMED),
    (B.PENDING_PAYMENT, B.EXPIRED),
    (B.PENDING_PAYMENT, B.CANCELLED),
    (B.EXPIRED, B.CONFIRMED),
    (B.CONFIRMED, B.DISRUPTED),
    (B.PARTIALLY_CANCELLED, B.DISRUPTED),
    (B.DISRUPTED, B.CONFIRMED),
    (B.DISRUPTED, B.PARTIALLY_CANCELLED),
    (B.CONFIRMED, B.PARTIALLY_CANCELLED),
    (B.CONFIRMED, B.CANCELLED),
    (B.PARTIALLY_CANCELLED, B.CANCELLED),
    (B.DISRUPTED, B.CANCELLED),
    (B.CONFIRMED, B.COMPLETED),
    (B.PARTIALLY_CANCELLED, B.COMPLETED),
}


@pytest.mark.parametrize(("state", "to"), list(product(sorted(PUBLIC_STATES), repeat=2)))
def test_a_booking_moves_along_the_arrows_and_nowhere_else(state: BookingState, to: BookingState) -> None:
    if (state, to) in ARROWS:
        assert move_booking(state, to) is to
    else:
        with pytest.raises(MoveNotAllowed):
            move_booking(state, to)


@given(st.lists(st.sampled_from(BookingState), max_size=12))
def test_no_walk_leaves_the_machine_and_the_ends_are_ends(wishes: list[BookingState]) -> None:
    state = B.PLACING
    for wish in wishes:
        before = state
        try:
            state = move_booking(state, wish)
        except MoveNotAllowed:
            continue
        assert before not in {B.CANCELLED, B.COMPLETED}
        assert not (before is B.EXPIRED and state is not B.CONFIRMED)


def test_a_flown_or_refunded_coupon_stays_so() -> None:
    for end in (CouponState.FLOWN, CouponState.REFUNDED, CouponState.VOID):
        assert COUPON_MOVES[end] == frozenset()
    with pytest.raises(MoveNotAllowed):
        move_coupon(CouponState.FLOWN, CouponState.REFUNDED)


def test_a_charge_is_paid_once() -> None:
    assert move_charge(ChargeState.DUE, ChargeState.PAID) is ChargeState.PAID
    for state in (ChargeState.PAID, ChargeState.REFUNDED):
        with pytest.raises(MoveNotAllowed):
            move_charge(state, ChargeState.PAID)


def test_every_state_can_be_left_or_is_an_end() -> None:
    ends = {state for state, moves in BOOKING_MOVES.items() if not moves}
    assert ends == {B.CANCELLED, B.COMPLETED}


@given(st.lists(st.sampled_from(CouponState), min_size=1))
def test_a_booking_is_what_its_coupons_are(coupons: list[CouponState]) -> None:
    gone = [coupon in {CouponState.REFUNDED, CouponState.VOID} for coupon in coupons]
    expected = B.CANCELLED if all(gone) else B.PARTIALLY_CANCELLED if any(gone) else B.CONFIRMED
    assert state_of_coupons(coupons) is expected
