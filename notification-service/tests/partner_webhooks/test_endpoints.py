from collections.abc import AsyncIterator
from typing import Any

import pytest
import pytest_asyncio
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import Connection, text
from sqlalchemy.ext.asyncio import create_async_engine

from notification_service.main import create_app
from notification_service.partner_webhooks import tables
from notification_service.partner_webhooks.reseal import ALL
from notification_service.partner_webhooks.rules import EVENT_TYPES, MOST_ENDPOINTS
from notification_service.settings import Settings
from rihla.db.database import sqlalchemy_url
from rihla.db.resealing import reseal
from rihla.encryption import DataCipher
from rihla.kernel import new_id
from rihla.testing import running

NOWHERE = "http://127.0.0.1:9/hook"


@pytest_asyncio.fixture
async def strict(settings: Any, clock: Any, partner: Any) -> AsyncIterator[Any]:
    """The same partner, where only the public network is called."""
    app = create_app(settings.model_copy(update={"webhook_local_targets": False}), clock=clock)
    async with running(app) as client:
        yield type(partner)(client, partner.keyring)


async def test_a_secret_is_shown_when_it_is_made_and_sealed_at_rest(partner: Any, stack: Any) -> None:
    made = await partner.endpoint(NOWHERE)
    assert made["secret"].startswith("whsec_")
    assert (made["mode"], made["enabled"], made["event_types"]) == ("test", True, ["booking.confirmed"])
    read = await partner.call("GET", f"/{made['id']}")
    listed = (await partner.call("GET")).json()["items"]
    assert listed == [read.json()]
    assert "secret" not in read.json()
    ((row,),) = await stack.rows("SELECT webhook_endpoint::text FROM webhook_endpoint")
    ((sealed,),) = await stack.rows("SELECT secret_sealed FROM webhook_endpoint")
    assert made["secret"][6:20] not in row
    assert made["secret"].encode() not in bytes(sealed)


async def test_an_endpoint_is_changed_as_told_and_otherwise_stays(partner: Any, clock: Any) -> None:
    made = await partner.endpoint(NOWHERE)
    changed = await partner.call(
        "PATCH", f"/{made['id']}", json={"event_types": ["refund.failed", "booking.expired"], "description": "Shop"}
    )
    assert changed.status_code == 200
    assert changed.json() | {"secret": made["secret"]} == made | {
        "event_types": ["booking.expired", "refund.failed"],
        "description": "Shop",
        "updated_at": changed.json()["updated_at"],
    }
    off = (await partner.call("PATCH", f"/{made['id']}", json={"enabled": False})).json()
    assert (off["enabled"], off["disabled_reason"]) == (False, "owner")
    again = (await partner.call("PATCH", f"/{made['id']}", json={"enabled": True})).json()
    assert (again["enabled"], again["disabled_reason"], again["disabled_at"]) == (True, None, None)
    for wrong in ({}, {"url": None}, {"enabled": None}, {"secret": "whsec_x"}, {"event_types": []}):
        assert (await partner.call("PATCH", f"/{made['id']}", json=wrong)).status_code == 422, wrong
    assert (await partner.call("DELETE", f"/{made['id']}")).status_code == 204
    assert (await partner.call("GET", f"/{made['id']}")).status_code == 404


async def test_an_organisation_has_so_many_endpoints_and_no_more_and_pages_through_them(partner: Any) -> None:
    made = [(await partner.endpoint(f"{NOWHERE}/{n}"))["id"] for n in range(MOST_ENDPOINTS)]
    answer = await partner.call("POST", json={"url": NOWHERE, "event_types": ["booking.confirmed"]})
    assert (answer.status_code, answer.json()["code"]) == (409, "too-many-webhook-endpoints")
    live = type(partner)(partner.client, partner.keyring, test_mode=False, organisation_id=partner.organisation_id)
    await live.endpoint(NOWHERE)
    seen: list[str] = []
    page = {"next_cursor": None}
    while True:
        cursor = {"cursor": page["next_cursor"]} if page["next_cursor"] else {}
        page = (await partner.call("GET", params={"limit": 4, **cursor})).json()
        seen += [one["id"] for one in page["items"]]
        if page["next_cursor"] is None:
            break
    assert seen == made[::-1]


async def test_another_organisation_and_the_other_mode_find_nothing_by_any_operation(
    partner: Any, other: Any, stack: Any
) -> None:
    made = await partner.endpoint(NOWHERE)
    sent = (await partner.call("POST", f"/{made['id']}/test")).json()
    live = type(partner)(partner.client, partner.keyring, test_mode=False, organisation_id=partner.organisation_id)
    operations: list[tuple[str, str, Any]] = [
        ("GET", "", None),
        ("PATCH", "", {"enabled": False}),
        ("PATCH", "", {"url": NOWHERE}),
        ("DELETE", "", None),
        ("POST", "/rotate-secret", {"overlap_hours": 0}),
        ("POST", "/test", None),
        ("GET", "/deliveries", None),
        ("GET", f"/deliveries/{sent['id']}", None),
        ("POST", f"/deliveries/{sent['id']}/resend", None),
    ]
    before = await stack.rows(
        "SELECT webhook_endpoint::text, webhook_delivery::text FROM webhook_endpoint, webhook_delivery"
    )
    for stranger in (other, live):
        for method, path, body in operations:
            answer = await stranger.call(method, f"/{made['id']}{path}", json=body)
            assert (answer.status_code, answer.json()["code"]) == (404, "webhook-endpoint-not-found"), (method, path)
        assert (await stranger.call("GET")).json()["items"] == []
    after = await stack.rows(
        "SELECT webhook_endpoint::text, webhook_delivery::text FROM webhook_endpoint, webhook_delivery"
    )
    assert before == after
    second = await partner.endpoint(NOWHERE)
    for path in (f"/{second['id']}/deliveries/{sent['id']}", f"/{made['id']}/deliveries/{new_id()}"):
        answer = await partner.call("GET", path)
        assert (answer.status_code, answer.json()["code"]) == (404, "delivery-not-found")


