"""Local times, days of the week and daylight saving."""

from datetime import UTC, date, datetime, time
from zoneinfo import ZoneInfo

from flight_service.schedules.calendar import day_mask, day_names, flight_times, operating_days

LONDON, DHAKA = ZoneInfo("Europe/London"), ZoneInfo("Asia/Dhaka")


def test_a_schedule_keeps_its_local_time_over_a_clock_change() -> None:
    winter = flight_times(date(2027, 3, 27), time(9), 600, LONDON, DHAKA)
    summer = flight_times(date(2027, 3, 29), time(9), 600, LONDON, DHAKA)
    assert (winter.departure_at, winter.departure_offset) == (datetime(2027, 3, 27, 9, tzinfo=UTC), 0)
    assert (summer.departure_at, summer.departure_offset) == (datetime(2027, 3, 29, 8, tzinfo=UTC), 60)
    assert winter.arrival_offset == summer.arrival_offset == 360


def test_a_local_time_that_is_skipped_moves_forward_and_one_that_comes_twice_is_the_first() -> None:
    skipped = flight_times(date(2027, 3, 28), time(1, 30), 60, LONDON, LONDON)
    assert skipped.departure_at == datetime(2027, 3, 28, 1, 30, tzinfo=UTC)
    assert skipped.departure_offset == 60
    twice = flight_times(date(2027, 10, 31), time(1, 30), 60, LONDON, LONDON)
    assert twice.departure_at == datetime(2027, 10, 31, 0, 30, tzinfo=UTC)
    assert (twice.departure_offset, twice.arrival_offset) == (60, 0)


def test_days_of_the_week_bound_by_validity() -> None:
    mask = day_mask(["monday", "friday", "friday"])
    assert day_names(mask) == ["monday", "friday"]
    days = list(operating_days(mask, date(2026, 12, 1), date(2026, 12, 12), date(2026, 11, 1), date(2026, 12, 31)))
    assert days == [date(2026, 12, 4), date(2026, 12, 7), date(2026, 12, 11)]
