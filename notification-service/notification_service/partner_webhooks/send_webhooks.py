"""The worker loop that calls endpoints: claim (committed), call, record (committed).

Each call is a task of its own, and an endpoint has a few at once (one while it fails): who is slow keeps nobody else
waiting, and mails have a loop of their own. A worker that dies between call and record leaves a lease; the delivery is
sent again under the same `webhook-id`.
"""

import asyncio
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import urlsplit

from sqlalchemy.ext.asyncio import AsyncSession

from notification_service.partner_webhooks import outgoing_store, rules, store
from notification_service.partner_webhooks.outgoing_store import Due
from notification_service.partner_webhooks.post import Answer, Poster
from notification_service.partner_webhooks.secret_box import unseal
from notification_service.telling.facts import Fact, Recipient
from notification_service.telling.tell import Teller
from rihla.db import Database
from rihla.encryption import DataCipher, UnreadableData
from rihla.kernel import Clock
from rihla.telemetry import Counter, get_logger

OUTCOMES = Counter("rihla_partner_webhooks_total", "Calls of partners' endpoints by outcome", ["outcome"])
log = get_logger("partner_webhooks")

_IDLE_SECONDS = 0.5
_GATHER_SECONDS = 0.05
"""Between two looks that found nothing: most events are no partner's."""
_ENDED = "the endpoint was disabled"


class WebhookSender:
    """`run` is a worker loop; `send_due` sends what is due and waits for it; `nudge` ends an idle pause."""

    name = "webhook-sender"

    def __init__(
        self,
        db: Database,
        cipher: DataCipher,
        poster: Poster,
        teller: Teller,
        *,
        clock: Clock,
        parallel: int,
        per_endpoint: int,
    ) -> None:
        self._db = db
        self._cipher = cipher
        self._poster = poster
        self._teller = teller
        self._clock = clock
        self._parallel = parallel
        self._per_endpoint = per_endpoint
        self._tasks: set[asyncio.Task[None]] = set()
        self._wake = asyncio.Event()

    def nudge(self, _: object = None) -> None:
        """Something may be due now, or there is room again."""
        self._wake.set()

    async def run(self, stop: asyncio.Event) -> None:
        """Send until `stop`, then let what is under way end."""
        try:
            while not stop.is_set():
                self._wake.clear()
                gathered = asyncio.get_running_loop().time() + _GATHER_SECONDS
                if not await self.begin_due():
                    await self._rest()
                    await asyncio.sleep(gathered - asyncio.get_running_loop().time())
        finally:
            if self._tasks:
                await asyncio.wait(self._tasks)

    async def begin_due(self) -> int:
        """Claim as much as there is room for and begin to send it; how many that were."""
        room = self._parallel - len(self._tasks)
        if room <= 0:
            return 0
        async with self._db.transaction() as session:
            batch = await outgoing_store.claim_due(
                session, now=self._clock.now(), most=room, per_endpoint=self._per_endpoint
            )
        for due in batch:
            task = asyncio.create_task(self._send(due))
            self._tasks.add(task)
            task.add_done_callback(self._done)
        return len(batch)

    async def send_due(self) -> int:
        """Send until nothing is due; how many attempts that were."""
        sent = 0
        while begun := await self.begin_due():
            sent += begun
            await asyncio.wait(self._tasks)
        return sent

    def _done(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        self._wake.set()
        if not task.cancelled() and (error := task.exception()) is not None:
            # Its lease ends, and it is sent again under the same id.
            log.error("webhook_not_recorded", exc_info=error)

    async def _send(self, due: Due) -> None:
        try:
            body = due.payload.encode()
            answer = await self._poster.post(due.url, body, self._headers(due, body))
        except UnreadableData:
            log.error("webhook_secret_unreadable", endpoint_id=str(due.endpoint_id))
            answer = Answer(error="the signing secret cannot be read; rotate it")
        await self._record(due, answer)

    def _headers(self, due: Due, body: bytes) -> dict[str, str]:
        sealed = [due.secret_sealed, *([due.previous_sealed] if due.previous_sealed else [])]
        secrets = [unseal(self._cipher, one, due.endpoint_id) for one in sealed]
        name, timestamp = str(due.event_id), int(self._clock.now().timestamp())
        return {
            "webhook-id": name,
            "webhook-timestamp": str(timestamp),
            "webhook-signature": rules.signature(secrets, name, timestamp, body),
        }

    async def _record(self, due: Due, answer: Answer) -> None:
        now = self._clock.now()
        async with self._db.transaction() as session:
            endpoint = await store.lock_endpoint(session, due.endpoint_id)
            if endpoint is None:
                return
            outcome = rules.judge(answer.status, due.tries)
            if outcome == "later" and not endpoint.enabled:
                outcome = "dead"
            if await self._settle(session, due, answer, outcome, now):
                await self._draw_conclusions(session, endpoint, due, outcome, now)
        OUTCOMES.labels(outcome).inc()
        if outcome != "delivered":
            log.warning("webhook_not_taken", endpoint_id=str(due.endpoint_id), tries=due.tries, reason=answer.error)

    async def _settle(
        self, session: AsyncSession, due: Due, answer: Answer, outcome: rules.Outcome, now: datetime
    ) -> bool:
        pause = max(rules.pause_after(due.tries), answer.after or timedelta(0))
        states = {"delivered": "delivered", "later": "queued", "gone": "dead", "dead": "dead"}
        return await outgoing_store.settle(
            session,
            due,
            state=states[outcome],
            now=now,
            due_at=now + pause if outcome == "later" else now,
            status=answer.status,
            excerpt=answer.excerpt,
            error=answer.error,
        )

    async def _draw_conclusions(
        self, session: AsyncSession, endpoint: Any, due: Due, outcome: rules.Outcome, now: datetime
    ) -> None:
        """What the outcome says about the endpoint itself."""
        if outcome == "delivered":
            if endpoint.failing_since is not None:
                await store.change_endpoint(session, endpoint.id, failing_since=None)
            return
        if endpoint.failing_since is None:
            await store.change_endpoint(session, endpoint.id, failing_since=now)
        if not endpoint.enabled or outcome == "later":
            return
        if outcome == "gone" or not await outgoing_store.succeeded_since(session, endpoint.id, due.created_at):
            await self._disable(session, endpoint, "gone" if outcome == "gone" else "failing", now)

    async def _disable(self, session: AsyncSession, endpoint: Any, reason: str, now: datetime) -> None:
        """Nothing more is sent, and whoever made the endpoint is told."""
        await store.change_endpoint(
            session, endpoint.id, enabled=False, disabled_reason=reason, disabled_at=now, updated_at=now
        )
        await store.end_pending(session, endpoint.id, now=now, reason=_ENDED)
        # The host alone: a path or a query may hold a secret of theirs.
        values = {"host": urlsplit(endpoint.url).hostname or ""}
        fact = Fact(f"webhook_disabled:{endpoint.id}:{now.isoformat()}", "webhook_endpoint_disabled", values)
        await self._teller.tell(session, fact, [Recipient(endpoint.created_by)], now=now)

    async def _rest(self) -> None:
        try:
            async with asyncio.timeout(_IDLE_SECONDS):
                await self._wake.wait()
        except TimeoutError:
            return
