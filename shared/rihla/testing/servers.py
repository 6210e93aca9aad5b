"""Where tests find PostgreSQL, Redis and RabbitMQ: the environment, a container engine, or the local launcher."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Servers:
    """`database_url` is a superuser's, of the database `postgres`."""

    database_url: str
    redis_url: str
    amqp_url: str


_VARIABLES = ("TEST_DATABASE_URL", "TEST_REDIS_URL", "TEST_AMQP_URL")


@contextmanager
def servers() -> Iterator[Servers]:
    """Real servers for as long as the block runs."""
    given = [os.environ.get(name) for name in _VARIABLES]
    if all(given):
        yield Servers(*(value or "" for value in given))
        return
    with ExitStack() as stack:
        yield _containers(stack) or stack.enter_context(_private_servers())


def _containers(stack: ExitStack) -> Servers | None:
    if os.environ.get("RIHLA_TEST_SERVERS") == "local" or not _engine_answers():
        return None
    from testcontainers.postgres import PostgresContainer
    from testcontainers.rabbitmq import RabbitMqContainer
    from testcontainers.redis import RedisContainer

    postgres = stack.enter_context(PostgresContainer("postgres:15", username="postgres", dbname="postgres"))
    redis = stack.enter_context(RedisContainer("redis:7"))
    rabbit = stack.enter_context(RabbitMqContainer("rabbitmq:3.13"))
    return Servers(
        postgres.get_connection_url(driver=None),
        f"redis://{redis.get_container_host_ip()}:{redis.get_exposed_port(6379)}",
        f"amqp://guest:guest@{rabbit.get_container_host_ip()}:{rabbit.get_exposed_port(5672)}/",
    )


def _engine_answers() -> bool:
    import docker
    from docker.errors import DockerException

    try:
        client = docker.from_env(timeout=2)
        client.ping()
    except (DockerException, OSError):
        return False
    client.close()
    return True


@contextmanager
def _private_servers() -> Iterator[Servers]:
    """The local launcher's private instances; they stop when our end of the pipe closes."""
    process = subprocess.Popen(
        [sys.executable, "-m", "rihla_local", "servers"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    try:
        assert process.stdin is not None
        assert process.stdout is not None
        line = process.stdout.readline()
        if not line:
            raise RuntimeError("the local launcher started no servers; run `make up` and read its message")
        yield Servers(**json.loads(line))
    finally:
        if process.stdin is not None:
            process.stdin.close()
        process.wait(timeout=30)
