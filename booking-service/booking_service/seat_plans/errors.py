"""Domain words of seat plans."""

from rihla.kernel import DomainError


class SeatPlanUnknown(DomainError):
    """There is no plan of this id, or nothing was ever reserved for it."""


class SeatPlanNotPossible(DomainError):
    """A ride has no flight or no seat; `missing` lists each (date, route, reason). Nothing is held."""


class SeatPlanReleased(DomainError):
    """The plan was given back, or given up before it arrived."""


class SeatPlanExpired(DomainError):
    """The holds are gone and the seats are somebody else's by now."""


class SeatPlanDiffers(DomainError):
    """The id was used for another plan."""
