"""What promo codes refuse."""

from rihla.kernel import DomainError


class PromoCodeNotFound(DomainError):
    """No such code."""


class PromoCodeExists(DomainError):
    """The code is taken."""


class PromoCodeNotApplicable(DomainError):
    """The code does not apply to this booking; the detail says why."""


class PromoUseReleased(PromoCodeNotApplicable):
    """The booking's use was released before; it cannot be reserved again."""


class PromoCodeUsedUp(DomainError):
    """The code's limit, or the person's, is reached."""
