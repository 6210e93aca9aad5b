"""`python -m rihla_local.kubernetes.rules`: write the Prometheus rules as the resource their operator reads.

The rules are edited in `deploy/observability/prometheus`, where docker compose uses them as they are; `make lint` says
when the resource has fallen behind.
"""

from __future__ import annotations

from pathlib import Path

import yaml  # type: ignore[import-untyped]

from rihla_local.layout import ROOT

SOURCES = ("recording.yml", "alerts.yml")
FOLDER = Path("deploy/observability/prometheus")
RESOURCE = Path("deploy/kubernetes/base/wiring/rules.yaml")


def written(root: Path) -> str:
    """The resource's text."""
    groups = [group for name in SOURCES for group in yaml.safe_load((root / FOLDER / name).read_text())["groups"]]
    resource = {
        "apiVersion": "monitoring.coreos.com/v1",
        "kind": "PrometheusRule",
        "metadata": {"name": "rihla"},
        "spec": {"groups": groups},
    }
    head = f"# Made from {FOLDER} by python -m rihla_local.kubernetes.rules\n"
    return head + str(yaml.safe_dump(resource, sort_keys=False, width=1000, allow_unicode=True))


def is_current(root: Path) -> bool:
    """Whether the resource says what the rules say."""
    return (root / RESOURCE).read_text() == written(root)


if __name__ == "__main__":
    (ROOT / RESOURCE).write_text(written(ROOT))
