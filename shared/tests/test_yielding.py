"""Threads that yield: nicer than the process, and nothing else becomes so."""

import os
import sys
import threading

import pytest

from rihla.yielding import HASHES, yielding_threads


def niceness() -> int:
    return os.getpriority(os.PRIO_PROCESS, threading.get_native_id())


@pytest.mark.skipif(sys.platform != "linux", reason="other systems know no niceness of a thread")
@pytest.mark.parametrize("nicer", [1, HASHES, 100])
def test_a_yielding_thread_is_nicer_and_the_one_that_asked_is_not(nicer: int) -> None:
    mine = niceness()
    with yielding_threads(1, "hashes", nicer=nicer) as pool:
        assert pool.submit(niceness).result() == min(19, mine + nicer)
    assert niceness() == mine
