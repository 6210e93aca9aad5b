"""When a schedule flies: days of the week, local times, and what daylight saving makes of them. Pure."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

ALL_DAYS = 0b111_1111
DAY_NAMES = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")


@dataclass(frozen=True, slots=True)
class FlightTimes:
    """Instants in UTC, and the airports' own offsets from UTC at them, in minutes."""

    departure_at: datetime
    arrival_at: datetime
    departure_offset: int
    arrival_offset: int


def day_mask(names: list[str]) -> int:
    """The bits of weekday names; bit 0 is Monday."""
    return sum(1 << DAY_NAMES.index(name) for name in set(names))


def day_names(mask: int) -> list[str]:
    """The weekday names of a mask, Monday first."""
    return [name for bit, name in enumerate(DAY_NAMES) if mask >> bit & 1]


def operating_days(mask: int, valid_from: date, valid_until: date, first: date, last: date) -> Iterator[date]:
    """The local days from `first` to `last`, both included, on which the schedule flies."""
    day, end = max(valid_from, first), min(valid_until, last)
    while day <= end:
        if mask >> day.weekday() & 1:
            yield day
        day += timedelta(days=1)


def flight_times(
    day: date, departure: time, duration_minutes: int, origin: ZoneInfo, destination: ZoneInfo
) -> FlightTimes:
    """The instants of a flight that leaves at local time `departure` on `day` and takes `duration_minutes`.

    A local time that daylight saving skips is moved forward by the gap; one that happens twice means the first.
    """
    departure_at = datetime.combine(day, departure, origin).astimezone(UTC)
    arrival_at = departure_at + timedelta(minutes=duration_minutes)
    return FlightTimes(departure_at, arrival_at, utc_offset(departure_at, origin), utc_offset(arrival_at, destination))


def utc_offset(at: datetime, zone: ZoneInfo) -> int:
    """The zone's offset from UTC at an instant, in whole minutes."""
    offset = at.astimezone(zone).utcoffset()
    assert offset is not None
    return int(offset.total_seconds()) // 60
