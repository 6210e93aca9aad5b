"""The manifests say what the documents say, and the checks that guard them can fail."""

from __future__ import annotations

import re
import shutil
import subprocess
from collections.abc import Iterator
from copy import deepcopy
from pathlib import Path
from typing import Any

import pytest
import yaml  # type: ignore[import-untyped]

from rihla.contracts.events.subscribers import SUBSCRIBERS
from rihla.db import Database
from rihla_local.kubernetes import check
from rihla_local.kubernetes.pods import careless_pods
from rihla_local.kubernetes.render import CannotRender, render
from rihla_local.layout import ROOT
from rihla_local.manifest import SERVICES

OVERLAYS = ROOT / "deploy/kubernetes/overlays"
NAMES = [service.name for service in SERVICES if service.caller]
Object = dict[str, Any]

CALLS = {
    *(("gateway", name) for name in NAMES if name != "gateway"),
    *(("booking", "flight"), ("booking", "payment"), ("payment", "booking"), ("auth", "notification")),
    ("booking", "auth"),
    ("chat", "booking"),
    *(("auth", "booking"), ("auth", "payment"), ("auth", "chat")),
}
"""Who may call whom: docs/architecture.md; the chat assistant and the export of one's data read with the person's own
token (docs/adr/0004)."""


@pytest.fixture(scope="module")
def production() -> list[Object]:
    return render(OVERLAYS / "production")


def of_kind(objects: list[Object], kind: str) -> Iterator[Object]:
    return (one for one in objects if one["kind"] == kind)


def test_every_overlay_holds_against_the_schemas_the_processes_and_the_settings() -> None:
    assert check.problems(ROOT) == []


@pytest.mark.parametrize("overlay", check.OVERLAYS)
def test_our_renderer_prints_what_kustomize_prints(overlay: str) -> None:
    command = next((found for found in map(shutil.which, ("kubectl", "kustomize")) if found), None)
    if command is None:
        pytest.skip("neither kubectl nor kustomize is installed")
    verb = "kustomize" if command.endswith("kubectl") else "build"
    printed = subprocess.run([command, verb, str(OVERLAYS / overlay)], capture_output=True, check=True, text=True)

    def by_name(objects: list[Object]) -> dict[tuple[str, str], Object]:
        return {(one["kind"], one["metadata"]["name"]): one for one in objects}

    ours, theirs = by_name(render(OVERLAYS / overlay)), by_name(list(yaml.safe_load_all(printed.stdout)))
    assert ours.keys() == theirs.keys()
    assert [key for key in theirs if ours[key] != theirs[key]] == []


def test_a_misspelt_field_of_a_custom_resource_is_found(production: list[Object]) -> None:
    schemas = {"cluster": yaml.safe_load((ROOT / "deploy/kubernetes/schemas/cluster.json").read_text())}
    cluster = deepcopy(next(of_kind(production, "Cluster")))
    assert check._against_schema(cluster, schemas) == []
    cluster["spec"]["instanecs"] = 3
    assert any("instanecs" in line for line in check._against_schema(cluster, schemas))


def test_a_misspelt_field_of_a_kubernetes_kind_is_found(production: list[Object]) -> None:
    deployment = deepcopy(next(of_kind(production, "Deployment")))
    assert check._against_schema(deployment, {}) == []
    deployment["spec"]["template"]["spec"]["containers"][0]["livenesProbe"] = {}
    assert any("livenesProbe" in line for line in check._against_schema(deployment, {}))


@pytest.mark.parametrize(
    ("where", "change"),
    [
        ("securityContext", {"readOnlyRootFilesystem": False}),
        ("securityContext", {"allowPrivilegeEscalation": True}),
        ("resources", {"requests": {}}),
    ],
)
def test_a_careless_container_is_found(production: list[Object], where: str, change: Object) -> None:
    deployment = deepcopy(next(of_kind(production, "Deployment")))
    assert careless_pods([deployment]) == []
    deployment["spec"]["template"]["spec"]["containers"][0][where].update(change)
    assert len(careless_pods([deployment])) == 1


