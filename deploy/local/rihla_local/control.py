"""The commands: run, up, down, status, logs, reset."""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import sys
import time
from pathlib import Path

from rihla_local import spawning
from rihla_local.layout import Busy, Layout, Lock, read_json, tail
from rihla_local.memory import proportional_bytes
from rihla_local.progress import Progress
from rihla_local.report import screen
from rihla_local.supervisor import Signals

STOP_SECONDS = 120.0
DATA = ("postgres", "redis", "rabbitmq", "inbox", "files")


def run(layout: Layout) -> int:
    """`make run`: in the foreground until Ctrl-C. Ends, in order, also when the terminal or `make` goes away."""
    spawning.die_with_parent(signal.SIGTERM, os.getppid())
    lock = _launcher_lock(layout)
    try:
        lock.take()
    except Busy:
        sys.stderr.write("This checkout's stack is already running: see `make status`, stop it with `make down`.\n")
        return 1
    from rihla_local.stack import Stack, replicas_wanted

    lock.sign()
    with Signals() as signals:
        return Stack(layout, Progress(), replicas_wanted()).run(signals)


def up(layout: Layout) -> int:
    """`make up`: the same in the background; returns once everything is ready, or says why it is not."""
    lock = _launcher_lock(layout)
    try:
        lock.take()
    except Busy:
        return _already_up(layout)
    reader, writer = os.pipe()
    sys.stdout.flush()
    pid = os.fork()
    if pid == 0:
        os.close(reader)
        _detach(layout, lock, writer)
    os.close(writer)
    lock.release()
    return _relay(reader, pid)


def down(layout: Layout) -> int:
    """`make down`: stop the stack of this checkout and wait until nothing of it is left."""
    lock, alive = _launcher_lock(layout), Lock(layout.run / "alive.lock")
    if not lock.is_held() and not alive.is_held():
        sys.stdout.write("not running\n")
        return 0
    launcher = lock.signed_by()
    if lock.is_held() and launcher is not None:
        os.kill(launcher, signal.SIGTERM)
    deadline = time.monotonic() + STOP_SECONDS
    while lock.is_held() or alive.is_held():
        if time.monotonic() > deadline:
            sys.stderr.write("something does not stop; see make status\n")
            return 1
        time.sleep(0.05)
    sys.stdout.write("stopped\n")
    return 0


def status(layout: Layout) -> int:
    """`make status`: a table; 1 while something that should run is not ready."""
    state = read_json(layout.state_file)
    if not _launcher_lock(layout).is_held() or state is None:
        sys.stdout.write("not running\n")
        return 0
    rows = [("process", "pid", "port", "state", "restarts", "memory")]
    total = 0
    launcher = int(state["launcher_pid"])
    for entry in [{"name": "launcher", "pid": launcher, "state": "ready"}, *state["processes"]]:
        used = proportional_bytes(entry["pid"], deep=entry["name"] != "launcher") if entry["pid"] else 0
        total += used
        rows.append(
            (
                entry["name"],
                str(entry["pid"] or "-"),
                str(entry.get("port") or "-"),
                entry["state"],
                str(entry.get("restarts", 0)),
                f"{used / 1e6:.0f} MB",
            )
        )
    widths = [max(len(row[column]) for row in rows) for column in range(6)]
    for row in rows:
        sys.stdout.write("  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() + "\n")
    sys.stdout.write(f"{len(rows) - 1} processes, {total / 1e6:.0f} MB together (proportional set size)\n")
    return 0 if all(entry["state"] == "ready" for entry in state["processes"]) else 1


def logs(layout: Layout, service: str) -> int:
    """`make logs [SERVICE=booking]`: the last lines of each log, then what is added, each with its process's name."""
    pattern = f"{service}*.log" if service else "*.log"
    positions: dict[Path, int] = {}
    for path in sorted(layout.logs.glob(pattern)):
        positions[path] = path.stat().st_size
        if service or path.name != "launcher.log":
            sys.stdout.write("".join(f"{path.stem} |{line[3:]}\n" for line in tail(path, 10).splitlines()))
    if not positions:
        sys.stderr.write(f"no logs of {service or 'this checkout'} yet\n")
        return 1
    sys.stdout.flush()
    try:
        while True:
            for path in sorted(layout.logs.glob(pattern)):
                positions[path] = _copy_new_lines(path, positions.get(path, 0))
            sys.stdout.flush()
            time.sleep(0.2)
    except (KeyboardInterrupt, BrokenPipeError):
        return 0


def reset(layout: Layout) -> int:
    """`make reset`: stop the stack and empty its data. Keys and passwords stay."""
    if down(layout) != 0:
        return 1
    for name in DATA:
        shutil.rmtree(layout.run / name, ignore_errors=True)
    shutil.rmtree(layout.outside, ignore_errors=True)
    sys.stdout.write("all data of this checkout's stack is gone; make up starts afresh\n")
    return 0


def _launcher_lock(layout: Layout) -> Lock:
    return Lock(layout.run / "launcher.lock")


def _already_up(layout: Layout) -> int:
    stack = read_json(layout.stack_file)
    if stack is None:
        sys.stderr.write("This checkout's stack is being started or stopped right now: see make status.\n")
        return 1
    sys.stdout.write(screen(stack))
    return 0


def _detach(layout: Layout, lock: Lock, writer: int) -> None:
    """The background launcher: a session of its own, output to `launcher.log`, progress to whoever waits."""
    code = 1
    try:
        os.setsid()
        layout.make()
        nothing = os.open(os.devnull, os.O_RDONLY)
        log = os.open(layout.logs / "launcher.log", os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o644)
        os.dup2(nothing, 0)
        os.dup2(log, 1)
        os.dup2(log, 2)
        from rihla_local.stack import Stack, replicas_wanted

        lock.sign()
        with Signals(ignore_hangup=True) as signals:
            code = Stack(layout, Progress(writer), replicas_wanted()).run(signals)
    finally:
        lock.release()
        os._exit(code)


def _relay(reader: int, pid: int) -> int:
    """Show the launcher's progress; a NUL byte says ready, the end of the stream without one says failed."""
    try:
        while True:
            part = os.read(reader, 4096)
            if not part:
                os.waitpid(pid, 0)
                return 1
            shown, ready, _ = part.partition(b"\0")
            with contextlib.suppress(BrokenPipeError):
                sys.stdout.write(shown.decode(errors="replace"))
                sys.stdout.flush()
            if ready:
                return 0
    except KeyboardInterrupt:
        os.kill(pid, signal.SIGTERM)
        os.waitpid(pid, 0)
        return 130


def _copy_new_lines(path: Path, position: int) -> int:
    """Print the complete lines added after `position`; returns the new one. A log that shrank starts again."""
    if path.stat().st_size < position:
        position = 0
    with path.open("rb") as file:
        file.seek(position)
        added = file.read(1_000_000)
    whole = added[: added.rfind(b"\n") + 1]
    for line in whole.decode(errors="replace").splitlines():
        sys.stdout.write(f"{path.stem} | {line}\n")
    return position + len(whole)
