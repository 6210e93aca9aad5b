"""What the launcher tells others: `.run/stack.json` for tools, `.run/state.json` for `make status`, and the screen."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import Any

from rihla_local.layout import Layout, write_json
from rihla_local.plan import Plan
from rihla_local.supervisor import Supervisor


class Report:
    """Writes both files whenever a pid or a state changes."""

    def __init__(self, layout: Layout, supervisor: Supervisor, plan: Plan) -> None:
        self._layout = layout
        self._supervisor = supervisor
        self._plan = plan

    def write_state(self) -> None:
        """The supervisor's view: one entry a process."""
        entries = [
            {
                "name": child.unit.name,
                "kind": child.unit.kind,
                "pid": child.pid,
                "port": child.unit.port,
                "state": child.state,
                "restarts": child.restarts,
                "log": str(child.unit.log),
            }
            for child in self._supervisor.children.values()
        ]
        write_json(self._layout.state_file, {"launcher_pid": os.getpid(), "processes": entries}, mode=0o600)

    def write_all(self) -> None:
        """Both files; called once everything is ready and at every change after that."""
        self.write_state()
        write_json(self._layout.stack_file, self.stack(), mode=0o600)

    def stack(self) -> dict[str, Any]:
        """Addresses, sign-in of the administrator and process ids."""
        services: dict[str, dict[str, Any]] = {}
        for process in self._plan.processes:
            url, pid = self._plan.addresses.url(process.name), self._pid(process.name)
            entry = services.setdefault(process.group, {"url": url, "urls": [], "pids": [], "kind": process.kind})
            entry["urls"].append(url)
            if pid is not None:
                entry["pids"].append(pid)
        inbox = services.get("inbox", {}).get("url")
        return {
            "gateway_url": services.get("gateway", {}).get("url"),
            "inbox_url": inbox,
            "admin": {"email": self._chosen("ADMIN_EMAIL"), "password": self._chosen("ADMIN_PASSWORD")},
            "services": services,
            "servers": {
                child.unit.name: {"port": child.unit.port, "pid": child.pid}
                for child in self._supervisor.children.values()
                if child.unit.kind == "server"
            },
            "databases": dict(self._plan.addresses.databases),
            "database_admin_url": self._plan.postgres.url if self._plan.postgres else None,
            "redis_url": self._plan.addresses.redis_url,
            "amqp_url": self._plan.addresses.amqp_url,
            "launcher_pid": os.getpid(),
        }

    def _chosen(self, name: str) -> str:
        return self._plan.own.get(name) or self._plan.secrets.variables[name]

    def _pid(self, name: str) -> int | None:
        child = self._supervisor.children.get(name)
        return child.pid if child else None


def screen(stack: Mapping[str, Any]) -> str:
    """The one screen at the end of a start."""
    gateway = stack["gateway_url"] or "(no gateway yet)"
    admin = stack["admin"]
    return f"""
  Rihla is ready.

    gateway   {gateway}
    API docs  {gateway}/docs
    inbox     {stack["inbox_url"]}   every mail, SMS and push of this stack ends here
    admin     {admin["email"]}   password {admin["password"]}

  Try next:
    make demo                                   a traveller registers, searches, books, pays and gets a ticket
    curl '{gateway}/v1/airports?query=dhaka'
    make status | make logs SERVICE=booking     from another terminal; make down stops a stack in the background
"""
