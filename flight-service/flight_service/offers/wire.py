"""How instants, durations and money look outside. Pure; short, because search writes thousands of them a second."""

from datetime import UTC, datetime, timedelta, timezone
from functools import lru_cache

from flight_service.search.timetable import EPOCH
from rihla.kernel.money import format_minor


def local_time(minute: int, offset: int) -> datetime:
    """A timetable minute at an airport, with the airport's own offset."""
    return (EPOCH + timedelta(minutes=minute)).astimezone(timezone(timedelta(minutes=offset)))


_CLOCK = tuple(f"{minute // 60:02d}:{minute % 60:02d}:00" for minute in range(1440))


def local_text(minute: int, offset: int) -> str:
    """The same as RFC 3339: `2026-12-01T08:30:00+06:00`."""
    day, clock = divmod(minute + offset, 1440)
    return f"{_day(day)}T{_CLOCK[clock]}{_offset(offset)}"


@lru_cache(maxsize=2_000)
def _day(number: int) -> str:
    return (EPOCH + timedelta(days=number)).date().isoformat()


@lru_cache(maxsize=200)
def _offset(minutes: int) -> str:
    sign, size = ("-" if minutes < 0 else "+"), abs(minutes)
    return f"{sign}{size // 60:02d}:{size % 60:02d}"


def utc_text(at: datetime) -> str:
    """An instant as RFC 3339 in UTC, to the second: `2026-12-01T08:30:00Z`."""
    return at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


@lru_cache(maxsize=10_000)
def duration_text(minutes: int) -> str:
    """ISO 8601: `PT5H20M`."""
    hours, rest = divmod(minutes, 60)
    return f"PT{f'{hours}H' if hours else ''}{f'{rest}M' if rest or not hours else ''}"


def money(amount_minor: int, currency: str) -> dict[str, str]:
    """Money as the API shows it."""
    return {"amount": format_minor(amount_minor, currency), "currency": currency}
