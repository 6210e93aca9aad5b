"""What a killed PostgreSQL leaves behind: backends that have not yet seen that their parent is gone.

While one of them lives the next server refuses to start ("pre-existing shared memory block is still in use"), and one
that is syncing a file lives for many seconds. An orchestrator ends the whole container; this is the same.
"""

from __future__ import annotations

import contextlib
import os
import signal
from pathlib import Path


def end_orphans(data: Path) -> list[int]:
    """Kill every server process that works in this directory, whose server the caller knows dead. Returns the pids."""
    found = [int(entry.name) for entry in Path("/proc").iterdir() if entry.name.isdigit() and _works_in(entry, data)]
    for pid in found:
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)
    return found


def _works_in(process: Path, data: Path) -> bool:
    try:
        return (process / "cwd").readlink() == data and (process / "comm").read_text().strip() == "postgres"
    except OSError:  # gone meanwhile, or somebody else's
        return False
