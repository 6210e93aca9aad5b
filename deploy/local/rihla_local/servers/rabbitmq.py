"""A private RabbitMQ and the Erlang port mapper it needs, on loopback ports."""

from __future__ import annotations

import os
import socket
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from rihla_local import spawning
from rihla_local.packages import epmd_binary, rabbitmq_script
from rihla_local.supervisor import Unit


@dataclass(frozen=True)
class RabbitMQ:
    """One private broker with its own node name, cookie, ports and port mapper."""

    folder: Path
    port: int
    distribution_port: int
    epmd_port: int
    user: str
    password: str
    node: str
    log: Path

    @property
    def url(self) -> str:
        """Address of the virtual host `/`."""
        return f"amqp://{self.user}:{self.password}@127.0.0.1:{self.port}/"

    def units(self, keep: Sequence[int] = ()) -> list[Unit]:
        """The port mapper and the broker.

        The mapper is started by us, in the foreground: one started by Erlang is a daemon that outlives the broker.
        """
        script, epmd = rabbitmq_script(), epmd_binary()
        if script is None or epmd is None:
            raise RuntimeError("rabbitmq-server is not installed")
        self._configure()
        environment = self._environment()

        def start_mapper() -> int:
            argv = [str(epmd), "-port", str(self.epmd_port), "-address", "127.0.0.1"]
            return spawning.command(argv, log=self.log, env=environment, directory=self.folder, keep=keep)

        def start_broker() -> int:
            return spawning.command([str(script)], log=self.log, env=environment, directory=self.folder, keep=keep)

        return [
            Unit(
                "epmd", start_mapper, lambda: _opens(self.epmd_port), 0, self.log, stop_seconds=1.0, port=self.epmd_port
            ),
            Unit("rabbitmq", start_broker, self._answers, 1, self.log, stop_seconds=10.0, port=self.port),
        ]

    def _configure(self) -> None:
        self.folder.mkdir(parents=True, exist_ok=True)
        lines = [
            f"listeners.tcp.1 = 127.0.0.1:{self.port}",
            f"default_user = {self.user}",
            f"default_pass = {self.password}",
            "disk_free_limit.absolute = 50MB",
            "vm_memory_high_watermark.absolute = 1GB",
            "log.console = true",
            "log.console.level = warning",
            "log.file = false",
            "raft.wal_max_size_bytes = 16777216",
        ]
        configuration = self.folder / "rabbitmq.conf"
        with os.fdopen(os.open(configuration, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as file:
            file.write("\n".join(lines) + "\n")
        (self.folder / "enabled_plugins").write_text("[].\n")

    def _environment(self) -> dict[str, str]:
        """RUNNING_UNDER_SYSTEMD makes the script become the Erlang machine instead of its parent: signals reach it."""
        return {
            "PATH": "/usr/bin:/bin:/usr/sbin:/sbin",
            "LANG": "C.UTF-8",
            "HOME": str(self.folder),
            "RUNNING_UNDER_SYSTEMD": "true",
            "ERL_EPMD_PORT": str(self.epmd_port),
            "ERL_EPMD_ADDRESS": "127.0.0.1",
            "RABBITMQ_CONF_ENV_FILE": "/dev/null",
            "RABBITMQ_NODENAME": self.node,
            "RABBITMQ_DIST_PORT": str(self.distribution_port),
            "RABBITMQ_MNESIA_BASE": str(self.folder / "mnesia"),
            "RABBITMQ_LOG_BASE": str(self.folder / "log"),
            "RABBITMQ_CONFIG_FILE": str(self.folder / "rabbitmq.conf"),
            "RABBITMQ_ENABLED_PLUGINS_FILE": str(self.folder / "enabled_plugins"),
            "RABBITMQ_GENERATED_CONFIG_DIR": str(self.folder / "config"),
            "RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS": "+sbwt none -kernel inet_dist_use_interface {127,0,0,1}",
        }

    def _answers(self) -> bool:
        """A broker that is up answers the protocol header with a method frame (type 1)."""
        try:
            with socket.create_connection(("127.0.0.1", self.port), timeout=1.0) as connection:
                connection.sendall(b"AMQP\x00\x00\x09\x01")
                return connection.recv(1) == b"\x01"
        except OSError:
            return False


def _opens(port: int) -> bool:
    try:
        with socket.create_connection(("127.0.0.1", port), timeout=1.0):
            return True
    except OSError:
        return False
