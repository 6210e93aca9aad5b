"""What travellers did and were told, as the verifier reads it, with times for the report."""

from __future__ import annotations

import json
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any


@dataclass
class Journey:
    """One simulated journey: when it began and ended (seconds of the run), and how."""

    kind: str
    honest: bool
    began: float
    ended: float = 0.0
    outcome: str = "unfinished"
    confirmed_at: float | None = None
    mailed_at: float | None = None

    @property
    def good(self) -> bool:
        return self.outcome == "done"


@dataclass
class History:
    """Appends to a JSONL file; each line is on its way to the disk before the traveller goes on."""

    path: Path
    file: IO[str] = field(init=False)
    began: float = field(default_factory=time.monotonic)
    journeys: list[Journey] = field(default_factory=list)
    told_wrongly: list[str] = field(default_factory=list)
    statuses: dict[str, int] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.path.parent.mkdir(parents=True, exist_ok=True)
        self.file = self.path.open("w", buffering=1)

    @property
    def now(self) -> float:
        """Seconds since the run began."""
        return time.monotonic() - self.began

    def restart(self) -> None:
        """The run begins now: signing up is not part of it."""
        self.began = time.monotonic()

    def tell(self, **line: Any) -> None:
        """One answer somebody saw."""
        self.statuses[str(line["status"])] = self.statuses.get(str(line["status"]), 0) + 1
        self.file.write(json.dumps({"at": round(self.now, 3), **line}) + "\n")

    def wrong(self, sentence: str) -> None:
        """Something a traveller saw that must never be seen."""
        self.told_wrongly.append(sentence)

    def close(self) -> None:
        self.file.close()
