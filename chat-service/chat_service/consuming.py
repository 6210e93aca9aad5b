"""Which events this service hears, and who handles each."""

import asyncio
from typing import Any
from uuid import UUID

from chat_service.live.channel import Parcel
from chat_service.people.consumers import PeopleConsumers
from rihla.contracts.events import Envelope
from rihla.messaging import Binding, Consumer


def consumer_of(c: Any) -> Consumer:
    """The one queue of this service. After the commit every instance is told to close the person's sockets; one that
    does not hear it finds out at its next heartbeat."""
    people = PeopleConsumers(c.clock)
    told: set[asyncio.Task[None]] = set()

    def block(envelope: Envelope) -> None:
        if envelope.data.get("suspended", True):
            user_id = UUID(envelope.data["user_id"])
            c.hub.close_users([user_id])
            parcel = Parcel("block", None, user_id=user_id)
            task = asyncio.get_running_loop().create_task(c.channel.send(parcel))
            told.add(task)
            task.add_done_callback(told.discard)

    return Consumer(
        c.broker,
        c.db,
        name="chat",
        clock=c.clock,
        bindings=[
            Binding("auth", "user.suspended.v1", people.on_suspended, after_commit=block),
            Binding("auth", "user.deleted.v1", people.on_deleted, after_commit=block),
        ],
    )
