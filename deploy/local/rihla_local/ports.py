"""Free loopback ports, remembered from start to start so that addresses stay the same."""

from __future__ import annotations

import contextlib
import fcntl
import os
import socket
import tempfile
from collections.abc import Iterable
from pathlib import Path
from typing import TextIO

from rihla_local.layout import read_json, write_json

FIRST, LAST = 20000, 32000
"""Below the range from which the kernel gives outgoing connections theirs (32768 and up)."""


class NoFreePort(Exception):
    """Every candidate is taken."""


class Ports:
    """The ports of one checkout, kept in a file.

    A remembered port that somebody else took meanwhile is replaced. Checkouts start looking at different places, and
    what one launcher chose no other one chooses while the first lives: between choosing a port and listening on it
    lie half a minute of migrations, in which it looks free.
    """

    def __init__(self, file: Path, identity: str) -> None:
        self._file = file
        self._start = FIRST + int(identity, 16) % (LAST - FIRST)
        stored = read_json(file)
        self._taken: dict[str, int] = stored if isinstance(stored, dict) else {}
        self._claims: dict[int, Claim] = {}

    def take(self, name: str, preferred: int | None = None) -> int:
        """The port of `name`: the preferred one or the next free above it, else the remembered, else a new one."""
        if preferred is not None:
            return self._remember(name, self._first_free(range(preferred, preferred + 100), name))
        remembered = self._taken.get(name)
        if remembered is not None and self._is_ours(remembered):
            return remembered
        span = LAST - FIRST
        candidates = (FIRST + (self._start - FIRST + step) % span for step in range(span))
        return self._remember(name, self._first_free(candidates, name))

    def save(self) -> None:
        """Write what was chosen."""
        write_json(self._file, self._taken)

    def _first_free(self, candidates: Iterable[int], name: str) -> int:
        others = {port for other, port in self._taken.items() if other != name}
        for port in candidates:
            if port not in others and self._is_ours(port):
                return port
        raise NoFreePort(f"no free loopback port for {name}")

    def _is_ours(self, port: int) -> bool:
        """Whether it is free, and claimed by us for as long as this process lives."""
        if not is_free(port):
            return False
        if port not in self._claims:
            claim = Claim.of(port)
            if claim is None:
                return False
            self._claims[port] = claim
        return True

    def _remember(self, name: str, port: int) -> int:
        self._taken[name] = port
        return port


class Claim:
    """A port that other launchers of this machine leave alone; ends with this object or this process."""

    folder = Path(tempfile.gettempdir()) / "rihla-ports"

    def __init__(self, file: TextIO) -> None:
        self._file = file

    @classmethod
    def of(cls, port: int) -> Claim | None:
        """The claim, or None when another launcher has it."""
        if not cls.folder.exists():
            with contextlib.suppress(FileExistsError):
                cls.folder.mkdir()
                cls.folder.chmod(0o1777)
        try:
            file = os.fdopen(os.open(cls.folder / str(port), os.O_RDWR | os.O_CREAT, 0o666), "w")
        except PermissionError:  # another user's: then only is_free keeps us apart
            return cls(open(os.devnull, "w"))
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            file.close()
            return None
        return cls(file)


def is_free(port: int) -> bool:
    """Whether a server could listen on this loopback port now."""
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True
