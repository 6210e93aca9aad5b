"""One chaos run from an empty stack to a verdict."""

from __future__ import annotations

import asyncio
import os
import random
import shutil
import socket
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from rihla_chaos.crowd import WINDOW_SECONDS, Crowd
from rihla_chaos.faults import Injector, plan, replicas_of
from rihla_chaos.history import History
from rihla_chaos.picture import draw
from rihla_chaos.quiet import grow_quiet
from rihla_chaos.recovery import judge as judge_recovery
from rihla_chaos.recovery import until_over
from rihla_chaos.report import write
from rihla_chaos.result import Result
from rihla_chaos.webhooks import WebhookNetwork
from rihla_local.own_stack import NO_LIMITS, OwnStack
from rihla_verifier.checks import ALL
from rihla_verifier.checks.messages import PATIENCE
from rihla_verifier.databases import connect
from rihla_verifier.findings import Evidence, judge
from rihla_verifier.history import read_history

SHORT_WAITS = {
    "PAYMENT_WINDOW_MINUTES": str(WINDOW_SECONDS / 60),
    "HOLD_GRACE_SECONDS": "15",
    "TELL_ABSENT_SECONDS": "5",
    "SWEEP_SECONDS": "3",
    "GENERATE_DAYS_AHEAD": "60",
}
"""Bookings nobody pays expire, late payments arrive, and words nobody saw are told by mail, within a short run."""
LONGEST_RECOVERY_SECONDS = 180.0
"""How long the last fault may keep the run from ending; what it is allowed is less, and judged."""


@dataclass(frozen=True)
class Wish:
    """What kind of run. `every` is the pause between faults, `quiet` the longest wait for calm; seconds."""

    folder: Path
    seconds: float
    seed: int = 1
    rate: float = 6.0
    every: float = 20.0
    quiet: float = 180.0
    blackout: bool = False
    keep: bool = False

    def command(self, replicas: int) -> str:
        """What makes the same run again."""
        words = [f"make chaos MINUTES={self.seconds / 60:g} SEED={self.seed} RATE={self.rate:g}"]
        words += [f"REPLICAS={replicas}"] if replicas > 1 else []
        more = [f"--every {self.every:g}"] if self.every != Wish.every else []
        more += ["--blackout"] if self.blackout else []
        return " ".join([*words, *([f'ARGS="{" ".join(more)}"'] if more else [])])


async def run(wish: Wish) -> Result:
    """Start, play, wait for quiet, verify, stop. The report is in `wish.folder` afterwards."""
    port, load_before = _free_port(), os.getloadavg()[0]
    environment = {**NO_LIMITS, **SHORT_WAITS, "SANDBOX_WEBHOOK_URL": f"http://127.0.0.1:{port}/v1/webhooks/sandbox"}
    stack = OwnStack(wish.folder, environment)
    stack.down()
    _forget(stack)
    print("starting a stack of its own ...", flush=True)
    try:
        await asyncio.to_thread(stack.up)
        result = await _play(wish, stack, port, load_before)
    finally:
        if not wish.keep:
            await asyncio.to_thread(stack.down)
    return result


async def _play(wish: Wish, stack: OwnStack, port: int, load_before: float) -> Result:
    facts, replicas = stack.facts, len(replicas_of("booking", stack.pids()))
    history = History(wish.folder / "history.jsonl")
    crowd = Crowd(facts, history, seed=wish.seed, rate=wish.rate)
    network = WebhookNetwork(lambda: str(facts["gateway_url"]), random.Random(f"network:{wish.seed}"))
    faults = plan(wish.seed, wish.seconds, wish.every, blackout=wish.blackout)
    try:
        async with network.serving(port):
            people = int(max(20, wish.rate * 20))
            print(f"{people} travellers sign up ...", flush=True)
            await crowd.gather(people)
            history.restart()
            print(f"{wish.seconds:.0f} s at {wish.rate:g} journeys a second, {len(faults)} faults:", flush=True)
            injector = Injector(stack, history, network, wish.seed)
            over = asyncio.Event()

            async def break_things() -> None:
                await injector.carry_out(faults)
                # The last fault, too, must be seen to be over.
                await until_over(faults, history, LONGEST_RECOVERY_SECONDS)
                over.set()

            await asyncio.gather(crowd.travel(wish.seconds, over), break_things())
            print("nobody sets out any more; waiting for the last ones ...", flush=True)
            unfinished = await crowd.finish(wish.quiet)
            took, left = await grow_quiet(facts["databases"], wish.quiet)
            missing = await crowd.mails_arrive(30)
    finally:
        await crowd.close()
        history.close()
    slow = judge_recovery(faults, history.journeys)
    # All is quiet: the verifier need not be patient with what is younger than a minute.
    now = datetime.now(UTC) + PATIENCE
    async with connect(facts["databases"]) as databases:
        verdicts = await judge(ALL, Evidence(databases, read_history(history.path), now))
    result = Result(
        wish.command(replicas), replicas, load_before, wish.rate, wish.seconds, faults, history.journeys,
        history.told_wrongly, slow, took, left, verdicts, history.statuses, unfinished, missing, stack.restarts(),
    )  # fmt: skip
    (wish.folder / "report.md").write_text(write(result))
    (wish.folder / "timeline.svg").write_text(draw(faults, history.journeys, wish.seconds))
    return result


def _forget(stack: OwnStack) -> None:
    """Begin with empty databases; what an earlier run left would be judged again."""
    stack.launch("reset")
    for name in ("history.jsonl", "report.md", "timeline.svg"):
        (stack.folder / name).unlink(missing_ok=True)
    shutil.rmtree(stack.folder / "logs", ignore_errors=True)


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
