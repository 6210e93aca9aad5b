"""The chaos run's own parts: what it calls recovered, what it draws, what its network does to webhooks."""

import asyncio
import random
import socket
from collections.abc import AsyncIterator
from pathlib import Path
from xml.etree import ElementTree

import aiohttp
import pytest_asyncio
from aiohttp import web
from rihla_chaos.faults import APIS, KINDS, Fault, plan, replicas_of
from rihla_chaos.history import History, Journey
from rihla_chaos.picture import draw
from rihla_chaos.recovery import judge, until_over
from rihla_chaos.report import write
from rihla_chaos.result import Result
from rihla_chaos.webhooks import WebhookNetwork

from rihla.testing import eventually
from rihla_local.layout import ROOT
from rihla_local.manifest import processes
from rihla_verifier.checks import ALL
from rihla_verifier.findings import Verdict


def fault(kind: str = "kill api", target: str = "booking", began: float = 10.0, ended: float = 10.0) -> Fault:
    return Fault(at=began, kind=kind, target=target, seconds=0.0, began=began, ended=ended)


def journey(began: float, confirmed: float | None, kind: str = "flies") -> Journey:
    return Journey(kind, True, began, confirmed or began, "done", confirmed)


def test_only_a_journey_that_began_after_the_fault_shows_that_it_is_over() -> None:
    broken = fault()
    assert judge([broken], [journey(9.9, 11.0), journey(12.0, 13.5)]) == []
    assert broken.recovered_after == 3.5


def test_a_pause_counts_from_its_end() -> None:
    paused = fault("pause api", began=10.0, ended=14.0)
    judge([paused], [journey(11.0, 14.5)])
    assert paused.recovered_after == 0.5


def test_a_recovery_of_more_than_ten_seconds_is_said_and_a_minute_is_allowed_for_the_servers() -> None:
    late = [journey(11.0, 31.0)]
    assert len(judge([fault()], late)) == 1
    assert judge([fault("kill postgres", "postgres")], late) == []
    assert len(judge([fault("kill rabbitmq", "rabbitmq")], [journey(11.0, 71.0)])) == 1


def test_a_fault_in_the_shadow_of_a_killed_database_has_the_database_s_minute() -> None:
    database, service = fault("kill postgres", "postgres"), fault("pause api", "flight", began=20.0, ended=24.0)
    assert judge([database, service], [journey(11.0, 51.0), journey(21.0, 55.0)]) == []
    assert len(judge([database, service], [journey(11.0, 51.0), journey(21.0, 75.0)])) == 1
    assert len(judge([database, service], [journey(11.0, 19.0), journey(21.0, 55.0)])) == 1, "it was over before"


def test_a_platform_that_never_works_again_is_said() -> None:
    assert judge([fault()], [journey(8.0, 9.0)]) == ["after kill api booking at 10 s no journey succeeded"]


def test_journeys_that_buy_nothing_prove_nothing() -> None:
    assert len(judge([fault()], [journey(11.0, None, "lets it expire")])) == 1


def test_after_a_fault_of_chat_alone_a_conversation_shows_that_it_is_over() -> None:
    broken, with_others = fault("kill api", "chat-worker-2+chat"), fault("kill two", "chat+booking")
    judge([broken, with_others], [journey(10.5, 11.0), journey(12.0, 14.0, "chats")])
    assert (broken.recovered_after, with_others.recovered_after) == (4.0, 1.0)


async def test_a_run_goes_on_until_each_fault_is_seen_to_be_over(tmp_path: Path) -> None:
    history, faults = History(tmp_path / "history.jsonl"), [fault(), fault("pause api", "chat", 20, 24)]
    history.journeys += [journey(11.0, 12.0), journey(21.0, 23.0, "chats")]
    waiting = asyncio.create_task(until_over(faults, history, 300))
    done, _ = await asyncio.wait([waiting], timeout=0.5)
    assert not done, "that conversation was over before the pause was"
    history.journeys.append(journey(21.0, 25.0, "asks support"))
    await waiting
    history.close()


def test_every_process_of_the_platform_is_broken_by_some_fault() -> None:
    met = {process for _, targets in KINDS.values() for target in targets for process in target.split("+")}
    assert {one.group for one in processes(ROOT)} <= met


