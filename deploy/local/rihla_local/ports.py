"""Free loopback ports, remembered from start to start so that addresses stay the same."""

from __future__ import annotations

import socket
from collections.abc import Iterable
from pathlib import Path

from rihla_local.layout import read_json, write_json

FIRST, LAST = 20000, 32000
"""Below the range from which the kernel gives outgoing connections theirs (32768 and up)."""


class NoFreePort(Exception):
    """Every candidate is taken."""


class Ports:
    """The ports of one checkout, kept in a file.

    A remembered port that somebody else took meanwhile is replaced. Checkouts start looking at different places.
    """

    def __init__(self, file: Path, identity: str) -> None:
        self._file = file
        self._start = FIRST + int(identity, 16) % (LAST - FIRST)
        stored = read_json(file)
        self._taken: dict[str, int] = stored if isinstance(stored, dict) else {}

    def take(self, name: str, preferred: int | None = None) -> int:
        """The port of `name`: the preferred one or the next free above it, else the remembered, else a new one."""
        if preferred is not None:
            return self._remember(name, self._first_free(range(preferred, preferred + 100), name))
        remembered = self._taken.get(name)
        if remembered is not None and is_free(remembered):
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
            if port not in others and is_free(port):
                return port
        raise NoFreePort(f"no free loopback port for {name}")

    def _remember(self, name: str, port: int) -> int:
        self._taken[name] = port
        return port


def is_free(port: int) -> bool:
    """Whether a server could listen on this loopback port now."""
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True
