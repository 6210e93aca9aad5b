"""Starting a process that cannot outlive the launcher.

A child is forked from the warm launcher, made the leader of its own session (a Ctrl-C at the terminal is the
launcher's business alone), given its own log file, and bound to the launcher's life by PR_SET_PDEATHSIG. Forking
happens in the main thread only: the kernel sends that signal when the forking *thread* ends.
"""

from __future__ import annotations

import ctypes
import io
import os
import signal
import sys
import traceback
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

PR_SET_PDEATHSIG = 1
LOG_LIMIT_BYTES = 20_000_000
_SIGNALS = {signal.SIGINT, signal.SIGTERM, signal.SIGCHLD, signal.SIGHUP}
_libc = ctypes.CDLL(None, use_errno=True)


def fork(body: Callable[[], int | None], *, log: Path, keep: Sequence[int] = (), death: int = signal.SIGKILL) -> int:
    """Run `body` in a child and return its pid; the child's exit code is what `body` returns (None is 0).

    `keep`: descriptors the child goes on holding. `death`: the signal it gets when the launcher dies.
    """
    _turn_over(log)
    parent = os.getpid()
    sys.stdout.flush()
    sys.stderr.flush()
    signal.pthread_sigmask(signal.SIG_BLOCK, _SIGNALS)
    try:
        pid = os.fork()
        if pid == 0:
            _run_child(body, log, keep, death, parent)
    finally:
        signal.pthread_sigmask(signal.SIG_UNBLOCK, _SIGNALS)
    return pid


def command(
    argv: Sequence[str],
    *,
    log: Path,
    env: Mapping[str, str],
    directory: Path,
    keep: Sequence[int] = (),
    death: int = signal.SIGTERM,
) -> int:
    """Start another program the same way and return its pid."""

    def body() -> None:
        os.chdir(directory)
        for descriptor in keep:
            os.set_inheritable(descriptor, True)
        os.execve(argv[0], list(argv), dict(env))

    return fork(body, log=log, keep=keep, death=death)


def die_with_parent(death: int, parent: int) -> None:
    """Ask the kernel for `death` when the parent dies; at once when it is dead already."""
    _libc.prctl(PR_SET_PDEATHSIG, death, 0, 0, 0)
    if os.getppid() != parent:
        os._exit(1)


def _run_child(body: Callable[[], int | None], log: Path, keep: Sequence[int], death: int, parent: int) -> None:
    code = 1
    try:
        die_with_parent(death, parent)
        os.setsid()
        _plain_signals()
        _redirect(log)
        _close_others(keep)
        code = body() or 0
    except SystemExit as stop:
        code = stop.code if isinstance(stop.code, int) else int(stop.code is not None)
    except BaseException:
        traceback.print_exc()
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code)


def _plain_signals() -> None:
    signal.set_wakeup_fd(-1)
    for number in _SIGNALS:
        signal.signal(number, signal.SIG_DFL)
    signal.pthread_sigmask(signal.SIG_UNBLOCK, _SIGNALS)


def _redirect(log: Path) -> None:
    nothing = os.open(os.devnull, os.O_RDONLY)
    target = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o644)
    os.dup2(nothing, 0)
    os.dup2(target, 1)
    os.dup2(target, 2)
    os.close(nothing)
    os.close(target)
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(line_buffering=True, errors="backslashreplace")


def _close_others(keep: Sequence[int]) -> None:
    for entry in os.listdir("/proc/self/fd"):
        descriptor = int(entry)
        if descriptor > 2 and descriptor not in keep:
            try:
                os.close(descriptor)
            except OSError:  # the listing's own descriptor, closed already
                continue


def _turn_over(log: Path) -> None:
    """Keep one older log once the current one has grown large."""
    log.parent.mkdir(parents=True, exist_ok=True)
    if log.exists() and log.stat().st_size > LOG_LIMIT_BYTES:
        log.replace(log.with_suffix(".1.log"))
