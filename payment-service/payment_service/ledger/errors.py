"""What the ledger refuses."""

from rihla.kernel import DomainError


class InsufficientFunds(DomainError):
    """The account holds less than the posting takes from it."""


class WalletFrozen(DomainError):
    """The account is frozen: nothing may be taken from it until an administrator unfreezes it."""


class LedgerAccountUnknown(DomainError):
    """No such account."""
