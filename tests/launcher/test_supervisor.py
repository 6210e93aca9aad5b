"""A dead process comes back with back-off, a stop leaves nothing, and nothing outlives a launcher that was killed."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from rihla_local import spawning
from rihla_local.layout import Lock
from rihla_local.memory import children
from rihla_local.supervisor import Interrupted, Signals, StartFailed, Supervisor, TaskFailed, Unit

pytestmark = pytest.mark.filterwarnings("ignore:.*multi-threaded.*fork:DeprecationWarning")

SCRIPT = """
import os, sys, time
from functools import partial
from pathlib import Path
from rihla_local import spawning
from rihla_local.supervisor import Interrupted, Signals, Supervisor, Unit

folder = Path(sys.argv[1])
sleep = {"PATH": "/usr/bin:/bin"}
def forked(): time.sleep(600)
units = [
    Unit("forked", partial(spawning.fork, forked, log=folder / "a.log"), lambda: True, 1, folder / "a.log"),
    Unit("program", partial(spawning.command, ["/bin/sleep", "600"], log=folder / "b.log", env=sleep, directory=folder),
         lambda: True, 0, folder / "b.log"),
]
with Signals() as signals:
    supervisor = Supervisor(signals, hold=folder / "hold")
    def tell():
        draft = folder / "draft"
        rows = [f"{c.unit.name} {c.pid} {c.restarts} {c.state}\\n" for c in supervisor.children.values()]
        draft.write_text("".join(rows))
        draft.replace(folder / "state")
    supervisor.on_change = tell
    supervisor.start(*units)
    try:
        supervisor.watch()
    except Interrupted:
        supervisor.stop()
        (folder / "stopped").touch()
"""


class Launcher:
    """A small launcher in a process of its own."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        (folder / "hold").mkdir()
        self.process = subprocess.Popen([sys.executable, "-c", SCRIPT, str(folder)])

    def state(self) -> dict[str, tuple[int, int, str]]:
        file = self.folder / "state"
        rows = [line.split() for line in file.read_text().splitlines()] if file.exists() else []
        return {name: (int(pid) if pid != "None" else 0, int(restarts), state) for name, pid, restarts, state in rows}

    def all_ready(self) -> bool:
        state = self.state()
        return len(state) == 2 and all(row[2] == "ready" for row in state.values())


def wait_for(condition: Callable[[], bool], seconds: float = 120.0) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "did not happen in time"
        time.sleep(0.02)


def gone(pid: int) -> bool:
    """Not there, or dead and only waiting to be collected."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "Z"
    except OSError:
        return True


@pytest.fixture
def launcher(tmp_path: Path) -> "Launcher":
    made = Launcher(tmp_path)
    wait_for(made.all_ready)
    return made


def test_a_killed_process_is_started_again(launcher: Launcher) -> None:
    before = launcher.state()
    os.kill(before["forked"][0], signal.SIGKILL)
    wait_for(lambda: launcher.state()["forked"][1] == 1 and launcher.all_ready())
    after = launcher.state()
    assert after["forked"][0] != before["forked"][0]
    assert after["program"] == before["program"]
    launcher.process.terminate()
    launcher.process.wait(120)


def test_a_held_process_stays_down_until_it_is_let_go(launcher: Launcher) -> None:
    held = launcher.folder / "hold" / "program"
    held.touch()
    os.kill(launcher.state()["program"][0], signal.SIGKILL)
    wait_for(lambda: launcher.state()["program"][2] == "held")
    held.unlink()
    wait_for(launcher.all_ready)
    launcher.process.terminate()
    launcher.process.wait(120)


def test_a_stop_in_order_leaves_nothing(launcher: Launcher) -> None:
    pids = [row[0] for row in launcher.state().values()]
    launcher.process.send_signal(signal.SIGINT)
    assert launcher.process.wait(120) == 0
    assert (launcher.folder / "stopped").exists()
    assert all(gone(pid) for pid in pids)


def test_a_killed_launcher_leaves_nothing_either(launcher: Launcher) -> None:
    pids = children(launcher.process.pid)
    assert len(pids) == 2
    launcher.process.kill()
    launcher.process.wait(120)
    wait_for(lambda: all(gone(pid) for pid in pids))


def test_a_process_that_cannot_live_fails_the_start_and_names_its_log(tmp_path: Path) -> None:
    log = tmp_path / "bad.log"
    starts: list[float] = []

    def complain() -> int:
        os.write(2, b"no such thing\n")
        return 3

    def start() -> int:
        starts.append(time.monotonic())
        return spawning.fork(complain, log=log)

    unit = Unit("bad", start, lambda: False, 0, log)
    with Signals() as signals:
        supervisor = Supervisor(signals)
        supervisor.start(unit)
        with pytest.raises(StartFailed) as failure:
            supervisor.wait_ready([unit], 120.0)
        supervisor.stop()
    assert failure.value.unit is unit
    assert "no such thing" in log.read_text()
    first, second = starts[1] - starts[0], starts[2] - starts[1]
    assert first >= 0.2
    assert second >= 0.4


def test_a_task_that_fails_stops_the_others(tmp_path: Path) -> None:
    log = tmp_path / "task.log"
    with Signals() as signals:
        supervisor = Supervisor(signals)
        slow = spawning.fork(lambda: time.sleep(600), log=log)
        bad = spawning.fork(lambda: 1, log=log)
        with pytest.raises(TaskFailed, match="bad"):
            supervisor.run_tasks({"slow": (slow, log), "bad": (bad, log)}, 120.0)
    assert gone(slow)


def test_a_signal_interrupts_a_wait(tmp_path: Path) -> None:
    with Signals() as signals:
        os.kill(os.getpid(), signal.SIGTERM)
        with pytest.raises(Interrupted):
            Supervisor(signals).pause(10.0)


def test_a_lock_is_held_until_the_last_process_that_inherited_it_is_gone(tmp_path: Path) -> None:
    lock = Lock(tmp_path / "alive.lock")
    lock.take()
    assert lock.descriptor is not None
    pid = spawning.fork(lambda: time.sleep(600), log=tmp_path / "x.log", keep=[lock.descriptor])
    lock.release()
    other = Lock(tmp_path / "alive.lock")
    assert other.is_held()
    os.kill(pid, signal.SIGKILL)
    os.waitpid(pid, 0)
    assert not other.is_held()
