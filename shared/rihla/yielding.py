"""Threads that yield to everything else on the machine: for heavy work that may follow behind.

On a full box the order is: requests and messages first (niceness as started), then papers (`PAPERS`), then password
hashes (`HASHES`), one of which costs more processor time than a booking. Measured with 16 travellers at once on two
cores: their tickets came after 22 s when all were equal, after 1 to 3 s in this order.
"""

import contextlib
import os
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from typing import Final

PAPERS: Final = 4
HASHES: Final = 8
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
