import asyncio
import json
from datetime import timedelta
from typing import Any

import httpx

from chat_service.sweeping import Sweeper
from chat_service.tickets.mail import signature_of
from rihla.kernel import new_id

NEW = {"category": "baggage", "subject": "My bag is missing", "body": "It was not on the belt.", "language": "en"}
SECRET = b"local-inbound-mail-secret"


async def open_ticket(who: Any, client_id: str = "t-1", **more: Any) -> dict[str, Any]:
    ticket: dict[str, Any] = await who.post("/v1/support/tickets", {**NEW, "client_id": client_id, **more})
    return ticket


async def test_a_ticket_has_a_number_and_is_opened_once(stack: Any) -> None:
    me, other = stack.person(), stack.person()
    made = await asyncio.gather(*(open_ticket(me) for _ in range(4)))
    assert len({one["number"] for one in made}) == 1
    assert (await open_ticket(other))["number"] != made[0]["number"]
    assert [one["body"] for one in made[0]["messages"]] == ["It was not on the belt."]
    assert [one["number"] for one in (await me.get("/v1/support/tickets"))["items"]] == [made[0]["number"]]
    url = f"/v1/support/tickets/{made[0]['id']}"
    for method, path, body in (
        ("GET", url, None),
        ("POST", f"{url}/messages", {"client_id": "x", "body": "x"}),
        ("POST", f"{url}/close", None),
        ("POST", f"{url}/reopen", None),
    ):
        assert (await other.call(method, path, json=body)).status_code == 404
    assert (await me.call("GET", f"/v1/admin/support/tickets/{made[0]['id']}")).status_code == 403


async def test_a_ticket_moves_only_along_its_legal_ways(stack: Any, clock: Any) -> None:
    me, agent = stack.person(), stack.person("support")
    ticket = await open_ticket(me)
    url, admin = f"/v1/support/tickets/{ticket['id']}", f"/v1/admin/support/tickets/{ticket['id']}"
    for wrong in ("resolved", "closed"):
        answer = await agent.call("PATCH", admin, json={"status": wrong})
        assert (answer.status_code, answer.json()["code"]) == (409, "ticket-state-conflict")
    answered = await agent.post(f"{admin}/messages", {"client_id": "s-1", "body": "We look for it."})
    assert (answered["status"], answered["assignee_id"]) == ("in_progress", str(agent.id))
    assert (await me.call("POST", f"{url}/close")).status_code == 409
    assert (await agent.call("PATCH", admin, json={"status": "resolved"})).json()["status"] == "resolved"
    assert (await me.post(f"{url}/close"))["status"] == "closed"
    reopened = await me.post(f"{url}/reopen")
    assert (reopened["status"], reopened["closed_at"]) == ("open", None)
    await agent.call("PATCH", admin, json={"status": "in_progress"})
    await agent.call("PATCH", admin, json={"status": "resolved"})
    spoken = await me.post(f"{url}/messages", {"client_id": "r-1", "body": "Still missing"})
    assert spoken["status"] == "open"
    await agent.call("PATCH", admin, json={"status": "in_progress"})
    await agent.call("PATCH", admin, json={"status": "resolved"})
    await agent.call("PATCH", admin, json={"status": "closed"})
    clock.advance(timedelta(days=31))
    late = await me.call("POST", f"{url}/messages", json={"client_id": "r-2", "body": "Hello?"})
    assert (late.status_code, late.json()["code"]) == (409, "ticket-closed")
    whole = await agent.get(admin)
    assert whole["reopened"] == 2
    statuses = [step["after"] for step in whole["changes"] if step["field"] == "status"]
    assert statuses[:4] == ["in_progress", "resolved", "closed", "open"]


