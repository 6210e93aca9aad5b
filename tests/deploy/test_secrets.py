"""Nobody finds out about a secret when it has leaked: each is told where it is put and how it is changed."""

from __future__ import annotations

import importlib
import importlib.util
import re
from typing import get_args

import pytest
from pydantic import SecretStr

from rihla_local.layout import ROOT
from rihla_local.manifest import Service, services

ROTATION = (ROOT / "docs/runbooks/secret-rotation.md").read_text()
KUBERNETES = (ROOT / "deploy/kubernetes/README.md").read_text()
CALLERS = [service for service in services(ROOT) if service.caller]


def secrets_of(service: Service) -> set[str]:
    """Variables of a service whose values nobody may see."""
    fields = importlib.import_module(f"{service.package}.settings").Settings.model_fields
    return {
        name.upper() for name, field in fields.items() if SecretStr in (field.annotation, *get_args(field.annotation))
    }


@pytest.mark.parametrize("service", CALLERS, ids=lambda service: str(service.name))
def test_every_secret_of_a_service_has_its_place_and_its_rotation(service: Service) -> None:
    secrets = secrets_of(service)
    assert {"SERVICE_KEY", "IDEMPOTENCY_SECRET"} <= secrets
    assert {name for name in secrets if f"`{name}`" not in ROTATION} == set()
    assert {name for name in secrets if f"`{name}`" not in KUBERNETES} == set()


def test_the_commands_of_the_rotation_are_there() -> None:
    modules = re.findall(r"`python -m ([a-z_.]+)`", ROTATION)
    assert len(modules) >= 2
    assert [name for name in modules if importlib.util.find_spec(name) is None] == []
