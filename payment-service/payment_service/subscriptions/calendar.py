"""Monthly periods that keep their day. Pure."""

import calendar
from datetime import date


def period_after(start: date, anchor_day: int) -> date:
    """The start of the next monthly period: the same day of the month, or the month's last when it is shorter."""
    year, month = (start.year + 1, 1) if start.month == 12 else (start.year, start.month + 1)
    return date(year, month, min(anchor_day, calendar.monthrange(year, month)[1]))
