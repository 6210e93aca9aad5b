from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any

import httpx
import pytest_asyncio

from notification_service.main import create_app
from rihla.kernel import new_id
from rihla.testing import running

PDF = b"%PDF-1.7 a ticket"


@pytest_asyncio.fixture
async def client(settings: Any, clock: Any) -> AsyncIterator[httpx.AsyncClient]:
    async with running(create_app(settings, clock=clock)) as client:
        yield client


async def test_the_owner_gets_the_ticket_again_and_nobody_else_and_not_without_end(
    client: Any, stack: Any, trip: Any, box: Any, clock: Any, keyring: Any
) -> None:
    def as_user(user_id: Any) -> dict[str, str]:
        token = keyring.token(audience="notification", user_id=user_id, roles=("traveller",))
        return {"authorization": f"Bearer {token}"}

    await stack.container.storage.put("k", PDF, media_type="application/pdf")
    await stack.hear(trip.confirmed(), subject=trip.booking_id, sequence=2)
    await stack.hear(trip.ready("k"), subject=trip.booking_id, sequence=3)
    me = as_user(trip.user_id)
    (item,) = (await client.get("/v1/notifications", headers=me)).json()["items"]
    url = f"/v1/notifications/{item['id']}/resend"
    busy = await client.post(url, headers=me)
    assert (busy.status_code, busy.json()["code"]) == (409, "delivery-busy")
    await stack.send()
    soon = await client.post(url, headers=me)
    assert (soon.status_code, soon.json()["code"], soon.headers["retry-after"]) == (429, "resent-too-soon", "60")
    for _ in range(5):
        clock.advance(timedelta(minutes=1))
        assert (await client.post(url, headers=me)).status_code == 202
        await stack.send()
    clock.advance(timedelta(days=1))
    assert (await client.post(url, headers=me)).status_code == 429
    assert (await client.post(url, headers=as_user(new_id()))).status_code == 404
    assert (await client.post(url)).status_code == 401
    mails = box.to(trip.email)
    assert len({mail["Message-ID"] for mail in mails}) == len(mails) == 6
    assert [part.get_content() for part in mails[-1].iter_attachments()] == [PDF]
