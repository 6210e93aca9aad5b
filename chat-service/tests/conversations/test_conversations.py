"""Conversations over plain HTTP."""

import asyncio
from datetime import timedelta
from typing import Any

import pytest
from openapi_spec_validator import validate
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from chat_service.conversations import store
from chat_service.conversations.rules import Draft, MessageType
from chat_service.conversations.schemas import Conversation, Message
from chat_service.conversations.send_message import send_message, send_step_by_step
from rihla.auth import Principal
from rihla.contracts.events import UserSuspendedV1
from rihla.kernel import DomainError, new_id


async def test_a_traveller_has_one_conversation(stack: Any) -> None:
    me = stack.person()
    assert await me.get("/v1/chat/conversations") == {"items": [], "next_cursor": None}
    places = {await me.open() for _ in range(3)}
    assert len(places) == 1
    assert [one["id"] for one in (await me.get("/v1/chat/conversations"))["items"]] == list(places)
    assert (await stack.client.post("/v1/chat/conversations", json={})).status_code == 401


async def test_polling_with_after_loses_nothing_and_history_pages_back(stack: Any) -> None:
    me = stack.person()
    place = await me.open()
    for number in range(1, 8):
        await me.say(place, str(number))
    url = f"/v1/chat/conversations/{place}/messages"
    seen: list[str] = []
    after = 0
    while page := (await me.get(url, after=after, limit=3))["items"]:
        seen += [one["text"] for one in page]
        after = page[-1]["seq"]
    assert seen == [str(number) for number in range(1, 8)]
    newest = await me.get(url, limit=3)
    assert [one["seq"] for one in newest["items"]] == [5, 6, 7]
    assert newest["last_seq"] == 7
    assert [one["seq"] for one in (await me.get(url, limit=3, before=5))["items"]] == [2, 3, 4]


async def test_the_same_client_id_is_one_message_even_at_the_same_moment(stack: Any) -> None:
    me = stack.person()
    place = await me.open()
    url, body = f"/v1/chat/conversations/{place}/messages", {"client_id": "m-1", "text": "once"}
    answers = await asyncio.gather(*(me.call("POST", url, json=body) for _ in range(8)))
    assert sorted(one.status_code for one in answers) == [200] * 7 + [201]
    assert len({one.json()["id"] for one in answers}) == 1
    other = await me.call("POST", url, json={"client_id": "m-1", "text": "other"})
    assert (other.status_code, other.json()["code"]) == (422, "client-id-reused")
    assert len((await me.get(url))["items"]) == 1


async def test_without_the_lock_two_writers_take_the_same_number(stack: Any) -> None:
    """The control of the race above: reading the conversation without its lock, both number their message 1."""
    me = stack.person()
    place = (await stack.rows("SELECT * FROM conversation WHERE id = :id", id=await me.open()))[0]
    ready = asyncio.Barrier(2)

    async def write(client_id: str) -> int:
        async with stack.container.db.transaction() as session:
            found = await store.load_conversation(session, place.id, lock=False)
            await ready.wait()
            draft = Draft(client_id, MessageType.TEXT, "hi", None)
            now = stack.container.clock.now()
            return await store.add_message(session, found, draft, sender_kind="traveller", sender_id=me.id, now=now)

    outcomes = await asyncio.gather(write("a"), write("b"), return_exceptions=True)
    assert sum(isinstance(one, Exception) for one in outcomes) == 1


async def test_others_cannot_know_that_a_conversation_exists(stack: Any) -> None:
    me, stranger = stack.person(), stack.person()
    place = await me.open()
    await me.say(place, "private")
    url = f"/v1/chat/conversations/{place}"
    for method, path, body in (
        ("GET", url, None),
        ("GET", f"{url}/messages", None),
        ("POST", f"{url}/messages", {"client_id": "x", "text": "I am you"}),
        ("POST", f"{url}/receipts", {"seen_seq": 1}),
    ):
        answer = await stranger.call(method, path, json=body)
        unknown = await stranger.call(method, path.replace(place, str(new_id())), json=body)
        assert (answer.status_code, answer.json()["code"]) == (404, "conversation-not-found")
        assert {**answer.json(), "request_id": ""} == {**unknown.json(), "request_id": ""}
    for path in ("conversations", "feed"):
        assert (await stranger.call("GET", f"/v1/admin/chat/{path}")).status_code == 403
    assert (await stranger.call("POST", f"/v1/admin/chat/conversations/{place}/take")).status_code == 403


async def test_a_forged_sender_and_a_text_of_five_megabytes_are_refused(stack: Any) -> None:
    me = stack.person()
    url = f"/v1/chat/conversations/{await me.open()}/messages"
    for more in ({"sender_id": str(new_id())}, {"sender": {"kind": "staff"}}, {"seq": 9}):
        answer = await me.call("POST", url, json={"client_id": "x", "text": "hi", **more})
        assert (answer.status_code, answer.json()["code"]) == (422, "validation-failed")
    assert (await me.call("POST", url, json={"client_id": "x", "text": "x" * 5_000_000})).status_code == 422
    assert (await me.call("POST", url, json={"client_id": "x", "text": "x" * 20_000_000})).status_code == 413
    assert (await me.call("POST", url, json={"client_id": "x", "type": "notice", "text": "hi"})).status_code == 422
    assert (await me.get(url))["items"] == []


