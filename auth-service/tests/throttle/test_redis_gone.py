"""Redis is away: people sign in all the same, and guessing is still slowed down, by this process alone."""

import socket
from typing import Any


def _nobody_listens() -> str:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return f"redis://127.0.0.1:{probe.getsockname()[1]}"


async def test_signing_in_and_out_goes_on_without_redis(settings: Any, keyring: Any, clock: Any, run_auth: Any) -> None:
    away = settings.model_copy(update={"redis_url": _nobody_listens()})
    async with run_auth(away, keyring, clock) as auth:
        person = await auth.registered()
        assert (await auth.get("/v1/me", person)).status_code == 200
        again = await auth.login()
        answer = await auth.post("/v1/auth/logout", {"refresh_token": again.refresh_token}, again)
        assert answer.status_code == 204
        assert (await auth.client.get("/health/ready")).status_code == 200


async def test_guessing_is_refused_by_local_counters(settings: Any, keyring: Any, clock: Any, run_auth: Any) -> None:
    away = settings.model_copy(update={"redis_url": _nobody_listens()})
    async with run_auth(away, keyring, clock) as auth:
        await auth.registered()
        wrong = {"identifier": "amina@example.com", "password": "not the password at all"}
        codes = [(await auth.post("/v1/auth/login", wrong)).status_code for _ in range(7)]
        assert codes[:5] == [401] * 5
        assert 429 in codes
