"""The instances of each service: which one gets the next request, which are left alone for a while."""

from __future__ import annotations

import asyncio
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field

import aiohttp

from gateway import problems
from gateway.problems import Refused
from gateway.routes import Importance
from gateway.settings import Settings
from rihla.http.breaker import Breaker
from rihla.telemetry import get_logger

_log = get_logger(__name__)

# The share of the places that each importance may fill: search is turned away while money still gets through.
_SHARE = {Importance.SEARCH: 0.6, Importance.NORMAL: 0.85, Importance.MONEY: 1.0}


@dataclass(slots=True)
class Instance:
    """One address of a service. `well` is what its readiness page last said."""

    url: str
    breaker: Breaker
    in_flight: int = 0
    well: bool = True
    seconds: float = 0.0
    detail: str = "not asked yet"
    on_leaving: Callable[[], None] = lambda: None

    def leave(self) -> None:
        """A request is over: its place is free."""
        self.in_flight -= 1
        self.on_leaving()


class Upstream:
    """One service. When it is full, requests that move money wait in line for a while; everything else is refused."""

    def __init__(self, name: str, addresses: tuple[str, ...], settings: Settings) -> None:
        self.name = name
        self.instances = [
            Instance(url, Breaker(failures=settings.breaker_failures, open_for=settings.breaker_open_seconds))
            for url in addresses
        ]
        for instance in self.instances:
            instance.on_leaving = self._call_next
        self._most = places(settings.max_in_flight_per_instance)
        self._patience = settings.money_waits_seconds
        self._line: deque[asyncio.Future[None]] = deque()
        self._called = 0
        """Those in line who were told that it is their turn and have not come yet; nobody may go before them."""

    async def place(self, importance: Importance, tried: Instance | None = None) -> Instance:
        """`choose`, after a wait in line where that is worth it. Raises `Refused` (503)."""
        if importance is not Importance.MONEY or not (self._line or self._called or self._is_full()):
            return self.choose(importance, tried)
        await self._wait_in_line()
        try:
            return self.choose(importance, tried)
        except Refused:
            self._call_next()
            raise

    def _is_full(self) -> bool:
        return all(instance.in_flight >= self._most[Importance.MONEY] for instance in self.instances)

    async def _wait_in_line(self) -> None:
        """Until it is our turn or our patience is at an end; who came first goes first."""
        deadline = asyncio.get_running_loop().time() + self._patience
        turn: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._line.append(turn)
        try:
            async with asyncio.timeout_at(deadline):
                await turn
        except TimeoutError:
            pass
        except asyncio.CancelledError:
            if turn.done() and not turn.cancelled():
                self._call_next()  # we were called and have gone: the place is the next one's
            raise
        finally:
            if turn.done() and not turn.cancelled():
                self._called -= 1
            turn.cancel()

    def _call_next(self) -> None:
        while self._line:
            turn = self._line.popleft()
            if not turn.done():
                turn.set_result(None)
                self._called += 1
                return

    def choose(self, importance: Importance, tried: Instance | None = None) -> Instance:
        """The least busy instance that is well and whose breaker is closed, `tried` last.

        Raises `Refused` (503) when every breaker is open or every instance is full for this importance.
        """
        best: Instance | None = None
        for instance in self.instances:
            if instance.breaker.is_open or instance is tried:
                continue
            if best is None or (not instance.well, instance.in_flight) < (not best.well, best.in_flight):
                best = instance
        if best is None or not best.breaker.allows():
            raise self.unavailable()
        if best.in_flight >= self._most[importance]:
            raise Refused(problems.OVERLOADED, f"The {self.name} service is too busy; try again in a moment.")
        return best

    def unavailable(self) -> Refused:
        """The refusal for a service that cannot be reached."""
        return Refused(
            problems.UPSTREAM_UNAVAILABLE, f"The {self.name} service cannot be reached; try again in a moment."
        )


def places(most: int) -> dict[Importance, int]:
    """How many requests each importance may find in front of it."""
    return {importance: max(1, int(most * share)) for importance, share in _SHARE.items()}


@dataclass(slots=True)
class Upstreams:
    """All services by name."""

    by_name: dict[str, Upstream] = field(default_factory=dict)

    @classmethod
    def of(cls, settings: Settings) -> Upstreams:
        """One per service in the settings, deployed or not."""
        return cls({name: Upstream(name, urls, settings) for name, urls in settings.upstreams.items()})

    async def probe(self, session: aiohttp.ClientSession, patience: float = 2.0) -> None:
        """Ask every instance whether it is ready, all at once."""
        instances = [instance for upstream in self.by_name.values() for instance in upstream.instances]
        await asyncio.gather(*(_probe(session, instance, patience) for instance in instances))

    async def run(self, session: aiohttp.ClientSession, stop: asyncio.Event, every: float) -> None:
        """Keep asking."""
        while not stop.is_set():
            await self.probe(session)
            try:
                await asyncio.wait_for(stop.wait(), every)
            except TimeoutError:
                continue


async def _probe(session: aiohttp.ClientSession, instance: Instance, patience: float) -> None:
    started = time.perf_counter()
    was_well = instance.well
    try:
        timeout = aiohttp.ClientTimeout(total=patience)
        async with session.get(f"{instance.url}/health/ready", timeout=timeout, allow_redirects=False) as answer:
            instance.well = answer.status == 200
            instance.detail = "ready" if instance.well else f"not ready ({answer.status})"
            instance.breaker.succeeded()
    except (aiohttp.ClientError, OSError, TimeoutError) as error:
        instance.well = False
        instance.detail = f"unreachable ({type(error).__name__})"
    instance.seconds = time.perf_counter() - started
    if was_well and not instance.well:
        _log.warning("instance_not_well", url=instance.url, detail=instance.detail)
