"""A second stack beside the first, for tests, chaos runs and benches: in a folder of its own, driven by a program."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from rihla_local.layout import ROOT

PLENTY = "100000000"
NO_LIMITS: Mapping[str, str] = {
    "LIMIT_READ_PER_ADDRESS": PLENTY,
    "LIMIT_READ_PER_USER": PLENTY,
    "LIMIT_WRITE_PER_USER": PLENTY,
    "LIMIT_WRITE_PER_ADDRESS": PLENTY,
    "LIMIT_SIGN_IN_PER_ADDRESS": PLENTY,
    "LIMIT_SESSION_PER_ADDRESS": PLENTY,
    "LIMIT_WEBHOOK_PER_ADDRESS": PLENTY,
    "MAX_CONNECTIONS_PER_ADDRESS": "5000",
    "UNPAID_BOOKINGS_PER_TRAVELLER": "10000",
}
"""Limits are on, with quotas nobody reaches: simulated travellers share one network address, which no crowd does."""


class CannotStart(Exception):
    """The launcher said no; its words are the message."""


@dataclass
class OwnStack:
    """One stack below `folder`; `environment` is laid over ours at every start."""

    folder: Path
    environment: Mapping[str, str] = field(default_factory=dict)
    _ports: dict[str, str] = field(default_factory=dict)

    def launch(self, command: str, seconds: float = 900) -> None:
        """Run a launcher command and wait for it. Raises CannotStart."""
        environment = {**os.environ, **self.environment, **self._ports, "RIHLA_RUN_DIR": str(self.folder)}
        done = subprocess.run(
            [sys.executable, "-m", "rihla_local", command],
            cwd=ROOT,
            env=environment,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=seconds,
            check=False,
        )
        if done.returncode != 0:
            raise CannotStart(f"rihla_local {command}:\n{done.stdout[-3000:]}\n{done.stderr[-3000:]}")

    def up(self) -> None:
        """Start and remember the addresses people type, so that a later start takes the same ones."""
        self.launch("up")
        services = self.facts["services"]
        self._ports = {
            f"{name.upper()}_PORT": str(urlsplit(services[name]["url"]).port)
            for name in ("gateway", "sandbox", "inbox")
            if name in services
        }

    def down(self) -> None:
        self.launch("down")

    @property
    def facts(self) -> dict[str, Any]:
        """What `stack.json` says now. Raises OSError while the stack is down."""
        return dict(json.loads((self.folder / "stack.json").read_text()))

    def pids(self) -> dict[str, int]:
        """Name -> process id of every process that lives now, servers included."""
        state = json.loads((self.folder / "state.json").read_text())
        return {one["name"]: one["pid"] for one in state["processes"] if one["pid"]}

    def restarts(self) -> dict[str, int]:
        """How often the launcher started each process again."""
        state = json.loads((self.folder / "state.json").read_text())
        return {one["name"]: one["restarts"] for one in state["processes"]}

    def states(self) -> dict[str, str]:
        """What the launcher says of each process: starting, ready, waiting, held, stopping."""
        state = json.loads((self.folder / "state.json").read_text())
        return {one["name"]: one["state"] for one in state["processes"]}

    def send(self, process: str, number: signal.Signals) -> bool:
        """Signal one process by name; False when it is not there just now."""
        pid = self.pids().get(process)
        if pid is None:
            return False
        try:
            os.kill(pid, number)
        except ProcessLookupError:
            return False
        return True

    def kill_launcher(self) -> None:
        """Everything dies with the launcher, at once, as when the machine loses power (but for the disk's cache)."""
        with contextlib.suppress(ProcessLookupError):
            os.kill(int(self.facts["launcher_pid"]), signal.SIGKILL)

    def hold(self, process: str, held: bool) -> None:
        """Keep the launcher from starting a dead process again, or let it."""
        mark = self.folder / "hold" / process
        if held:
            mark.touch()
        else:
            mark.unlink(missing_ok=True)
