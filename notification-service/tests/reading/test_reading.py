from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any
from uuid import UUID

import httpx
import pytest
import pytest_asyncio
from openapi_spec_validator import validate

from notification_service.delivering.unsubscribe import unsubscribe_path
from notification_service.main import create_app
from notification_service.preferences.rules import Category
from notification_service.wording.kinds import KINDS
from rihla.contracts.events import FlightDelayedV1, SessionEndedV1, UserRegisteredV1
from rihla.kernel import new_id
from rihla.testing import running

USER, OTHER, STAFF = new_id(), new_id(), new_id()


@pytest_asyncio.fixture
async def client(settings: Any, clock: Any) -> AsyncIterator[httpx.AsyncClient]:
    async with running(create_app(settings, clock=clock)) as client:
        yield client


@pytest.fixture
def as_user(keyring: Any) -> Any:
    def headers(user_id: UUID = USER, *roles: str) -> dict[str, str]:
        token = keyring.token(audience="notification", user_id=user_id, roles=roles or ("traveller",))
        return {"authorization": f"Bearer {token}"}

    return headers


async def welcome(stack: Any, clock: Any, user_id: UUID, email: str = "amina@example.com") -> None:
    event = UserRegisteredV1(user_id=user_id, email=email, full_name="Amina", registered_at=clock.now())
    await stack.hear(event, subject=user_id)


async def test_notices_are_listed_counted_and_read_by_their_owner_only(
    client: Any, stack: Any, clock: Any, as_user: Any
) -> None:
    await welcome(stack, clock, USER)
    await welcome(stack, clock, OTHER)
    me, other = as_user(USER), as_user(OTHER)
    (item,) = (await client.get("/v1/notifications", headers=me)).json()["items"]
    assert (item["kind"], item["title"], item["read_at"]) == ("welcome", "Welcome to Rihla, Amina", None)
    assert (await client.get("/v1/notifications/unread-count", headers=me)).json() == {"unread": 1}
    stranger = await client.post(f"/v1/notifications/{item['id']}/read", headers=other)
    assert (stranger.status_code, stranger.json()["code"]) == (404, "notification-not-found")
    first = (await client.post(f"/v1/notifications/{item['id']}/read", headers=me)).json()["read_at"]
    clock.advance(timedelta(minutes=1))
    assert (await client.post(f"/v1/notifications/{item['id']}/read", headers=me)).json()["read_at"] == first
    assert (await client.get("/v1/notifications/unread-count", headers=me)).json() == {"unread": 0}
    assert (await client.get("/v1/notifications?unread=true", headers=me)).json()["items"] == []
    assert (await client.post("/v1/notifications/read-all", headers=other)).json() == {"marked": 1}
    assert (await client.get("/v1/notifications")).status_code == 401


async def test_pages_stay_stable_while_notices_are_added(
    client: Any, stack: Any, trip: Any, clock: Any, as_user: Any
) -> None:
    trip.user_id = USER
    await stack.hear(trip.confirmed(), subject=trip.booking_id, sequence=2)
    for minutes in range(10, 60, 10):
        event = FlightDelayedV1(
            flight_id=trip.flight_id,
            flight_number="RQ101",
            airline="RQ",
            origin="DAC",
            destination="JED",
            departure_at=trip.departure_at,
            arrival_at=trip.departure_at,
            delay_minutes=minutes,
            occurred_at=clock.now(),
        )
        await stack.hear(event, subject=trip.flight_id, sequence=minutes)
    seen: list[str] = []
    url = "/v1/notifications?limit=2"
    cursor = ""
    while cursor is not None:
        page = (await client.get(url + (f"&cursor={cursor}" if cursor else ""), headers=as_user(USER))).json()
        seen += [one["id"] for one in page["items"]]
        if not cursor:
            await welcome(stack, clock, USER)
        cursor = page["next_cursor"]
    assert len(seen) == len(set(seen)) == 6
    bad = await client.get("/v1/notifications?cursor=eyJ4IjoxfQ", headers=as_user(USER))
    assert (bad.status_code, bad.json()["code"]) == (422, "invalid-cursor")


async def test_preferences_change_what_arrives(client: Any, stack: Any, clock: Any, as_user: Any, box: Any) -> None:
    me = as_user(USER)
    before = (await client.get("/v1/notifications/preferences", headers=me)).json()
    assert before["channels"]["offer"] == ["email", "push"]
    change = {
        "channels": {"offer": [], "booking": []},
        "quiet_hours": {"from": "22:00", "to": "07:00"},
        "time_zone": "Asia/Dhaka",
        "locale": "bn",
    }
    after = (await client.patch("/v1/notifications/preferences", headers=me, json=change)).json()
    assert after["channels"]["offer"] == []
    assert after["channels"]["booking"] == ["email"]
    assert (after["quiet_hours"]["from"][:5], after["time_zone"]) == ("22:00", "Asia/Dhaka")
    ended = await client.patch("/v1/notifications/preferences", headers=me, json={"quiet_hours": None})
    assert (ended.json()["quiet_hours"], ended.json()["locale"]) == (None, "bn")
    await welcome(stack, clock, USER)
    await stack.send()
    assert "স্বাগতম" in box.mails[0]["Subject"]


async def test_preferences_that_make_no_sense_are_refused(client: Any, as_user: Any) -> None:
    for change in (
        {"time_zone": "Mars/Olympus"},
        {"channels": {"offer": ["pigeon"]}},
        {"channels": {"nonsense": []}},
        {"quiet_hours": {"from": "07:00", "to": "07:00"}},
        {"unknown": 1},
    ):
        answer = await client.patch("/v1/notifications/preferences", headers=as_user(), json=change)
        assert answer.status_code == 422, change