def test_every_target_of_a_kind_is_met_before_one_is_met_twice() -> None:
    met = [one.target for one in plan(1, 3600, 20) if one.kind == "kill api"]
    assert set(met[: len(APIS)]) == set(APIS)


def test_a_fault_may_meet_any_replica_of_a_role_and_no_other_role() -> None:
    processes = ["booking", "booking-2", "booking-3", "booking-worker", "booking-worker-2", "flight"]
    assert replicas_of("booking", processes) == ["booking", "booking-2", "booking-3"]
    assert replicas_of("booking-worker", processes) == ["booking-worker", "booking-worker-2"]


def test_the_picture_is_an_image_with_a_lane_for_each_fault() -> None:
    faults = [fault(), fault("pause api", "a<b", 20, 24)]
    judge(faults, [journey(11.0, 12.0)])
    drawn = ElementTree.fromstring(draw(faults, [journey(11.0, 12.0)], 60))
    assert sum("a<b" in (one.text or "") for one in drawn.iter()) == 1


def result(faults: list[Fault], *journeys: Journey) -> Result:
    slow = judge(faults, journeys)
    return Result(
        "make chaos", 1, 0.5, 6.0, 60.0, faults, journeys, [], slow, 1.0, {}, [Verdict(ALL[0], [])], {}, 0, 0, {}
    )


def test_the_report_says_how_soon_the_journey_worked_after_each_kind_of_fault() -> None:
    faults = [fault(), fault("kill api", "flight", 30, 30), fault("blackout", "everything", 40, 45)]
    for one in faults:
        one.done = True
    page = write(result(faults, journey(11.0, 12.0), journey(31.0, 36.0), journey(41.0, 47.0)))
    assert "**No violation, and no manual step.**" in page
    assert "| kill api | 2 | 4.0 s | 6.0 s | 10 s |" in page
    assert "ready after 5.0 s, and a journey worked 2.0 s later" in page


def test_the_report_begins_with_what_must_not_be_and_counts_no_fault_that_could_not_be_done() -> None:
    missed, slow = fault("repeat messages", "events"), fault("kill api", "flight", 30, 30)
    slow.done = True
    page = write(result([missed, slow], journey(11.0, 12.0), journey(31.0, 60.0)))
    assert "**Violations: 1.**" in page
    assert "1 faults of 1 kinds" in page
    assert "1 further faults could not be done" in page


class Gateway:
    """Remembers the bodies it was sent."""

    def __init__(self) -> None:
        self.bodies: list[bytes] = []
        self.url = ""

    async def take(self, request: web.Request) -> web.Response:
        assert request.headers["Sandbox-Signature"] == "t=1,v1=x"
        self.bodies.append(await request.read())
        return web.Response(status=200)


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@pytest_asyncio.fixture
async def gateway() -> AsyncIterator[Gateway]:
    made, app = Gateway(), web.Application()
    app.router.add_post("/v1/webhooks/sandbox", made.take)
    runner = web.AppRunner(app, shutdown_timeout=1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    made.url = f"http://127.0.0.1:{runner.addresses[0][1]}"
    yield made
    await runner.cleanup()


async def send(port: int, *bodies: bytes) -> list[int]:
    url, headers = f"http://127.0.0.1:{port}/v1/webhooks/sandbox", {"Sandbox-Signature": "t=1,v1=x"}
    statuses = []
    async with aiohttp.ClientSession() as client:
        for body in bodies:
            async with client.post(url, data=body, headers=headers) as answer:
                statuses.append(answer.status)
    return statuses


async def test_the_network_passes_repeats_keeps_back_and_loses_nothing_for_good(gateway: Gateway) -> None:
    network, port = WebhookNetwork(lambda: gateway.url, random.Random(1)), free_port()
    async with network.serving(port):
        assert await send(port, b"plain") == [200]
        assert gateway.bodies == [b"plain"]
        network.mode = "repeats"
        assert await send(port, b"again") == [200]
        await eventually(lambda: gateway.bodies.count(b"again") >= 2)
        network.mode = "shuffles"
        kept = [str(number).encode() for number in range(8)]
        assert await send(port, *kept) == [200] * 8
        assert not set(kept) & set(gateway.bodies)
        await network.disturb("shuffles", 0)
        arrived = [body for body in gateway.bodies if body in kept]
        assert sorted(arrived) == kept
        assert arrived != kept
        network.mode = "loses"
        assert 502 in await send(port, *[b"lost"] * 20)