async def test_unread_counts_and_receipts_belong_to_each_side_and_only_move_forward(stack: Any) -> None:
    me, agent = stack.person(), stack.person("support")
    place = await me.open()
    url = f"/v1/chat/conversations/{place}"
    for words in ("1", "2", "3"):
        await me.say(place, words)
    assert (await agent.get(url))["staff"]["unread"] == 3
    half = await agent.post(f"{url}/receipts", {"seen_seq": 2})
    assert (half["staff"]["seen_seq"], half["staff"]["delivered_seq"], half["staff"]["unread"]) == (2, 2, 1)
    back = await agent.post(f"{url}/receipts", {"seen_seq": 1, "delivered_seq": 3})
    assert (back["staff"]["seen_seq"], back["staff"]["delivered_seq"]) == (2, 3)
    await agent.say(place, "4")
    state = await me.get(url)
    assert (state["traveller"]["unread"], state["staff"]["unread"]) == (1, 1)
    beyond = await me.post(f"{url}/receipts", {"seen_seq": 10**9})
    assert (beyond["traveller"]["seen_seq"], beyond["traveller"]["unread"]) == (4, 0)


async def test_the_desk_takes_hands_over_and_puts_down(stack: Any, clock: Any) -> None:
    me, one, two, admin = stack.person(), stack.person("support"), stack.person("support"), stack.person("admin")
    place = await me.open()
    await me.say(place, "help")
    url = f"/v1/admin/chat/conversations/{place}"
    waiting = await one.get("/v1/admin/chat/conversations", status="waiting")
    assert [item["id"] for item in waiting["items"]] == [place]
    assert (await one.post(f"{url}/take"))["assignee_id"] == str(one.id)
    assert (await one.post(f"{url}/take"))["last_seq"] == 2
    taken = await two.call("POST", f"{url}/take")
    assert (taken.status_code, taken.json()["code"]) == (409, "conversation-taken")
    body = {"client_id": "x", "text": "hi"}
    answer = await two.call("POST", f"/v1/chat/conversations/{place}/messages", json=body)
    assert (answer.status_code, answer.json()["code"]) == (409, "conversation-taken")
    unknown = await one.call("POST", f"{url}/hand-over", json={"to": str(new_id())})
    assert (unknown.status_code, unknown.json()["code"]) == (409, "colleague-unknown")
    await two.call("PATCH", "/v1/admin/support/colleagues/me", json={"languages": ["bn"]})
    assert (await one.post(f"{url}/hand-over", {"to": str(two.id)}))["assignee_id"] == str(two.id)
    late = await one.call("POST", f"{url}/hand-over", json={"to": None})
    assert (late.status_code, late.json()["code"]) == (409, "not-yours")
    await two.say(place, "I have it now")
    clock.advance(timedelta(minutes=1))
    back = await two.post(f"{url}/hand-over", {"to": None})
    assert (back["status"], back["assignee_id"]) == ("waiting", None)
    assert (await admin.post(f"{url}/take"))["assignee_id"] == str(admin.id)
    assert [item["id"] for item in (await admin.get("/v1/admin/chat/conversations", mine=True))["items"]] == [place]
    assert (await admin.post(f"{url}/put-down"))["status"] == "idle"
    await me.say(place, "again")
    assert (await me.get(f"/v1/chat/conversations/{place}"))["status"] == "waiting"
    kinds = [item["type"] for item in (await me.get(f"/v1/chat/conversations/{place}/messages"))["items"]]
    assert kinds == ["text", "notice", "notice", "text", "notice", "notice", "text"]


async def test_the_desk_polls_the_feed_of_everybody_and_pages_stay_stable(stack: Any) -> None:
    agent = stack.person("support")
    after = (await agent.get("/v1/admin/chat/feed"))["after"]
    people = [stack.person() for _ in range(3)]
    for number, person in enumerate(people):
        await person.say(await person.open(), str(number))
    seen_texts: list[str] = []
    while (
        len(seen_texts) < 3
    ):  # the feed waits for every transaction of the server that began before, a neighbour's too
        page = await agent.get("/v1/admin/chat/feed", after=after)
        after = page["after"]
        seen_texts += [item["text"] for item in page["items"]]
    assert seen_texts == ["0", "1", "2"]
    assert (await agent.get("/v1/admin/chat/feed", after=after))["items"] == []
    bad = await agent.call("GET", "/v1/admin/chat/feed?after=x")
    assert (bad.status_code, bad.json()["code"]) == (422, "invalid-cursor")
    seen, cursor = [], None
    while True:
        params = {"limit": 1} | ({"cursor": cursor} if cursor else {})
        listed = await agent.get("/v1/admin/chat/conversations", **params)
        seen += [item["user_id"] for item in listed["items"]]
        cursor = listed["next_cursor"]
        if cursor is None:
            break
    assert sorted(seen) == sorted(str(person.id) for person in people)
    forged = await agent.call("GET", "/v1/admin/chat/conversations?cursor=eyJ4IjoxfQ")
    assert (forged.status_code, forged.json()["code"]) == (422, "invalid-cursor")


