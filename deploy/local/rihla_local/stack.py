"""The whole platform from nothing to ready, and back: servers, databases, migrations and seeds, then every process."""

from __future__ import annotations

import os
import signal
import time
import traceback
from collections.abc import Callable
from functools import partial
from pathlib import Path

from rihla_local import credentials, databases, manifest, packages, ports, spawning, warm
from rihla_local.layout import Busy, Layout, Lock, tail
from rihla_local.plan import Plan, make_plan
from rihla_local.progress import Progress
from rihla_local.readiness import answers_ready
from rihla_local.report import Report, screen
from rihla_local.servers.account import NoAccount
from rihla_local.supervisor import Interrupted, Signals, StartFailed, Supervisor, TaskFailed, Unit

SERVERS_SECONDS = 300.0
TASKS_SECONDS = 600.0
PROCESSES_SECONDS = 300.0
LEFTOVERS_SECONDS = 60.0
PROCESS_STOP_SECONDS = 5.0


class CannotStart(Exception):
    """A reason meant for the person."""


PROBLEMS = (CannotStart, StartFailed, TaskFailed, NoAccount, packages.CannotInstall, ports.NoFreePort)


class Stack:
    """One run of the platform in this process. The caller holds the launcher's lock."""

    def __init__(self, layout: Layout, progress: Progress, replicas: int) -> None:
        self._layout = layout
        self._progress = progress
        self._replicas = replicas
        self._alive = Lock(layout.run / "alive.lock")

    def run(self, signals: Signals) -> int:
        """Start everything, look after it until a signal, stop it. Returns the exit code."""
        supervisor = Supervisor(signals, hold=self._layout.hold)
        try:
            self._start(supervisor)
            self._progress.ready()
            supervisor.watch()
        except Interrupted:
            self._progress.say("\nstopping ...")
            return 0
        except PROBLEMS as problem:
            self._progress.say(f"\nRihla could not start: {problem}{_log_of(problem)}")
            return 1
        except Exception:
            self._progress.say(f"\nRihla could not start:\n{traceback.format_exc()}")
            return 1
        finally:
            self._stop(supervisor)
        return 0

    def _start(self, supervisor: Supervisor) -> None:
        self._layout.make()
        for held in self._layout.hold.iterdir():
            held.unlink()
        try:
            self._alive.take(wait_seconds=LEFTOVERS_SECONDS)
        except Busy:
            raise CannotStart("processes of an earlier run are still stopping; try again in a moment") from None
        plan = make_plan(self._layout, credentials.load(self._layout.run / "secrets.json"), self._replicas)
        report = Report(self._layout, supervisor, plan)
        supervisor.on_change = report.write_state
        servers = self._start_servers(supervisor, plan)
        with self._progress.timed("code imported once for all processes"):
            warm.import_libraries(self._layout.run / "bytecode")
            warm.import_services(plan.processes)
        self._prepare_databases(supervisor, plan)
        supervisor.wait_ready(servers, SERVERS_SECONDS, self._say_ready)
        units = [self._unit(plan, process) for process in plan.processes]
        with self._progress.timed(f"{len(units)} processes ready"):
            supervisor.start(*units)
            supervisor.wait_ready(units, PROCESSES_SECONDS)
        supervisor.on_change = report.write_all
        report.write_all()
        self._progress.say(screen(report.stack()))

    def _start_servers(self, supervisor: Supervisor, plan: Plan) -> list[Unit]:
        """The slowest first: RabbitMQ boots while PostgreSQL's data directory is made and libraries are imported."""
        keep = self._keep()
        units: list[Unit] = []
        if plan.broker is not None:
            units += plan.broker.units(keep)
            supervisor.start(*units)
        if plan.redis is not None:
            units.append(plan.redis.unit(keep))
            supervisor.start(units[-1])
        if plan.postgres is not None:
            units.append(plan.postgres.unit(keep))
            supervisor.start(units[-1])
        return units

    def _prepare_databases(self, supervisor: Supervisor, plan: Plan) -> None:
        """Databases and roles, then every service's migrations and seeds beside each other."""
        root = self._layout.root
        if plan.postgres is not None:
            supervisor.wait_ready([supervisor.children["postgres"].unit], SERVERS_SECONDS)
            passwords = {name: plan.secrets.passwords[name] for name in manifest.databases(root)}
            create = partial(databases.create, plan.postgres.url, passwords)
            supervisor.run_tasks({"databases": self._task("databases", create)}, 60.0)
        tasks: dict[str, tuple[int, Path]] = {}
        began = time.monotonic()
        for service in manifest.services(root):
            modules = [one for one in ("migrate", "seed") if service.has(root, one)]
            if modules:
                process = next(one for one in plan.processes if one.service is service)
                body = partial(warm.prepare, service.name, service.package, modules, plan.environment(process))
                tasks[service.name] = self._task(f"{service.name}-prepare", body)

        def say(name: str) -> None:
            self._progress.step(f"database of {name} is up to date ({time.monotonic() - began:.1f} s)")

        supervisor.run_tasks(tasks, TASKS_SECONDS, say)

    def _task(self, name: str, body: Callable[[], int | None]) -> tuple[int, Path]:
        log = self._layout.logs / f"{name}.log"
        return spawning.fork(body, log=log, keep=self._keep()), log

    def _unit(self, plan: Plan, process: manifest.Process) -> Unit:
        log = self._layout.logs / f"{process.name}.log"
        port = plan.addresses.ports[process.name]
        body = partial(warm.serve, process, port, plan.environment(process))
        return Unit(
            name=process.name,
            start=partial(spawning.fork, body, log=log, keep=self._keep(), death=signal.SIGKILL),
            is_ready=partial(answers_ready, port),
            stage=process.service.stage,
            log=log,
            stop_seconds=PROCESS_STOP_SECONDS,
            service=process.group,
            kind=process.kind,
            port=port,
        )

    def _stop(self, supervisor: Supervisor) -> None:
        began = time.monotonic()
        self._layout.stack_file.unlink(missing_ok=True)
        supervisor.stop()
        self._layout.state_file.unlink(missing_ok=True)
        self._alive.release()
        self._progress.say(f"stopped in {time.monotonic() - began:.1f} s")

    def _keep(self) -> list[int]:
        return [] if self._alive.descriptor is None else [self._alive.descriptor]

    def _say_ready(self, unit: Unit) -> None:
        self._progress.step(f"{unit.name} on 127.0.0.1:{unit.port}")


def replicas_wanted() -> int:
    """REPLICAS of the environment, 1 to 8."""
    text = os.environ.get("REPLICAS", "")
    return min(max(int(text), 1), 8) if text.isdigit() else 1


def _log_of(problem: Exception) -> str:
    log = problem.unit.log if isinstance(problem, StartFailed) else getattr(problem, "log", None)
    return f"\nthe end of {log}:\n{tail(log)}" if isinstance(log, Path) else ""
