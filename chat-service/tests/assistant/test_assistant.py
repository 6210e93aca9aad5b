"""The assistant: sources shown, nothing done without a confirmed button, a person at hand."""

import asyncio
import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest

from chat_service.assistant import rules
from chat_service.assistant.booking_client import BookingReader
from chat_service.assistant.models import ChatModel
from chat_service.assistant.phrases import LANGUAGES, phrase_names
from chat_service.assistant.rules import Intent
from chat_service.seed import seed
from rihla.kernel import new_id

NOW = datetime(2026, 12, 1, 8, tzinfo=UTC)


def booking(reference: str = "K7QX2M", departs: str = "2026-12-02T08:30:00+06:00", **more: Any) -> dict[str, Any]:
    segment = {
        "flight_number": "RQ101", "origin": "DAC", "destination": "JED", "departure_at": departs, "status": "scheduled",
    }  # fmt: skip
    return {
        "id": str(new_id()),
        "reference": reference,
        "status": "confirmed",
        "slices": [{"segments": [segment]}],
        "refunds": [],
        **more,
    }


@pytest.mark.parametrize(
    ("question", "intent"),
    [
        ("I want to talk to a human about my refund", Intent.PERSON),
        ("Where is my refund for K7QX2M?", Intent.REFUND),
        ("When can I check in?", Intent.CHECK_IN),
        ("Show me my boarding pass", Intent.CHECK_IN),
        ("What is the status of my booking?", Intent.STATUS),
        ("আমার টিকিট কোথায়", Intent.STATUS),
        ("أريد التحدث إلى موظف", Intent.PERSON),
        ("ریفنڈ کب ملے گا", Intent.REFUND),
        ("How much baggage may I take?", Intent.FAQ),
    ],
)
def test_the_matter_of_a_question_is_recognised(question: str, intent: Intent) -> None:
    assert rules.intent_of(question) is intent


@pytest.mark.parametrize(
    ("departs", "words"),
    [
        ("2026-12-05T08:30:00+06:00", "opens at 2026-12-03 08:30"),
        ("2026-12-02T08:30:00+06:00", "is open until 2026-12-02 07:30"),
        ("2026-12-01T14:30:00+06:00", "has closed"),
        ("2026-11-01T14:30:00+06:00", "no flight to check in"),
    ],
)
def test_check_in_is_explained_from_the_bookings_own_times(departs: str, words: str) -> None:
    reply = rules.reply_about_booking(Intent.CHECK_IN, booking(departs=departs), NOW, "en")
    assert words in reply.text
    assert [source.kind for source in reply.sources] == ["booking"]


def test_a_named_booking_is_meant_and_no_other() -> None:
    mine = [booking("K7QX2M"), booking("ABC234")]
    assert rules.pick_booking("status of abc234", mine) is mine[1]
    assert rules.pick_booking("my flight", mine) is mine[0]
    assert rules.pick_booking("status of ZZZ999", mine) is None
    assert rules.pick_booking("my flight", []) is None


def test_refunds_are_told_with_amount_and_state() -> None:
    refund = {"amount": {"amount": "61.20", "currency": "USD"}, "status": "pending"}
    assert "61.20 USD: pending" in rules.reply_about_booking(Intent.REFUND, booking(refunds=[refund]), NOW, "en").text
    assert "no refund" in rules.reply_about_booking(Intent.REFUND, booking(), NOW, "en").text


def test_every_sentence_exists_in_every_language() -> None:
    assert {frozenset(phrase_names(language)) for language in LANGUAGES} == {frozenset(phrase_names("en"))}


class FakeBookings:
    """The public route of booking-service, on a transport; it remembers the credentials it was shown."""

    def __init__(self, *items: dict[str, Any]) -> None:
        self.items = list(items)
        self.asked: list[tuple[str, str]] = []
        self.status = 200

    def __call__(self, request: httpx.Request) -> httpx.Response:
        self.asked.append((request.method, request.headers["authorization"]))
        return httpx.Response(self.status, json={"items": self.items, "next_cursor": None})


@pytest.fixture
def bookings() -> FakeBookings:
    return FakeBookings(booking())


@pytest.fixture
def assisted(stack: Any, bookings: FakeBookings) -> Any:
    reader = BookingReader("http://booking.test", transport=httpx.MockTransport(bookings))
    given = replace(stack.container.assistant, bookings=reader)
    stack.app.state.container = replace(stack.container, assistant=given)
    return stack


async def ask(who: Any, text: str, token: str | None = "Bearer handed-on", language: str = "en") -> dict[str, Any]:
    headers = who.headers | ({"x-internal-booking-authorization": token} if token else {})
    answer = await who.client.post(
        "/v1/chat/assistant/questions", json={"text": text, "language": language}, headers=headers
    )
    assert answer.status_code == 200, answer.text
    return dict(answer.json())


async def test_questions_about_bookings_are_answered_with_the_persons_own_token(
    assisted: Any, bookings: FakeBookings
) -> None:
    answer = await ask(assisted.person(), "What is the status of my booking?")
    assert "K7QX2M is confirmed" in answer["text"]
    assert [(one["kind"], one["title"]) for one in answer["sources"]] == [("booking", "K7QX2M")]
    assert set(bookings.asked) == {("GET", "Bearer handed-on")}


