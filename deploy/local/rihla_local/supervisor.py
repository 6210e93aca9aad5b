"""Keeps processes alive: starts them, sees when they are ready, restarts the dead with back-off, stops all in order.

One thread, no event loop: the launcher forks its children, and only a process that does nothing else forks safely.
"""

from __future__ import annotations

import contextlib
import os
import select
import signal
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import FrameType, TracebackType

FIRST_DELAY_SECONDS = 0.2
LONGEST_DELAY_SECONDS = 10.0
FORGIVEN_AFTER_SECONDS = 30.0
"""A process that lived this long starts again with the first delay."""
DEATHS_THAT_FAIL_A_START = 3


@dataclass(frozen=True)
class Unit:
    """One process to keep alive. Lower stages start first and stop last."""

    name: str
    start: Callable[[], int]
    is_ready: Callable[[], bool]
    stage: int
    log: Path
    stop_signal: int = signal.SIGTERM
    stop_seconds: float = 5.0
    service: str = ""
    kind: str = "server"
    port: int | None = None


@dataclass
class Child:
    """What the supervisor knows of a unit's process now."""

    unit: Unit
    pid: int | None = None
    state: str = "starting"
    restarts: int = 0
    started_at: float = 0.0
    delay: float = FIRST_DELAY_SECONDS
    restart_at: float | None = None
    deaths_before_ready: int = 0
    was_ready: bool = field(default=False)


class StartFailed(Exception):
    """A process did not become ready. `unit` names the one whose log explains it."""

    def __init__(self, unit: Unit, reason: str) -> None:
        super().__init__(f"{unit.name} {reason}")
        self.unit = unit


class TaskFailed(Exception):
    """A one-time task ended badly; its log says why."""

    def __init__(self, name: str, reason: str, log: Path) -> None:
        super().__init__(f"{name} {reason}")
        self.log = log


class Interrupted(Exception):
    """A signal asked the launcher to stop."""


class Signals:
    """SIGINT, SIGTERM and SIGHUP become a flag, SIGCHLD only wakes the loop up."""

    def __init__(self, ignore_hangup: bool = False) -> None:
        self.stop_asked = False
        self._ignore_hangup = ignore_hangup
        self._reader, self._writer = os.pipe()
        os.set_blocking(self._reader, False)
        os.set_blocking(self._writer, False)

    def __enter__(self) -> Signals:
        numbers = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGCHLD)
        self._before = {number: signal.getsignal(number) for number in numbers}
        signal.set_wakeup_fd(self._writer, warn_on_full_buffer=False)
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, self._ask_to_stop)
        signal.signal(signal.SIGHUP, signal.SIG_IGN if self._ignore_hangup else self._ask_to_stop)
        signal.signal(signal.SIGCHLD, lambda *_: None)
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        signal.set_wakeup_fd(-1)
        for number, handler in self._before.items():
            signal.signal(number, handler)
        os.close(self._reader)
        os.close(self._writer)

    def wait(self, seconds: float, others: Iterable[int] = ()) -> list[int]:
        """Sleep until a signal or until one of the other descriptors can be read; those are returned."""
        readable, _, _ = select.select([self._reader, *others], [], [], seconds)
        if self._reader in readable:
            with contextlib.suppress(BlockingIOError):
                os.read(self._reader, 4096)
            readable.remove(self._reader)
        return readable

    def _ask_to_stop(self, number: int, frame: FrameType | None) -> None:
        self.stop_asked = True


