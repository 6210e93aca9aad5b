"""What payments refuse."""

from rihla.kernel import DomainError


class BookingNotFound(DomainError):
    """No such booking of this person."""


class ChargeNotDue(DomainError):
    """The charge is paid, void, or being replaced."""


class PaymentWindowClosed(DomainError):
    """The time to pay this charge is over."""


class PaymentNotFound(DomainError):
    """No such payment of this person."""


class MethodNotAccepted(DomainError):
    """This way of paying cannot pay this charge (coins in a currency without a value, parts that do not add up)."""


class TillBusy(DomainError):
    """More payments wait to be written than this process should hold."""
