"""A minute of chaos on a stack of its own: processes, servers, webhooks and messages; then the verifier."""

import itertools

import pytest
from rihla_chaos.faults import plan
from rihla_chaos.run import Wish, run

from rihla_local.layout import ROOT

SECONDS, EVERY, SEED = 60.0, 8.0, 1131
FOLDER = ROOT / ".run" / "chaos-test"


@pytest.mark.takes_minutes
@pytest.mark.timeout(900)
async def test_a_minute_of_chaos_leaves_nothing_wrong() -> None:
    wish = Wish(folder=FOLDER, seconds=SECONDS, seed=SEED, rate=2.0, every=EVERY, quiet=300.0)
    result = await run(wish)
    # How soon a journey works again is asked of the long run: here the machine has other tests to do.
    assert result.untrue == [], f"see {FOLDER / 'report.md'}"
    assert [one for one in result.faults if one.recovered_after is None] == []


def test_a_seed_always_plans_the_same_faults() -> None:
    assert plan(7, 600, 20) == plan(7, 600, 20)
    assert plan(7, 600, 20) != plan(8, 600, 20)


def test_half_an_hour_holds_at_least_sixty_faults_of_at_least_eight_kinds() -> None:
    faults = plan(1, 1800, 20, blackout=True)
    assert len(faults) >= 60
    assert len({one.kind for one in faults}) >= 8
    assert all(earlier.at < later.at for earlier, later in itertools.pairwise(faults))


def test_a_short_run_already_sees_many_kinds_every_server_and_chat() -> None:
    faults = plan(SEED, SECONDS, EVERY)
    assert len({one.kind for one in faults}) == len(faults) >= 6
    assert {"postgres", "rabbitmq", "redis", "booking+flight", "chat-worker"} <= {one.target for one in faults}