class Supervisor:
    """Looks after a set of units. `on_change` is called whenever a pid or a state has changed."""

    def __init__(self, signals: Signals, hold: Path | None = None) -> None:
        self.signals = signals
        self.children: dict[str, Child] = {}
        self.on_change: Callable[[], None] = lambda: None
        self._hold = hold

    def start(self, *units: Unit) -> None:
        """Start processes without waiting for them."""
        for unit in units:
            child = Child(unit)
            self.children[unit.name] = child
            self._launch(child)

    def wait_ready(
        self, units: Iterable[Unit], seconds: float, on_ready: Callable[[Unit], None] = lambda _: None
    ) -> None:
        """Until every unit has answered that it is ready.

        Raises StartFailed when one keeps dying or takes longer than `seconds`, Interrupted when a signal arrives.
        """
        waiting = {unit.name: unit for unit in units}
        deadline = time.monotonic() + seconds
        while waiting:
            self.tick()
            for name, unit in list(waiting.items()):
                child = self.children[name]
                if child.state == "ready":
                    on_ready(waiting.pop(name))
                elif child.deaths_before_ready >= DEATHS_THAT_FAIL_A_START:
                    raise StartFailed(unit, "does not stay alive")
                elif time.monotonic() > deadline:
                    raise StartFailed(unit, f"was not ready after {seconds:.0f} s")
            if waiting:
                self.pause(0.05)

    def run_tasks(
        self, tasks: Mapping[str, tuple[int, Path]], seconds: float, on_done: Callable[[str], None] = lambda _: None
    ) -> None:
        """Wait for processes that do one thing and end: name -> (pid, log).

        Raises TaskFailed at the first bad end; the others are killed.
        """
        running = dict(tasks)
        deadline = time.monotonic() + seconds
        try:
            while running:
                self.tick()
                for name, (pid, log) in list(running.items()):
                    ended, status = os.waitpid(pid, os.WNOHANG)
                    if ended:
                        del running[name]
                        if status != 0:
                            raise TaskFailed(name, f"ended with code {os.waitstatus_to_exitcode(status)}", log)
                        on_done(name)
                    elif time.monotonic() > deadline:
                        raise TaskFailed(name, f"took longer than {seconds:.0f} s", log)
                if running:
                    self.pause(0.02)
        finally:
            for pid, _ in running.values():
                os.kill(pid, signal.SIGKILL)
                os.waitpid(pid, 0)

    def pause(self, seconds: float, others: Iterable[int] = ()) -> list[int]:
        """Sleep, waking for signals. Raises Interrupted when one asked to stop."""
        if self.signals.stop_asked:
            raise Interrupted
        readable = self.signals.wait(seconds, others)
        if self.signals.stop_asked:
            raise Interrupted
        return readable

    def watch(self, others: Iterable[int] = (), give_up: Callable[[], bool] = lambda: False) -> list[int]:
        """Look after everything until a signal (Interrupted), until one of `others` can be read, or until `give_up`."""
        while True:
            self.tick()
            if give_up():
                return []
            calm = all(child.state == "ready" for child in self.children.values())
            readable = self.pause(2.0 if calm else 0.1, others)
            if readable:
                return readable

    def tick(self) -> None:
        """See who died, start again who is due, ask who is starting."""
        changed = False
        for child in list(self.children.values()):
            before = (child.pid, child.state)
            self._reap(child)
            self._restart_if_due(child)
            if child.state == "starting" and child.pid is not None and child.unit.is_ready():
                child.state, child.was_ready, child.deaths_before_ready = "ready", True, 0
            changed = changed or before != (child.pid, child.state)
        if changed:
            self.on_change()

    def stop(self) -> None:
        """Stop everything, the highest stage first; whoever does not go in time is killed."""
        for stage in sorted({child.unit.stage for child in self.children.values()}, reverse=True):
            leaving = [child for child in self.children.values() if child.unit.stage == stage and child.pid is not None]
            for child in leaving:
                child.state = "stopping"
                _send(child, child.unit.stop_signal)
            self._wait_gone(leaving)
        self.children.clear()

    def _wait_gone(self, leaving: list[Child]) -> None:
        began = time.monotonic()
        killed: set[str] = set()
        while leaving:
            leaving = [child for child in leaving if not _has_ended(child)]
            for child in leaving:
                if time.monotonic() - began > child.unit.stop_seconds and child.unit.name not in killed:
                    killed.add(child.unit.name)
                    _send(child, signal.SIGKILL)
            if leaving:
                self.signals.wait(0.05)

    def _launch(self, child: Child) -> None:
        child.pid = child.unit.start()
        child.state, child.started_at, child.restart_at = "starting", time.monotonic(), None

    def _reap(self, child: Child) -> None:
        if child.pid is None or not _has_ended(child):
            return
        if time.monotonic() - child.started_at > FORGIVEN_AFTER_SECONDS:
            child.delay = FIRST_DELAY_SECONDS
        if not child.was_ready:
            child.deaths_before_ready += 1
        child.restart_at = time.monotonic() + child.delay
        child.delay = min(child.delay * 2, LONGEST_DELAY_SECONDS)
        child.state = "waiting"

    def _restart_if_due(self, child: Child) -> None:
        if child.restart_at is None:
            return
        if self._hold is not None and (self._hold / child.unit.name).exists():
            child.state = "held"
        elif time.monotonic() >= child.restart_at or child.state == "held":
            child.restarts += 1
            self._launch(child)


def _has_ended(child: Child) -> bool:
    if child.pid is None:
        return True
    try:
        pid, _ = os.waitpid(child.pid, os.WNOHANG)
    except ChildProcessError:
        pid = child.pid
    if pid:
        child.pid = None
    return bool(pid)


def _send(child: Child, number: int) -> None:
    if child.pid is not None:
        with contextlib.suppress(ProcessLookupError):
            os.kill(child.pid, number)
