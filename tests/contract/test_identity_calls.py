"""auth-service's client of notification-service, and what the gateway and booking-service ask of auth-service."""

import asyncio
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, nullcontext, suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import aiohttp
import httpx
import pytest
import pytest_asyncio
import uvicorn
from aiosmtpd.controller import Controller

from auth_service.codes.notification_client import NotificationClient
from auth_service.main import create_app as create_auth
from auth_service.settings import Settings as AuthSettings
from booking_service.placing.saved_traveller import SavedTraveller, TravellerClient
from gateway.identity.api_keys import ApiKeys
from gateway.identity.auth_client import AuthClient
from gateway.identity.caller import Caller
from gateway.identity.key_set import KeySet
from gateway.identity.revocations import Revocations
from notification_service.main import create_app as create_notification
from notification_service.settings import Settings as NotificationSettings
from rihla.http import ServiceClient, UpstreamUnavailable
from rihla.kernel import FixedClock, new_id
from rihla.testing import eventually, running
from rihla.testing.keyring import Keyring

PASSWORD = "four wild geese over Sylhet"


class Mailbox:
    """What the mail server took."""

    def __init__(self) -> None:
        self.mails: list[tuple[list[str], str]] = []

    async def handle_DATA(self, server: Any, session: Any, envelope: Any) -> str:
        self.mails.append((list(envelope.rcpt_tos), envelope.content.decode()))
        return "250 OK"


@pytest.fixture
def mailbox() -> Any:
    box = Mailbox()
    for _ in range(5):
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            port = probe.getsockname()[1]
        server = Controller(box, hostname="127.0.0.1", port=port, ready_timeout=60)
        with suppress(OSError):  # somebody else was faster
            server.start()
            break
    else:
        pytest.fail("no port stayed free")
    yield box, port
    server.stop()


async def test_auths_codes_are_taken_by_notification_and_sent_once(
    database_for: Any, keyring: Keyring, namespace: str, amqp_url: str, redis_url: str, mailbox: Any, tmp_path: Path
) -> None:
    box, port = mailbox
    settings = NotificationSettings(
        database_url=await database_for("notification-service"),
        amqp_url=amqp_url,
        redis_url=redis_url,
        namespace=namespace,
        smtp_url=f"smtp://127.0.0.1:{port}",
        document_storage_url=f"file://{tmp_path}",
        **keyring.settings("notification"),
    )
    clock = FixedClock(datetime.now(UTC))
    app = create_notification(settings, clock=clock)
    async with running(app):
        client = NotificationClient(
            ServiceClient(
                "http://notification.test",
                audience="notification",
                signer=keyring.signer("auth"),
                transport=httpx.ASGITransport(app),
                timeout=60,
            )
        )
        common = {"channel": "email", "address": "amina@example.com", "locale": "bn", "client_ip": "203.0.113.7"}
        until = clock.now() + timedelta(minutes=10)
        for purpose in ("verify", "login", "password-reset", "change-email", "account-exists"):
            code = None if purpose == "account-exists" else "482913"
            request_id = new_id()
            for _ in range(2):
                await client.send_code(request_id=request_id, code=code, purpose=purpose, expires_at=until, **common)
        assert len(box.mails) == 5
        with pytest.raises(UpstreamUnavailable):
            await client.send_code(
                request_id=new_id(), code="482913", purpose="no-such-purpose", expires_at=until, **common
            )
        await client.close()


@asynccontextmanager
async def _served(app: Any) -> AsyncIterator[str]:
    server = uvicorn.Server(uvicorn.Config(app, port=0, log_config=None, access_log=False, timeout_graceful_shutdown=1))
    server.capture_signals = nullcontext  # type: ignore[assignment,method-assign]
    task = asyncio.create_task(server.serve())
    try:
        await eventually(lambda: server.started or task.done())
        yield f"http://127.0.0.1:{server.servers[0].sockets[0].getsockname()[1]}"
    finally:
        server.should_exit = True
        await task


