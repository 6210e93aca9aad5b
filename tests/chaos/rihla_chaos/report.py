"""`report.md`: what was done, what came of it, and what must not be."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from rihla_chaos.crowd import FULL
from rihla_chaos.faults import Fault
from rihla_chaos.history import Journey
from rihla_verifier.findings import Verdict


@dataclass(frozen=True)
class Result:
    """Everything the report tells."""

    seed: int
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


def write(result: Result, verdict_table: str) -> str:
    """The report as Markdown."""
    honest = [one for one in result.journeys if one.honest]
    good = sum(one.good for one in honest)
    full = [one for one in honest if one.kind in FULL]
    confirmed = sorted(one.confirmed_at - one.began for one in full if one.confirmed_at is not None)
    kinds = Counter(one.kind for one in result.faults)
    missed = sum(not one.done for one in result.faults)
    lines = [
        "# Chaos report",
        "",
        f"Seed {result.seed}, {result.seconds:.0f} s, {result.rate:g} journeys a second offered; "
        f"{len(result.faults)} faults of {len(kinds)} kinds{f', {missed} could not be done' if missed else ''}.",
        "",
        f"**{'No violation.' if not result.violations else f'{len(result.violations)} VIOLATIONS'}** "
        f"Quiet after {result.quiet_seconds:.1f} s.",
        "",
        *(f"- {text}" for text in result.violations),
        "",
        f"{len(result.journeys)} journeys began; of {len(honest)} honest ones {good} did what they set out to do, "
        f"{result.unfinished} were unfinished at the end, {result.mails_missing} tickets had not come by mail in time.",
    ]
    if confirmed:
        half, most = (confirmed[min(int(len(confirmed) * share), len(confirmed) - 1)] for share in (0.5, 0.95))
        lines.append(f"Search to confirmed, faults included: p50 {half:.2f} s, p95 {most:.2f} s.")
    lines += ["", "![timeline](timeline.svg)", "", "## Faults", ""]
    lines += ["| at | fault | target | lasted | journey works again | ticket mail | note |", "|--|--|--|--|--|--|--|"]
    for one in result.faults:
        lines.append(
            f"| {one.began:.0f} s | {one.kind} | {one.target} | {one.ended - one.began:.1f} s | "
            f"{_after(one.recovered_after)} | {_after(one.mail_after)} | {one.note} |"
        )
    lines += ["", "## Journeys", "", "| kind | began | done | otherwise |", "|--|--|--|--|"]
    for kind in sorted({one.kind for one in result.journeys}):
        mine = [one for one in result.journeys if one.kind == kind]
        others = Counter(one.outcome for one in mine if not one.good).most_common(4)
        told = "; ".join(f"{count} x {text}" for text, count in others)
        lines.append(f"| {kind} | {len(mine)} | {sum(one.good for one in mine)} | {told} |")
    lines += ["", "Answers by status (0: nobody answered): "]
    lines.append(", ".join(f"{status}: {count}" for status, count in sorted(result.statuses.items())) + ".")
    restarted = ", ".join(f"{name} {count}" for name, count in sorted(result.restarts.items()) if count)
    lines += ["", f"Restarts since the last start: {restarted or 'none'}.", "", "## The verifier", ""]
    return "\n".join([*lines, "```", verdict_table, "```", ""])


def _after(seconds: float | None) -> str:
    return "never" if seconds is None else f"{seconds:.1f} s"