async def test_the_customer_never_sees_an_internal_note_or_its_attachment(stack: Any) -> None:
    me, agent = stack.person(), stack.person("support")
    ticket = await open_ticket(me)
    admin = f"/v1/admin/support/tickets/{ticket['id']}"
    data = b"%PDF-1.7 secret"
    body = {"kind": "document", "media_type": "application/pdf", "size_bytes": len(data)}
    begun = await agent.post("/v1/chat/attachments", body)
    await stack.client.put(begun["upload"]["url"], content=data)
    await agent.post(f"/v1/chat/attachments/{begun['id']}/complete")
    note = {"client_id": "n-1", "body": "TOP SECRET", "internal": True, "attachment_ids": [begun["id"]]}
    noted = await agent.post(f"{admin}/messages", note)
    assert noted["status"] == "open"
    assert noted["responded_at"] is None
    assert [one["internal"] for one in noted["messages"]] == [False, True]
    answers = [
        await me.call("GET", f"/v1/support/tickets/{ticket['id']}"),
        await me.call("GET", "/v1/support/tickets"),
        await me.call(
            "POST", f"/v1/support/tickets/{ticket['id']}/messages", json={"client_id": "r", "body": "Any news?"}
        ),
    ]
    for answer in answers:
        assert answer.status_code == 200
        assert "SECRET" not in answer.text
        assert "internal" not in answer.text
        assert begun["id"] not in answer.text
    assert (await me.call("GET", f"/v1/chat/attachments/{begun['id']}")).status_code == 404


async def test_a_reply_with_an_attachment_is_said_once(stack: Any) -> None:
    me, agent = stack.person(), stack.person("support")
    ticket = await open_ticket(me)
    data = b"%PDF-1.7 report"
    body = {"kind": "document", "media_type": "application/pdf", "size_bytes": len(data)}
    begun = await me.post("/v1/chat/attachments", body)
    await stack.client.put(begun["upload"]["url"], content=data)
    await me.post(f"/v1/chat/attachments/{begun['id']}/complete")
    reply = {"client_id": "r-1", "body": "The report", "attachment_ids": [begun["id"]]}
    for _ in range(3):
        shown = await me.post(f"/v1/support/tickets/{ticket['id']}/messages", reply)
    assert [one["attachment_ids"] for one in shown["messages"]] == [[], [begun["id"]]]
    assert (await agent.get(f"/v1/chat/attachments/{begun['id']}"))["download"]


async def test_due_times_follow_the_priority_and_breaches_are_marked_once(stack: Any, clock: Any) -> None:
    me, agent = stack.person(), stack.person("support")
    opened_at = clock.now()
    ticket = await open_ticket(me)
    admin = f"/v1/admin/support/tickets/{ticket['id']}"
    urgent = (await agent.call("PATCH", admin, json={"priority": "urgent"})).json()
    assert urgent["response_due_at"] == (opened_at + timedelta(hours=1)).isoformat().replace("+00:00", "Z")
    calm = (await agent.call("PATCH", admin, json={"priority": "normal"})).json()
    assert calm["response_due_at"] == ticket["response_due_at"]
    await agent.call("PATCH", admin, json={"priority": "urgent"})
    assert (await agent.get("/v1/admin/support/tickets", overdue=True))["items"] == []
    clock.advance(timedelta(minutes=61))
    await asyncio.gather(*(Sweeper(stack.container).sweep() for _ in range(2)))
    (late,) = (await agent.get("/v1/admin/support/tickets", overdue=True))["items"]
    first = late["response_breached_at"]
    assert late["resolution_breached_at"] is None
    clock.advance(timedelta(hours=8))
    await Sweeper(stack.container).sweep()
    (later,) = (await agent.get("/v1/admin/support/tickets", overdue=True, priority="urgent"))["items"]
    assert later["response_breached_at"] == first
    assert later["resolution_breached_at"] is not None


async def test_a_ticket_goes_to_whoever_is_online_and_speaks_the_language(stack: Any, clock: Any) -> None:
    me, agent = stack.person(), stack.person("support")
    change = {"languages": ["bn", "en"], "available": True}
    assert (await agent.call("PATCH", "/v1/admin/support/colleagues/me", json=change)).json()["languages"] == [
        "bn",
        "en",
    ]
    assert (await open_ticket(me, "a", language="bn"))["status"] == "open"
    await stack.container.presence.refresh([agent.id])
    await open_ticket(me, "b", language="bn-BD")
    await open_ticket(me, "c", language="ur")
    mine = (await agent.get("/v1/admin/support/tickets", mine=True))["items"]
    assert [one["language"] for one in mine] == ["bn-BD"]
    bad = await agent.call("PATCH", "/v1/admin/support/colleagues/me", json={"languages": ["Bangla!"]})
    assert bad.status_code == 422


