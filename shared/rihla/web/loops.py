"""The endless jobs of a worker: relay, consumers, sweepers. One that fails starts again after a growing pause."""

import asyncio
import random
from collections.abc import Awaitable, Callable, Sequence

from rihla.ending import end
from rihla.telemetry import Counter, get_logger

Loop = Callable[[asyncio.Event], Awaitable[None]]
RESTARTS = Counter("rihla_loop_restarts_total", "Worker loops that failed and were started again", ["loop"])
_FIRST_PAUSE, _LONGEST_PAUSE, _CALM = 0.2, 5.0, 30.0
log = get_logger("loops")


def name_of(loop: Loop) -> str:
    """A loop's name for logs and metrics."""
    owner = getattr(loop, "__self__", None)
    named = getattr(owner, "name", None)
    return str(named or getattr(loop, "__qualname__", type(loop).__name__))


class LoopGroup:
    """Starts loops together and stops them together, giving each time to finish what it holds."""

    def __init__(self, loops: Sequence[Loop], *, patience: float = 5.0) -> None:
        self._loops = loops
        self._stop = asyncio.Event()
        self._tasks: list[asyncio.Task[None]] = []
        self._patience = patience

    def start(self) -> None:
        """Begin every loop as a task."""
        self._tasks = [asyncio.create_task(self._keep_running(loop), name=name_of(loop)) for loop in self._loops]

    async def stop(self) -> None:
        """Ask every loop to stop; cancel those that have not after `patience` seconds."""
        self._stop.set()
        if not self._tasks:
            return
        _, late = await asyncio.wait(self._tasks, timeout=self._patience)
        await end(late)
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _keep_running(self, loop: Loop) -> None:
        pause = _FIRST_PAUSE
        while not self._stop.is_set():
            started = asyncio.get_running_loop().time()
            try:
                await loop(self._stop)
                if self._stop.is_set():
                    return
            except asyncio.CancelledError:
                raise
            except Exception as error:
                RESTARTS.labels(name_of(loop)).inc()
                log.warning("loop_failed", loop=name_of(loop), error=repr(error)[:300], exc_info=error)
            if asyncio.get_running_loop().time() - started > _CALM:
                pause = _FIRST_PAUSE
            await pause_or_stop(self._stop, pause * random.uniform(0.8, 1.2))
            pause = min(pause * 2, _LONGEST_PAUSE)


async def pause_or_stop(stop: asyncio.Event, seconds: float) -> None:
    """Sleep, but wake at once when `stop` is set."""
    try:
        async with asyncio.timeout(seconds):
            await stop.wait()
    except TimeoutError:
        return
