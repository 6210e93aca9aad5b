"""Asking the assistant, and confirming a button it offered."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import RowMapping
from sqlalchemy.ext.asyncio import AsyncSession

from chat_service.assistant import rules, store
from chat_service.assistant.booking_client import BookingReader, BookingsUnavailable
from chat_service.assistant.errors import ActionExpired, ActionNotFound
from chat_service.assistant.models import ModelProvider
from chat_service.assistant.phrases import answer_language, phrase
from chat_service.conversations.access import refuse_blocked
from chat_service.conversations.posted import Posted
from chat_service.conversations.rules import LONGEST_TEXT, Draft, MessageType, Status
from chat_service.conversations.send_message import post_as_system
from chat_service.conversations.store import change_conversation, ensure_conversation, load_conversation
from chat_service.desk.routing import choose_agent
from chat_service.desk.store import agents
from chat_service.faq.store import search_entries
from chat_service.faq.words import words_of
from chat_service.tickets.open_ticket import add_routed_ticket, said_by_customer
from chat_service.tickets.rules import TicketCategory, shown_number
from chat_service.tickets.store import add_ticket_message, ticket_by_client_id
from rihla.db import Database
from rihla.kernel import Clock, new_id

_OFFERED_FOR = timedelta(minutes=30)
_TURNS_SHOWN = 5


@dataclass(frozen=True, slots=True)
class Button:
    """A deed that is done only when the person confirms it."""

    id: UUID
    kind: str
    label: str
    expires_at: datetime


@dataclass(frozen=True, slots=True)
class Answer:
    """What the assistant said."""

    id: UUID
    reply: rules.Reply
    language: str
    buttons: list[Button]


@dataclass(frozen=True, slots=True)
class Done:
    """What a confirmed button did; `posted` still has to be shown to the desk."""

    kind: str
    result: dict[str, Any]
    posted: Posted | None


@dataclass(frozen=True, slots=True)
class Assistant:
    """The deeds of the assistant. Asking stores the turn and changes nothing else."""

    db: Database
    clock: Clock
    bookings: BookingReader
    model: ModelProvider

    async def ask(self, user_id: UUID, question: str, language: str, authorization: str | None) -> Answer:
        """Answer from the person's own bookings or the FAQ. Raises AccountSuspended."""
        language = answer_language(language)
        reply = await self._reply(question, language, authorization)
        if reply.sources:
            worded = await self.model.word(question, reply.text)
            reply = rules.Reply(worded or reply.text, reply.sources, reply.buttons)
        return await self._keep(user_id, question, language, reply)

    async def _reply(self, question: str, language: str, authorization: str | None) -> rules.Reply:
        intent = rules.intent_of(question)
        if intent is rules.Intent.PERSON:
            return rules.reply_to_call_for_person(language)
        if rules.needs_bookings(intent):
            try:
                found = await self.bookings.latest(authorization)
            except BookingsUnavailable:
                return rules.reply_without_bookings(language)
            if found or intent is rules.Intent.STATUS:
                booking = rules.pick_booking(question, found)
                return rules.reply_about_booking(intent, booking, self.clock.now(), language)
        async with self.db.transaction() as session:
            entries = await search_entries(session, language, words_of(question), 20)
        entry = rules.best_entry(question, [dict(entry) for entry in entries])
        return rules.reply_from_entry(entry) if entry is not None else rules.reply_when_lost(language)

    async def _keep(self, user_id: UUID, question: str, language: str, reply: rules.Reply) -> Answer:
        now, turn_id = self.clock.now(), new_id()
        buttons = [Button(new_id(), kind, phrase(kind, language), now + _OFFERED_FOR) for kind in reply.buttons]
        turn = {"id": turn_id, "user_id": user_id, "language": language, "question": question, "answer": reply.text}
        offered = [
            {
                "id": button.id,
                "turn_id": turn_id,
                "user_id": user_id,
                "kind": button.kind,
                "payload": {"question": question, "language": language},
                "expires_at": button.expires_at,
            }
            for button in buttons
        ]
        async with self.db.transaction() as session:
            await refuse_blocked(session, user_id)
            await store.add_turn(session, {**turn, "created_at": now}, offered)
        return Answer(turn_id, reply, language, buttons)

    async def confirm(self, user_id: UUID, action_id: UUID) -> Done:
        """Do what a button says, once; confirming again gives the same result.

        Raises ActionNotFound, ActionExpired and AccountSuspended.
        """
        now = self.clock.now()
        async with self.db.transaction() as session:
            action = await store.load_action(session, action_id)
            if action is None or action["user_id"] != user_id:
                raise ActionNotFound("There is no such button among those you were offered.")
            if action["done_at"] is not None:
                return Done(action["kind"], action["result"], None)
            if action["expires_at"] < now:
                raise ActionExpired("This button was offered too long ago; ask again.")
            await refuse_blocked(session, user_id)
            deed = _hand_over if action["kind"] == "talk_to_person" else _open_ticket
            result, posted = await deed(session, action, now)
            await store.finish_action(session, action_id, result, now)
        return Done(action["kind"], result, posted)


async def _hand_over(session: AsyncSession, action: RowMapping, now: datetime) -> tuple[dict[str, Any], Posted | None]:
    """Put what was said into the conversation and let somebody take it: whoever is online and speaks the language."""
    user_id, language = action["user_id"], action["payload"]["language"]
    turns = await store.last_turns(session, user_id, now - _OFFERED_FOR, _TURNS_SHOWN)
    lines = [phrase("handed_over", language)]
    for turn in turns:
        lines += [f"- {turn['question']}", f"  {turn['answer']}"]
    mine = await ensure_conversation(session, user_id, language, now)
    place = await load_conversation(session, mine["id"], lock=True)
    assert place is not None
    draft = Draft("", MessageType.TEXT, "\n".join(lines)[:LONGEST_TEXT], None)
    posted = await post_as_system(session, place, draft, sender_kind="assistant", now=now, waiting=True)
    agent = choose_agent(language, await agents(session, now)) if place["assignee_id"] is None else None
    if agent is not None:
        given = await change_conversation(
            session, place["id"], status=Status.ASSIGNED, assignee_id=agent, waiting_since=None
        )
        posted = Posted(posted.message, given, repeated=False, status_changed=True)
    return {"conversation_id": str(place["id"])}, posted


async def _open_ticket(
    session: AsyncSession, action: RowMapping, now: datetime
) -> tuple[dict[str, Any], Posted | None]:
    question, client_id = action["payload"]["question"], f"assistant-{action['id']}"
    values = {
        "user_id": action["user_id"],
        "client_id": client_id,
        "category": TicketCategory.OTHER,
        "subject": question[:200],
        "language": action["payload"]["language"],
    }
    made = await add_routed_ticket(session, values, now)
    if made is None:
        made = await ticket_by_client_id(session, action["user_id"], client_id)
    said = said_by_customer(made["id"], action["user_id"], question, now, client_id=client_id)
    await add_ticket_message(session, said, [])
    return {"ticket_id": str(made["id"]), "number": shown_number(made["number"])}, None
