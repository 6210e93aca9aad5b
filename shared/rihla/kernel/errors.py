"""The root of every domain error.

Rules and deeds raise domain words; they know no HTTP. Each service has one table from class to problem
(`rihla.web.problems`)::

    DomainError
    ├── NotEnoughSeats        flight-service
    ├── ChargeNotDue          booking-service
    └── ...
"""

from typing import Any


class DomainError(Exception):
    """Something the business refuses.

    `detail` is a sentence for the person who asked and says what to do next; `data` are facts that become
    extension members of the problem document.
    """

    def __init__(self, detail: str = "", **data: Any) -> None:
        super().__init__(detail)
        self.detail = detail
        self.data = data
