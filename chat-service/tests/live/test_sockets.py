"""The socket, on real instances with a real Redis between them."""

import asyncio
import contextlib
from typing import Any

import aiohttp
import pytest

from chat_service.consuming import consumer_of
from chat_service.conversations import store
from chat_service.live.protocol import FLOOD, IDLE, SLOW, SUSPENDED, TOO_BIG, TOO_MANY_SOCKETS
from rihla.contracts.events import Envelope, UserSuspendedV1
from rihla.kernel import SystemClock, new_id
from rihla.testing import eventually

USER, OTHER, AGENT = new_id(), new_id(), new_id()


async def test_a_message_is_stored_acknowledged_and_shown_on_both_sides_of_two_instances(start: Any) -> None:
    one, two = await start(), await start()
    await eventually(lambda: one.container.channel.connected and two.container.channel.connected)
    traveller = await one.connect(USER)
    phone = await two.connect(USER)
    desk = await two.connect(AGENT, "support", query="?view=support")
    place = (await traveller.until("hello"))[0]["conversation"]["id"]
    await phone.until("hello")
    await desk.until("hello")
    await traveller.say("My bag is missing", "m-1")
    ack = (await traveller.until("ack"))[0]
    assert (ack["client_id"], ack["seq"], ack["repeated"]) == ("m-1", 1, False)
    for line in (traveller, phone, desk):
        assert (await line.until("message"))[0]["message"]["text"] == "My bag is missing"
    await desk.say("Which flight?", "s-1", conversation_id=place)
    await traveller.until("message", 2)
    assert traveller.texts == ["My bag is missing", "Which flight?"]
    assert traveller.of("message")[1]["message"]["sender"] == {"kind": "staff", "id": str(AGENT)}
    state = (await traveller.until("conversation", 2))[-1]["conversation"]
    assert (state["status"], state["assignee_id"]) == ("assigned", str(AGENT))


async def test_a_resend_is_one_message(start: Any) -> None:
    one = await start()
    line = await one.connect(USER)
    await line.until("hello")
    for _ in range(3):
        await line.say("hello", "m-1")
    acks = await line.until("ack", 3)
    assert [ack["seq"] for ack in acks] == [1, 1, 1]
    assert [ack["repeated"] for ack in acks] == [False, True, True]
    await line.say("other words", "m-1")
    assert (await line.until("refused"))[0]["code"] == "client-id-reused"
    assert line.texts == ["hello"]


async def test_receipts_typing_and_presence_reach_the_other_side(start: Any) -> None:
    one, two = await start(), await start()
    await eventually(lambda: one.container.channel.connected and two.container.channel.connected)
    desk = await one.connect(AGENT, "support", query="?view=support")
    await desk.until("hello")
    traveller = await two.connect(USER)
    place = (await traveller.until("hello"))[0]["conversation"]["id"]
    assert (await desk.until("presence"))[0]["online"] is True
    await traveller.send("typing", active=True)
    assert (await desk.until("typing"))[0] == {
        "type": "typing", "conversation_id": place, "side": "traveller", "active": True,
    }  # fmt: skip
    await traveller.say("hello")
    await desk.until("message")
    await desk.send("receipt", conversation_id=place, delivered_seq=1)
    first = (await traveller.until("receipt"))[0]
    assert (first["side"], first["delivered_seq"], first["seen_seq"], first["unread"]) == ("staff", 1, 0, 1)
    await desk.send("receipt", conversation_id=place, seen_seq=1)
    second = (await traveller.until("receipt", 2))[1]
    assert (second["seen_seq"], second["unread"]) == (1, 0)
    await traveller.close()
    assert (await desk.until("presence", 2))[1]["online"] is False


async def test_a_client_that_was_away_resumes_without_loss(start: Any) -> None:
    one = await start()
    line = await one.connect(USER)
    await line.until("hello")
    await line.say("1")
    await line.until("message")
    await line.close()
    writer = await one.connect(USER)
    await writer.until("hello")
    for number in range(2, 8):
        await writer.say(str(number))
    await writer.until("message", 6)
    again = await one.connect(USER, query="?after=1")
    await again.until("message", 6)
    await writer.say("8")
    await again.until("message", 7)
    assert again.seqs == [2, 3, 4, 5, 6, 7, 8]


