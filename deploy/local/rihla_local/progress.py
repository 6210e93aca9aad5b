"""What a person sees while the stack starts: one line a step, with its time."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager


class Progress:
    """Lines to a descriptor: the terminal, or the pipe of a waiting `make up`."""

    def __init__(self, descriptor: int | None = None) -> None:
        self._descriptor = sys.stdout.fileno() if descriptor is None else descriptor
        self._began = time.monotonic()

    def say(self, text: str) -> None:
        """One or more lines. A reader that has gone away is no reason to stop."""
        try:
            os.write(self._descriptor, (text + "\n").encode())
        except OSError:
            self._descriptor = os.open(os.devnull, os.O_WRONLY)

    def step(self, text: str) -> None:
        """A line with the seconds since the start in front."""
        self.say(f"  {time.monotonic() - self._began:5.1f} s  {text}")

    def ready(self) -> None:
        """Tell a waiting `make up` (a NUL byte), which goes away; from here on lines go to standard output."""
        if self._descriptor != sys.stdout.fileno():
            self.say("\0")
            os.close(self._descriptor)
            self._descriptor = sys.stdout.fileno()

    @contextmanager
    def timed(self, text: str) -> Iterator[None]:
        """A line after the block, with how long it took."""
        began = time.monotonic()
        yield
        self.step(f"{text} ({time.monotonic() - began:.1f} s)")
