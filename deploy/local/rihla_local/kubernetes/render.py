"""What `kubectl kustomize` would print, for the part of Kustomize that `deploy/kubernetes` uses.

Kustomize itself is no dependency of this repository; where it is installed, a test holds both against each other.
Understood: resources, namespace, labels, images, patches (strategic merge and JSON 6902, by name or by target).
Anything else in a kustomization is refused, so that nothing is silently left out.
"""

from __future__ import annotations

import copy
import re
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import yaml  # type: ignore[import-untyped]

from rihla_local.kubernetes.merging import merge

Object = dict[str, Any]
_KNOWN = {"apiVersion", "kind", "namespace", "labels", "resources", "images", "patches"}
_CLUSTER_WIDE = {"Namespace"}
_WITH_PODS = {"Deployment", "StatefulSet", "Job"}


class CannotRender(Exception):
    """A kustomization asks for something this renderer does not know, or a patch finds nothing."""


def render(folder: Path) -> list[Object]:
    """Every object of the kustomization in `folder`. Raises CannotRender."""
    kustomization = yaml.safe_load((folder / "kustomization.yaml").read_text())
    if unknown := kustomization.keys() - _KNOWN:
        raise CannotRender(f"{folder}: cannot render {sorted(unknown)}")
    objects: list[Object] = []
    for name in kustomization.get("resources", ()):
        path = folder / name
        objects += render(path) if path.is_dir() else _documents(path)
    for patch in kustomization.get("patches", ()):
        _patch(folder, patch, objects)
    for one in objects:
        _place(one, kustomization.get("namespace"))
        _label(one, kustomization.get("labels", ()))
        _name_images(one, kustomization.get("images", ()))
    return objects


def _documents(path: Path) -> list[Object]:
    # Anchors make one list of two places; each place gets its own.
    return [copy.deepcopy(_unshared(each)) for each in yaml.safe_load_all(path.read_text()) if each]


def _unshared(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _unshared(each) for key, each in value.items()}
    return [_unshared(each) for each in value] if isinstance(value, list) else value


def _patch(folder: Path, patch: Object, objects: list[Object]) -> None:
    change = yaml.safe_load((folder / patch["path"]).read_text())
    target = patch.get("target") or {"kind": change["kind"], "name": change["metadata"]["name"]}
    found = [one for one in objects if _is_meant(one, target)]
    if not found:
        raise CannotRender(f"{folder / patch['path']}: patches nothing")
    for one in found:
        if isinstance(change, list):
            for operation in change:
                _apply(one, operation, f"{patch['path']} on {one['metadata']['name']}")
        else:
            body = {key: value for key, value in change.items() if key not in ("apiVersion", "kind", "metadata")}
            merge(one, body)


def _is_meant(one: Object, target: Object) -> bool:
    group = one["apiVersion"].partition("/")[0] if "/" in one["apiVersion"] else ""
    labels = one["metadata"].get("labels", {})
    return (
        re.fullmatch(target.get("kind", ".*"), one["kind"]) is not None
        and re.fullmatch(target.get("name", ".*"), one["metadata"]["name"]) is not None
        and target.get("group", group) == group
        and all(_holds(labels, rule) for rule in target.get("labelSelector", "").split(",") if rule)
    )


def _holds(labels: dict[str, str], rule: str) -> bool:
    name, unlike, value = rule.partition("!=")
    if unlike:
        return labels.get(name) != value
    name, _, value = rule.partition("=")
    return labels.get(name) == value


def _apply(one: Object, operation: Object, where: str) -> None:
    """One operation of RFC 6902: `replace` and `remove` need something to be there, as they do in Kustomize."""
    *way, last = (part.replace("~1", "/").replace("~0", "~") for part in operation["path"].strip("/").split("/"))
    place: Any = one
    try:
        for part in way:
            place = place[int(part) if isinstance(place, list) else part]
        key: Any = int(last) if isinstance(place, list) else last
        if operation["op"] != "add":
            _ = place[key]
    except (KeyError, IndexError):
        raise CannotRender(f"{where}: nothing at {operation['path']}") from None
    if operation["op"] == "remove":
        del place[key]
    else:
        place[key] = operation["value"]


def _place(one: Object, namespace: str | None) -> None:
    if namespace is not None and one["kind"] not in _CLUSTER_WIDE:
        one["metadata"]["namespace"] = namespace


def _label(one: Object, rules: Iterable[Object]) -> None:
    for rule in rules:
        one["metadata"].setdefault("labels", {}).update(rule["pairs"])
        if rule.get("includeTemplates") and one["kind"] in _WITH_PODS:
            template = one["spec"]["template"].setdefault("metadata", {})
            template.setdefault("labels", {}).update(rule["pairs"])
            for claim in one["spec"].get("volumeClaimTemplates", ()):
                claim["metadata"].setdefault("labels", {}).update(rule["pairs"])


def _name_images(one: Object, images: Iterable[Object]) -> None:
    if one["kind"] not in _WITH_PODS:
        return
    pod = one["spec"]["template"]["spec"]
    for container in [*pod.get("initContainers", ()), *pod["containers"]]:
        for image in images:
            if container.get("image", "").partition(":")[0] == image["name"]:
                container["image"] = f"{image['newName']}:{image['newTag']}"