async def test_the_database_itself_refuses_what_the_rules_forbid(stack: Any) -> None:
    me = stack.person()
    place = await me.open()
    await me.say(place, "one")
    for broken in (
        "UPDATE conversation SET assignee_id = id",
        "UPDATE conversation SET traveller_seen_seq = 99",
        "UPDATE message SET type = 'image'",
        "UPDATE message SET text = repeat('x', 4001)",
        "INSERT INTO message SELECT * FROM message",
    ):
        with pytest.raises(DBAPIError):
            await _execute(stack, broken)


async def _execute(stack: Any, statement: str) -> None:
    async with stack.container.db.transaction() as session:
        await session.execute(text(statement))


async def test_the_document_is_valid_openapi_with_summaries_tags_and_problems(stack: Any) -> None:
    document = stack.app.openapi()
    validate(document)
    operations = [one for path in document["paths"].values() for one in path.values()]
    ids = [one["operationId"] for one in operations]
    assert len(ids) == len(set(ids))
    for path, methods in document["paths"].items():
        if path.startswith(("/health", "/metrics")):
            continue
        for operation in methods.values():
            assert operation["summary"], path
            assert operation["description"], path
            assert operation["tags"], path
            assert any(status.startswith("4") for status in operation["responses"]), path


async def test_the_quick_way_of_a_text_and_the_general_way_do_the_same(stack: Any) -> None:
    """Every situation by both: the same refusal, or the same conversation afterwards."""
    c = stack.container
    seen: list[list[Any]] = []
    for way in (send_message, send_step_by_step):
        traveller, one, two, stranger = (new_id() for _ in range(4))
        blocked = new_id()
        await stack.hear(UserSuspendedV1(user_id=blocked), subject=blocked)
        async with c.db.transaction() as session:
            place = (await store.ensure_conversation(session, traveller, "en", c.clock.now()))["id"]
            suspended = (await store.ensure_conversation(session, blocked, "en", c.clock.now()))["id"]
        told: list[Any] = []
        for where, who, roles, client_id, words in (
            (place, stranger, (), "a", "hi"),
            (new_id(), one, ("support",), "a", "hi"),
            (suspended, blocked, (), "a", "hi"),
            (place, traveller, (), "a", "one"),
            (place, traveller, (), "a", "one"),
            (place, traveller, (), "a", "other"),
            (place, traveller, (), "b", "two"),
            (place, one, ("support",), "a", "answer"),
            (place, two, ("admin",), "a", "me too"),
            (place, two, ("admin",), "a", "me too"),
            (place, traveller, (), "c", "three"),
            (place, traveller, ("support",), "d", "four"),
        ):
            person = Principal(kind="person", issuer="gateway", subject=who, roles=frozenset(roles))
            try:
                posted = await way(c.db, c.clock, person, where, Draft(client_id, MessageType.TEXT, words, None))
            except DomainError as error:
                told.append((type(error).__name__, error.detail))
                continue
            shown = Conversation.of(posted.conversation).model_dump(exclude={"id", "user_id", "assignee_id"})
            assigned = {None: "nobody", one: "one"}[Conversation.of(posted.conversation).assignee_id]
            message = Message.of(posted.message).model_dump(exclude={"id", "conversation_id", "sender"})
            sender = posted.message["sender_kind"], posted.message["sender_id"] == who
            told.append((shown, assigned, message, sender, posted.repeated, posted.status_changed))
        seen.append(told)
    assert seen[0] == seen[1]
    assert [kind for kind, _ in (one for one in seen[0] if len(one) == 2)] == [
        "ConversationNotFound",
        "ConversationNotFound",
        "AccountSuspended",
        "ClientIdReused",
        "ConversationTaken",
        "ConversationTaken",
    ]


async def test_an_address_is_three_segments_as_the_gateways_table_needs_it(stack: Any) -> None:
    """A parameter of the gateway's path table is one segment: a key in one parameter would be 404 there."""
    paths = [path for path in stack.app.openapi()["paths"] if path.startswith("/v1/chat/files")]
    assert paths == ["/v1/chat/files/{part}/{shard}/{name}"]
    begun = await stack.person().post(
        "/v1/chat/attachments", {"kind": "image", "media_type": "image/png", "size_bytes": 10}
    )
    path = begun["upload"]["url"].partition("?")[0].partition("/v1/chat/files/")[2]
    assert len(path.split("/")) == 3