async def test_only_keys_with_the_scope_come_in(partner: Any, client: Any, keyring: Any) -> None:
    made = await partner.endpoint(NOWHERE)
    same = {"organisation_id": partner.organisation_id}
    reader = type(partner)(client, keyring, scopes=("webhooks:read",), **same)
    seller = type(partner)(client, keyring, scopes=("bookings:write",), **same)
    assert (await reader.call("GET", f"/{made['id']}")).status_code == 200
    assert (await reader.call("DELETE", f"/{made['id']}")).status_code == 403
    assert (await seller.call("GET")).status_code == 403
    token = keyring.token(audience="notification", user_id=new_id(), roles=("partner", "admin"))
    person = await client.get("/v1/webhook-endpoints", headers={"authorization": f"Bearer {token}"})
    assert person.status_code == 403
    assert (await client.get("/v1/webhook-endpoints")).status_code == 401


async def test_the_list_of_event_types_is_published(partner: Any) -> None:
    items = (await partner.call("GET", "/event-types")).json()["items"]
    assert {one["type"]: one["description"] for one in items} == EVENT_TYPES
    answer = await partner.call("POST", json={"url": NOWHERE, "event_types": ["user.registered"]})
    assert answer.status_code == 422


@pytest.mark.parametrize(
    ("url", "code"),
    [
        ("http://shop.example/hook", "https-required"),
        ("https://127.0.0.1/hook", "address-not-public"),
        ("https://2130706433/hook", "address-not-public"),
        ("https://0x7f.1/hook", "address-not-public"),
        ("https://0/hook", "address-not-public"),
        ("https://localhost/hook", "address-not-public"),
        ("https://10.0.0.5/hook", "address-not-public"),
        ("https://169.254.169.254/latest/meta-data", "address-not-public"),
        ("https://[::1]/hook", "address-not-public"),
        ("https://[::ffff:10.0.0.1]/hook", "address-not-public"),
        ("https://[fd00:ec2::254]/hook", "address-not-public"),
        ("https://224.0.0.1/hook", "address-not-public"),
        ("https://shop.invalid/hook", "host-unknown"),
    ],
)
async def test_an_endpoint_inside_is_refused_when_it_is_named(strict: Any, url: str, code: str) -> None:
    answer = await strict.call("POST", json={"url": url, "event_types": ["booking.confirmed"]})
    assert answer.status_code == 422
    assert [(one["pointer"], one["code"]) for one in answer.json()["errors"]] == [("#/url", code)]
    assert (await strict.call("GET")).json()["items"] == []


async def test_an_endpoint_cannot_be_moved_inside(strict: Any, partner: Any) -> None:
    made = await partner.endpoint(NOWHERE)
    moved = type(partner)(strict.client, partner.keyring, organisation_id=partner.organisation_id)
    answer = await moved.call("PATCH", f"/{made['id']}", json={"url": "https://169.254.169.254/"})
    assert (answer.status_code, answer.json()["errors"][0]["code"]) == (422, "address-not-public")


def test_local_targets_are_for_the_local_environment(keyring: Any) -> None:
    secrets = {
        "idempotency_secret": "an idempotency secret",
        "unsubscribe_secret": "an unsubscribe secret",
        "webhook_keys": '{"k": "MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIzNDU2Nzg5MDE="}',
        **keyring.settings("notification"),
    }
    assert Settings(rihla_env="production", **secrets).webhook_local_targets is False
    with pytest.raises(ValueError, match="WEBHOOK_LOCAL_TARGETS"):
        Settings(rihla_env="production", webhook_local_targets=True, **secrets)
    with pytest.raises(ValueError, match="WEBHOOK_KEYS"):
        Settings(rihla_env="production", **secrets | {"webhook_keys": '{"k": "c2hvcnQ="}'})


async def test_secrets_move_to_a_new_key_and_still_sign(partner: Any, stack: Any) -> None:
    await partner.endpoint(NOWHERE)
    old = stack.container.settings.webhook_encryption_keys()
    cipher = DataCipher({"new": b"n" * 32, **old})
    assert await reseal(stack.container.db, cipher, ALL) == (1, 0)
    assert await reseal(stack.container.db, cipher, ALL) == (0, 0)
    ((sealed,),) = await stack.rows("SELECT secret_sealed FROM webhook_endpoint")
    assert cipher.is_current(sealed)
    assert await reseal(stack.container.db, DataCipher({"other": b"o" * 32}), ALL) == (0, 1)


async def test_the_migrations_make_the_tables_of_the_code(settings: Any) -> None:
    mine = {tables.webhook_endpoint, tables.webhook_event, tables.webhook_delivery}
    engine = create_async_engine(sqlalchemy_url(settings.database_url))

    def differences(connection: Connection) -> list[Any]:
        def looked_at(thing: Any, name: str | None, kind: str, *_: Any) -> bool:
            table = thing if kind == "table" else thing.table
            return table.name in {one.name for one in mine}

        options = {"compare_type": True, "include_object": looked_at}
        return list(compare_metadata(MigrationContext.configure(connection, opts=options), tables.metadata))

    async with engine.connect() as connection:
        assert (await connection.execute(text("SELECT 1 FROM webhook_delivery"))).all() == []
        found = await connection.run_sync(differences)
    await engine.dispose()
    assert found == []
