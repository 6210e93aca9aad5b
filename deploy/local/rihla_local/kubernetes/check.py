"""Checks the rendered manifests: schemas of Kubernetes and of the operators, the launcher's manifest, the settings.

Schemas of custom resources are kept in `deploy/kubernetes/schemas` (its README says where they come from); they are
closed: a misspelt field is an error, as it is for Kubernetes' own kinds.
"""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path
from typing import Any

from jsonschema import Draft7Validator, Draft202012Validator
from kubernetes_validate.utils import schema_contents  # type: ignore[import-untyped]
from referencing import Registry, Resource

from rihla_local import manifest
from rihla_local.kubernetes.configuration import missing_references, unknown_variables
from rihla_local.kubernetes.pods import careless_pods
from rihla_local.kubernetes.render import CannotRender, Object, render
from rihla_local.kubernetes.rules import RESOURCE, is_current

FOLDER = Path("deploy/kubernetes")
OVERLAYS = ("staging", "production")
VERSION = "1.34"
"""The Kubernetes that production runs."""
_STRICT = f"kubernetes-json-schema/v{VERSION}.0-local-strict"


def problems(root: Path) -> list[str]:
    """What is wrong, one line each, of every overlay."""
    found = [] if is_current(root) else [f"{RESOURCE} is old: python -m rihla_local.kubernetes.rules"]
    schemas = {path.stem: json.loads(path.read_text()) for path in (root / FOLDER / "schemas").glob("*.json")}
    for overlay in OVERLAYS:
        try:
            objects = render(root / FOLDER / "overlays" / overlay)
        except CannotRender as problem:
            found.append(str(problem))
            continue
        lines = [line for one in objects for line in _against_schema(one, schemas)]
        lines += _twice(objects) + _missing_processes(root, objects) + careless_pods(objects)
        lines += unknown_variables(root, objects) + missing_references(objects)
        found += [f"{overlay}: {line}" for line in lines]
    return found


def _against_schema(one: Object, schemas: dict[str, Any]) -> list[str]:
    name = f"{one['kind']}/{one['metadata']['name']}"
    schema = schemas.get(one["kind"].lower())
    if schema is not None and one["apiVersion"] == _version_of(schema):
        validator: Any = Draft7Validator(schema)
    else:
        validator = _own_validator(one["kind"], one["apiVersion"])
    if validator is None:
        return [f"{name}: no schema for {one['apiVersion']} {one['kind']}; add one to deploy/kubernetes/schemas"]
    errors = validator.iter_errors(one)
    return [f"{name}: {'/'.join(map(str, error.absolute_path))}: {error.message[:300]}" for error in errors]


@cache
def _own_validator(kind: str, api_version: str) -> Draft202012Validator | None:
    """Of one of Kubernetes' own kinds: the strict schemas that the package kubernetes-validate carries.

    The package's own `validate` reads megabytes for every object; this reads them once.
    """
    group, _, version = api_version.rpartition("/")
    name = "-".join(part for part in (kind.lower(), group.partition(".")[0], version) if part)
    try:
        schema = schema_contents(f"{_STRICT}/{name}.json", VERSION)
    except FileNotFoundError:
        return None
    return Draft202012Validator(schema, registry=Resource.from_contents(schema) @ _definitions())


@cache
def _definitions() -> Registry[Any]:
    definitions: Resource[Any] = Resource.from_contents(schema_contents(f"{_STRICT}/_definitions.json", VERSION))
    return definitions @ Registry()


def _version_of(schema: dict[str, Any]) -> str:
    return str(schema["properties"]["apiVersion"]["const"])


def _twice(objects: list[Object]) -> list[str]:
    names = [f"{one['apiVersion']} {one['kind']}/{one['metadata']['name']}" for one in objects]
    return [f"{name} is there twice" for name in sorted({name for name in names if names.count(name) > 1})]


def _missing_processes(root: Path, objects: list[Object]) -> list[str]:
    """Every process has its Deployment, every service with a database its migration and its database."""
    named = {(one["kind"], one["metadata"]["name"]): one for one in objects}
    found = []
    for process in manifest.processes(root):
        if not process.service.caller:
            continue  # the sandbox company and the inbox are no part of production
        deployment = named.get(("Deployment", process.name))
        if deployment is None:
            found.append(f"{process.name}: has no Deployment")
            continue
        command = deployment["spec"]["template"]["spec"]["containers"][0]["command"]
        if process.factory not in command and process.service.server_config is None:
            found.append(f"{process.name}: its command does not name {process.factory}")
    for service in manifest.services(root):
        if service.database and service.caller:
            found += _unprepared(root, service, named)
    return found


def _unprepared(root: Path, service: manifest.Service, named: dict[tuple[str, str], Object]) -> list[str]:
    job = named.get(("Job", f"{service.name}-migrate"))
    if job is None or ("Cluster", f"{service.name}-db") not in named:
        return [f"{service.name}: needs a Job {service.name}-migrate and a Cluster {service.name}-db"]
    command = " ".join(job["spec"]["template"]["spec"]["containers"][0]["command"])
    modules = [f"{service.package}.{name}" for name in ("migrate", "seed") if service.has(root, name)]
    return [f"{service.name}-migrate: does not run {module}" for module in modules if module not in command]
