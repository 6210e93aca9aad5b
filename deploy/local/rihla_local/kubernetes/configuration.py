"""Variables that no setting reads are misspelt ones; names that nothing answers to are broken ones."""

from __future__ import annotations

import importlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from rihla_local import manifest

Object = dict[str, Any]
NOT_OURS = {
    *("DATABASE_USER", "DATABASE_PASSWORD"),  # parts of DATABASE_URL
    *("PGSSLMODE", "PGSSLROOTCERT"),  # read by asyncpg
    *("OTEL_EXPORTER_OTLP_ENDPOINT", "OTEL_TRACES_SAMPLER_ARG"),  # read by OpenTelemetry
}
OUTSIDE_SECRETS = ("-secrets", "-db-app", "-db-ca", "rihla-shared", "rabbitmq-watcher", "backup-credentials")
"""Secrets that operators make, or that the README tells how to make."""


def unknown_variables(root: Path, objects: list[Object]) -> list[str]:
    """A variable of one service's pods that is no setting of it; of the shared ConfigMap, one that nobody reads."""
    fields = {service.name: _settings(service) for service in manifest.services(root) if service.caller}
    everybody = set().union(*fields.values()) | NOT_OURS
    found = []
    for one in objects:
        if one["kind"] == "ConfigMap" and one["metadata"]["name"] == "rihla-wiring":
            found += [f"rihla-wiring: nobody reads {name}" for name in one["data"] if name not in everybody]
        service = one["metadata"].get("labels", {}).get("rihla.dev/service", "")
        if one["kind"] in ("Deployment", "Job") and service in fields:
            pod = one["spec"]["template"]["spec"]
            names = {variable["name"] for each in pod["containers"] for variable in each.get("env", ())}
            unknown = sorted(names - fields[service] - NOT_OURS)
            found += [f"{one['metadata']['name']}: {name} is no setting of {service}" for name in unknown]
    return found


def _settings(service: manifest.Service) -> set[str]:
    model = importlib.import_module(f"{service.package}.settings").Settings
    return {field.upper() for field in model.model_fields}


def missing_references(objects: list[Object]) -> list[str]:
    """Names that point at nothing: config maps, service accounts, scale targets, services of the ingress."""
    there = {(one["kind"], one["metadata"]["name"]) for one in objects}
    found = []
    for one in objects:
        for kind, name in _references(one):
            made_elsewhere = kind == "Secret" and name.endswith(OUTSIDE_SECRETS)
            if (kind, name) not in there and not made_elsewhere:
                found.append(f"{one['kind']}/{one['metadata']['name']}: there is no {kind} {name}")
    return found


def _references(one: Object) -> Iterator[tuple[str, str]]:
    spec = one.get("spec", {})
    if one["kind"] in ("HorizontalPodAutoscaler", "ScaledObject"):
        yield "Deployment", spec["scaleTargetRef"]["name"]
    if one["kind"] in ("Pooler", "ScheduledBackup"):
        yield "Cluster", spec["cluster"]["name"]
    if one["kind"] == "Cluster":
        queries = spec.get("monitoring", {}).get("customQueriesConfigMap", ())
        yield from (("ConfigMap", each["name"]) for each in queries)
        yield from (("ObjectStore", each["parameters"]["barmanObjectName"]) for each in spec.get("plugins", ()))
    if one["kind"] == "Ingress":
        for rule in spec["rules"]:
            yield from (("Service", path["backend"]["service"]["name"]) for path in rule["http"]["paths"])
    if one["kind"] in ("Deployment", "StatefulSet", "Job"):
        yield from _of_pod(spec["template"]["spec"])


def _of_pod(pod: Object) -> Iterator[tuple[str, str]]:
    yield "ServiceAccount", pod["serviceAccountName"]
    for volume in pod.get("volumes", ()):
        if "configMap" in volume:
            yield "ConfigMap", volume["configMap"]["name"]
        if "secret" in volume:
            yield "Secret", volume["secret"]["secretName"]
    for container in [*pod.get("initContainers", ()), *pod["containers"]]:
        for source in container.get("envFrom", ()):
            yield from (("ConfigMap", ref["name"]) for key, ref in source.items() if key == "configMapRef")
            yield from (("Secret", ref["name"]) for key, ref in source.items() if key == "secretRef")
        for variable in container.get("env", ()):
            if "valueFrom" in variable:
                yield "Secret", variable["valueFrom"]["secretKeyRef"]["name"]