@pytest_asyncio.fixture
async def auth(
    database_for: Any, keyring: Keyring, namespace: str, amqp_url: str, redis_url: str
) -> AsyncIterator[tuple[AuthClient, Any, httpx.AsyncClient, Keyring]]:
    settings = AuthSettings(
        database_url=await database_for("auth-service"),
        amqp_url=amqp_url,
        redis_url=redis_url,
        namespace=namespace,
        **keyring.settings("auth"),
    )
    app = create_auth(settings)
    async with _served(app) as url, aiohttp.ClientSession() as session, httpx.AsyncClient(base_url=url) as http:
        yield AuthClient(session, (url,), keyring.signer("gateway")), app, http, keyring


async def _partner(app: Any) -> str:
    """An account with the role partner, put there directly: registering is not the matter here."""
    pool = await app.state.container.db.asyncpg_pool()
    user_id = new_id()
    now = datetime.now(UTC)
    await pool.execute(
        "INSERT INTO account (id, status, roles, full_name, locale, currency, theme, customer_type, dietary_needs, "
        "assistance_needs, notification_channels, sequence, created_at, updated_at) VALUES ($1, 'active', "
        "'{traveller,partner}', 'Padma Travels', 'en', 'USD', 'system', 'regular', '[]', '[]', '[]', 0, $2, $2)",
        user_id,
        now,
    )
    return str(user_id)


async def test_the_gateway_learns_keys_partners_and_revocations_from_auth(auth: Any) -> None:
    client, app, http, keyring = auth
    keys = KeySet(client.jwks)
    await keys.refresh()
    assert keys.ready
    user_id = await _partner(app)
    token = keyring.token(audience="auth", user_id=user_id, roles=("traveller", "partner"))
    headers = {"authorization": f"Bearer {token}"}
    made = await http.post("/v1/me/api-keys", json={"name": "Site"}, headers=headers)
    assert made.status_code == 201, made.text
    callers = ApiKeys(client, seconds=0.0)
    caller = await callers.caller(made.json()["key"])
    assert isinstance(caller, Caller)
    assert (caller.user_id, caller.key_id) == (user_id, made.json()["id"])
    assert (caller.principal.test_mode, caller.principal.kind) == (True, "partner")
    assert caller.per_minute == 600
    other = "y" if made.json()["key"].endswith("x") else "x"
    assert await callers.caller(made.json()["key"][:-1] + other) is None
    revocations = Revocations(client.revocations)
    await revocations.poll()
    assert revocations.loaded
    assert not revocations.is_revoked(caller)
    assert (await http.delete(f"/v1/me/api-keys/{caller.key_id}", headers=headers)).status_code == 204
    await revocations.poll()
    assert revocations.is_revoked(caller)
    assert await callers.caller(made.json()["key"]) is None


async def test_booking_reads_a_companion_and_oneself_as_auth_keeps_them(auth: Any) -> None:
    _, app, http, keyring = auth
    user_id = UUID(await _partner(app))
    headers = {"authorization": f"Bearer {keyring.token(audience='auth', user_id=user_id)}"}
    visas = [{"country": "SA", "expires_on": "2041-05-01"}]
    passport = {"number": "BX0123456", "issuing_country": "BD", "nationality": "BD", "expires_on": "2041-05-01"}
    body = {"given_name": "Nadia", "surname": "Rahman", "passport": {**passport, "visas": visas}}
    made = await http.post("/v1/me/companions", json=body, headers=headers)
    assert made.status_code == 201, made.text
    client = TravellerClient(
        ServiceClient(str(http.base_url), audience="auth", signer=keyring.signer("booking"), timeout=60)
    )
    nadia = await client.read(user_id, UUID(made.json()["id"]))
    assert nadia is not None
    assert nadia.passport is not None
    assert (nadia.given_name, nadia.passport.number, nadia.passport.visas[0].country) == ("Nadia", "BX0123456", "SA")
    assert await client.read(user_id, user_id) == SavedTraveller()
    assert await client.read(new_id(), UUID(made.json()["id"])) is None
    await client.close()