async def test_one_click_switches_a_category_off_and_following_the_link_does_not(
    client: Any, settings: Any, as_user: Any
) -> None:
    secret = settings.unsubscribe_secret.get_secret_value().encode()
    path = unsubscribe_path(USER, Category.OFFER, secret)
    assert (await client.get(path)).status_code == 200
    me = as_user(USER)
    shown = (await client.get("/v1/notifications/preferences", headers=me)).json()
    assert shown["channels"]["offer"] == ["email", "push"]
    click = await client.post(path, data={"List-Unsubscribe": "One-Click"})
    assert click.status_code == 204
    shown = (await client.get("/v1/notifications/preferences", headers=me)).json()
    assert shown["channels"]["offer"] == ["push"]
    forged = await client.post(path.replace(USER.hex, OTHER.hex))
    assert (forged.status_code, forged.json()["code"]) == (404, "unsubscribe-link-invalid")


async def test_a_device_is_registered_once_moves_with_its_user_and_can_be_removed(client: Any, as_user: Any) -> None:
    body = {"platform": "android", "token": "fcm:APA91bHun4MxP5egoKMwt2KZFBaFUH", "name": "Pixel"}
    first = await client.post("/v1/devices", headers=as_user(USER), json=body)
    again = await client.post("/v1/devices", headers=as_user(USER), json=body)
    assert first.status_code == 201
    assert first.json()["id"] == again.json()["id"]
    assert "token" not in first.json()
    await client.post("/v1/devices", headers=as_user(OTHER), json=body)
    assert (await client.get("/v1/devices", headers=as_user(USER))).json()["items"] == []
    (device,) = (await client.get("/v1/devices", headers=as_user(OTHER))).json()["items"]
    assert (await client.delete(f"/v1/devices/{device['id']}", headers=as_user(USER))).status_code == 404
    assert (await client.delete(f"/v1/devices/{device['id']}", headers=as_user(OTHER))).status_code == 204


async def test_signing_out_clears_the_push_token_of_that_device_and_of_no_other(
    client: Any, stack: Any, clock: Any, keyring: Any
) -> None:
    user_id, phone, tablet, laptop = new_id(), new_id(), new_id(), new_id()

    async def register(name: str, session_id: UUID) -> dict[str, str]:
        token = keyring.token(audience="notification", user_id=user_id, sid=str(session_id))
        headers = {"authorization": f"Bearer {token}"}
        body = {"platform": "android", "token": f"{name}-{user_id}", "name": name}
        assert (await client.post("/v1/devices", headers=headers, json=body)).status_code == 201
        return headers

    await register("phone", phone)
    await register("tablet", tablet)
    headers = await register("tablet", laptop)  # signed in there again: the newer session has it
    for over in (phone, tablet):
        await stack.hear(SessionEndedV1(user_id=user_id, session_id=over, ended_at=clock.now()), subject=over)
    left = (await client.get("/v1/devices", headers=headers)).json()["items"]
    assert [one["name"] for one in left] == ["tablet"]


async def test_operations_see_dead_letters_and_send_them_again(
    client: Any, stack: Any, trip: Any, box: Any, clock: Any, as_user: Any
) -> None:
    box.refused = {trip.email}
    await stack.hear(trip.confirmed(), subject=trip.booking_id, sequence=2)
    await stack.hear(trip.ready("k"), subject=trip.booking_id, sequence=3)
    await stack.send()
    staff = as_user(STAFF, "support")
    (dead,) = (await client.get("/v1/admin/deliveries?state=dead", headers=staff)).json()["items"]
    assert dead["address"] == "a***@example.com"
    assert "550" in dead["last_error"]
    assert (await client.get("/v1/admin/deliveries", headers=as_user(USER))).status_code == 403
    box.refused = set()
    url = f"/v1/admin/deliveries/{dead['id']}"
    assert (await client.post(f"{url}/resend", headers=staff)).status_code == 202
    busy = await client.post(f"{url}/resend", headers=staff)
    assert (busy.status_code, busy.json()["code"]) == (409, "delivery-busy")
    await stack.send()
    sent = (await client.get(url, headers=staff)).json()
    assert (sent["state"], sent["resends"]) == ("sent", 1)
    assert sent["message_id"] != dead["message_id"]
    assert len(box.to(trip.email)) == 1
    assert (await client.get(f"/v1/admin/deliveries/{new_id()}", headers=staff)).status_code == 404


async def test_administrators_preview_every_template(client: Any, as_user: Any) -> None:
    staff = as_user(STAFF, "admin")
    items = (await client.get("/v1/admin/templates", headers=staff)).json()["items"]
    assert {one["kind"] for one in items} == set(KINDS)
    page = await client.get("/v1/admin/templates/booking_confirmed/preview?locale=ur", headers=staff)
    assert page.headers["content-type"].startswith("text/html")
    assert 'dir="rtl"' in page.text
    missing = await client.get("/v1/admin/templates/nonsense/preview", headers=staff)
    assert (missing.status_code, missing.json()["code"]) == (404, "template-not-found")


async def test_the_document_is_valid_openapi_with_summaries_tags_and_problems(client: Any) -> None:
    document = client._transport.app.openapi()
    validate(document)
    operations = [one for path in document["paths"].values() for one in path.values()]
    ids = [one["operationId"] for one in operations]
    assert len(ids) == len(set(ids))
    for path, methods in document["paths"].items():
        if path.startswith(("/health", "/metrics")):
            continue
        for operation in methods.values():
            assert operation["summary"], path
            assert operation["description"], path
            assert operation["tags"], path
            assert any(status.startswith("4") for status in operation["responses"]), path
