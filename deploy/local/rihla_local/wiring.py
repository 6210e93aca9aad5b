"""The environment of each process: who finds whom where, and with which secrets."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from rihla_local.credentials import Credentials
from rihla_local.manifest import CALLERS, Process

NAMESPACE = "rihla"


@dataclass(frozen=True)
class Addresses:
    """Where everything listens. `ports` by process name, `databases` by service name."""

    ports: Mapping[str, int]
    smtp_port: int
    databases: Mapping[str, str]
    redis_url: str
    amqp_url: str
    data: Path
    """Where a process may keep files of its own."""

    def url(self, process: str) -> str:
        """Base URL of one process."""
        return f"http://127.0.0.1:{self.ports[process]}"


def variables(
    process: Process, everyone: list[Process], addresses: Addresses, secrets: Credentials, own: Mapping[str, str]
) -> dict[str, str]:
    """The complete environment. `own` is what the person set (shell, `.env`): above secrets, below wiring."""
    chosen = {**{name: secrets.variables[name] for name in process.service.secrets}, **own}
    return {**chosen, **_wiring(process, everyone, addresses, secrets, chosen)}


def own_variables(root: Path) -> dict[str, str]:
    """The person's environment, with `.env` of the checkout on top."""
    return {**os.environ, **read_dotenv(root / ".env")}


def read_dotenv(path: Path) -> dict[str, str]:
    """`NAME=value` lines; comments, `export` and one pair of quotes are understood, nothing is expanded."""
    found: dict[str, str] = {}
    if not path.exists():
        return found
    for line in path.read_text().splitlines():
        name, separator, value = line.strip().removeprefix("export ").partition("=")
        if separator and not name.startswith("#") and value.strip():
            found[name.strip()] = _unquoted(value.strip())
    return found


def _unquoted(value: str) -> str:
    if len(value) >= 2 and value[0] == value[-1] and value[0] in "'\"":
        return value[1:-1]
    return value.split(" #")[0].rstrip()


def _wiring(
    process: Process,
    everyone: list[Process],
    addresses: Addresses,
    secrets: Credentials,
    chosen: Mapping[str, str],
) -> dict[str, str]:
    service = process.service
    public_url = addresses.url("gateway") if "gateway" in addresses.ports else ""
    places = {
        **{name: chosen[name] for name in service.secrets},
        "public_url": public_url,
        # The chaos run puts a network that delays, repeats and reorders between the provider and the gateway.
        "webhook_url": chosen.get("SANDBOX_WEBHOOK_URL") or f"{public_url}/v1/webhooks/sandbox",
        "sandbox_url": addresses.url("sandbox") if "sandbox" in addresses.ports else "",
        "own_url": addresses.url(process.name),
        "smtp_url": f"smtp://127.0.0.1:{addresses.smtp_port}",
        "smtp_port": str(addresses.smtp_port),
        "data": str(addresses.data / service.name),
        "files": str(addresses.data / "files"),
    }
    found = {name: value.format(**places) for name, value in service.environment.items()}
    found |= {
        "RIHLA_ENV": "local",
        "NAMESPACE": NAMESPACE,
        "PUBLIC_URL": public_url,
        "REDIS_URL": addresses.redis_url,
        "AMQP_URL": addresses.amqp_url,
        "DATABASE_URL": addresses.databases.get(service.name, ""),
    }
    if service.caller:
        found |= {"SERVICE_KEY": secrets.key_of(service.name), "SERVICE_JWKS": secrets.jwks}
    for name in CALLERS:
        instances = [one.name for one in everyone if one.service.name == name and one.kind == "api"]
        if name != "gateway":
            found[f"{name.upper()}_URL"] = ",".join(addresses.url(one) for one in instances)
    return found