async def test_a_killed_instance_loses_no_stored_message(start: Any) -> None:
    one, two = await start(), await start()
    line = await one.connect(USER)
    await line.until("hello")
    await line.say("before")
    await line.until("ack")
    await one.stop()
    await line.closed()
    again = await two.connect(USER, query="?after=0")
    await again.until("message")
    assert again.texts == ["before"]


async def test_without_redis_messages_still_cross_instances_in_order(start: Any) -> None:
    nowhere = "redis://127.0.0.1:1"
    one, two = await start(redis_url=nowhere), await start(redis_url=nowhere)
    traveller = await one.connect(USER)
    desk = await two.connect(AGENT, "support", query="?view=support")
    place = (await traveller.until("hello"))[0]["conversation"]["id"]
    await desk.until("hello")
    for number in range(5):
        await traveller.say(str(number))
    await desk.until("message", 5)
    assert desk.texts == ["0", "1", "2", "3", "4"]
    await desk.say("answer", conversation_id=place)
    await traveller.until("message", 6)
    assert traveller.seqs == [1, 2, 3, 4, 5, 6]


async def test_what_redis_lost_is_filled_from_the_database_before_the_next_message_is_shown(start: Any) -> None:
    one, two = await start(catch_up_seconds=60), await start(catch_up_seconds=60)
    await eventually(lambda: one.container.channel.connected and two.container.channel.connected)
    phone = await two.connect(USER)
    await phone.until("hello")
    traveller = await one.connect(USER)
    await traveller.until("hello")
    sent = one.container.channel.send
    lost: list[Any] = []

    async def lose(parcel: Any) -> None:
        lost.append(parcel)

    one.container.channel.send = lose
    await traveller.say("lost by redis")
    await traveller.until("ack")
    one.container.channel.send = sent
    await traveller.say("arrives")
    await phone.until("message", 2)
    assert phone.texts == ["lost by redis", "arrives"]
    assert [parcel.kind for parcel in lost].count("message") == 1


async def test_the_follower_brings_what_redis_lost_even_when_nothing_follows(start: Any) -> None:
    one, two = await start(), await start()
    phone = await two.connect(USER)
    await phone.until("hello")
    traveller = await one.connect(USER)
    await traveller.until("hello")

    async def lose(parcel: Any) -> None:
        return None

    one.container.channel.send = lose
    await traveller.say("lost by redis")
    await phone.until("message")
    assert phone.texts == ["lost by redis"]


async def test_the_desk_resumes_its_feed_without_loss_even_past_a_slow_transaction(start: Any) -> None:
    one = await start()
    desk = await one.connect(AGENT, "support", query="?view=support")
    position = (await desk.until("hello"))[0]["after"]
    await desk.close()
    people = [await one.connect(new_id()) for _ in range(2)]
    for line in people:
        await line.until("hello")
    async with one.container.db.transaction() as slow:
        # A transaction that began first and commits last: its message has the earlier position.
        place = await store.ensure_conversation(slow, OTHER, "en", SystemClock().now())
        locked = await store.load_conversation(slow, place["id"], lock=True)
        draft = store.Draft("slow-1", "text", "slow", None)
        await store.add_message(slow, locked, draft, sender_kind="traveller", sender_id=OTHER, now=SystemClock().now())
        await store.change_conversation(slow, place["id"], last_seq=1)
        for line in people:
            await line.say("quick")
            await line.until("ack")
        again = await one.connect(AGENT, "support", query=f"?view=support&after={position}")
        await again.until("message", 2)
    await again.until("message", 3)
    assert sorted(again.texts) == ["quick", "quick", "slow"]
    await eventually(lambda: again.of("position"))


async def refused_status(instance: Any, headers: dict[str, str], query: str = "") -> int:
    with pytest.raises(aiohttp.WSServerHandshakeError) as refusal:
        await instance.http.ws_connect(f"{instance.url}/v1/chat/ws{query}", headers=headers)
    return int(refusal.value.status)


