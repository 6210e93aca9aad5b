"""Monthly periods that keep their day. Pure."""

import calendar
from datetime import UTC, date, datetime, time, timedelta
from typing import Final


def period_after(start: date, anchor_day: int) -> date:
    """The start of the next monthly period: the same day of the month, or the month's last when it is shorter."""
    year, month = (start.year + 1, 1) if start.month == 12 else (start.year, start.month + 1)
    return date(year, month, min(anchor_day, calendar.monthrange(year, month)[1]))


# Standing seats are renewed this long before their month, so that no ride is missed while a renewal is tried again.
_LEAD: Final = timedelta(days=7)


def renewal_at(ends_on: date, *, standing_seats: bool) -> datetime:
    """When a month that ends on `ends_on` (exclusive) is first renewed, at midnight UTC."""
    end = datetime.combine(ends_on, time(), UTC)
    return end - _LEAD if standing_seats else end
