from collections.abc import AsyncIterator
from datetime import UTC, datetime
from typing import Any

import httpx
import pytest_asyncio
from sqlalchemy import text

from notification_service.main import create_app
from notification_service.settings import Settings
from rihla.kernel import new_id
from rihla.testing import running


@pytest_asyncio.fixture
async def client(settings: Settings, keyring: Any) -> AsyncIterator[httpx.AsyncClient]:
    token = keyring.token(audience="notification", issuer="auth")
    async with running(create_app(settings), token=token) as client:
        client.app_settings = settings  # type: ignore[attr-defined]
        yield client


def request(**changes: Any) -> dict[str, Any]:
    return {
        "request_id": str(new_id()),
        "channel": "email",
        "address": "amina@example.com",
        "code": "482913",
        "purpose": "verify",
        "locale": "en",
        "expires_at": datetime(2026, 12, 1, 8, 10, tzinfo=UTC).isoformat(),
        "client_ip": "203.0.113.7",
    } | changes


async def test_a_code_is_in_the_inbox_when_auth_is_answered(client: httpx.AsyncClient, box: Any) -> None:
    answer = await client.post("/internal/v1/codes", json=request())
    assert answer.status_code == 202
    (mail,) = box.to("amina@example.com")
    text = mail.get_body(("plain",)).get_content()
    html = mail.get_body(("html",)).get_content()
    for twin in (text, html):
        assert "482913" in twin
        assert "203.0.113.7" in twin
        assert "08:10 UTC" in twin
    assert "482913" in mail["Subject"]


async def test_the_same_request_again_sends_nothing(client: httpx.AsyncClient, box: Any) -> None:
    body = request()
    first = await client.post("/internal/v1/codes", json=body)
    second = await client.post("/internal/v1/codes", json=body)
    assert (first.status_code, second.status_code) == (202, 202)
    assert first.json() == second.json()
    assert len(box.mails) == 1


async def test_a_code_by_sms_ends_in_the_inbox_of_the_number(client: httpx.AsyncClient, box: Any) -> None:
    body = request(channel="sms", address="+8801712345678", locale="bn", purpose="login")
    assert (await client.post("/internal/v1/codes", json=body)).status_code == 202
    (mail,) = box.to("+8801712345678@sms.local")
    assert "482913" in mail.get_content()


async def test_an_account_that_exists_is_told_without_a_code(client: httpx.AsyncClient, box: Any) -> None:
    body = request(code=None, purpose="account-exists")
    assert (await client.post("/internal/v1/codes", json=body)).status_code == 202
    assert "already" in box.mails[0]["Subject"]


async def test_auth_hears_503_while_the_mail_server_is_away_and_may_try_again(
    client: httpx.AsyncClient, mail_server: Any
) -> None:
    await mail_server.stop()
    body = request()
    answer = await client.post("/internal/v1/codes", json=body)
    assert answer.status_code == 503
    assert answer.json()["code"] == "message-not-accepted"
    assert answer.headers["retry-after"]
    await mail_server.start()
    assert (await client.post("/internal/v1/codes", json=body)).status_code == 202
    assert len(mail_server.box.mails) == 1


async def test_a_mail_server_that_answers_451_is_a_503(client: httpx.AsyncClient, box: Any) -> None:
    box.answers = ["451 4.3.0 try later"]
    assert (await client.post("/internal/v1/codes", json=request())).status_code == 503


async def test_an_address_that_bounces_is_said_so(client: httpx.AsyncClient, box: Any) -> None:
    box.refused = {"amina@example.com"}
    answer = await client.post("/internal/v1/codes", json=request())
    assert (answer.status_code, answer.json()["code"]) == (409, "address-refused")


async def test_only_auth_may_send_codes(settings: Settings, keyring: Any, box: Any) -> None:
    for token in (
        keyring.token(audience="notification", issuer="booking"),
        keyring.token(audience="notification", user_id=new_id(), roles=("admin",)),
    ):
        async with running(create_app(settings), token=token) as client:
            assert (await client.post("/internal/v1/codes", json=request())).status_code == 403
    assert box.mails == []


async def test_neither_code_nor_address_is_stored_or_logged(
    settings: Settings, keyring: Any, box: Any, capsys: Any
) -> None:
    app = create_app(settings)
    async with running(app, token=keyring.token(audience="notification", issuer="auth")) as client:
        assert (await client.post("/internal/v1/codes", json=request())).status_code == 202
        assert (await client.post("/internal/v1/codes", json=request(purpose="nonsense"))).status_code == 422
        async with app.state.container.db.transaction() as session:
            tables = (
                await session.scalars(
                    text("SELECT table_name FROM information_schema.tables WHERE table_schema = 'public'")
                )
            ).all()
            for table in tables:
                rows = (await session.execute(text(f'SELECT t::text FROM "{table}" t'))).scalars().all()
                assert not any("482913" in row or "amina" in row for row in rows), table
    output = capsys.readouterr().out
    assert "482913" not in output
    assert "amina" not in output


async def test_a_code_that_does_not_belong_to_its_purpose_is_refused(client: httpx.AsyncClient) -> None:
    assert (await client.post("/internal/v1/codes", json=request(code=None))).status_code == 422
    assert (await client.post("/internal/v1/codes", json=request(purpose="account-exists"))).status_code == 422
