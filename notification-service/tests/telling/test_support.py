from typing import Any

from rihla.contracts.events import ChatMessageMissedV1, TicketAnsweredV1, UserDeletedV1, UserRegisteredV1
from rihla.kernel import new_id

BACK = "support+100001.0123456789abcdef0123@rihla.local"


async def register(stack: Any, clock: Any, locale: str = "ur") -> Any:
    person = UserRegisteredV1(
        user_id=new_id(), email="amina@example.com", full_name="Amina", locale=locale, registered_at=clock.now()
    )
    await stack.hear(person, subject=person.user_id)
    await stack.rows(
        "INSERT INTO device (id, user_id, platform, token, registered_at) VALUES "
        "(:id, :user_id, 'android', 'token-1', now()) RETURNING 1",
        id=new_id(),
        user_id=person.user_id,
    )
    await stack.send()
    return person.user_id


def waiting(user_id: Any, clock: Any, **changes: Any) -> ChatMessageMissedV1:
    facts = {"conversation_id": new_id(), "user_id": user_id, "language": "ur", "unread": 2, "last_seq": 7}
    return ChatMessageMissedV1(waiting_since=clock.now(), **{**facts, **changes})


async def test_words_of_support_reach_who_is_away_by_push_and_mail_once(stack: Any, box: Any, clock: Any) -> None:
    user_id = await register(stack, clock)
    box.mails.clear()
    event = waiting(user_id, clock)
    for _ in range(2):
        await stack.hear(event, subject=event.conversation_id, sequence=7)
    await stack.send()
    assert sorted(mail["To"] for mail in box.mails) == ["amina@example.com", "token-1@push.local"]
    (mail,) = box.to("amina@example.com")
    assert 'dir="rtl"' in mail.get_body(("html",)).get_content()
    assert "/v1/chat/conversations" in mail.get_body(("plain",)).get_content()
    assert mail["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"


def answer(clock: Any, **changes: Any) -> TicketAnsweredV1:
    facts = {
        "ticket_id": new_id(),
        "message_id": new_id(),
        "number": 100_001,
        "subject": "My <bag>",
        "reply_address": BACK,
    }
    said = {"answer": "We found it.\nIt comes <b>tomorrow</b>.", "answered_at": clock.now()}
    return TicketAnsweredV1(**{**facts, **said, **changes})


async def test_an_answered_ticket_is_a_mail_that_can_be_answered(stack: Any, box: Any, clock: Any) -> None:
    user_id = await register(stack, clock, locale="en")
    box.mails.clear()
    event = answer(clock, user_id=user_id)
    await stack.hear(event, subject=event.ticket_id)
    await stack.send()
    (mail,) = box.to("amina@example.com")
    assert (mail["Subject"], mail["Reply-To"]) == ("Re: My <bag> [T-100001]", BACK)
    assert "We found it.\nIt comes <b>tomorrow</b>." in mail.get_body(("plain",)).get_content().replace("\r\n", "\n")
    html = mail.get_body(("html",)).get_content()
    assert "<p>It comes &lt;b&gt;tomorrow&lt;/b&gt;.</p>" in html


async def test_who_wrote_by_mail_without_an_account_is_answered_by_mail(stack: Any, box: Any, clock: Any) -> None:
    event = answer(clock, email="guest@example.com", language="xx-YY")
    await stack.hear(event, subject=event.ticket_id)
    await stack.send()
    (mail,) = box.to("guest@example.com")
    assert mail["Subject"].startswith("Re: ")


async def test_nothing_is_told_to_who_was_erased(stack: Any, box: Any, clock: Any) -> None:
    user_id = await register(stack, clock)
    await stack.hear(UserDeletedV1(user_id=user_id, deleted_at=clock.now()), subject=user_id, sequence=9)
    box.mails.clear()
    for event in (waiting(user_id, clock), answer(clock, user_id=user_id)):
        await stack.hear(event, subject=new_id())
    assert await stack.send() == 0
    assert await stack.rows("SELECT 1 FROM notice") == []