async def mail(stack: Any, **changes: Any) -> httpx.Response:
    body = {
        "message_id": "<1@x>",
        "sender": "amina@example.com",
        "subject": "Re: bag",
        "text": "It arrived.",
        **changes,
    }
    raw = json.dumps(body).encode()
    headers = {
        "mail-signature": signature_of(raw, int(stack.container.clock.now().timestamp()), SECRET),
        "content-type": "application/json",
    }
    answer: httpx.Response = await stack.client.post("/v1/support/inbound-mail", content=raw, headers=headers)
    return answer


async def test_a_reply_by_mail_is_threaded_into_its_ticket_once(stack: Any) -> None:
    me = stack.person()
    ticket = await open_ticket(me)
    text = "It arrived, thank you.\n\nOn Tue Rihla wrote:\n> We look for it."
    for repeated in (False, True):
        taken = (await mail(stack, to=ticket["reply_address"], text=text)).json()
        assert taken == {"number": ticket["number"], "opened": False, "repeated": repeated}
    shown = await me.get(f"/v1/support/tickets/{ticket['id']}")
    assert [(one["body"], one["by_mail"]) for one in shown["messages"]][1:] == [("It arrived, thank you.", True)]


async def test_mail_to_support_opens_a_ticket_and_forged_addresses_are_refused(stack: Any) -> None:
    me, agent = stack.person(), stack.person("support")
    ticket = await open_ticket(me)
    taken = (await mail(stack, to="support@rihla.local", subject="Lost child seat")).json()
    assert (taken["opened"], taken["repeated"]) == (True, False)
    assert (await agent.get("/v1/admin/support/tickets"))["items"][0]["subject"] == "Lost child seat"
    forged = ticket["reply_address"].replace(".", ".0", 1)[: len(ticket["reply_address"])]
    for to in (forged, "support+100001@rihla.local", "someone@else.example"):
        answer = await mail(stack, to=to, message_id=f"<{new_id()}@x>")
        assert (answer.status_code, answer.json()["code"]) == (422, "mail-refused")
    empty = await mail(stack, to="support@rihla.local", message_id="<e@x>", text="> only quotes")
    assert empty.status_code == 422


async def test_the_mail_hook_believes_nothing_without_the_adapters_signature(stack: Any) -> None:
    raw = json.dumps({"message_id": "<1@x>", "sender": "a@b.c", "to": "support@rihla.local", "text": "hi"}).encode()
    json_type = {"content-type": "application/json"}
    now = int(stack.container.clock.now().timestamp())
    for headers in ({}, {"mail-signature": "t=1,v1=00"}, {"mail-signature": signature_of(raw + b" ", now, SECRET)}):
        answer = await stack.client.post("/v1/support/inbound-mail", content=raw, headers=json_type | headers)
        assert (answer.status_code, answer.json()["code"]) == (400, "invalid-signature")
    assert await stack.rows("SELECT 1 FROM ticket") == []


async def test_an_answer_is_told_to_whoever_wrote_with_an_address_that_leads_back(stack: Any) -> None:
    me, agent = stack.person(), stack.person("support")
    ticket = await open_ticket(me)
    admin = f"/v1/admin/support/tickets/{ticket['id']}"
    await agent.post(f"{admin}/messages", {"client_id": "n", "body": "TOP SECRET", "internal": True})
    for _ in range(2):
        await agent.post(f"{admin}/messages", {"client_id": "s", "body": "We found it."})
    opened = (await mail(stack, to="support@rihla.local", message_id="<first@x>")).json()
    theirs = (await agent.get("/v1/admin/support/tickets"))["items"][0]
    await agent.post(f"/v1/admin/support/tickets/{theirs['id']}/messages", {"client_id": "s", "body": "Yes."})
    rows = await stack.rows("SELECT envelope->'data' AS data FROM outbox ORDER BY position")
    first, second = (row.data for row in rows)
    assert (first["user_id"], first["email"], first["answer"]) == (str(me.id), None, "We found it.")
    assert (second["user_id"], second["email"], second["answer"]) == (None, "amina@example.com", "Yes.")
    back = (await mail(stack, to=second["reply_address"], message_id="<second@x>")).json()
    assert back == {"number": opened["number"], "opened": False, "repeated": False}
