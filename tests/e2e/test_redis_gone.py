"""Redis is stopped under the running platform: people go on signing in, booking and paying, and health tells."""

import os
import signal
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from rihla_local.traveller import PASSWORD, Traveller, within

MakeTraveller = Callable[[], Traveller]


@pytest.fixture
def bring_redis_back(stack: Any, alone: None, run_dir: Path) -> Iterator[Callable[[], None]]:
    """Redis is gone; the launcher starts it again when this is called."""
    mark = run_dir / "hold" / "redis"
    mark.touch()
    os.kill(stack.facts["servers"]["redis"]["pid"], signal.SIGTERM)

    def back() -> None:
        mark.unlink(missing_ok=True)

    yield back
    back()


async def _redis_is(state: str, traveller: Traveller) -> bool:
    health = await traveller.call("GET", "/health/ready")
    return health.status_code == 200 and health.json()["checks"]["redis"] == state


async def test_people_sign_in_and_book_while_redis_is_gone_and_health_says_so(
    bring_redis_back: Callable[[], None], new_traveller: MakeTraveller
) -> None:
    newcomer, again = new_traveller(), new_traveller()
    await within(120, "health to show that Redis is gone", lambda: _redis_is("degraded", newcomer))
    await newcomer.sign_up()
    await again.sign_in(newcomer.email, PASSWORD)
    booking = await again.book((await again.search("DAC", "JED"))[0])
    assert (await again.pay(booking))["status"] == "succeeded"
    await again.wait_until(booking, "confirmed", timeout=120)
    limited = await again.call("GET", "/v1/me")
    assert {"ratelimit", "ratelimit-policy"} <= limited.headers.keys(), "each gateway counts for itself meanwhile"
    bring_redis_back()
    await within(120, "health to show that Redis is back", lambda: _redis_is("ok", newcomer))