@pytest.mark.parametrize("probe", ["readinessProbe", "livenessProbe"])
def test_a_container_nobody_asks_how_it_is_is_found(production: list[Object], probe: str) -> None:
    deployment = deepcopy(next(of_kind(production, "Deployment")))
    del deployment["spec"]["template"]["spec"]["containers"][0][probe]
    assert [line for line in careless_pods([deployment]) if probe in line] != []


def test_a_patch_that_meets_nothing_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "kustomization.yaml").write_text("patches: [{path: one.yaml, target: {kind: Deployment}}]")
    (tmp_path / "one.yaml").write_text("[{op: remove, path: /spec}]")
    with pytest.raises(CannotRender):
        render(tmp_path)


def test_a_feature_our_renderer_does_not_know_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "kustomization.yaml").write_text("namePrefix: x-")
    with pytest.raises(CannotRender):
        render(tmp_path)


def _services(selector: Object) -> set[str]:
    """Which services' apis and workers a pod selector may mean."""
    found = set()
    for service in NAMES:
        for process in ("api", "worker"):
            labels = {"rihla.dev/service": service, "rihla.dev/process": process}
            if _selects(selector, labels):
                found.add(service)
    return found


def _selects(selector: Object, labels: dict[str, str]) -> bool:
    if any(labels.get(key) != value for key, value in selector.get("matchLabels", {}).items()):
        return False
    for rule in selector.get("matchExpressions", ()):
        inside = labels.get(rule["key"]) in rule.get("values", ())
        if not {"In": inside, "NotIn": not inside, "Exists": rule["key"] in labels}[rule["operator"]]:
            return False
    return True


def _allowed(production: list[Object], direction: str) -> set[tuple[str, str]]:
    """Pairs (caller, called) that policies of one direction let through to port 8000."""
    found = set()
    side = "from" if direction == "ingress" else "to"
    for policy in of_kind(production, "NetworkPolicy"):
        owners = _services(policy["spec"]["podSelector"])
        for rule in policy["spec"].get(direction, ()):
            if 8000 not in [port["port"] for port in rule.get("ports", [{"port": 8000}])]:
                continue
            assert rule.get(side), f"{policy['metadata']['name']} lets everybody through to port 8000"
            for peer in rule[side]:
                others = _services(peer["podSelector"]) if "podSelector" in peer else set()
                for owner in owners:
                    pairs = ((other, owner) if direction == "ingress" else (owner, other) for other in others)
                    found.update(pairs)
    return found


@pytest.mark.parametrize("direction", ["ingress", "egress"])
def test_the_network_lets_through_exactly_the_documented_calls(production: list[Object], direction: str) -> None:
    assert _allowed(production, direction) == CALLS


def test_the_documents_and_the_code_name_the_same_calls() -> None:
    map_of_calls = (ROOT / "docs/architecture.md").read_text().split("```")[1]
    drawn = {
        (caller, called)
        for caller, all_called in re.findall(r"(?=\b([a-z]+) ─+► ([a-z]+(?: · [a-z]+)*))", map_of_calls)
        for called in all_called.split(" · ")
    }
    assert {pair for pair in drawn if set(pair) <= set(NAMES)} == CALLS
    titles = re.findall(r"^## ([a-z]+)-service, for (?:the )?([a-z]+)$", (ROOT / "docs/contracts.md").read_text(), re.M)
    assert len(titles) >= 6
    assert {(caller, called) for called, caller in titles} <= CALLS
    written = {
        (service.name, audience)
        for service in SERVICES
        for file in (ROOT / service.folder / service.package).rglob("*.py")
        for audience in re.findall(r'\baudience="([a-z]+)"', file.read_text())
    }
    assert len(written) >= 5
    assert written <= CALLS


def test_workers_grow_with_the_queue_their_service_reads(production: list[Object]) -> None:
    hearers = {name for names in SUBSCRIBERS.values() for name in names}
    for scaled in of_kind(production, "ScaledObject"):
        name = scaled["metadata"]["name"].removesuffix("-worker")
        queues = [one["metadata"]["queueName"] for one in scaled["spec"]["triggers"] if one["type"] == "rabbitmq"]
        assert queues == ([f"rihla.{name}"] if name in hearers else [])
        assert any(f'producer="{name}"' in str(one) for one in scaled["spec"]["triggers"]) or name == "notification"


