"""What the wallet refuses."""

from rihla.kernel import DomainError


class TopUpLimit(DomainError):
    """The amount is outside the limits of a top-up, or of what a wallet may hold."""
