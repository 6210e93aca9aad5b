"""What every pod owes the cluster (Pod Security Standards, `restricted`, and a little more)."""

from __future__ import annotations

from typing import Any

Object = dict[str, Any]
_WITH_PODS = {"Deployment", "StatefulSet", "Job"}


def careless_pods(objects: list[Object]) -> list[str]:
    """What a pod does not promise, one line each."""
    found = []
    for one in objects:
        if one["kind"] in _WITH_PODS:
            pod = one["spec"]["template"]["spec"]
            lines = _of_pod(pod) + [line for each in _containers(pod) for line in _of_container(each)]
            if one["kind"] != "Job":
                lines += [
                    f"{each['name']} has no {probe}"
                    for each in pod["containers"]
                    for probe in ("readinessProbe", "livenessProbe")
                    if probe not in each
                ]
            found += [f"{one['kind']}/{one['metadata']['name']}: {line}" for line in lines]
    return found


def _containers(pod: Object) -> list[Object]:
    return [*pod.get("initContainers", ()), *pod["containers"]]


def _of_pod(pod: Object) -> list[str]:
    security = pod.get("securityContext", {})
    promises = {
        "runs as root": security.get("runAsNonRoot") is True,
        "has no seccomp profile": security.get("seccompProfile", {}).get("type") == "RuntimeDefault",
        "gets a token of the cluster": pod.get("automountServiceAccountToken") is False,
    }
    return [line for line, kept in promises.items() if not kept]


def _of_container(container: Object) -> list[str]:
    security = container.get("securityContext", {})
    requests = container.get("resources", {}).get("requests", {})
    promises = {
        "may gain privileges": security.get("allowPrivilegeEscalation") is False,
        "may write to its image": security.get("readOnlyRootFilesystem") is True,
        "keeps capabilities": security.get("capabilities", {}).get("drop") == ["ALL"],
        "asks for no CPU or memory": {"cpu", "memory"} <= requests.keys(),
        "has no memory limit": "memory" in container.get("resources", {}).get("limits", {}),
        "has no pinned image": ":" in container.get("image", "") and not container["image"].endswith(":latest"),
    }
    return [f"{container['name']} {line}" for line, kept in promises.items() if not kept]
