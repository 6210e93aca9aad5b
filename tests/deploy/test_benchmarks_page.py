"""The page of benchmarks shows what it says, and draws its curves from what it says."""

from __future__ import annotations

import importlib
import re
from types import ModuleType
from xml.etree import ElementTree

import pytest

from rihla_local.layout import ROOT

PAGE = (ROOT / "docs/benchmarks.md").read_text()


@pytest.fixture
def document(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    """bench/document.py, whose folder is no package."""
    monkeypatch.syspath_prepend(str(ROOT / "bench"))
    return importlib.import_module("document")


def test_every_picture_is_there() -> None:
    named = re.findall(r"!\[[^\]]*\]\(([^)]+)\)", PAGE)
    assert len(named) >= 6
    for name in named:
        assert ElementTree.parse(ROOT / "docs" / name).getroot().tag.endswith("svg")


@pytest.mark.parametrize(("module", "lines"), [("search", 3), ("workers", 1)])
def test_cost_curves_run_through_what_was_measured(document: ModuleType, module: str, lines: int) -> None:
    figures = {one: float(n) for places in document.CURVES[module][1].values() for n, (_, one) in enumerate(places, 1)}
    drawn = list(ElementTree.fromstring(document.plot(module, figures)).iter())
    assert sum(one.tag.endswith("polyline") for one in drawn) == lines
    assert sum(one.tag.endswith("circle") for one in drawn) == 3 * lines


def test_a_figure_is_told_beside_its_floor_and_a_bench_that_did_not_run_keeps_its_section(document: ModuleType) -> None:
    figure, floor = document.RATIOS["workers"][0]
    assert document.ratios("workers", {figure: 200.0, floor: 1000.0}) == [(figure, 0.2)]
    assert document.ratios("workers", {figure: 200.0, floor: 0.0}) == []
    assert document.sections("# Benchmarks\n\n## Chat\n\nas it was\n\n## Search\n\nlines\n").keys() == {
        "chat",
        "search",
    }
