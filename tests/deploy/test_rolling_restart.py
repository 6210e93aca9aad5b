"""Three of each: they are replaced in their turn, as upgrades do, while people go on booking; the verifier judges."""

import asyncio
import secrets
import signal
from collections import Counter
from collections.abc import Iterator
from typing import Any

import httpx
import pytest
from rihla_chaos.quiet import grow_quiet

from rihla.http import problem_code
from rihla_local.layout import ROOT
from rihla_local.own_stack import NO_LIMITS, OwnStack
from rihla_local.traveller import Refused, Traveller, within
from rihla_verifier.__main__ import verify
from rihla_verifier.history import Told

FOLDER = ROOT / ".run" / "rolling-test"
UPGRADED = ("auth", "flight", "booking", "payment", "notification", "chat", "gateway")
TRAVELLERS = 3


@pytest.fixture(scope="module")
def own() -> Iterator[OwnStack]:
    made = OwnStack(FOLDER, {**NO_LIMITS, "REPLICAS": "3", "GENERATE_DAYS_AHEAD": "60"})
    made.down()
    made.launch("reset")
    made.up()
    yield made
    made.down()


class Balancer(httpx.AsyncBaseTransport):
    """What an Ingress does before several gateways: the next one when one takes no connection."""

    def __init__(self, urls: list[str]) -> None:
        self._ports = [httpx.URL(url).port for url in urls]
        self._inner = httpx.AsyncHTTPTransport()
        self._turn = 0

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        if request.url.port not in self._ports:
            return await self._inner.handle_async_request(request)
        for left in range(len(self._ports) - 1, -1, -1):
            self._turn += 1
            request.url = request.url.copy_with(port=self._ports[self._turn % len(self._ports)])
            try:
                return await self._inner.handle_async_request(request)
            except httpx.ConnectError:
                if not left:
                    raise
        raise AssertionError("at least one gateway is asked")

    async def aclose(self) -> None:
        await self._inner.aclose()


class Load:
    """People who book and pay until they are told to stop; what was answered, and what never came to an end."""

    def __init__(self, facts: dict[str, Any]) -> None:
        self.stop = asyncio.Event()
        self.booked: dict[str, str] = {}
        """Booking -> its reference."""
        self.statuses: Counter[int] = Counter()
        self.away = 0
        """Answers that no instance of a service could be reached; a slow machine's 503 and 504 say other things."""
        self.cut_short = 0
        """Requests whose connection closed under them: they are sent again, with the same key."""
        self._facts = facts

    async def travel(self) -> None:
        balancer = Balancer(self._facts["services"]["gateway"]["urls"])
        async with httpx.AsyncClient(timeout=60, transport=balancer, event_hooks={"response": [self._count]}) as http:
            who = Traveller(self._facts["gateway_url"], self._facts["inbox_url"], http=http)
            await who.sign_up()
            while not self.stop.is_set():
                offers = await self._again(lambda: who.search("DAC", "JED", max_stops=0))
                key = secrets.token_hex(12)
                booking = await self._again(lambda offer=offers[0], key=key: who.book(offer, key=key))
                await self._again(lambda booking=booking, key=key: who.pay(booking, key=key))
                await self._again(lambda booking=booking: who.wait_until(booking, "confirmed", timeout=120))
                self.booked[booking["id"]] = booking["reference"]

    async def _count(self, response: httpx.Response) -> None:
        self.statuses[response.status_code] += 1
        if response.status_code == 503:
            await response.aread()
            self.away += problem_code(response) == "upstream-unavailable"

    async def _again(self, ask: Any) -> Any:
        """What api.md asks of a client: the same key again after a 503 or no answer, or while the first still runs."""
        for _ in range(100):
            try:
                return await ask()
            except httpx.TransportError:
                self.cut_short += 1
            except Refused as refused:
                if refused.status not in (503, 504) and refused.code != "request-in-progress":
                    raise
            await asyncio.sleep(0.3)
        raise AssertionError("the platform was away for too long")


@pytest.mark.takes_minutes
@pytest.mark.timeout(900)
async def test_with_three_of_each_every_service_is_replaced_under_load_and_nothing_is_lost_or_refused_for_good(
    own: OwnStack,
) -> None:
    load = Load(own.facts)
    people = [asyncio.create_task(load.travel()) for _ in range(TRAVELLERS)]
    await within(180, "the first bookings", lambda: _more_than(load, 0))
    for service in UPGRADED:
        both = [name for name in (service, f"{service}-worker") if name in own.pids()]
        await asyncio.gather(*(_replace(own, name) for name in both))
        await _replace(own, f"{service}-2")
        await within(180, f"bookings after {service}", lambda seen=len(load.booked): _more_than(load, seen))
    load.stop.set()
    await asyncio.gather(*people)
    assert len(load.booked) > len(UPGRADED)
    assert {status for status in load.statuses if status >= 500} <= {503, 504}
    # Only a request on its way into a closing door cannot be saved, and that is rare at any speed of the machine.
    assert load.away + load.cut_short < load.statuses.total() / 20, "a service was away while it was replaced"
    assert (await grow_quiet(own.facts["databases"], 180))[1] == {}
    told = [Told("book", 201, id=booking, reference=name) for booking, name in load.booked.items()]
    assert await verify(own.facts["databases"], told)


async def _more_than(load: Load, seen: int) -> bool:
    return len(load.booked) > seen + TRAVELLERS


async def _replace(own: OwnStack, name: str) -> None:
    """End one process politely and wait until its successor takes requests."""
    before = own.restarts()[name]
    assert own.send(name, signal.SIGTERM)

    async def is_back() -> bool:
        return own.restarts()[name] > before and own.states()[name] == "ready"

    await within(180, f"{name} again", is_back, every=0.2)
