"""The report as Markdown: what was done, what came of it, and what must not be. `docs/chaos.md` is one of these."""

from __future__ import annotations

import os
from collections import Counter
from statistics import median

from rihla_chaos.crowd import FULL
from rihla_chaos.result import Result
from rihla_verifier.findings import table


def write(result: Result, *, picture: str = "timeline.svg") -> str:
    """The whole page; `picture` is where the timeline lies beside it."""
    parts = [
        *_head(result),
        f"![throughput, faults, recovery]({picture})",
        "",
        *_recoveries(result),
        *_blackouts(result),
        "## The verifier",
        "",
        "```",
        table(result.verdicts),
        "```",
        "",
        *_journeys(result),
        *_faults(result),
    ]
    return "\n".join(parts)


def _head(result: Result) -> list[str]:
    kinds = {one.kind for one in result.faults if one.done}
    done = sum(one.done for one in result.faults)
    missed = len(result.faults) - done
    several = f", {result.replicas} replicas of each service" if result.replicas > 1 else ""
    verdict = "No violation, and no manual step." if not result.violations else f"Violations: {len(result.violations)}."
    return [
        "# Chaos: the last long run",
        "",
        f"`{result.command}`: {done} faults of {len(kinds)} kinds in {result.seconds / 60:g} minutes, {result.rate:g} "
        f"journeys a second offered, documents and mail included{several}; {os.cpu_count()} cores, load average "
        f"{result.load_before:.1f} before the run."
        + (f" {missed} further faults could not be done." if missed else ""),
        "The seed makes the same plan again.",
        "",
        f"**{verdict}** {_outcome(result)}",
        "",
        *([*(f"- {text}" for text in result.violations), ""] if result.violations else []),
    ]


def _outcome(result: Result) -> str:
    honest = [one for one in result.journeys if one.honest]
    others = Counter(one.outcome for one in honest if not one.good)
    told = ", ".join(f"{count} {text}" for text, count in others.most_common(3))
    full = [one for one in honest if one.kind in FULL]
    confirmed = sorted(one.confirmed_at - one.began for one in full if one.confirmed_at is not None)
    sentences = [
        f"{len(result.journeys)} journeys began; {sum(one.good for one in honest)} of {len(honest)} honest ones did "
        f"what they set out to do{f' (the others: {told})' if told else ''}, {result.unfinished} were unfinished at "
        f"the end, {result.mails_missing} tickets had not come by mail in time."
    ]
    if confirmed:
        half, most = (confirmed[min(int(len(confirmed) * share), len(confirmed) - 1)] for share in (0.5, 0.95))
        sentences.append(f"Searched to confirmed, faults included: median {half:.2f} s, p95 {most:.2f} s.")
    return " ".join([*sentences, f"All was quiet {result.quiet_seconds:.1f} s after the last journey."])


def _recoveries(result: Result) -> list[str]:
    """For each kind of fault, how soon a journey that began after it succeeded."""
    lines = [
        "## How soon the journey works again",
        "",
        "From the end of the fault to the confirmation of the first journey that began after the fault did; after a "
        "fault of chat-service alone, to the end of the first conversation.",
        "",
        "| fault | times | median | slowest | may take |",
        "|--|--|--|--|--|",
    ]
    for kind in sorted({one.kind for one in result.faults if one.done}):
        mine = [one for one in result.faults if one.kind == kind and one.done]
        took = [one.recovered_after for one in mine if one.recovered_after is not None]
        slowest = _after(max(took)) if len(took) == len(mine) else "never"
        half = _after(median(took)) if took else "never"
        lines.append(f"| {kind} | {len(mine)} | {half} | {slowest} | {max(one.allowed for one in mine):.0f} s |")
    return [*lines, ""]


def _blackouts(result: Result) -> list[str]:
    lines: list[str] = []
    for one in result.faults:
        if one.kind == "blackout" and one.done:
            lines += [
                "## A restart of everything under load",
                "",
                f"At {one.began:.0f} s the launcher and everything below it (gateway, services, workers, PostgreSQL, "
                f"RabbitMQ, Redis) were killed with SIGKILL while people were booking. The stack was started again, "
                f"was ready after {one.ended - one.began:.1f} s, and a journey worked {_after(one.recovered_after)} "
                "later. That no booking a client was told of is lost (*told is true*), doubled (*one effect a key*), "
                "paid other than once (*paid once*) or told other than once (*confirmed once*) is below.",
                "",
            ]
    return lines


def _journeys(result: Result) -> list[str]:
    lines = ["## Journeys", "", "| kind | began | done | otherwise |", "|--|--|--|--|"]
    for kind in sorted({one.kind for one in result.journeys}):
        mine = [one for one in result.journeys if one.kind == kind]
        others = Counter(one.outcome for one in mine if not one.good).most_common(4)
        told = "; ".join(f"{count} x {text}" for text, count in others)
        lines.append(f"| {kind} | {len(mine)} | {sum(one.good for one in mine)} | {told} |")
    statuses = ", ".join(f"{status}: {count}" for status, count in sorted(result.statuses.items()))
    restarted = ", ".join(f"{name} {count}" for name, count in sorted(result.restarts.items()) if count)
    return [
        *lines,
        "",
        f"Answers by status (0: nobody answered): {statuses}.",
        "",
        f"Restarts since the last start: {restarted or 'none'}.",
        "",
    ]


def _faults(result: Result) -> list[str]:
    lines = [
        "## Faults",
        "",
        "| at | fault | target | lasted | journey works again | ticket mail | note |",
        "|--|--|--|--|--|--|--|",
    ]
    lines += [
        f"| {one.began:.0f} s | {one.kind} | {one.target} | {one.ended - one.began:.1f} s | "
        f"{_after(one.recovered_after)} | {_after(one.mail_after)} | {one.note} |"
        for one in result.faults
    ]
    return [*lines, ""]


def _after(seconds: float | None) -> str:
    return "never" if seconds is None else f"{seconds:.1f} s"
