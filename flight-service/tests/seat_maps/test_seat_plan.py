"""Automatic seating: the rule on plain values."""

from uuid import UUID

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from flight_service.catalogue.layout import read_layout
from flight_service.seat_maps.seat_plan import Traveller, plan_seats

ECONOMY = read_layout(
    {
        "cabins": [
            {
                "cabin": "economy",
                "rows": [10, 16],
                "letters": "ABC DEF",
                "exit_rows": [13],
                "extra_legroom_rows": [10],
                "blocked": ["16F"],
            }
        ]
    }
).cabins["economy"]
ORDINARY = [row for row in ECONOMY.rows if row not in (10, 13)]


def people(*kinds, preference=None):
    """adult, child, lap (an adult with an infant), in order."""
    return [
        Traveller(UUID(int=n + 1), None, preference, kind == "child", kind == "lap") for n, kind in enumerate(kinds)
    ]


def seats(plan, party):
    return [plan.seats.get(traveller.passenger_id) for traveller in party]


def beside(a, b):
    return a[:-1] == b[:-1] and abs("ABC DEF".index(a[-1]) - "ABC DEF".index(b[-1])) == 1


def all_but(*free):
    return [designator for designator in ECONOMY.seats if designator not in free]


@pytest.mark.parametrize(("liked", "letters"), [("window", "AF"), ("aisle", "CD"), ("middle", "BE")])
def test_somebody_alone_sits_where_they_like(liked, letters):
    party = people("adult", preference=liked)
    plan = plan_seats(ECONOMY, (), party, "RQ1")
    assert seats(plan, party)[0][-1] in letters
    assert plan.notes == ()


def test_a_wish_that_cannot_be_met_is_said():
    party = people("adult", preference="window")
    plan = plan_seats(ECONOMY, all_but("12B", "12C"), party, "RQ1")
    assert seats(plan, party) == ["12B"]
    assert plan.notes == ("RQ1: no window seat could be given to one traveller.",)


def test_seats_sold_at_a_price_are_given_only_when_nothing_else_is_left():
    party = people("adult", preference="window")
    assert seats(plan_seats(ECONOMY, all_but("10A", "14B"), party, "RQ1"), party) == ["14B"]
    assert seats(plan_seats(ECONOMY, all_but("10A"), party, "RQ1"), party) == ["10A"]


def test_a_party_sits_together_though_single_seats_are_nearer_the_front():
    party = people("adult", "adult", "adult")
    free = ("11A", "12E", "14F", "15A", "15B", "15C")
    plan = plan_seats(ECONOMY, all_but(*free), party, "RQ1")
    assert sorted(seats(plan, party)) == ["15A", "15B", "15C"]
    assert plan.notes == ()


def test_four_sit_two_behind_two_rather_than_in_four_rows():
    party = people("adult", "adult", "adult", "adult")
    free = ("11A", "12F", "14A", "14B", "15A", "15B", "16E")
    assert sorted(seats(plan_seats(ECONOMY, all_but(*free), party, "RQ1"), party)) == ["14A", "14B", "15A", "15B"]


def test_a_party_that_cannot_sit_together_is_told():
    party = people("adult", "adult")
    plan = plan_seats(ECONOMY, all_but("11A", "16A"), party, "RQ1")
    assert sorted(seats(plan, party)) == ["11A", "16A"]
    assert plan.notes == ("RQ1: the party could not be seated together.",)


def test_each_child_sits_beside_an_adult():
    party = people("child", "child", "adult", "adult")
    plan = plan_seats(ECONOMY, (), party, "RQ1")
    given = dict(zip(["c1", "c2", "a1", "a2"], seats(plan, party), strict=True))
    for child in ("c1", "c2"):
        assert beside(given[child], given["a1"]) or beside(given[child], given["a2"])
    assert plan.notes == ()


def test_a_family_is_split_into_pairs_rather_than_leave_a_child_alone():
    party = people("child", "child", "adult", "adult")
    plan = plan_seats(ECONOMY, all_but("11A", "11B", "16A", "16B", "14C", "15C"), party, "RQ1")
    child_1, child_2, adult_1, adult_2 = seats(plan, party)
    assert {child_1[:-1], child_2[:-1]} == {"11", "16"}
    assert {adult_1[:-1], adult_2[:-1]} == {"11", "16"}


def test_a_child_joins_an_adult_who_chose_a_seat():
    party = [Traveller(UUID(int=1), "15B"), Traveller(UUID(int=2), under_12=True)]
    plan = plan_seats(ECONOMY, ["15B"], party, "RQ1")
    assert plan.seats[UUID(int=2)] in ("15A", "15C")


def test_a_child_that_cannot_sit_beside_an_adult_is_told():
    party = people("adult", "child")
    plan = plan_seats(ECONOMY, all_but("11A", "16A"), party, "RQ1")
    assert plan.notes == ("RQ1: A child could not be seated beside an adult of the booking.",)


@pytest.mark.parametrize("kind", ["child", "lap"])
def test_an_exit_row_is_never_given_to_a_child_or_an_adult_with_an_infant(kind):
    party = people("adult", kind)
    plan = plan_seats(ECONOMY, all_but("13A", "13B", "15A"), party, "RQ1")
    assert seats(plan, party)[1] == "15A"
    alone = people(kind)
    plan = plan_seats(ECONOMY, all_but("13A", "13B"), alone, "RQ1")
    assert plan.seats == {}
    assert "could not be given a suitable seat" in plan.notes[0]


def test_the_last_ordinary_seats_are_kept_for_those_who_may_not_sit_at_an_exit():
    adult = people("adult")
    assert seats(plan_seats(ECONOMY, all_but("11A", "13A", "13B"), adult, "RQ1"), adult)[0].startswith("13")


def test_blocked_and_taken_seats_are_never_given():
    party = people(*["adult"] * 6)
    plan = plan_seats(ECONOMY, all_but("16A", "16B", "16C", "16D", "16E", "16F"), party, "RQ1")
    assert sorted(plan.seats.values()) == ["16A", "16B", "16C", "16D", "16E"]


kinds = st.lists(st.sampled_from(["adult", "adult", "child", "lap"]), min_size=1, max_size=10)
wishes = st.sampled_from([None, "window", "aisle", "middle"])


@settings(max_examples=150, deadline=None)
@given(kinds, wishes, st.sets(st.sampled_from(sorted(ECONOMY.seats)), max_size=36))
def test_any_party_gets_different_free_allowed_seats_and_always_the_same(party_kinds, liked, taken):
    party = people(*party_kinds, preference=liked)
    plan = plan_seats(ECONOMY, taken, party, "RQ1")
    assert plan == plan_seats(ECONOMY, taken, list(reversed(party)), "RQ1")
    assert len(set(plan.seats.values())) == len(plan.seats)
    for traveller in party:
        seat = ECONOMY.seats.get(plan.seats.get(traveller.passenger_id, ""))
        if seat is None:
            continue
        assert not seat.blocked
        assert seat.designator not in taken
        assert not (traveller.barred_from_exits and "exit_row" in seat.features)
    free = [seat for seat in ECONOMY.seats.values() if not seat.blocked and seat.designator not in taken]
    ordinary = [seat for seat in free if "exit_row" not in seat.features]
    barred = sum(traveller.barred_from_exits for traveller in party)
    if len(ordinary) >= barred and len(free) >= len(party):
        assert len(plan.seats) == len(party), "whoever can be seated is seated"
