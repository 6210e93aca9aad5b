"""The whole platform, started once for the tests beside whatever else runs, and talked to through the gateway only."""

import fcntl
import json
import os
import subprocess
import sys
from collections.abc import AsyncIterator, Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio

from rihla_local.own_stack import NO_LIMITS
from rihla_local.traveller import Traveller

ROOT = Path(__file__).resolve().parents[2]
RUN_DIR = Path(os.environ.get("RIHLA_RUN_DIR") or ROOT / ".run" / "e2e")
# Sixty days of flights are enough here; the rest of the year would be made while the tests run. How fast a machine
# answers that other tests keep busy is not what these tests ask, nor do they ask how much one address may do.
PATIENCE = {
    **{name: quota for name, quota in NO_LIMITS.items() if name != "UNPAID_BOOKINGS_PER_TRAVELLER"},
    **dict.fromkeys(
        (
            "AUTH_TIMEOUT_SECONDS",
            "BOOKING_TIMEOUT_SECONDS",
            "CONNECT_TIMEOUT",
            "FLIGHT_TIMEOUT_SECONDS",
            "PAYMENT_TIMEOUT_SECONDS",
            "PROVIDER_TIMEOUT_SECONDS",
        ),
        "20",
    ),
    "REDIS_TIMEOUT": "5",
    "GENERATE_DAYS_AHEAD": "60",
}


@dataclass(frozen=True)
class Stack:
    """What `.run/stack.json` says."""

    facts: dict[str, Any]

    @property
    def gateway_url(self) -> str:
        return str(self.facts["gateway_url"])

    @property
    def inbox_url(self) -> str:
        return str(self.facts["inbox_url"])

    @property
    def admin(self) -> dict[str, str]:
        return dict(self.facts["admin"])


def _launcher(command: str) -> None:
    environment = {**os.environ, **PATIENCE, "RIHLA_RUN_DIR": str(RUN_DIR)}
    done = subprocess.run(
        [sys.executable, "-m", "rihla_local", command],
        cwd=ROOT,
        env=environment,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=900,
        check=False,
    )
    assert done.returncode == 0, f"rihla_local {command}:\n{done.stdout[-3000:]}\n{done.stderr[-3000:]}"


@pytest.fixture(scope="session")
def stack() -> Iterator[Stack]:
    """The stack of these tests; of several test workers the first starts it and the last stops it."""
    RUN_DIR.mkdir(parents=True, exist_ok=True)
    users = RUN_DIR / "users"
    with (RUN_DIR / "users.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        count = int(users.read_text()) if users.exists() else 0
        if count == 0 or not (RUN_DIR / "stack.json").exists():
            count = 0
            _launcher("down")
            _launcher("up")
        users.write_text(str(count + 1))
    yield Stack(json.loads((RUN_DIR / "stack.json").read_text()))
    with (RUN_DIR / "users.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        count = int(users.read_text()) - 1
        users.write_text(str(count))
        if count == 0:
            _launcher("down")


@pytest.fixture(scope="session")
def run_dir() -> Path:
    """Where the stack of these tests lives."""
    return RUN_DIR


@pytest.fixture(autouse=True)
def _place(request: pytest.FixtureRequest) -> Iterator[None]:
    """Tests of several workers share the stack, but for one that asks for `alone`: it waits for the others to end
    while nobody new begins."""
    RUN_DIR.mkdir(parents=True, exist_ok=True)
    alone = "alone" in request.fixturenames
    with (RUN_DIR / "gate.lock").open("w") as gate, (RUN_DIR / "place.lock").open("w") as place:
        fcntl.flock(gate, fcntl.LOCK_EX)
        fcntl.flock(place, fcntl.LOCK_EX if alone else fcntl.LOCK_SH)
        fcntl.flock(gate, fcntl.LOCK_UN)
        yield


@pytest.fixture
def alone() -> None:
    """Nobody else talks to the stack meanwhile."""


@pytest_asyncio.fixture
async def new_traveller(stack: Stack) -> AsyncIterator[Callable[[], Traveller]]:
    """Makes travellers who are not signed in yet."""
    made: list[Traveller] = []

    def make() -> Traveller:
        made.append(Traveller(stack.gateway_url, stack.inbox_url))
        return made[-1]

    yield make
    for one in made:
        await one.close()


@pytest_asyncio.fixture
async def traveller(new_traveller: Callable[[], Traveller]) -> Traveller:
    """A traveller with an account of their own."""
    made = new_traveller()
    await made.sign_up()
    return made
