"""`.env.example` from the settings themselves: `python -m rihla_local.env_example` writes it, `make lint` compares."""

from __future__ import annotations

import importlib
import textwrap
from pathlib import Path
from typing import Any

from pydantic import SecretStr
from pydantic.fields import FieldInfo
from pydantic_settings import BaseSettings

from rihla.settings import ServiceSettings
from rihla_local import manifest
from rihla_local.layout import ROOT

HEAD = """\
# Every setting, with its default. Copy to .env and uncomment what you change: the local launcher reads it, and so does
# docker compose for the ${...} of docker-compose.yml. Elsewhere the platform sets the environment of each process.
# Made by `make format` from the settings in the code.

## The local launcher

# Your own servers instead of private ones (the databases must exist):
# DATABASE_URL_AUTH=postgresql://role:password@host:5432/database
# DATABASE_URL_FLIGHT=
# DATABASE_URL_BOOKING=
# DATABASE_URL_PAYMENT=
# DATABASE_URL_NOTIFICATION=
# DATABASE_URL_CHAT=
# DATABASE_URL_SANDBOX=
# REDIS_URL=redis://host:6379/0
# AMQP_URL=amqp://user:password@host:5672/
# The ports people type; the next free one is taken when it is in use:
# GATEWAY_PORT=8080
# INBOX_PORT=8025
# SANDBOX_PORT=8090
# How many of each service's processes run (1-8):
# REPLICAS=1
# Where the launcher keeps its state; a second stack beside the first needs another folder:
# RIHLA_RUN_DIR=.run
"""


def text(root: Path) -> str:
    """The whole file."""
    parts = [HEAD, _section("Every process", ServiceSettings, set())]
    common = set(ServiceSettings.model_fields)
    for service in manifest.services(root):
        if (root / service.folder / service.package / "settings.py").exists():
            settings = importlib.import_module(f"{service.package}.settings").Settings
            parts.append(
                _section(service.folder if service.name != "sandbox" else "sandbox provider", settings, common)
            )
    return "\n".join(parts)


def is_current(root: Path) -> bool:
    """Whether the file says what the settings say."""
    file = root / ".env.example"
    return file.exists() and file.read_text() == text(root)


def _section(title: str, settings: type[BaseSettings], leave_out: set[str]) -> str:
    lines = [f"## {title}", ""]
    for name, info in settings.model_fields.items():
        if name in leave_out:
            continue
        described = (info.description or "").strip()
        lines += [f"# {line}" for line in textwrap.wrap(described, 116)]
        lines.append(f"# {name.upper()}={_default(info)}")
    return "\n".join(lines) + "\n"


def _default(info: FieldInfo) -> str:
    value: Any = info.get_default(call_default_factory=True, validated_data={})
    if info.is_required() or value is None:
        return ""
    if isinstance(value, SecretStr):
        return value.get_secret_value()
    if isinstance(value, bool):
        return str(value).lower()
    return str(value).replace("'", '"') if isinstance(value, dict | list) else str(value)


if __name__ == "__main__":
    (ROOT / ".env.example").write_text(text(ROOT))