def test_whatever_no_policy_names_is_refused(production: list[Object]) -> None:
    deny = next(one for one in of_kind(production, "NetworkPolicy") if one["metadata"]["name"] == "default-deny")
    assert deny["spec"] == {"podSelector": {}, "policyTypes": ["Ingress", "Egress"]}


def test_each_database_is_reached_by_its_own_service_only(production: list[Object]) -> None:
    for policy in of_kind(production, "NetworkPolicy"):
        names = [
            value
            for rule in policy["spec"]["podSelector"].get("matchExpressions", ())
            if rule["key"] == "cnpg.io/poolerName"
            for value in rule["values"]
        ]
        for name in names:
            owner = name.removesuffix("-pooler").removesuffix("-search").removesuffix("-db")
            peers = [peer for rule in policy["spec"]["ingress"] for peer in rule["from"]]
            assert [peer["podSelector"]["matchLabels"] for peer in peers] == [{"rihla.dev/service": owner}]


def test_the_public_door_opens_to_public_paths_only(production: list[Object]) -> None:
    ingress = next(of_kind(production, "Ingress"))
    paths = {(path["path"], path["pathType"]) for path in ingress["spec"]["rules"][0]["http"]["paths"]}
    assert ("/", "Exact") in paths
    assert not [path for path, kind in paths if path.startswith(("/metrics", "/health", "/internal"))]
    assert ("/", "Prefix") not in paths


def test_no_service_can_open_more_connections_than_its_pooler_and_its_database_have(production: list[Object]) -> None:
    """A process holds at most two pools (SQLAlchemy's and the bare driver's) and one connection that listens."""
    wiring = next(one for one in of_kind(production, "ConfigMap") if one["metadata"]["name"] == "rihla-wiring")
    pool = int(wiring["data"]["DB_POOL_SIZE"])
    most = {
        one["metadata"]["name"]: one["spec"]["maxReplicas"] for one in of_kind(production, "HorizontalPodAutoscaler")
    }
    most |= {one["metadata"]["name"]: one["spec"]["maxReplicaCount"] for one in of_kind(production, "ScaledObject")}
    for pooler in of_kind(production, "Pooler"):
        owner = pooler["metadata"]["name"].partition("-")[0]
        surge = 1  # a rolling update has one more than the most
        wanted = (most[owner] + surge) * 2 * pool + (most[f"{owner}-worker"] + surge) * (2 * pool + 1)
        parameters = pooler["spec"]["pgbouncer"]["parameters"]
        given = int(parameters["default_pool_size"]) * pooler["spec"]["instances"]
        cluster = next(one for one in of_kind(production, "Cluster") if one["metadata"]["name"] == f"{owner}-db")
        assert wanted <= int(parameters["max_client_conn"]) * pooler["spec"]["instances"], owner
        assert wanted <= given <= int(cluster["spec"]["postgresql"]["parameters"]["max_connections"]) - 20, owner


def test_the_pooler_ignores_what_our_driver_asks_for_and_the_role_has_it_instead(production: list[Object]) -> None:
    asked = set(Database("postgresql://nobody@127.0.0.1/none")._server_settings) - {"application_name"}
    for pooler in of_kind(production, "Pooler"):
        ignored = pooler["spec"]["pgbouncer"]["parameters"]["ignore_startup_parameters"].split(",")
        assert asked <= set(ignored)
        assert pooler["spec"]["pgbouncer"]["poolMode"] == "session"
    for cluster in of_kind(production, "Cluster"):
        statements = " ".join(cluster["spec"]["bootstrap"]["initdb"]["postInitSQL"])
        assert [name for name in asked if f" SET {name} = " not in statements] == []


def test_a_booking_is_on_two_machines_before_it_is_acknowledged(production: list[Object]) -> None:
    for cluster in of_kind(production, "Cluster"):
        assert cluster["spec"]["instances"] == 3
        assert cluster["spec"]["postgresql"]["synchronous"]["dataDurability"] == "required"
        assert cluster["spec"]["plugins"][0]["isWALArchiver"] is True
