"""Refusals that every capability of this service shares.

::

    DomainError
    ├── NotFound          no such airport, airline, aircraft, schedule, rule set
    │   └── FlightNotFound
    ├── AlreadyExists     the code or number is taken
    ├── InUse             something else still needs it
    └── AirplaneBusy      it flies something else at that time
"""

from rihla.kernel import DomainError


class NotFound(DomainError):
    """Nothing has this code or id."""


class FlightNotFound(NotFound):
    """No flight has this id, or it is not for this caller."""


class AlreadyExists(DomainError):
    """The code or number is taken."""


class InUse(DomainError):
    """It cannot be removed while something else needs it."""


class AirplaneBusy(DomainError):
    """The airplane is on another flight at that time."""
