"""Threads that yield to everything else on the machine: for heavy work that may follow behind.

One password hash costs more processor time than a booking. On a full box whoever signs in waits a little longer, and
whoever has paid gets the ticket (ADR 0007).
"""

import contextlib
import os
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from typing import Final

HASHES: Final = 10
_NICEST: Final = 19


def yielding_threads(threads: int, name: str, *, nicer: int) -> ThreadPoolExecutor:
    """A pool whose threads are `nicer` than the process (POSIX niceness, at most 19)."""
    return ThreadPoolExecutor(max_workers=threads, thread_name_prefix=name, initializer=_yield, initargs=(nicer,))


def _yield(nicer: int) -> None:
    """Linux keeps a niceness for each thread; elsewhere all threads stay as they are."""
    if sys.platform == "linux":
        own = threading.get_native_id()
        with contextlib.suppress(OSError):
            os.setpriority(os.PRIO_PROCESS, own, min(_NICEST, os.getpriority(os.PRIO_PROCESS, own) + nicer))
