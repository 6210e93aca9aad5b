"""What came of a run: everything the report tells, and what makes it fail."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from rihla_chaos.faults import Fault
from rihla_chaos.history import Journey
from rihla_verifier.findings import Verdict


@dataclass(frozen=True)
class Result:
    """`command` makes the same run again; `load_before` is the machine's load average as it began."""

    command: str
    replicas: int
    load_before: float
    rate: float
    seconds: float
    faults: Sequence[Fault]
    journeys: Sequence[Journey]
    told_wrongly: Sequence[str]
    slow: Sequence[str]
    quiet_seconds: float
    left: dict[str, int]
    verdicts: Sequence[Verdict]
    statuses: dict[str, int]
    unfinished: int
    mails_missing: int
    restarts: dict[str, int]

    @property
    def violations(self) -> list[str]:
        """What makes the run fail, in sentences."""
        return self.untrue + list(self.slow)

    @property
    def untrue(self) -> list[str]:
        """What must not be on a machine of any speed."""
        found = [f"{one.check.name}: {text}" for one in self.verdicts for text in (one.findings or [])]
        found += [f"{one.check.name}: could not look" for one in self.verdicts if one.findings is None]
        found += [f"told wrongly: {text}" for text in self.told_wrongly]
        return found + [
            f"still under way {self.quiet_seconds:.0f} s after the last journey: {n} {what}"
            for what, n in self.left.items()
        ]
