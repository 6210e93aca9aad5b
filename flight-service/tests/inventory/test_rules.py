"""Who of a group gets seats: the rule on plain values."""

from datetime import UTC, datetime
from uuid import UUID

from hypothesis import given
from hypothesis import strategies as st

from flight_service.inventory.hold import PreparedHold, SeatRow
from flight_service.inventory.rules import (
    CabinFull,
    CabinRead,
    FlashSoldOut,
    FlightMoved,
    RulesMoved,
    SeatOwned,
    Snapshot,
    StaleHold,
    allot,
)

A, B = ("a", "economy"), ("b", "economy")
NOBODY = UUID(int=0)


def hold(number, *takes, seats=(), flash=(), rules=0):
    rows = tuple(SeatRow(NOBODY, flight, "economy", seat, None, False, False) for flight, seat in seats)
    return PreparedHold(
        id=UUID(int=number),
        fingerprint=b"",
        offer_id="",
        expires_at=datetime(2026, 12, 1, tzinfo=UTC),
        currency="USD",
        total_minor=0,
        priced="",
        flights=tuple((cabin[0], 1) for cabin, _ in takes),
        takes=takes,
        rows=rows,
        flash_uses=flash,
        rules_version=rules,
    )


def read(a=10, b=10, *, owners=None, stale=(), **more):
    cabins = {A: CabinRead(a, 5, 1, True), B: CabinRead(b, 5, 1, True)}
    return Snapshot(cabins, owners or {}, {s.id: s for s in stale}, **more)


def test_first_come_first_served_and_a_refusal_takes_nothing():
    outcome = allot([hold(1, (A, 2)), hold(2, (A, 1), (B, 9)), hold(3, (A, 1)), hold(4, (B, 1))], read(a=3, b=1))
    assert outcome.refusals == [None, CabinFull(B, 1), None, None]
    assert outcome.takes == {A: 3, B: 1}


def test_an_offer_of_other_versions_is_refused():
    closed = read()
    closed.cabins[B].open = False
    closed.cabins[A].offer_version = 2
    unknown = ("c", "economy")
    outcome = allot([hold(1, (A, 1)), hold(2, (B, 1)), hold(3, (unknown, 1))], closed)
    assert outcome.refusals == [FlightMoved("a"), FlightMoved("b"), FlightMoved("c")]
    assert allot([hold(1, (A, 1), rules=3)], read(rules_version=4)).refusals == [RulesMoved()]
    assert allot([hold(1, (A, 1), rules=4)], read(rules_version=4)).refusals == [None]
    assert allot([hold(1, (A, 1), rules=3)], read(rules_version=None)).refusals == [None]


def test_a_seat_goes_to_the_first_who_asks():
    wanted = [("a", "1A")]
    outcome = allot([hold(1, (A, 1), seats=wanted), hold(2, (A, 1), seats=wanted)], read())
    assert outcome.refusals == [None, SeatOwned(("a", "1A"))]
    assert allot([hold(3, (A, 1), seats=wanted)], read(owners={("a", "1A"): "x"})).refusals == [SeatOwned(("a", "1A"))]


def test_expired_holds_give_way_oldest_first_and_only_as_many_as_needed():
    stale = [StaleHold("old", {A: 1, B: 2}), StaleHold("young", {A: 5})]
    outcome = allot([hold(1, (A, 1)), hold(2, (B, 2))], read(a=0, b=0, stale=stale))
    assert outcome.refusals == [None, None]
    assert outcome.stale == {"old"}
    outcome = allot([hold(1, (A, 7))], read(a=0, b=0, stale=stale))
    assert outcome.refusals == [CabinFull(A, 6)]
    assert outcome.stale == set(), "who is refused takes nothing away"


def test_the_holder_of_a_stale_seat_gives_all_its_seats_back():
    stale = [StaleHold("old", {A: 1, B: 2})]
    asked = [hold(1, (A, 1), seats=[("a", "1A")]), hold(2, (B, 2)), hold(3, (A, 1), seats=[("a", "1A")])]
    outcome = allot(asked, read(a=0, b=0, owners={("a", "1A"): "old"}, stale=stale))
    assert outcome.refusals == [None, None, SeatOwned(("a", "1A"))]


def test_a_limited_price_ends_with_its_stock():
    sale = UUID(int=9)
    asked = [
        hold(1, (A, 2), flash=((sale, 2),)),
        hold(2, (A, 2), flash=((sale, 2),)),
        hold(3, (A, 1), flash=((sale, 1),)),
    ]
    outcome = allot(asked, read(flash_left={sale: 3}))
    assert outcome.refusals == [None, FlashSoldOut(sale), None]


takes = st.lists(
    st.tuples(st.sampled_from([A, B]), st.integers(1, 4)), min_size=1, max_size=2, unique_by=lambda t: t[0]
)


@given(st.lists(takes, max_size=12), st.integers(0, 9), st.integers(0, 9), st.integers(0, 4), st.integers(0, 4))
def test_never_more_is_given_than_there_is(asked, a, b, stale_a, stale_b):
    stale = [StaleHold("s", {A: stale_a, B: stale_b})]
    outcome = allot([hold(n, *wanted) for n, wanted in enumerate(asked)], read(a, b, stale=stale))
    back = (stale_a, stale_b) if outcome.stale else (0, 0)
    assert outcome.takes.get(A, 0) <= a + back[0]
    assert outcome.takes.get(B, 0) <= b + back[1]
    given_away = {A: 0, B: 0}
    for wanted, refusal in zip(asked, outcome.refusals, strict=True):
        for cabin, seats in wanted if refusal is None else ():
            given_away[cabin] += seats
    assert given_away == {A: outcome.takes.get(A, 0), B: outcome.takes.get(B, 0)}
