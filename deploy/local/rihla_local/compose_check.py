"""Checks docker-compose.yml without an engine: against the compose schema, the manifest and the services' settings.

The schema is the Compose Specification's own (Apache License 2.0), kept beside the image's files.
"""

from __future__ import annotations

import importlib
import json
from pathlib import Path
from typing import Any

import yaml  # type: ignore[import-untyped]
from jsonschema import Draft7Validator

from rihla_local import manifest

SCHEMA = Path("deploy/docker/compose.schema.json")
OURS = {"RIHLA_SERVICE", "OTEL_EXPORTER_OTLP_ENDPOINT"}


def problems(root: Path) -> list[str]:
    """What is wrong, one line each."""
    document = yaml.safe_load((root / "docker-compose.yml").read_text())
    validator = Draft7Validator(json.loads((root / SCHEMA).read_text()))
    found = [f"{'/'.join(map(str, error.absolute_path))}: {error.message}" for error in validator.iter_errors(document)]
    services: dict[str, Any] = document.get("services", {})
    found += _missing_processes(root, services)
    for name, service in services.items():
        found += _unknown_variables(root, name, service)
        found += [
            f"{name}: depends on {other}, which is not there"
            for other in service.get("depends_on", {})
            if other not in services
        ]
    return found


def _missing_processes(root: Path, services: dict[str, Any]) -> list[str]:
    found = []
    for process in manifest.processes(root):
        command = services.get(process.name, {}).get("command")
        if command is None:
            found.append(f"{process.name}: has no service in docker-compose.yml")
        elif process.factory not in command and process.service.server_config is None:
            found.append(f"{process.name}: its command does not name {process.factory}")
    for service in manifest.services(root):
        command = " ".join(services.get(f"{service.name}-prepare", {}).get("command", ()))
        found += [
            f"{service.name}-prepare: does not run {service.package}.{module}"
            for module in ("migrate", "seed")
            if service.has(root, module) and f"{service.package}.{module}" not in command
        ]
    return found


def _unknown_variables(root: Path, name: str, service: dict[str, Any]) -> list[str]:
    """A variable that no setting reads is a misspelt one."""
    environment: dict[str, Any] = service.get("environment", {})
    owner = next((one for one in manifest.services(root) if one.name == environment.get("RIHLA_SERVICE")), None)
    if owner is None:
        return []
    fields = importlib.import_module(f"{owner.package}.settings").Settings.model_fields
    known = {field.upper() for field in fields} | OURS
    return [f"{name}: {variable} is no setting of {owner.name}" for variable in environment if variable not in known]
