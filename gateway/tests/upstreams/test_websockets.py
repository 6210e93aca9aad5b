"""WebSockets through the door."""

import asyncio
import json
from typing import Any

import aiohttp
import pytest
import pytest_asyncio

from rihla.testing import eventually


@pytest_asyncio.fixture
async def web() -> Any:
    async with aiohttp.ClientSession() as session:
        yield session


async def test_messages_go_both_ways_under_the_persons_name(stack: Any, web: Any) -> None:
    person = stack.sign_in()
    async with web.ws_connect(f"{stack.url}/v1/chat/ws?room=7", headers=person.headers) as socket:
        assert await socket.receive_json() == {"user": str(person.user_id), "query": "room=7"}
        await socket.send_str("hello")
        assert await socket.receive_str() == "echo hello"
        await socket.send_str("bye")
        assert (await socket.receive()).type is aiohttp.WSMsgType.CLOSE
        assert socket.close_code == 4000


async def test_browsers_may_send_the_token_as_parameter_or_protocol_and_it_goes_no_further(
    stack: Any, web: Any
) -> None:
    person = stack.sign_in()
    async with web.ws_connect(f"{stack.url}/v1/chat/ws?access_token={person.token}&room=7") as socket:
        assert await socket.receive_json() == {"user": str(person.user_id), "query": "room=7"}
    protocols = ("chat.v1", f"bearer.{person.token}")
    async with web.ws_connect(f"{stack.url}/v1/chat/ws", protocols=protocols) as socket:
        assert (await socket.receive_json())["user"] == str(person.user_id)
        assert socket.protocol == "chat.v1"


@pytest.mark.parametrize("token", [None, "nonsense"])
async def test_without_a_token_that_holds_the_handshake_is_401(stack: Any, web: Any, token: str | None) -> None:
    headers = {"Authorization": f"Bearer {token}"} if token else {}
    with pytest.raises(aiohttp.WSServerHandshakeError) as refused:
        await web.ws_connect(f"{stack.url}/v1/chat/ws", headers=headers)
    assert refused.value.status == 401


async def test_other_paths_have_no_websocket(stack: Any, web: Any) -> None:
    for path in ("/v1/bookings", "/internal/ws", "/v1/chat/ws/../../internal"):
        with pytest.raises(aiohttp.WSServerHandshakeError) as refused:
            await web.ws_connect(f"{stack.url}{path}", headers=stack.sign_in().headers)
        assert refused.value.status in (400, 404)


async def test_an_open_socket_closes_when_its_session_is_revoked(stack: Any, web: Any) -> None:
    person, neighbour = stack.sign_in(), stack.sign_in()
    async with (
        web.ws_connect(f"{stack.url}/v1/chat/ws", headers=person.headers) as socket,
        web.ws_connect(f"{stack.url}/v1/chat/ws", headers=neighbour.headers) as other,
    ):
        await socket.receive_json()
        await other.receive_json()
        entry = stack.auth.revoke("session", str(person.session_id))
        await stack.redis.publish(f"{stack.namespace}:revocations", json.dumps(entry))
        message = await asyncio.wait_for(socket.receive(), 60)
        assert (message.type, socket.close_code) == (aiohttp.WSMsgType.CLOSE, 4401)
        await other.send_str("still here")
        assert await other.receive_str() == "echo still here"


async def test_a_revocation_nobody_pushed_closes_the_socket_too(stack: Any, web: Any) -> None:
    person = stack.sign_in()
    async with web.ws_connect(f"{stack.url}/v1/chat/ws", headers=person.headers) as socket:
        await socket.receive_json()
        stack.auth.revoke("session", str(person.session_id))
        message = await asyncio.wait_for(socket.receive(), 60)
        assert (message.type, socket.close_code) == (aiohttp.WSMsgType.CLOSE, 4401)


async def test_a_socket_whose_session_ends_during_the_handshake_does_not_stay_open(stack: Any, web: Any) -> None:
    person, chat = stack.sign_in(), stack.services["chat"]
    opening = asyncio.create_task(web.ws_connect(f"{stack.url}/v1/chat/ws?slow", headers=person.headers))
    await eventually(lambda: {"path": "slow"} in chat.seen)
    stack.auth.revoke("session", str(person.session_id))

    async def known() -> bool:
        answer = await stack.client.get("/v1/bookings", headers=person.headers)
        return bool(answer.status_code == 401)

    await eventually(known)
    chat.release.set()
    async with await opening as socket:
        while (message := await asyncio.wait_for(socket.receive(), 60)).type is aiohttp.WSMsgType.TEXT:
            pass
        assert (message.type, socket.close_code) == (aiohttp.WSMsgType.CLOSE, 4401)


async def test_a_person_may_have_so_many_sockets_and_no_more(start: Any, web: Any) -> None:
    stack = await start(websockets_per_user=2)
    person = stack.sign_in()
    open_ = [await web.ws_connect(f"{stack.url}/v1/chat/ws", headers=person.headers) for _ in range(2)]
    with pytest.raises(aiohttp.WSServerHandshakeError) as refused:
        await web.ws_connect(f"{stack.url}/v1/chat/ws", headers=person.headers)
    assert refused.value.status == 429
    await open_.pop().close()

    async def room_again() -> bool:
        try:
            open_.append(await web.ws_connect(f"{stack.url}/v1/chat/ws", headers=person.headers))
        except aiohttp.WSServerHandshakeError:
            return False
        return True

    assert await eventually(room_again)
    for socket in open_:
        await socket.close()


async def test_too_many_and_too_large_messages_end_the_socket(start: Any, web: Any) -> None:
    stack = await start(websocket_messages_per_minute=3, websocket_message_bytes=1000)
    person = stack.sign_in()
    async with web.ws_connect(f"{stack.url}/v1/chat/ws", headers=person.headers) as socket:
        for _ in range(4):
            await socket.send_str("x")
        async for _ in socket:
            pass
        assert socket.close_code == 1008
    async with web.ws_connect(f"{stack.url}/v1/chat/ws", headers=person.headers) as socket:
        await socket.send_str("x" * 1500)
        async for _ in socket:
            pass
        assert socket.close_code == 1009


async def test_a_service_that_is_gone_is_503_in_the_handshake(stack: Any, web: Any) -> None:
    await stack.servers["chat"][0].stop()
    with pytest.raises(aiohttp.WSServerHandshakeError) as refused:
        await web.ws_connect(f"{stack.url}/v1/chat/ws", headers=stack.sign_in().headers)
    assert refused.value.status == 503
