"""How much memory a process really costs: its proportional set size, shared pages divided among their users."""

from __future__ import annotations

from pathlib import Path


def proportional_bytes(pid: int, deep: bool = True) -> int:
    """Bytes of one process, with its descendants when `deep`; 0 for one that is gone or not ours to look at."""
    total = _one(pid)
    if deep:
        total += sum(proportional_bytes(child) for child in children(pid))
    return total


def children(pid: int) -> list[int]:
    """Direct children."""
    found: list[int] = []
    for file in Path(f"/proc/{pid}/task").glob("*/children"):
        try:
            found += [int(word) for word in file.read_text().split()]
        except OSError:
            continue
    return found


def _one(pid: int) -> int:
    try:
        lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
    except OSError:
        return 0
    return sum(int(line.split()[1]) * 1024 for line in lines if line.startswith("Pss:"))
