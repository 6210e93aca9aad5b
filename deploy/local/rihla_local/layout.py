"""Where a checkout keeps its local state: everything under `.run/`, so that several checkouts never meet."""

from __future__ import annotations

import fcntl
import hashlib
import json
import os
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[3]


@dataclass(frozen=True)
class Layout:
    """Paths of one checkout's local platform."""

    root: Path = ROOT

    @property
    def run(self) -> Path:
        """Everything the launcher writes. RIHLA_RUN_DIR names another folder: a second stack beside the first."""
        return Path(os.environ.get("RIHLA_RUN_DIR") or self.root / ".run").resolve()

    @property
    def logs(self) -> Path:
        """One file per process."""
        return self.run / "logs"

    @property
    def stack_file(self) -> Path:
        """Addresses and process ids, for tools and tests; there only while the stack is ready."""
        return self.run / "stack.json"

    @property
    def state_file(self) -> Path:
        """What the supervisor knows of each process, for `make status`."""
        return self.run / "state.json"

    @property
    def hold(self) -> Path:
        """`hold/<process>` keeps the supervisor from restarting that process while the file is there (chaos tests)."""
        return self.run / "hold"

    @property
    def outside(self) -> Path:
        """Where data goes that may not live in the checkout (PostgreSQL's, under a parent only root may enter)."""
        return Path("/var/tmp") / f"rihla-{self.identity}"

    @property
    def identity(self) -> str:
        """Eight letters that differ between checkouts."""
        return hashlib.sha256(str(self.run).encode()).hexdigest()[:8]

    def make(self) -> None:
        """Create the folders. They may be entered by anyone (PostgreSQL runs as its own user), listed by the owner."""
        for folder in (self.run, self.logs, self.hold):
            folder.mkdir(parents=True, exist_ok=True)
        self.run.chmod(0o711)


class Busy(Exception):
    """Another process holds the lock."""


class Lock:
    """A lock on a file that the kernel releases when the last process that inherited it is gone.

    The launcher's children inherit `alive.lock`, so it says whether anything at all of a stack still runs, whatever
    became of the launcher.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.descriptor: int | None = None

    def take(self, wait_seconds: float = 0.0) -> None:
        """Raises Busy when it is still held after `wait_seconds`."""
        self.path.parent.mkdir(parents=True, exist_ok=True)
        descriptor = os.open(self.path, os.O_RDWR | os.O_CREAT, 0o600)
        deadline = time.monotonic() + wait_seconds
        while True:
            try:
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except OSError:
                if time.monotonic() >= deadline:
                    os.close(descriptor)
                    raise Busy(str(self.path)) from None
                time.sleep(0.05)
            else:
                self.descriptor = descriptor
                return

    def release(self) -> None:
        """Let go; children that inherited the descriptor go on holding the lock."""
        if self.descriptor is not None:
            os.close(self.descriptor)
            self.descriptor = None

    def sign(self) -> None:
        """Write our process id into the file."""
        self.path.write_text(f"{os.getpid()}\n")

    def signed_by(self) -> int | None:
        """The process id in the file."""
        text = self.path.read_text().strip() if self.path.exists() else ""
        return int(text) if text.isdigit() else None

    def is_held(self) -> bool:
        """Whether any other process holds it now."""
        try:
            self.take()
        except Busy:
            return True
        self.release()
        return False


def write_json(path: Path, value: Any, mode: int = 0o644) -> None:
    """Replace a file in one step: a reader sees the old text or the new, never half of it."""
    draft = path.with_name(f".{path.name}.{os.getpid()}")
    with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, mode), "w") as file:
        json.dump(value, file, indent=2)
        file.write("\n")
    draft.replace(path)


def read_json(path: Path) -> Any:
    """The stored value, or None when there is none that can be read."""
    try:
        return json.loads(path.read_text())
    except (OSError, ValueError):
        return None


def tail(path: Path, lines: int = 25) -> str:
    """The last lines of a log, indented for showing below a message."""
    try:
        text = path.read_bytes()[-20_000:].decode(errors="replace")
    except OSError:
        return "    (no log)\n"
    return "".join(f"    {line}\n" for line in text.splitlines()[-lines:])
