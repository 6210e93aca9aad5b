"""What is done to the platform, when, and to whom: planned from the seed alone, then carried out."""

from __future__ import annotations

import asyncio
import contextlib
import random
import re
import signal
import time
from collections.abc import Awaitable, Callable, Iterable, Sequence
from dataclasses import dataclass

import asyncpg

from rihla_chaos import messages
from rihla_chaos.history import History
from rihla_chaos.webhooks import WebhookNetwork
from rihla_local.own_stack import OwnStack

APIS = ("gateway", "auth", "flight", "booking", "payment", "notification", "chat", "sandbox")
WORKERS = ("flight-worker", "booking-worker", "payment-worker", "notification-worker", "auth-worker", "chat-worker")
SERVERS_SECONDS = 60.0
PROCESS_SECONDS = 10.0

KINDS: dict[str, tuple[int, tuple[str, ...]]] = {
    "kill api": (4, APIS),
    "kill worker": (4, WORKERS),
    "kill two": (
        2,
        ("booking+payment", "booking+flight", "payment+payment-worker", "gateway+booking-worker", "chat+chat-worker"),
    ),
    "pause api": (2, ("gateway", "flight", "booking", "payment", "chat", "sandbox")),
    "pause worker": (2, ("booking-worker", "payment-worker", "notification-worker", "chat-worker")),
    "hold down": (2, ("booking-worker", "payment-worker", "payment", "flight", "notification-worker", "inbox", "chat")),
    "kill postgres": (2, ("postgres",)),
    "kill rabbitmq": (2, ("rabbitmq",)),
    "kill redis": (2, ("redis",)),
    "pause server": (1, ("redis", "rabbitmq")),
    "cut connections": (1, ("postgres",)),
    "webhooks": (2, ("loses", "repeats", "shuffles")),
    "repeat messages": (1, ("events",)),
    "hold back messages": (1, ("booking", "payment", "notification", "booking+notification")),
}
"""Kind -> weight, targets. The blackout (the launcher and all with it) is planned once, by itself."""


@dataclass
class Fault:
    """One planned fault. `began` and `ended` are filled in when it happens (seconds of the run), `done` when it did."""

    at: float
    kind: str
    target: str
    seconds: float
    began: float = 0.0
    ended: float = 0.0
    recovered_after: float | None = None
    mail_after: float | None = None
    note: str = ""
    done: bool = False

    @property
    def allowed(self) -> float:
        """How long the journey may take to work again."""
        heavy = "postgres" in self.target or "rabbitmq" in self.target or self.kind == "blackout"
        return SERVERS_SECONDS if heavy else PROCESS_SECONDS

    @property
    def hits_only_chat(self) -> bool:
        """Whether it takes a conversation, not a booking, to see that it is over."""
        return all(one.split("-")[0] == "chat" for one in self.target.split("+"))


