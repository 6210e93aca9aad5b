"""Strategic merge as Kubernetes means it, for the lists that pods have: entries of the same key become one."""

from __future__ import annotations

import copy
from typing import Any

KEYS = {
    "containers": "name",
    "initContainers": "name",
    "env": "name",
    "volumes": "name",
    "volumeMounts": "mountPath",
    "ports": "containerPort",
    "topologySpreadConstraints": "topologyKey",
}
"""Lists that are merged by a key of their entries; every other list is replaced."""


def merge(into: dict[str, Any], change: dict[str, Any]) -> None:
    """Lay `change` over `into`; null removes."""
    for key, value in change.items():
        if value is None:
            into.pop(key, None)
        elif isinstance(value, dict) and isinstance(into.get(key), dict):
            merge(into[key], value)
        elif isinstance(value, list) and isinstance(into.get(key), list) and key in KEYS:
            _merge_lists(into[key], value, KEYS[key])
        else:
            into[key] = copy.deepcopy(value)


def _merge_lists(into: list[dict[str, Any]], change: list[dict[str, Any]], key: str) -> None:
    by_key = {entry[key]: entry for entry in into}
    for entry in change:
        if entry[key] in by_key:
            merge(by_key[entry[key]], entry)
    # New entries come first, as Kustomize puts them.
    into[:0] = [copy.deepcopy(entry) for entry in change if entry[key] not in by_key]
