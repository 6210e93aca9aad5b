import asyncio
import json
from typing import Any, ClassVar

import pytest
import structlog
from pydantic import SecretStr, ValidationError

from rihla.settings import ServiceSettings, local_secret
from rihla.telemetry import configure_logging, get_logger
from rihla.testing import eventually
from rihla.testing.keyring import Keyring
from rihla.web.loops import LoopGroup


class SafeSettings(ServiceSettings):
    service: ClassVar[str] = "booking"
    safe_secret: SecretStr = local_secret("local-safe-secret")


def test_a_known_default_secret_is_refused_outside_local(keyring: Keyring) -> None:
    keys: dict[str, Any] = keyring.settings("booking")
    assert SafeSettings(**keys).rihla_env == "local"
    with pytest.raises(ValidationError, match="SECRET still has its local default"):
        SafeSettings(**keys, rihla_env="production")
    own = {"safe_secret": "one of our own", "idempotency_secret": "another"}
    assert SafeSettings(**keys, **own, rihla_env="production").safe_secret.get_secret_value() == "one of our own"


def test_a_secret_does_not_show_in_the_message_that_refuses_it() -> None:
    with pytest.raises(ValidationError) as refused:
        SafeSettings(service_key="very-secret-key", log_level="LOUD")  # type: ignore[arg-type]
    assert "very-secret-key" not in str(refused.value)


async def test_a_loop_that_fails_is_started_again_and_its_neighbour_goes_on() -> None:
    runs = {"failing": 0, "steady": 0}

    async def failing(stop: asyncio.Event) -> None:
        runs["failing"] += 1
        raise ConnectionError("gone")

    async def steady(stop: asyncio.Event) -> None:
        runs["steady"] += 1
        await stop.wait()

    group = LoopGroup([failing, steady])
    group.start()
    await eventually(lambda: runs["failing"] >= 3)
    await group.stop()
    assert runs["steady"] == 1


async def test_a_loop_that_does_not_stop_is_cancelled() -> None:
    async def deaf(stop: asyncio.Event) -> None:
        await asyncio.Event().wait()

    group = LoopGroup([deaf], patience=0.05)
    group.start()
    await asyncio.sleep(0)
    await asyncio.wait_for(group.stop(), timeout=60)


def test_personal_data_never_reaches_the_log(capsys: pytest.CaptureFixture[str]) -> None:
    configure_logging("booking")
    try:
        get_logger("test").info("person_seen", email="amina@example.com", booking_id="b-1")
    finally:
        structlog.reset_defaults()
        structlog.contextvars.clear_contextvars()
    line = json.loads(capsys.readouterr().out)
    assert line["email"] == "[removed]"
    assert (line["booking_id"], line["service"]) == ("b-1", "booking")
