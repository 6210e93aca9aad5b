"""When people can be called: whole hours of the desk's day, from the next full hour for seven days. Pure."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

DAYS_AHEAD = 7
_LEAD = timedelta(minutes=30)


def desk_hours(text: str) -> tuple[int, int]:
    """`4-18` is 04:00 to 18:00 UTC, the last call beginning at 17:00. ValueError for hours that make no day."""
    first, _, last = text.partition("-")
    hours = int(first), int(last)
    if not 0 <= hours[0] < hours[1] <= 24:
        raise ValueError("the desk's hours go from an earlier to a later hour of one day")
    return hours


def slots(now: datetime, hours: tuple[int, int]) -> list[datetime]:
    """Every slot that can be asked for."""
    midnight = now.astimezone(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
    found = [
        midnight + timedelta(days=day, hours=hour)
        for day in range(DAYS_AHEAD + 1)
        for hour in range(hours[0], hours[1])
    ]
    return [slot for slot in found if now + _LEAD <= slot <= now + timedelta(days=DAYS_AHEAD)]


def free_place(taken: Sequence[int], places: int) -> int | None:
    """The lowest place nobody sits on."""
    return next((place for place in range(places) if place not in taken), None)
