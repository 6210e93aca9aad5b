"""A check and what it finds."""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import datetime

from rihla_verifier.databases import Databases
from rihla_verifier.history import Told


@dataclass(frozen=True)
class Evidence:
    """All a check may look at. `now` is the verifier's own clock."""

    databases: Databases
    history: Sequence[Told]
    now: datetime


@dataclass(frozen=True)
class Check:
    """One promise. `find` gives a sentence for each violation; `needs` names the databases it reads."""

    name: str
    promise: str
    needs: tuple[str, ...]
    find: Callable[[Evidence], Awaitable[list[str]]]


@dataclass(frozen=True)
class Verdict:
    """What a check found; `findings` is None where it could not look."""

    check: Check
    findings: list[str] | None


async def judge(checks: Sequence[Check], evidence: Evidence) -> list[Verdict]:
    """Every check in turn."""
    verdicts: list[Verdict] = []
    for check in checks:
        missing = [name for name in check.needs if not evidence.databases.has(name)]
        verdicts.append(Verdict(check, None if missing else await check.find(evidence)))
    return verdicts


def table(verdicts: Sequence[Verdict], *, shown: int = 5) -> str:
    """The verdicts as text: a line a check, the first findings below it."""
    width = max(len(verdict.check.name) for verdict in verdicts)
    lines: list[str] = []
    for verdict in verdicts:
        if verdict.findings is None:
            state = "not looked at: a database is missing"
        elif verdict.findings:
            state = f"{len(verdict.findings)} VIOLATIONS"
        else:
            state = "holds"
        lines.append(f"{verdict.check.name:<{width}}  {state:<12}  {verdict.check.promise}")
        lines += [f"{'':<{width}}    - {finding}" for finding in (verdict.findings or [])[:shown]]
    return "\n".join(lines)


def sound(verdicts: Sequence[Verdict]) -> bool:
    """Whether every check looked and found nothing."""
    return all(verdict.findings == [] for verdict in verdicts)
