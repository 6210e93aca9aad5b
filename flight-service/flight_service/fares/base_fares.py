"""Published base fares by distance, for schedules that bring none of their own. Pure."""

from collections.abc import Iterable

from flight_service.catalogue.layout import CABINS

_FIXED_CENTS = 2_900
# (kilometres in the band, cents a kilometre): the further, the cheaper a kilometre
_BANDS = ((1_000, 9), (3_000, 6), (30_000, 4))
_CABIN_PERCENT = {"economy": 100, "premium_economy": 170, "business": 320, "first": 540}


def base_fares(kilometres: int, cabins: Iterable[str]) -> list[int]:
    """USD cents by cabin in the order of layout.CABINS; 0 where the aircraft has no such cabin. Whole dollars."""
    cents, left = _FIXED_CENTS, kilometres
    for band, rate in _BANDS:
        cents += min(left, band) * rate
        left = max(left - band, 0)
    present = set(cabins)
    return [cents * _CABIN_PERCENT[cabin] // 10_000 * 100 if cabin in present else 0 for cabin in CABINS]
