"""Alerts and dashboards speak of what is there: the code's metrics and labels, pages in docs, rows of the database."""

from __future__ import annotations

import contextlib
import json
import re
from collections.abc import Awaitable, Callable
from typing import Any

import asyncpg
import pytest
import yaml  # type: ignore[import-untyped]

from rihla_local.layout import ROOT
from rihla_local.manifest import services

FOLDER = ROOT / "deploy/observability"
RUNBOOKS = sorted((ROOT / "docs/runbooks").glob("*.md"))
OF_OTHERS = ("cnpg_collector_", "certmanager_")
"""Metrics of the operators (documented by CloudNativePG and cert-manager)."""
_FUNCTIONS = frozenset(
    {"sum", "min", "max", "rate", "increase", "by", "time", "topk", "histogram_quantile", "clamp_min"}
)
_DEFINED = re.compile(
    r'(?:Counter|Gauge|Histogram|CounterMetricFamily|GaugeMetricFamily|HistogramMetricFamily)\(\s*"([a-z_]+)"'
    r'(?:\s*,\s*"[^"]*")?(?:\s*,\s*(?:labels=)?[\[(]([^\])]*)[\])])?'
)


def rules() -> list[dict[str, Any]]:
    files = (FOLDER / "prometheus" / name for name in ("recording.yml", "alerts.yml"))
    return [rule for file in files for group in yaml.safe_load(file.read_text())["groups"] for rule in group["rules"]]


def dashboards() -> list[tuple[str, dict[str, Any]]]:
    return [
        (path.name, json.loads(path.read_text())) for path in sorted((FOLDER / "grafana/dashboards").glob("*.json"))
    ]


def expressions() -> list[str]:
    shown = [target["expr"] for _, board in dashboards() for panel in board["panels"] for target in panel["targets"]]
    return [rule["expr"] for rule in rules()] + shown


def defined() -> dict[str, set[str]]:
    """Metrics of the code with their labels, and those of the database's own queries."""
    found: dict[str, set[str]] = {}
    packages = [ROOT / "shared/rihla", *(ROOT / one.folder / one.package for one in services(ROOT))]
    for path in (path for package in packages for path in package.rglob("*.py")):
        for name, labels in _DEFINED.findall(path.read_text()):
            found.setdefault(base_of(name), set()).update(re.findall(r'"([a-z_]+)"', labels))
    for query_name, query in database_queries().items():
        for metric in (name for entry in query["metrics"] for name in entry):
            found[f"cnpg_{query_name}_{metric}"] = set()
    return found


def database_queries() -> dict[str, Any]:
    found: dict[str, Any] = {}
    for path in (ROOT / "deploy/kubernetes/base").glob("*/queries.yaml"):
        found |= yaml.safe_load(yaml.safe_load(path.read_text())["data"]["queries.yaml"])
    return found


def names_in(expression: str) -> set[str]:
    without_labels = re.sub(r"\{[^}]*\}|\[[^\]]*\]|(?:by|on)\s*\([^)]*\)", " ", expression)
    return {word for word in re.findall(r"[a-z_][a-z0-9_:]*", without_labels) if word not in _FUNCTIONS}


def base_of(name: str) -> str:
    return re.sub(r"_(total|bucket|sum|count)$", "", name)


def test_every_metric_of_rules_and_dashboards_is_made_by_the_code() -> None:
    known = defined()
    recorded = {rule["record"] for rule in rules() if "record" in rule}
    used = {name for expression in expressions() for name in names_in(expression)}
    assert len(used) > 25
    missing = {name for name in used - recorded if base_of(name) not in known and not name.startswith(OF_OTHERS)}
    assert missing == set()


def test_a_metric_that_nobody_makes_is_noticed() -> None:
    assert names_in("sum by (le) (rate(rihla_seats_sold_total{kind='x'}[5m])) > 3") == {"rihla_seats_sold_total"}
    assert "rihla_seats_sold" not in defined()


def test_rules_filter_by_labels_that_their_metric_has() -> None:
    known = defined()
    for expression in expressions():
        for name, labels in re.findall(r"([a-z_]+)\{([^}]*)\}", expression):
            if not name.startswith(OF_OTHERS):
                assert set(re.findall(r"([a-z_]+)=", labels)) <= known[base_of(name)], expression


def test_every_alert_has_a_runbook_that_says_what_to_do() -> None:
    alerts = [rule for rule in rules() if "alert" in rule]
    assert len(alerts) >= 15
    for alert in alerts:
        page = ROOT / "docs/runbooks" / alert["annotations"]["runbook_url"].rsplit("/", 1)[1]
        assert page.exists(), page
        assert alert["alert"] in page.read_text(), f"{page.name} does not mention {alert['alert']}"


def test_dashboards_are_unique_and_read_from_the_provisioned_source() -> None:
    boards = [board for _, board in dashboards()]
    assert len({board["uid"] for board in boards}) == len(boards) >= 3
    source = yaml.safe_load((FOLDER / "grafana/provisioning/datasources/rihla.yml").read_text())["datasources"][0]
    for board in boards:
        assert len({panel["id"] for panel in board["panels"]}) == len(board["panels"])
        assert {panel["datasource"]["uid"] for panel in board["panels"]} == {source["uid"]}


def test_prometheus_of_docker_compose_asks_every_process() -> None:
    composed = yaml.safe_load((ROOT / "docker-compose.yml").read_text())["services"]
    asked = yaml.safe_load((FOLDER / "prometheus/prometheus.yml").read_text())["scrape_configs"][0]["static_configs"]
    targets = {target.partition(":")[0] for entry in asked for target in entry["targets"]}
    names = {one.name for one in services(ROOT) if one.caller}
    processes = {name for name in composed if name.removesuffix("-worker") in names}
    assert processes <= targets


def test_every_metric_of_a_runbook_is_made_by_the_code() -> None:
    told = set(re.findall(r"`((?:rihla|gateway|flight)_[a-z_]+)[`{]", "".join(page.read_text() for page in RUNBOOKS)))
    assert len(told) >= 8
    assert {name for name in told if base_of(name) not in defined()} == set()


async def test_every_statement_of_a_runbook_runs_on_the_migrated_schema(
    database_for: Callable[[str], Awaitable[str]],
) -> None:
    told = [one for page in RUNBOOKS for one in re.findall(r"`((?:SELECT|UPDATE) [^`]+);`", page.read_text())]
    assert len(told) >= 7
    unknown = set(told)
    for service in (one for one in services(ROOT) if one.caller and one.database):
        connection = await asyncpg.connect(await database_for(service.folder))
        for statement in told:
            with contextlib.suppress(asyncpg.UndefinedTableError, asyncpg.UndefinedColumnError):
                await connection.execute(f"EXPLAIN {statement}")
                unknown.discard(statement)
        await connection.close()
    assert unknown == set()


@pytest.mark.parametrize("service", ["booking", "payment"])
async def test_the_queries_of_the_database_run_on_the_migrated_schema(
    service: str, database_for: Callable[[str], Awaitable[str]]
) -> None:
    connection = await asyncpg.connect(await database_for(f"{service}-service"))
    queries = {name: query for name, query in database_queries().items() if query["target_databases"] == [service]}
    assert queries
    for query in queries.values():
        row = await connection.fetchrow(query["query"])
        assert row is not None
        assert set(row.keys()) == {name for entry in query["metrics"] for name in entry}
    await connection.close()
