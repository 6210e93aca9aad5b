"""A minute of chaos on a stack of its own: processes, servers, webhooks and messages; then the verifier."""

import itertools

import pytest
from rihla_chaos.faults import KINDS, plan
from rihla_chaos.run import Wish, run

from rihla_local.layout import ROOT

FOLDER = ROOT / ".run" / "chaos-test"


@pytest.mark.takes_minutes
@pytest.mark.timeout(420)
async def test_a_minute_of_chaos_leaves_nothing_wrong() -> None:
    wish = Wish(folder=FOLDER, seconds=60, seed=2, rate=2.0, every=8.0, quiet=150.0)
    result = await run(wish)
    assert result.violations == [], f"see {FOLDER / 'report.md'}"
    assert len(result.faults) >= 5
    assert sum(one.good for one in result.journeys if one.honest) > 40


def test_a_seed_always_plans_the_same_faults() -> None:
    assert plan(7, 600, 20) == plan(7, 600, 20)
    assert plan(7, 600, 20) != plan(8, 600, 20)


def test_half_an_hour_holds_at_least_sixty_faults_of_at_least_eight_kinds() -> None:
    faults = plan(1, 1800, 20, blackout=True)
    assert len(faults) >= 60
    assert len({one.kind for one in faults}) >= 8
    assert all(earlier.at < later.at for earlier, later in itertools.pairwise(faults))


def test_a_short_run_already_sees_many_kinds() -> None:
    faults = plan(2, 60, 8)
    assert len({one.kind for one in faults}) == len(faults) <= len(KINDS)
