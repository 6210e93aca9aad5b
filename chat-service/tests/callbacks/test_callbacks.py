import asyncio
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from chat_service.callbacks.slots import desk_hours, free_place, slots


def test_slots_are_whole_hours_of_the_desks_day() -> None:
    now = datetime(2026, 12, 1, 8, 40, tzinfo=UTC)
    offered = slots(now, (4, 18))
    assert offered[0] == datetime(2026, 12, 1, 10, tzinfo=UTC)
    assert {slot.hour for slot in offered} == set(range(4, 18))
    assert offered[-1] <= now + timedelta(days=7)
    assert free_place([0, 2], 4) == 1
    assert free_place([0, 1], 2) is None
    for wrong in ("18-4", "4-25", "5-5"):
        with pytest.raises(ValueError, match="hours"):
            desk_hours(wrong)


def wanted(slot: str, **more: Any) -> dict[str, Any]:
    return {"phone": "+880 1712-345678", "slot_at": slot, "language": "bn", "topic": "My refund", **more}


async def test_a_slot_is_never_sold_beyond_its_places(stack: Any) -> None:
    people = [stack.person() for _ in range(8)]
    slot = (await people[0].get("/v1/support/callback-slots"))["items"][0]
    assert slot["free"] == 4
    asked = (one.call("POST", "/v1/support/callbacks", json=wanted(slot["slot_at"])) for one in people)
    answers = await asyncio.gather(*asked)
    assert sorted(one.status_code for one in answers) == [201] * 4 + [409] * 4
    assert {one.json()["code"] for one in answers if one.status_code == 409} == {"slot-full"}
    offered = (await people[0].get("/v1/support/callback-slots"))["items"]
    assert slot["slot_at"] not in [one["slot_at"] for one in offered]


async def test_a_person_waits_for_one_call_which_is_claimed_and_settled(stack: Any) -> None:
    me, agent, other = stack.person(), stack.person("support"), stack.person("support")
    slot = (await me.get("/v1/support/callback-slots"))["items"][0]["slot_at"]
    asked = await me.post("/v1/support/callbacks", wanted(slot), status=201)
    assert asked["phone"] == "+8801712345678"
    again = await me.call("POST", "/v1/support/callbacks", json=wanted(slot))
    assert (again.status_code, again.json()["code"]) == (409, "callback-pending")
    assert (await stack.person().call("POST", f"/v1/support/callbacks/{asked['id']}/cancel")).status_code == 404
    queue = f"/v1/admin/support/callbacks/{asked['id']}"
    assert [one["id"] for one in (await agent.get("/v1/admin/support/callbacks", language="bn"))["items"]] == [
        asked["id"]
    ]
    assert (await agent.post(f"{queue}/claim"))["assignee_id"] == str(agent.id)
    assert (await agent.post(f"{queue}/claim"))["status"] == "claimed"
    assert (await other.call("POST", f"{queue}/claim")).status_code == 409
    assert (await other.call("POST", f"{queue}/outcome", json={"status": "done"})).status_code == 404
    done = await agent.post(f"{queue}/outcome", {"status": "done", "note": "Explained"})
    assert (done["status"], done["note"]) == ("done", "Explained")
    assert (await me.call("POST", f"/v1/support/callbacks/{asked['id']}/cancel")).status_code == 409
    next_one = await me.post("/v1/support/callbacks", wanted(slot), status=201)
    for _ in range(2):
        assert (await me.post(f"/v1/support/callbacks/{next_one['id']}/cancel"))["status"] == "cancelled"
    assert len((await me.get("/v1/support/callbacks"))["items"]) == 2


async def test_calls_nobody_can_make_are_refused(stack: Any) -> None:
    me = stack.person()
    slot = (await me.get("/v1/support/callback-slots"))["items"][0]["slot_at"]
    for body, code in (
        (wanted("2026-12-01T08:00:00Z"), "slot-not-offered"),
        (wanted(slot.replace(":00:00", ":30:00")), "slot-not-offered"),
        (wanted(slot, phone="+1234"), "validation-failed"),
        (wanted(slot, phone="not a number"), "validation-failed"),
        (wanted("2026-12-01T10:00:00"), "validation-failed"),
    ):
        answer = await me.call("POST", "/v1/support/callbacks", json=body)
        assert (answer.status_code, answer.json()["code"]) == (422, code)


async def test_the_desk_keeps_replies_at_hand(stack: Any) -> None:
    agent = stack.person("support")
    url = "/v1/admin/support/canned-replies"
    for words in ("Hello!", "Hello there!"):
        await agent.call("PUT", f"{url}/en/hello", json={"text": words})
    await agent.call("PUT", f"{url}/bn/hello", json={"text": "নমস্কার!"})
    assert [one["text"] for one in (await agent.get(url, language="en"))["items"]] == ["Hello there!"]
    assert len((await agent.get(url))["items"]) == 2
    assert (await agent.call("DELETE", f"{url}/en/hello")).status_code == 204
    assert (await agent.call("DELETE", f"{url}/en/hello")).status_code == 404
    assert (await stack.person().call("GET", url)).status_code == 403
