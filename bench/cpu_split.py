"""Where the processor's time goes: seconds of each process of a stack, PostgreSQL's told apart by database."""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import Any

from rihla_local.memory import children

_TICKS = os.sysconf("SC_CLK_TCK")
_BACKEND = re.compile(r"postgres: \S+ (\S+) ")


def cpu_seconds(own: Any) -> dict[str, float]:
    """Name -> seconds used so far, with the client that asks as `client`."""
    used: dict[str, float] = {"client": sum(os.times()[:2])}
    for name, pid in own.pids().items():
        _add(used, name, pid)
    return used


def _add(used: dict[str, float], name: str, pid: int) -> None:
    used[name] = used.get(name, 0.0) + _own_seconds(pid)
    for child in children(pid):
        _add(used, _named(child) if name.startswith("postgres") else name, child)


def _named(pid: int) -> str:
    """`postgres flight` for a backend of that database, `postgres writers` for what writes in the background."""
    try:
        title = Path(f"/proc/{pid}/cmdline").read_text().replace("\0", " ")
    except OSError:
        return "postgres"
    backend = _BACKEND.match(title)
    return f"postgres {backend[1]}" if backend else "postgres writers"


def _own_seconds(pid: int) -> float:
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return 0.0
    return (int(fields[11]) + int(fields[12])) / _TICKS


def split(before: dict[str, float], after: dict[str, float], deeds: int) -> dict[str, float]:
    """Milliseconds a deed by process, the dearest first; what took less than a hundredth is left out."""
    spent = {name: (seconds - before.get(name, 0.0)) * 1000 / max(deeds, 1) for name, seconds in after.items()}
    kept = {name: round(each, 2) for name, each in spent.items() if each >= 0.01}
    return dict(sorted(kept.items(), key=lambda one: -one[1]))


def say_split(what: str, before: dict[str, float], after: dict[str, float], deeds: int) -> dict[str, float]:
    """Print the split and give it back."""
    parts = split(before, after, deeds)
    print(f"{what}: {sum(parts.values()):.2f} ms of processor time each", flush=True)
    print("          " + ", ".join(f"{name} {each:.2f}" for name, each in parts.items()), flush=True)
    return parts
