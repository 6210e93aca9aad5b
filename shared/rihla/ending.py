"""End tasks for certain."""

import asyncio
from collections.abc import Iterable
from typing import Any

_ASK_AGAIN_SECONDS = 0.5


async def end(tasks: Iterable["asyncio.Task[Any]"]) -> None:
    """Cancel tasks and wait until each is over, however it ended.

    A task is asked again, because one question can be lost: `asyncio.wait_for` before Python 3.12 swallows a
    cancellation that comes when what it waits for has just finished, and redis-py sends its commands with it. A process
    that asked once waited for ever for a task that listened on.
    """
    everything = list(tasks)
    waiting = set(everything)
    while waiting:
        for task in waiting:
            task.cancel()
        _, waiting = await asyncio.wait(waiting, timeout=_ASK_AGAIN_SECONDS)
    await asyncio.gather(*everything, return_exceptions=True)
