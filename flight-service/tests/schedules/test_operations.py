"""What may happen to a flight, without a database."""

from datetime import UTC, datetime, timedelta

import pytest

from flight_service.schedules.operations import Change, FlightState, OperationRefused, operate

NOW = datetime(2026, 12, 1, 8, tzinfo=UTC)
STATE = FlightState("scheduled", NOW + timedelta(days=2), NOW + timedelta(days=2, hours=6), 0, None, "1")


def test_a_delay_makes_the_flight_delayed_and_taking_it_back_makes_it_scheduled() -> None:
    delayed = operate(STATE, Change(delay_minutes=40), NOW)
    assert (delayed.state.status, delayed.happenings, delayed.touches_offers) == ("delayed", ("delayed",), True)
    back = operate(delayed.state, Change(delay_minutes=0), NOW)
    assert (back.state.status, back.state.delay_minutes) == ("scheduled", 0)


def test_a_gate_is_told_and_ends_no_offer() -> None:
    done = operate(STATE, Change(gate="B14"), NOW)
    assert (done.happenings, done.touches_offers, done.state.gate) == (("gate_changed",), False, "B14")
    assert operate(done.state, Change(gate=""), NOW).state.gate is None


def test_a_moved_flight_keeps_its_duration() -> None:
    done = operate(STATE, Change(departure_at=STATE.departure_at + timedelta(hours=3)), NOW)
    assert done.state.arrival_at - done.state.departure_at == STATE.arrival_at - STATE.departure_at
    assert done.happenings == ("retimed",)


def test_nothing_asked_is_nothing_told() -> None:
    done = operate(STATE, Change(), NOW)
    assert (done.state, done.happenings, done.touches_offers) == (STATE, (), False)


@pytest.mark.parametrize(
    ("status", "change"),
    [
        ("cancelled", Change(status="scheduled")),
        ("departed", Change(delay_minutes=10)),
        ("departed", Change(status="cancelled")),
        ("arrived", Change(status="departed")),
        ("scheduled", Change(status="delayed")),
        ("boarding", Change(departure_at=NOW + timedelta(days=5))),
        ("scheduled", Change(departure_at=NOW - timedelta(minutes=1))),
    ],
)
def test_what_makes_no_sense_is_refused(status: str, change: Change) -> None:
    state = FlightState(status, STATE.departure_at, STATE.arrival_at, 0, None, None)
    with pytest.raises(OperationRefused):
        operate(state, change, NOW)
