"""The simulation behind docs/scaling.md says what the page says, each time."""

from __future__ import annotations

import importlib.util
import sys
from types import ModuleType

import pytest

from rihla_local.layout import ROOT


@pytest.fixture(scope="module")
def simulate() -> ModuleType:
    spec = importlib.util.spec_from_file_location("scaling_simulation", ROOT / "bench/scaling/simulate.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module  # dataclasses look their module up
    spec.loader.exec_module(module)
    return module


@pytest.mark.parametrize("millions", [5, 20, 100])
def test_the_page_quotes_the_simulation(simulate: ModuleType, millions: int) -> None:
    year = simulate.Demand(millions * 1e6)
    row = next(
        line for line in (ROOT / "docs/scaling.md").read_text().splitlines() if f"| {millions} million |" in line
    )
    cells = [cell.strip() for cell in row.split("|")]
    assert float(cells[2]) == pytest.approx(year.bookings, rel=0.03)
    assert cells[3] == f"{year.searches:,.0f}"
    assert cells[4] == f"{year.gigabytes:.0f} GB"
    assert int(cells[5]) == year.search_processes


def test_grouping_serves_a_hot_flight_that_one_by_one_cannot(simulate: ModuleType) -> None:
    alone, waited = simulate.hot_flight(12_000, group=1, seconds=2)
    grouped, waits = simulate.hot_flight(12_000, group=64, seconds=2)
    assert alone == pytest.approx(4_600, rel=0.02)
    assert grouped == pytest.approx(12_000, rel=0.05)
    assert waits < 0.005 < waited
    assert simulate.hot_flight(12_000, group=64, seconds=2) == (grouped, waits)