def plan(seed: int, seconds: float, every: float, *, blackout: bool = False) -> list[Fault]:
    """Every fault of a run. Kinds, and the targets of each, are dealt like cards: many are met early, all in time."""
    rng = random.Random(f"faults:{seed}")
    faults: list[Fault] = []
    deck: list[str] = []
    targets: dict[str, list[str]] = {}
    at = every * 0.8
    while at < seconds - every * 0.5:
        if not deck:
            deck = _shuffled(rng)
        kind = deck.pop()
        length = rng.uniform(1.5, 5.0) if kind in _LASTING else 0.0
        if not targets.get(kind):
            targets[kind] = rng.sample(KINDS[kind][1], k=len(KINDS[kind][1]))
        faults.append(Fault(at, kind, targets[kind].pop(), round(length, 1)))
        at += every * rng.uniform(0.8, 1.2) + length
    if blackout and faults:
        faults[len(faults) // 2] = Fault(faults[len(faults) // 2].at, "blackout", "everything", 0.0)
    return faults


_LASTING = frozenset(
    {"pause api", "pause worker", "hold down", "pause server", "webhooks", "repeat messages", "hold back messages"}
)


def _shuffled(rng: random.Random) -> list[str]:
    """Each kind once in random order on top, the further ones by weight below."""
    once = list(KINDS)
    more = [kind for kind, (weight, _) in KINDS.items() for _ in range(weight - 1)]
    rng.shuffle(once)
    rng.shuffle(more)
    return more + once


def replicas_of(role: str, processes: Iterable[str]) -> list[str]:
    """The processes of a role: `booking` has booking, booking-2, booking-3; its workers are another role."""
    return sorted(name for name in processes if re.fullmatch(rf"{re.escape(role)}(-\d+)?", name))


class Injector:
    """Carries a plan out against one stack."""

    def __init__(self, stack: OwnStack, history: History, network: WebhookNetwork, seed: int) -> None:
        self._stack, self._history, self._network = stack, history, network
        self._rng, self._seed = random.Random(f"injector:{seed}"), seed
        self._facts = stack.facts

    async def carry_out(self, faults: Sequence[Fault]) -> None:
        """Each at its time; one that cannot be done says so in its note.

        What lasted longer than planned (a blackout) pushes the others on: faults that fall on each other tell nothing.
        """
        late = 0.0
        for fault in faults:
            await asyncio.sleep(max(0.0, fault.at + late - self._history.now))
            fault.began = fault.ended = self._history.now
            print(f"  {fault.began:6.1f} s  {fault.kind}: {fault.target}", flush=True)
            try:
                await self._deeds(fault)()
                fault.done = True
            except Exception as error:  # a fault that fails must not end the run
                fault.note = f"{type(error).__name__}: {error}"[:120]
            if fault.seconds or fault.kind == "blackout":
                fault.ended = self._history.now
            late = max(late, self._history.now - fault.at - fault.seconds - 1.0)

    def _deeds(self, fault: Fault) -> Callable[[], Awaitable[None]]:
        kinds: dict[str, Callable[[Fault], Awaitable[None]]] = {
            "pause api": self._pause,
            "pause worker": self._pause,
            "pause server": self._pause,
            "hold down": self._hold_down,
            "cut connections": self._cut,
            "webhooks": lambda one: self._network.disturb(one.target, one.seconds),
            "repeat messages": self._repeat,
            "hold back messages": self._hold_back,
            "blackout": self._blackout,
        }
        deed = kinds.get(fault.kind, self._kill)
        return lambda: deed(fault)

    def _one_of(self, role: str, fault: Fault) -> str:
        """One of the replicas of this role, the same one under a seed; the gateway people call is always the first."""
        replicas = replicas_of(role, self._stack.pids())
        if role == "gateway" or not replicas:
            return role
        return random.Random(f"replica:{self._seed}:{fault.at}:{role}").choice(replicas)

    async def _kill(self, fault: Fault) -> None:
        fault.target = "+".join(self._one_of(role, fault) for role in fault.target.split("+"))
        await self._kill_these(fault)

    async def _kill_these(self, fault: Fault) -> None:
        for process in fault.target.split("+"):
            if not self._stack.send(process, signal.SIGKILL):
                fault.note += f"{process} was not there. "

    async def _pause(self, fault: Fault) -> None:
        fault.target = self._one_of(fault.target, fault)
        pid = self._stack.pids()[fault.target]
        self._stack.send(fault.target, signal.SIGSTOP)
        await asyncio.sleep(fault.seconds)
        if self._stack.pids().get(fault.target) == pid:
            self._stack.send(fault.target, signal.SIGCONT)

    async def _hold_down(self, fault: Fault) -> None:
        fault.target = self._one_of(fault.target, fault)
        self._stack.hold(fault.target, True)
        try:
            await self._kill_these(fault)
            await asyncio.sleep(fault.seconds)
        finally:
            self._stack.hold(fault.target, False)

    async def _cut(self, fault: Fault) -> None:
        connection = await asyncpg.connect(self._facts["database_admin_url"], timeout=5)
        try:
            cut = await connection.fetchval(
                "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity "
                "WHERE pid <> pg_backend_pid() AND backend_type = 'client backend'"
            )
        finally:
            await connection.close()
        fault.note = f"{cut} connections"

    async def _repeat(self, fault: Fault) -> None:
        fault.note = f"{await messages.repeat(self._facts['amqp_url'], fault.seconds, self._rng)} copies"

    async def _hold_back(self, fault: Fault) -> None:
        services = fault.target.split("+")
        fault.note = f"{await messages.hold_back(self._facts['amqp_url'], services, fault.seconds, self._rng)} kept"

    async def _blackout(self, fault: Fault) -> None:
        self._stack.kill_launcher()
        began = time.monotonic()
        for attempt in range(3):
            with contextlib.suppress(Exception) if attempt < 2 else contextlib.nullcontext():
                await asyncio.to_thread(self._stack.up)
                break
        fault.note = f"up again after {time.monotonic() - began:.1f} s"
