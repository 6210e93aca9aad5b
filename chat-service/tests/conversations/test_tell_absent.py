import asyncio
from datetime import timedelta
from typing import Any

from sqlalchemy import text

from chat_service.conversations import tell_absent as telling
from chat_service.conversations.tell_absent import tell_absent
from chat_service.sweeping import Sweeper
from rihla.contracts.events import Envelope, UserDeletedV1

TWO_MINUTES = timedelta(minutes=2)


async def told(stack: Any, kind: str = "chat.message_missed.v1") -> list[dict[str, Any]]:
    rows = await stack.rows("SELECT envelope FROM outbox WHERE type = :kind ORDER BY position", kind=kind)
    return [Envelope.model_validate(row.envelope).parse().model_dump(mode="json") for row in rows]


async def test_whoever_is_away_is_told_once_for_each_silence(stack: Any, clock: Any) -> None:
    me, agent = stack.person(), stack.person("support")
    place = await me.open()
    await me.say(place, "Hello?")
    await agent.say(place, "Good morning, here is your answer")
    sweeper = Sweeper(stack.container)
    await sweeper.sweep()
    assert await told(stack) == []  # two minutes have not passed
    clock.advance(TWO_MINUTES)
    for _ in range(3):
        await sweeper.sweep()
    (first,) = await told(stack)
    assert (first["user_id"], first["unread"], first["last_seq"]) == (str(me.id), 1, 2)
    assert "answer" not in str(first)  # what was said stays here
    await agent.say(place, "Are you there?")
    clock.advance(timedelta(hours=1))
    await sweeper.sweep()
    assert len(await told(stack)) == 1  # the same silence
    await me.call("POST", f"/v1/chat/conversations/{place}/receipts", json={"seen_seq": 3})
    await agent.say(place, "One more thing")
    clock.advance(TWO_MINUTES)
    await sweeper.sweep()
    assert [one["last_seq"] for one in await told(stack)] == [2, 4]


async def test_nobody_is_told_who_is_here_who_wrote_last_or_who_is_gone(stack: Any, clock: Any) -> None:
    here, lonely, gone, agent = stack.person(), stack.person(), stack.person(), stack.person("support")
    places = {one.id: await one.open() for one in (here, lonely, gone)}
    for one in (here, gone):
        await one.say(places[one.id], "Hello?")
        await agent.say(places[one.id], "Yes?")
    await lonely.say(places[lonely.id], "Nobody answered me yet")
    await stack.hear(UserDeletedV1(user_id=gone.id, deleted_at=clock.now()), subject=gone.id)
    clock.advance(TWO_MINUTES)
    await stack.container.presence.came(here.id, places[here.id])
    assert await tell_absent(stack.container.db, clock.now(), after=TWO_MINUTES) == 0
    await stack.container.presence.went(here.id, places[here.id])
    assert await tell_absent(stack.container.db, clock.now(), after=TWO_MINUTES) == 1


async def silences(stack: Any, clock: Any, many: int = 12) -> None:
    agent = stack.person("support")
    for _ in range(many):
        me = stack.person()
        place = await me.open()
        await agent.say(place, "We found your bag")
    clock.advance(TWO_MINUTES)


async def test_two_workers_at_once_tell_each_silence_once(stack: Any, clock: Any) -> None:
    await silences(stack, clock)
    work = [tell_absent(stack.container.db, clock.now(), after=TWO_MINUTES) for _ in range(4)]
    assert sum(await asyncio.gather(*work)) == 12
    assert len(await told(stack)) == 12


async def test_without_the_lock_two_workers_tell_it_twice(stack: Any, clock: Any, monkeypatch: Any) -> None:
    await silences(stack, clock, many=1)
    unlocked = text(str(telling._UNSEEN.text).replace("FOR UPDATE OF c SKIP LOCKED", ""))
    monkeypatch.setattr(telling, "_UNSEEN", unlocked)
    both_looked = asyncio.Barrier(2)
    tell = telling._tell

    async def together(*args: Any) -> None:
        await both_looked.wait()
        await tell(*args)

    monkeypatch.setattr(telling, "_tell", together)
    await asyncio.gather(*(tell_absent(stack.container.db, clock.now(), after=TWO_MINUTES) for _ in range(2)))
    assert len(await told(stack)) == 2
