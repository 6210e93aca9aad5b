import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import aiohttp
import pytest
import pytest_asyncio
import uvicorn

from notification_service.main import create_app
from rihla.contracts.events import UserRegisteredV1, UserSecurityNoticeV1
from rihla.kernel import new_id
from rihla.testing import eventually


@asynccontextmanager
async def served(app: Any) -> AsyncIterator[str]:
    """The application on a port of its own: an upgrade needs a real connection."""
    server = uvicorn.Server(uvicorn.Config(app, host="127.0.0.1", port=0, log_config=None, ws="websockets-sansio"))
    task = asyncio.create_task(server.serve())
    await eventually(lambda: server.started)
    yield f"http://127.0.0.1:{server.servers[0].sockets[0].getsockname()[1]}"
    server.should_exit = True
    await task


@pytest_asyncio.fixture
async def address(settings: Any, clock: Any) -> AsyncIterator[str]:
    app = create_app(settings, clock=clock)
    async with served(app) as url:
        await eventually(app.state.container.watchers.connected.is_set)
        yield url


@pytest_asyncio.fixture
async def client() -> AsyncIterator[aiohttp.ClientSession]:
    async with aiohttp.ClientSession() as session:
        yield session


@pytest.fixture
def as_user(keyring: Any) -> Any:
    def headers(user_id: Any) -> dict[str, str]:
        return {"authorization": f"Bearer {keyring.token(audience='notification', user_id=user_id)}"}

    return headers


async def said(ws: aiohttp.ClientWebSocketResponse) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(await ws.receive_str(timeout=60))
    return found


async def test_the_count_comes_at_once_and_with_every_notice_and_every_reading(
    address: str, client: Any, stack: Any, clock: Any, as_user: Any
) -> None:
    user_id = new_id()
    async with client.ws_connect(f"{address}/v1/notifications/ws", headers=as_user(user_id)) as ws:
        assert await said(ws) == {"type": "unread", "unread": 0, "newest": None}
        event = UserRegisteredV1(user_id=user_id, full_name="Amina", registered_at=clock.now())
        await stack.hear(event, subject=user_id)
        told = await said(ws)
        assert told["unread"] == 1
        async with client.post(f"{address}/v1/notifications/read-all", headers=as_user(user_id)) as answer:
            assert await answer.json() == {"marked": 1}
        assert await said(ws) == {"type": "unread", "unread": 0, "newest": told["newest"]}


async def test_what_happens_to_others_is_not_heard(
    address: str, client: Any, stack: Any, clock: Any, as_user: Any
) -> None:
    mine, other = new_id(), new_id()
    url = f"{address}/v1/notifications/ws"
    async with (
        client.ws_connect(url, headers=as_user(mine)) as ws,
        client.ws_connect(url, headers=as_user(other)) as ow,
    ):
        await said(ws), await said(ow)
        for user_id in (other, mine):
            event = UserRegisteredV1(user_id=user_id, full_name="A", registered_at=clock.now())
            await stack.hear(event, subject=user_id)
        first, second = await said(ws), await said(ow)
    assert first["newest"] != second["newest"]
    assert (first["unread"], second["unread"]) == (1, 1)


async def test_without_redis_the_database_is_read_now_and_then(
    settings: Any, client: Any, clock: Any, as_user: Any, stack: Any
) -> None:
    deaf = settings.model_copy(update={"redis_url": "redis://127.0.0.1:1", "live_poll_seconds": 0.1})
    user_id = new_id()
    async with (
        served(create_app(deaf, clock=clock)) as url,
        client.ws_connect(f"{url}/v1/notifications/ws", headers=as_user(user_id)) as ws,
    ):
        assert (await said(ws))["unread"] == 0
        event = UserRegisteredV1(user_id=user_id, full_name="Amina", registered_at=clock.now())
        await stack.hear(event, subject=user_id)
        assert (await said(ws))["unread"] == 1


async def test_a_socket_needs_a_person_and_a_person_has_few(address: str, client: Any, as_user: Any) -> None:
    url = f"{address}/v1/notifications/ws"
    for headers in ({}, {"authorization": "Bearer forged"}, {"authorization": "Basic x"}):
        with pytest.raises(aiohttp.WSServerHandshakeError) as refused:
            await client.ws_connect(url, headers=headers)
        assert refused.value.status == 401
    user_id = new_id()
    held = [await client.ws_connect(url, headers=as_user(user_id)) for _ in range(5)]
    for ws in held:
        await said(ws)
    sixth = await client.ws_connect(url, headers=as_user(user_id))
    closed = await sixth.receive(timeout=60)
    assert (closed.type, closed.data) == (aiohttp.WSMsgType.CLOSE, 4029)


async def test_a_token_made_for_reading_may_watch_and_what_it_sends_changes_nothing(
    address: str, client: Any, stack: Any, clock: Any, keyring: Any
) -> None:
    user_id = new_id()
    handed_on = keyring.token(audience="notification", user_id=user_id, read_only=True)
    headers = {"authorization": f"Bearer {handed_on}"}
    await stack.hear(UserRegisteredV1(user_id=user_id, full_name="Amina", registered_at=clock.now()), subject=user_id)
    async with client.ws_connect(f"{address}/v1/notifications/ws", headers=headers) as ws:
        first = await said(ws)
        assert first["unread"] == 1
        await ws.send_json({"type": "read", "id": first["newest"]})
        await ws.send_json({"type": "read_all"})
        event = UserSecurityNoticeV1(user_id=user_id, kind="new_device", occurred_at=clock.now())
        await stack.hear(event, subject=user_id, sequence=2)
        assert (await said(ws))["unread"] == 2
