"""What the platform consists of: one entry a service, and the processes that follow from it.

A service is left out until its package exists, a worker until `worker.py` does; so a new service needs one entry here.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

CALLERS = ("gateway", "auth", "flight", "booking", "payment", "notification", "chat")
"""Who signs internal tokens with a key of their own (docs/contracts.md)."""

Kind = Literal["api", "worker"]


@dataclass(frozen=True)
class Service:
    """One service. Values of `environment` may name the places that `wiring.py` fills in, such as `{public_url}`."""

    name: str
    folder: str
    package: str
    database: bool = True
    caller: bool = True
    replicated: bool = True
    preferred_port: int | None = None
    secrets: tuple[str, ...] = ()
    """Variables whose values are made once per checkout (`credentials.py` says how)."""
    environment: Mapping[str, str] = field(default_factory=dict)
    server_config: str | None = None
    """`module:function` that makes the uvicorn configuration, for a service with bounds of its own."""
    stage: int = 4
    """Higher stages are stopped earlier."""

    def has(self, root: Path, module: str) -> bool:
        """Whether this service has such a module (`main`, `worker`, `migrate`, `seed`)."""
        return (root / self.folder / self.package / f"{module}.py").exists()


@dataclass(frozen=True)
class Process:
    """One running instance of a service's api or worker."""

    name: str
    service: Service
    kind: Kind
    factory: str
    instance: int

    @property
    def group(self) -> str:
        """The name all replicas share: `booking` or `booking-worker`."""
        return self.service.name if self.kind == "api" else f"{self.service.name}-worker"


SERVICES: tuple[Service, ...] = (
    Service(
        "gateway",
        "gateway",
        "gateway",
        database=False,
        preferred_port=8080,
        server_config="gateway.main:server_config",
        stage=5,
    ),
    Service(
        "auth",
        "auth-service",
        "auth_service",
        secrets=(
            "IDEMPOTENCY_SECRET",
            "ACCESS_TOKEN_KEYS",
            "REFRESH_SECRET",
            "CODE_SECRET",
            "API_KEY_SECRET",
            "DATA_KEYS",
            "ADMIN_EMAIL",
            "ADMIN_PASSWORD",
        ),
    ),
    Service("flight", "flight-service", "flight_service", secrets=("IDEMPOTENCY_SECRET", "OFFER_SECRETS")),
    Service(
        "booking",
        "booking-service",
        "booking_service",
        secrets=("IDEMPOTENCY_SECRET", "BOARDING_PASS_KEYS", "TRAVELLER_KEYS"),
        environment={"DOCUMENT_STORAGE_URL": "file://{files}/documents"},
    ),
    Service(
        "payment",
        "payment-service",
        "payment_service",
        secrets=("IDEMPOTENCY_SECRET", "SANDBOX_API_KEY", "SANDBOX_WEBHOOK_SECRET", "METHOD_KEYS"),
        environment={"SANDBOX_URL": "{sandbox_url}"},
    ),
    Service(
        "notification",
        "notification-service",
        "notification_service",
        secrets=("IDEMPOTENCY_SECRET", "UNSUBSCRIBE_SECRET", "WEBHOOK_KEYS"),
        environment={
            "SMTP_URL": "{smtp_url}",
            "DOCUMENT_STORAGE_URL": "file://{files}/documents",
            "WEBHOOK_LOCAL_TARGETS": "true",
        },
    ),
    Service(
        "chat",
        "chat-service",
        "chat_service",
        secrets=("IDEMPOTENCY_SECRET", "ATTACHMENT_SECRET", "INBOUND_MAIL_SECRET", "REPLY_ADDRESS_SECRET"),
        environment={"ATTACHMENT_STORAGE_URL": "file://{files}/attachments"},
        server_config="chat_service.main:server_config",
    ),
    Service(
        "sandbox",
        "payment-service",
        "sandbox_provider",
        caller=False,
        replicated=False,
        preferred_port=8090,
        secrets=("SANDBOX_API_KEY", "SANDBOX_WEBHOOK_SECRET"),
        environment={
            "WEBHOOK_SECRET": "{SANDBOX_WEBHOOK_SECRET}",
            "SANDBOX_PUBLIC_URL": "{own_url}",
            "WEBHOOK_URL": "{webhook_url}",
        },
        stage=3,
    ),
    Service(
        "inbox",
        "deploy/local",
        "rihla_inbox",
        database=False,
        caller=False,
        replicated=False,
        preferred_port=8025,
        environment={"INBOX_SMTP_PORT": "{smtp_port}", "INBOX_DATA_DIR": "{data}"},
        stage=3,
    ),
)


def services(root: Path) -> list[Service]:
    """Those whose package exists."""
    return [service for service in SERVICES if service.has(root, "main")]


def processes(root: Path, replicas: int = 1) -> list[Process]:
    """Every process to run: api and worker of each service, `replicas` times where the service allows it."""
    found: list[Process] = []
    for service in services(root):
        kinds: list[tuple[Kind, str]] = [("api", f"{service.package}.main:create_app")]
        if service.has(root, "worker"):
            kinds.append(("worker", f"{service.package}.worker:create_worker"))
        for kind, factory in kinds:
            for instance in range(1, (replicas if service.replicated else 1) + 1):
                base = service.name if kind == "api" else f"{service.name}-worker"
                name = base if instance == 1 else f"{base}-{instance}"
                found.append(Process(name, service, kind, factory, instance))
    return found


def databases(root: Path) -> list[str]:
    """Names of the databases (and of their roles) the stack needs."""
    return [service.name for service in services(root) if service.database]