async def test_a_socket_without_a_token_or_with_a_bad_one_is_refused(start: Any, keyring: Any) -> None:
    one = await start()
    assert await refused_status(one, {}) == 401
    assert await refused_status(one, {"authorization": "Bearer nonsense"}) == 401
    elsewhere = keyring.token(audience="booking", user_id=USER)
    assert await refused_status(one, {"authorization": f"Bearer {elsewhere}"}) == 401
    nobody = keyring.token(audience="chat")
    assert await refused_status(one, {"authorization": f"Bearer {nobody}"}) == 401
    service = keyring.token(audience="chat", issuer="booking")
    assert await refused_status(one, {"authorization": f"Bearer {service}"}) == 401
    assert await refused_status(one, one.make_headers(USER), "?view=support") == 403
    assert await refused_status(one, one.make_headers(USER), "?after=-1") == 422
    assert await refused_status(one, one.make_headers(AGENT, "support"), "?view=support&after=1") == 422


async def test_a_token_made_for_reading_opens_no_socket_and_shows_nobody_as_present(start: Any, keyring: Any) -> None:
    one, reader = await start(), new_id()
    handed_on = keyring.token(audience="chat", user_id=reader, read_only=True)
    assert await refused_status(one, {"authorization": f"Bearer {handed_on}"}) == 403
    async with one.container.db.transaction() as session:
        assert await store.conversation_of(session, reader) is None


async def test_another_persons_conversation_and_a_forged_sender_are_refused(start: Any) -> None:
    one = await start()
    mine, theirs = await one.connect(USER), await one.connect(OTHER)
    await mine.until("hello")
    place = (await theirs.until("hello"))[0]["conversation"]["id"]
    await mine.say("I am you", "m-1", conversation_id=place)
    first = (await mine.until("refused"))[0]
    assert (first["code"], first["client_id"]) == ("conversation-not-found", "m-1")
    await mine.send("receipt", conversation_id=place, seen_seq=1)
    await mine.send("typing", conversation_id=place)
    for forged in ({"sender_id": str(OTHER)}, {"sender": {"kind": "staff"}}, {"user_id": str(OTHER)}, {"seq": 1}):
        await mine.say("forged", **forged)
    refusals = await mine.until("refused", 7)
    assert [one["code"] for one in refusals[1:]] == ["conversation-not-found"] + ["bad-frame"] * 5
    assert theirs.of("message") == theirs.of("typing") == theirs.of("receipt") == []


NONSENSE = (
    "",
    "[]",
    "not json",
    '"send"',
    "{}",
    '{"type":"shout"}',
    '{"type":"send","client_id":"","text":"x"}',
    '{"type":"send","client_id":"a"}',
    '{"type":"send","client_id":"a","text":"   "}',
    '{"type":"send","client_id":"a","text":"\\u0000"}',
    '{"type":"send","client_id":"a","kind":"notice","text":"x"}',
    '{"type":"send","client_id":"a","kind":"image","text":"x"}',
    '{"type":"receipt","seen_seq":-1}',
    '{"type":"send","client_id":"a","text":"' + "x" * 4001 + '"}',
    "[" * 5000,
    f'{{"type":"send","client_id":"a","kind":"image","attachment_id":"{new_id()}"}}',
)


async def test_frames_that_make_no_sense_are_refused_and_the_socket_lives_on(start: Any) -> None:
    one = await start(socket_burst=100)
    line = await one.connect(USER)
    await line.until("hello")
    for number, frame in enumerate(NONSENSE, 1):
        await line.ws.send_str(frame)
        await line.until("refused", number)
    await line.send("ping")
    await line.until("pong")
    assert line.of("message") == []


async def test_a_frame_of_five_megabytes_ends_the_socket(start: Any) -> None:
    one = await start()
    line = await one.connect(USER)
    await line.until("hello")
    with contextlib.suppress(ConnectionError):  # it may be refused while it is still being sent
        await line.say("x" * 5_000_000)
    await line.closed()
    lesser = await one.connect(USER, query="?after=0")
    await lesser.until("hello")
    await lesser.say("x" * 70_000)
    assert await lesser.closed() == TOO_BIG
    assert lesser.of("message") == []


