"""Events of chat-service: words of support that their reader has not seen, and answers to tickets."""

from dataclasses import dataclass

from sqlalchemy.ext.asyncio import AsyncSession

from notification_service.telling.facts import Fact, Recipient
from notification_service.telling.tell import Teller
from rihla.contracts.events import ChatMessageMissedV1, Envelope, TicketAnsweredV1
from rihla.kernel import Clock


@dataclass(frozen=True, slots=True)
class SupportConsumers:
    """Handlers run in the transaction that recorded the event."""

    teller: Teller
    clock: Clock

    async def on_message_missed(self, session: AsyncSession, envelope: Envelope) -> None:
        """Support wrote in the chat while the traveller was away."""
        waiting = envelope.parse()
        assert isinstance(waiting, ChatMessageMissedV1)
        name = f"chat_message:{waiting.conversation_id}:{waiting.last_seq}"
        fact = Fact(name, "chat_message", waiting.model_dump(mode="json"))
        recipient = Recipient(waiting.user_id, locale=waiting.language)
        await self.teller.tell(session, fact, [recipient], now=self.clock.now())

    async def on_ticket_answered(self, session: AsyncSession, envelope: Envelope) -> None:
        """An answer to a ticket. Whoever wrote by mail without an account is known here by the ticket alone."""
        answered = envelope.parse()
        assert isinstance(answered, TicketAnsweredV1)
        values = answered.model_dump(mode="json") | {"number": f"T-{answered.number}", "topic": answered.subject}
        fact = Fact(f"ticket_answered:{answered.message_id}", "ticket_answered", values)
        recipient = Recipient(answered.user_id or answered.ticket_id, answered.email, locale=answered.language)
        await self.teller.tell(session, fact, [recipient], now=self.clock.now())
