"""What one start will run and where: private servers where the environment names none, a port for each process."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from rihla_local import manifest, wiring
from rihla_local.credentials import Credentials
from rihla_local.layout import Layout
from rihla_local.ports import Ports
from rihla_local.servers.postgres import DURABLE, Postgres
from rihla_local.servers.rabbitmq import RabbitMQ
from rihla_local.servers.redis import Redis


@dataclass(frozen=True)
class Plan:
    """Everything decided before the first process starts. A server that is None is the person's own."""

    broker: RabbitMQ | None
    postgres: Postgres | None
    redis: Redis | None
    processes: Sequence[manifest.Process]
    addresses: wiring.Addresses
    own: Mapping[str, str]
    secrets: Credentials
    ports: Ports
    """Kept, so that no other launcher takes them while this one lives."""

    def environment(self, process: manifest.Process) -> dict[str, str]:
        """The complete environment of one process."""
        return wiring.variables(process, list(self.processes), self.addresses, self.secrets, self.own)


def make_plan(layout: Layout, secrets: Credentials, replicas: int) -> Plan:
    """Choose and remember every port. Raises NoFreePort."""
    own = wiring.own_variables(layout.root)
    ports = Ports(layout.run / "ports.json", layout.identity)
    names = manifest.databases(layout.root)
    given = {name: own.get(f"DATABASE_URL_{name.upper()}", "") for name in names}
    broker = None if own.get("AMQP_URL") else _broker(layout, ports, secrets)
    redis = None if own.get("REDIS_URL") else _redis(layout, ports, secrets)
    postgres = None if all(given.values()) else _postgres(layout, ports, secrets)
    databases = {name: url or _database_url(postgres, name, secrets) for name, url in given.items()}
    processes = manifest.processes(layout.root, replicas)
    addresses = wiring.Addresses(
        ports={one.name: ports.take(one.name, _preferred(one, own)) for one in processes},
        smtp_port=ports.take("smtp"),
        databases=databases,
        redis_url=redis.url if redis else own["REDIS_URL"],
        amqp_url=broker.url if broker else own["AMQP_URL"],
        data=layout.run,
    )
    ports.save()
    return Plan(broker, postgres, redis, processes, addresses, own, secrets, ports)


def _broker(layout: Layout, ports: Ports, secrets: Credentials) -> RabbitMQ:
    return RabbitMQ(
        layout.run / "rabbitmq",
        ports.take("rabbitmq"),
        ports.take("rabbitmq-distribution"),
        ports.take("epmd"),
        "rihla",
        secrets.passwords["rabbitmq"],
        f"rihla-{layout.identity}@localhost",
        layout.logs / "rabbitmq.log",
    )


def _postgres(layout: Layout, ports: Ports, secrets: Credentials) -> Postgres:
    return Postgres(
        layout.run / "postgres",
        layout.outside,
        ports.take("postgres"),
        secrets.passwords["postgres"],
        layout.logs / "postgres.log",
        DURABLE,
    )


def _redis(layout: Layout, ports: Ports, secrets: Credentials) -> Redis:
    log = layout.logs / "redis.log"
    return Redis(layout.run / "redis", ports.take("redis"), secrets.passwords["redis"], log, durable=True)


def _database_url(postgres: Postgres | None, name: str, secrets: Credentials) -> str:
    port = postgres.port if postgres else 5432
    return f"postgresql://{name}:{secrets.passwords[name]}@127.0.0.1:{port}/{name}"


def _preferred(process: manifest.Process, own: Mapping[str, str]) -> int | None:
    """GATEWAY_PORT, INBOX_PORT and SANDBOX_PORT move the three addresses people type."""
    if process.instance != 1 or process.kind != "api" or process.service.preferred_port is None:
        return None
    return int(own.get(f"{process.name.upper()}_PORT") or process.service.preferred_port)