async def test_a_flood_is_refused_then_ended_and_only_the_burst_is_stored(start: Any) -> None:
    one = await start(socket_burst=5, socket_frames_per_second=0.001, socket_flood_patience=10)
    line = await one.connect(USER)
    await line.until("hello")
    for number in range(30):
        with contextlib.suppress(ConnectionError):  # it is ended meanwhile
            await line.say(str(number))
    assert await line.closed() == FLOOD
    assert {frame["code"] for frame in line.of("refused")} <= {"too-many-frames"}
    again = await one.connect(USER, query="?after=0")
    await again.until("message", 5)
    assert again.seqs == [1, 2, 3, 4, 5]


async def test_a_person_has_a_bounded_number_of_sockets(start: Any) -> None:
    one = await start(sockets_per_user=2)
    for _ in range(2):
        await (await one.connect(USER)).until("hello")
    assert await (await one.connect(USER)).closed() == TOO_MANY_SOCKETS
    await (await one.connect(OTHER)).until("hello")
    await one.lines[0].close()
    await eventually(lambda: one.container.hub.count_of(USER) == 1)
    await (await one.connect(USER)).until("hello")


async def test_a_reader_that_is_too_slow_is_dropped_and_resumes(start: Any) -> None:
    one = await start(socket_queue=8)
    line = await one.connect(USER)
    place = (await line.until("hello"))[0]["conversation"]["id"]
    (held,) = list(one.container.hub)
    for _ in range(9):  # nothing runs in between, so nothing is taken out
        held.offer("{}")
    assert await line.closed() == SLOW
    again = await one.connect(USER, query="?after=0")
    assert (await again.until("hello"))[0]["conversation"]["id"] == place


async def test_heartbeats_go_out_and_the_silent_are_closed(start: Any) -> None:
    one, strict = await start(heartbeat_seconds=0.05), await start(heartbeat_seconds=0.05, idle_seconds=0.4)
    await (await one.connect(USER)).until("heartbeat", 2)
    assert await (await strict.connect(USER)).closed() == IDLE


async def test_sockets_of_a_suspended_person_close_everywhere_and_stay_closed(start: Any) -> None:
    one, two = await start(), await start()
    await eventually(lambda: one.container.channel.connected and two.container.channel.connected)
    lines = [await one.connect(USER), await two.connect(USER), await two.connect(OTHER)]
    for line in lines:
        await line.until("hello")
    event = UserSuspendedV1(user_id=USER, suspended=True)
    envelope = Envelope.of(event, subject=str(USER), sequence=2, time=SystemClock().now())
    await consumer_of(one.container).handle(envelope)
    assert [await line.closed() for line in lines[:2]] == [SUSPENDED, SUSPENDED]
    assert not lines[2].ws.closed
    assert await refused_status(one, one.make_headers(USER)) == 403
    older = Envelope.of(
        UserSuspendedV1(user_id=USER, suspended=False), subject=str(USER), sequence=1, time=SystemClock().now()
    )
    await consumer_of(one.container).handle(older)
    assert await refused_status(one, one.make_headers(USER)) == 403
    restored = Envelope.of(
        UserSuspendedV1(user_id=USER, suspended=False), subject=str(USER), sequence=3, time=SystemClock().now()
    )
    await consumer_of(one.container).handle(restored)
    await (await one.connect(USER)).until("hello")


async def test_without_redis_the_heartbeat_closes_a_suspended_persons_socket(start: Any) -> None:
    one = await start(redis_url="redis://127.0.0.1:1", heartbeat_seconds=0.1)
    line = await one.connect(USER)
    await line.until("hello")
    event = UserSuspendedV1(user_id=USER)
    await consumer_of(one.container).handle(Envelope.of(event, subject=str(USER), sequence=2, time=SystemClock().now()))
    assert await line.closed() == SUSPENDED


async def test_many_writers_of_one_conversation_are_numbered_without_a_hole(start: Any) -> None:
    one, two = await start(), await start()
    lines = [await one.connect(USER), await one.connect(USER), await two.connect(USER), await two.connect(USER)]
    for line in lines:
        await line.until("hello")
    await asyncio.gather(*(line.say(f"{number}") for number in range(8) for line in lines))
    for line in lines:
        await line.until("message", 32)
        assert line.seqs == list(range(1, 33))