async def test_without_token_or_bookings_service_it_says_so_and_offers_a_person(
    assisted: Any, bookings: FakeBookings
) -> None:
    me = assisted.person()
    for token, status in ((None, 200), ("Bearer x", 503), ("Bearer x", 401)):
        bookings.status = status
        answer = await ask(me, "Where is my refund?", token)
        assert answer["sources"] == []
        assert "cannot look at your bookings" in answer["text"]
        assert "talk_to_person" in [one["kind"] for one in answer["buttons"]]


async def test_faq_answers_show_their_entry_and_the_unknown_is_not_guessed(
    assisted: Any, settings: Any, clock: Any
) -> None:
    await seed(settings, clock)
    me = assisted.person()
    answer = await ask(me, "How much checked baggage can I take?")
    assert "kilograms" in answer["text"]
    shown = await me.get(answer["sources"][0]["path"])
    assert shown["answer"] == answer["text"]
    lost = await ask(me, "What is the meaning of purple elephants?")
    assert (lost["sources"], lost["text"]) == ([], "I do not know the answer to that. A person can help you.")
    bengali = await ask(me, "অনলাইন চেক-ইন কখন খোলে", language="bn")
    assert bengali["sources"]


async def test_nothing_happens_before_a_button_is_confirmed_and_then_once(assisted: Any, clock: Any) -> None:
    me, stranger, agent = assisted.person(), assisted.person(), assisted.person("support")
    await ask(me, "I lost my purple hat")
    answer = await ask(me, "Let me talk to a person please")
    (button,) = answer["buttons"]
    assert await assisted.rows("SELECT 1 FROM conversation") == await assisted.rows("SELECT 1 FROM ticket") == []
    url = f"/v1/chat/assistant/actions/{button['id']}/confirm"
    assert (await stranger.call("POST", url)).status_code == 404
    answers = await asyncio.gather(*(me.call("POST", url) for _ in range(4)))
    assert {one.status_code for one in answers} == {200}
    (place,) = {one.json()["conversation_id"] for one in answers}
    messages = (await me.get(f"/v1/chat/conversations/{place}/messages"))["items"]
    assert len(messages) == 1
    assert messages[0]["sender"]["kind"] == "assistant"
    assert "purple hat" in messages[0]["text"]
    waiting = (await agent.get("/v1/admin/chat/conversations", status="waiting"))["items"]
    assert [(one["id"], one["staff"]["unread"]) for one in waiting] == [(place, 1)]


async def test_a_ticket_is_opened_by_its_button_and_old_buttons_are_over(assisted: Any, clock: Any) -> None:
    me = assisted.person()
    answer = await ask(me, "I lost my purple hat")
    buttons = {one["kind"]: one["id"] for one in answer["buttons"]}
    url = "/v1/chat/assistant/actions"
    for _ in range(2):
        done = await me.post(f"{url}/{buttons['open_ticket']}/confirm")
    (ticket,) = (await me.get("/v1/support/tickets"))["items"]
    assert (ticket["number"], ticket["subject"]) == (done["number"], "I lost my purple hat")
    clock.advance(timedelta(minutes=31))
    late = await me.call("POST", f"{url}/{buttons['talk_to_person']}/confirm")
    assert (late.status_code, late.json()["code"]) == (410, "action-expired")
    assert (await me.post(f"{url}/{buttons['open_ticket']}/confirm"))["number"] == done["number"]


async def test_handing_over_finds_somebody_online_who_speaks_the_language(assisted: Any) -> None:
    me, agent = assisted.person(), assisted.person("support")
    await agent.call("PATCH", "/v1/admin/support/colleagues/me", json={"languages": ["bn"]})
    await assisted.container.presence.refresh([agent.id])
    answer = await ask(me, "মানুষের সাথে কথা বলতে চাই", language="bn")
    await me.post(f"/v1/chat/assistant/actions/{answer['buttons'][0]['id']}/confirm")
    (place,) = (await me.get("/v1/chat/conversations"))["items"]
    assert (place["status"], place["assignee_id"]) == ("assigned", str(agent.id))


async def test_a_model_may_word_the_facts_and_nothing_else(assisted: Any, bookings: FakeBookings) -> None:
    seen: list[dict[str, Any]] = []

    def model(request: httpx.Request) -> httpx.Response:
        seen.append(json.loads(request.content))
        if len(seen) == 1:
            content = "Your trip K7QX2M is confirmed. I have cancelled it for you!"
            return httpx.Response(200, json={"choices": [{"message": {"content": content}}]})
        return httpx.Response(500)

    chat = ChatModel("http://model.test/v1", name="m", key="k", timeout=1, transport=httpx.MockTransport(model))
    container = assisted.app.state.container
    assisted.app.state.container = replace(container, assistant=replace(container.assistant, model=chat))
    me = assisted.person()
    first = await ask(me, "What is the status of my booking?")
    assert first["text"].startswith("Your trip")
    assert [one["kind"] for one in first["sources"]] == ["booking"]
    assert {one["kind"] for one in first["buttons"]} == {"talk_to_person", "open_ticket"}
    assert set(bookings.asked) == {("GET", "Bearer handed-on")}
    second = await ask(me, "What is the status of my booking?")
    assert second["text"].startswith("Booking K7QX2M")
    await ask(me, "I lost my purple hat")
    assert len(seen) == 2
    await chat.close()
