"""What simulated clients did and were told: one JSON object a line.

`{"who": "traveller-17", "deed": "book", "key": "...", "status": 201, "id": "...", "reference": "...", "code": ""}`
`id` is the booking's for `book`, the payment's for `pay` (with `booking_id`), the message's for `say` (with its text
in `said`; its `key` is the client's own id of it). A request nobody answered has status 0.
"""

import json
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any


@dataclass(frozen=True)
class Told:
    """One answer a client saw."""

    deed: str
    status: int
    key: str = ""
    id: str = ""
    booking_id: str = ""
    reference: str = ""
    code: str = ""
    said: str = ""

    @property
    def accepted(self) -> bool:
        """Whether the client was told that it happened."""
        return self.status in (200, 201)

    @property
    def refused(self) -> bool:
        """Whether the client was told that it did not happen and never will under this key."""
        return 400 <= self.status < 500 and self.code not in ("request-in-progress", "too-many-requests")


def read_history(path: Path) -> list[Told]:
    """Every line of the file; a line cut off by a killed client is passed over."""
    return list(_parse(path.read_text().splitlines()))


def _parse(lines: Iterable[str]) -> Iterable[Told]:
    known = set(Told.__dataclass_fields__)
    for line in lines:
        try:
            fields: dict[str, Any] = json.loads(line)
        except ValueError:
            continue
        yield Told(**{name: value for name, value in fields.items() if name in known})
