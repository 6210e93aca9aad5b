"""Two people, every operation that names somebody's thing, every method: generated from the joined OpenAPI document.

An operation whose path names something has to stand in one of the three tables below. One that is new stands in none,
and fails `test_every_operation_with_an_id_is_accounted_for` until somebody says whose thing it names.
"""

import json
import re
import secrets
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field
from typing import Any

import pytest_asyncio

from rihla_local.traveller import CARD, GOOD, Traveller, within

MakeTraveller = Callable[[], Traveller]
Json = dict[str, Any]
METHODS = ("get", "put", "post", "delete", "patch")
NOBODY = "0197f6d2-4b7e-7c3a-9a51-3f1f2b8f6c11"

PUBLIC = {
    "/v1/airports/{iata}",
    "/v1/airports/{iata}/nearby",
    "/v1/auth/oidc/{provider}/authorize",
    "/v1/auth/oidc/{provider}/callback",
    "/v1/faq/{entry_id}",
    "/v1/faq/{entry_id}/vote",
    "/v1/flight-offers/{offer_id}",
    "/v1/flights/{flight_id}",
    "/v1/flights/{flight_id}/price-history",
    "/v1/flights/{flight_id}/seat-map",
    "/v1/promo-codes/{code}/check",
}
"""Paths that name nobody's own thing."""

OWN_BY_TOKEN = {
    "/v1/me/links/{provider}",
    "/v1/chat/assistant/actions/{action_id}/confirm",
    "/v1/chat/files/{part}/{shard}/{name}",
}
"""The path names no stored thing of a person: a provider, a signed action, a signed address of a file. A stranger finds
nothing there: 404, or a refusal of the signature (400, 401, 403)."""

OWNED = (
    "/v1/bookings/{booking_id}",
    "/v1/chat/attachments/{attachment_id}",
    "/v1/chat/conversations/{conversation_id}",
    "/v1/devices/{device_id}",
    "/v1/me/api-keys/{key_id}",
    "/v1/me/companions/{companion_id}",
    "/v1/me/sessions/{session_id}",
    "/v1/notifications/{notification_id}",
    "/v1/payment-methods/{method_id}",
    "/v1/payments/{payment_id}",
    "/v1/subscriptions/{subscription_id}",
    "/v1/support/callbacks/{callback_id}",
    "/v1/support/tickets/{ticket_id}",
    "/v1/webhook-endpoints/{endpoint_id}",
)
"""Beginnings of paths that name a thing somebody owns; `Estate` makes an example of each."""


BY_KEY = "/v1/webhook-endpoints"
"""What belongs to a partner organisation: its owner and the stranger come with a key each, of two organisations."""


class KeyHolder(Traveller):
    """Somebody's organisation, by its key."""

    def __init__(self, person: Traveller, key: str) -> None:
        super().__init__(person._gateway, person._inbox, http=person.http)
        self.key = key

    async def call(self, method: str, path: str, **options: Any) -> Any:
        headers = {"x-api-key": self.key, **options.pop("headers", {})}
        return await super().call(method, path, headers=headers, **options)


@dataclass
class Estate:
    """A person and an example of everything a person can own: path parameter -> id."""

    owner: Traveller
    ids: dict[str, str] = field(default_factory=dict)
    keys: dict[Traveller, "KeyHolder"] = field(default_factory=dict)

    async def call(self, who: Traveller, method: str, path: str, **options: Any) -> Any:
        """As `who`, with their key in place of their token where the thing belongs to an organisation."""
        caller = self.keys.get(who, who) if path.startswith(BY_KEY) else who
        return await caller.call(method, path, **options)


@dataclass
class World:
    """The document, the owner, the stranger, an administrator."""

    document: Json
    estate: Estate
    stranger: Traveller
    admin: Traveller
    anonymous: Traveller

    def operations(self) -> list[tuple[str, str, Json]]:
        """(method, path, operation) of everything with a parameter in its path."""
        return [
            (method, path, item[method])
            for path, item in sorted(self.document["paths"].items())
            for method in METHODS
            if method in item and "{" in path
        ]

    def url(self, path: str) -> str:
        """The path with the owner's ids in it."""
        return re.sub(r"\{(\w+)\}", lambda found: self.estate.ids.get(found.group(1), NOBODY), path)

    def request(self, operation: Json) -> Json:
        """A body and the parameters the operation requires, so that only the ownership is wrong."""
        options: Json = {"headers": {"idempotency-key": secrets.token_hex(8)}}
        content = operation.get("requestBody", {}).get("content", {}).get("application/json")
        if content is not None:
            options["json"] = self.example(content)
        return options

    def example(self, content: Json) -> Any:
        """The example of a body, with the owner's own ids where it names some."""
        schema = content["schema"]
        name = schema.get("$ref", "").rpartition("/")[2]
        schema = self.document["components"]["schemas"].get(name, schema)
        for holder in (content, schema):
            if "example" in holder:
                return self.with_own_ids(holder["example"])
            if isinstance(holder.get("examples"), dict):
                return self.with_own_ids(next(iter(holder["examples"].values()))["value"])
            if holder.get("examples"):
                return self.with_own_ids(holder["examples"][0])
        raise AssertionError(f"no example: {name}")

    def with_own_ids(self, value: Any) -> Any:
        text = json.dumps(value)
        for name, own in self.estate.ids.items():
            text = re.sub(rf'"{name}": "[^"]*"', f'"{name}": "{own}"', text)
        return json.loads(text)


@pytest_asyncio.fixture
async def world(stack: Any, traveller: Traveller, new_traveller: MakeTraveller) -> AsyncIterator[World]:
    document = (await traveller.call("GET", "/openapi.json")).json()
    stranger, admin, anonymous = new_traveller(), new_traveller(), new_traveller()
    await stranger.sign_up()
    await admin.sign_in(stack.admin["email"], stack.admin["password"])
    estate = Estate(traveller, {"provider": "google"})
    await _own_everything(estate, admin)
    estate.keys[stranger] = KeyHolder(stranger, (await _partner_key(stranger, admin))["key"])
    yield World(document, estate, stranger, admin, anonymous)


async def _own_everything(estate: Estate, admin: Traveller) -> None:
    await _travel(estate)
    await _settle_in(estate, admin)
    await _subscribe(estate, admin)
    await _ask_for_help(estate)


async def _travel(estate: Estate) -> None:
    owner, ids = estate.owner, estate.ids
    booking = await owner.book((await owner.search("DAC", "JED", sort="price", max_stops=0))[0])
    ids["payment_id"] = (await owner.pay(booking))["id"]
    confirmed = await owner.wait_until(booking, "confirmed", timeout=120)
    ids["booking_id"] = booking["id"]
    ids["passenger_id"] = confirmed["passengers"][0]["id"]
    ids["flight_id"] = confirmed["slices"][0]["segments"][0]["flight_id"]
    ids["slice_id"] = confirmed["slices"][0]["id"]

    async def first(path: str) -> str | None:
        items = (await owner.expect(path, "GET", path))["items"]
        return next((str(one["id"]) for one in items if one["id"]), None)

    ids["document_id"] = await within(120, "a document", lambda: first(f"/v1/bookings/{booking['id']}/documents"))
    ids["notification_id"] = await within(120, "a notification", lambda: first("/v1/notifications"))
    quoted = await owner.expect(
        "quote", "POST", f"/v1/bookings/{booking['id']}/cancellation-quotes", status=201, json={"scope": "all"}
    )
    ids["quote_id"] = quoted["id"] if "id" in quoted else quoted["quote_id"]


async def _settle_in(estate: Estate, admin: Traveller) -> None:
    owner, ids = estate.owner, estate.ids
    me = await owner.expect("me", "GET", "/v1/me")
    ids["user_id"] = me["id"]
    device = {"platform": "web", "token": secrets.token_hex(16)}
    ids["device_id"] = (await owner.expect("device", "POST", "/v1/devices", status=201, json=device))["id"]
    companion = {"given_name": "Karim", "surname": "Rahman"}
    made = await owner.expect("companion", "POST", "/v1/me/companions", status=201, json=companion)
    ids["companion_id"] = made["id"]
    ids["session_id"] = (await owner.expect("sessions", "GET", "/v1/me/sessions"))["items"][0]["id"]
    key = await _partner_key(owner, admin)
    ids["key_id"], holder = key["id"], KeyHolder(owner, key["key"])
    estate.keys[owner] = holder
    endpoint = {"url": "http://127.0.0.1:9/hook", "event_types": ["booking.confirmed"]}
    ids["endpoint_id"] = (await holder.expect("endpoint", "POST", BY_KEY, status=201, json=endpoint))["id"]
    sent = await holder.expect("test event", "POST", f"{BY_KEY}/{ids['endpoint_id']}/test", status=202)
    ids["delivery_id"] = sent["id"]


async def _partner_key(person: Traveller, admin: Traveller) -> Json:
    """A test key of an organisation of their own that may keep webhooks."""
    me = await person.expect("me", "GET", "/v1/me")
    roles = {"roles": ["traveller", "partner"]}
    await admin.expect("roles", "PUT", f"/v1/admin/users/{me['id']}/roles", json=roles)
    refresh = {"refresh_token": person.tokens["refresh_token"]}
    person.tokens = await person.expect("refresh", "POST", "/v1/auth/refresh", json=refresh)
    body = {"name": "Site", "scopes": ["offers:read", "webhooks:write"]}
    key: Json = await person.expect("key", "POST", "/v1/me/api-keys", status=201, json=body)
    return key


async def _subscribe(estate: Estate, admin: Traveller) -> None:
    owner = estate.owner
    plan = {
        "code": f"T-{secrets.token_hex(4).upper()}",
        "name": "Test",
        "kind": "discount",
        "discount_basis_points": 500,
        "price": {"amount": "5.00", "currency": "USD"},
    }
    made = await admin.expect("plan", "POST", "/v1/admin/subscription-plans", status=201, json=plan)
    body = {"plan_id": made["id"], "method": {"type": "card", "provider": "sandbox", "card": {**CARD, "number": GOOD}}}
    headers = {"idempotency-key": secrets.token_hex(8)}
    bought = await owner.expect("subscribe", "POST", "/v1/subscriptions", status=201, json=body, headers=headers)
    estate.ids["subscription_id"] = bought["subscription"]["id"]
    # Stripe, which keeps cards, is no part of the stack: a stranger to one that does exist is tried in
    # payment-service/tests/stripe/test_saved_methods.py.
    estate.ids["method_id"] = NOBODY


async def _ask_for_help(estate: Estate) -> None:
    owner, ids = estate.owner, estate.ids
    document = (await owner.call("GET", "/openapi.json")).json()
    for path, name, body in (
        ("/v1/chat/conversations", "conversation_id", {}),
        ("/v1/support/tickets", "ticket_id", None),
        ("/v1/support/callbacks", "callback_id", None),
        ("/v1/chat/attachments", "attachment_id", None),
    ):
        operation = document["paths"].get(path, {}).get("post")
        if operation is None:
            continue
        if body is None:
            body = await _example_body(owner, document, operation, path)
        answer = await owner.call("POST", path, json=body, headers={"idempotency-key": secrets.token_hex(8)})
        assert answer.status_code in (200, 201), f"{path}: {answer.text}"
        made = answer.json()
        ids[name] = made.get("id") or made[name.removesuffix("_id")]["id"]


async def _example_body(owner: Traveller, document: Json, operation: Json, path: str) -> Any:
    world = World(document, Estate(owner), owner, owner, owner)
    body = world.example(operation["requestBody"]["content"]["application/json"])
    if path == "/v1/support/callbacks":
        slots = (await owner.expect("slots", "GET", "/v1/support/callback-slots"))["items"]
        body |= {name: value for name, value in slots[0].items() if name in body}
    return body


async def test_every_operation_with_an_id_is_accounted_for(traveller: Traveller) -> None:
    document = (await traveller.call("GET", "/openapi.json")).json()
    named = [path for path in document["paths"] if "{" in path and not path.startswith("/v1/admin/")]
    unknown = [path for path in named if path not in PUBLIC | OWN_BY_TOKEN and not path.startswith(OWNED)]
    assert not unknown, "say in this file whose thing these name, and make an example of it"
    for path in PUBLIC & set(named):
        for method, operation in document["paths"][path].items():
            security = operation["security"]
            assert security == [] or {} in security, f"{method} {path} needs a credential: is it nobody's own thing?"


async def test_a_stranger_finds_nothing_of_anothers_by_any_method(world: World) -> None:
    wrong = []
    for method, path, operation in world.operations():
        if not path.startswith(OWNED) or path in PUBLIC:
            continue
        missing = [name for name in re.findall(r"\{(\w+)\}", path) if name not in world.estate.ids]
        assert not missing, f"no example for {missing} of {path}"
        url, request = world.url(path), world.request(operation)
        answer = await world.estate.call(world.stranger, method.upper(), url, **request)
        if answer.status_code != 404:
            wrong.append(f"stranger {method} {path}: {answer.status_code} {answer.text[:200]}")
        nobody = await world.anonymous.call(method.upper(), url, **request)
        if nobody.status_code != 401:
            wrong.append(f"anonymous {method} {path}: {nobody.status_code}")
    assert not wrong, "\n".join(wrong)
    await _the_owner_still_has_everything(world)


async def test_a_stranger_without_the_signature_gets_nothing_at_an_address_that_names_no_owner(world: World) -> None:
    wrong = []
    for method, path, operation in world.operations():
        if path not in OWN_BY_TOKEN:
            continue
        for who in (world.stranger, world.anonymous):
            guessed = {one["name"]: "1" for one in operation.get("parameters", []) if one["in"] == "query"}
            request = world.request(operation) | {"params": guessed}
            answer = await who.call(method.upper(), world.url(path), **request)
            if answer.status_code not in (400, 401, 403, 404):
                wrong.append(f"{method} {path}: {answer.status_code} {answer.text[:200]}")
    assert not wrong, "\n".join(wrong)


async def _the_owner_still_has_everything(world: World) -> None:
    """The control: the same addresses lead the owner somewhere, and nothing of what strangers tried was done."""
    gone = []
    for method, path, _ in world.operations():
        if method == "get" and path.startswith(OWNED):
            answer = await world.estate.call(world.estate.owner, "GET", world.url(path))
            if answer.status_code not in (200, 202, 409):
                gone.append(f"{path}: {answer.status_code} {answer.text[:200]}")
    assert not gone, "\n".join(gone)
    booking = await world.estate.owner.expect("booking", "GET", f"/v1/bookings/{world.estate.ids['booking_id']}")
    assert booking["status"] == "confirmed"
    for path, name in (
        ("/v1/devices", "device_id"),
        ("/v1/me/companions", "companion_id"),
        ("/v1/me/sessions", "session_id"),
        ("/v1/me/api-keys", "key_id"),
        ("/v1/subscriptions", "subscription_id"),
    ):
        listed = (await world.estate.owner.expect(path, "GET", path))["items"]
        assert world.estate.ids[name] in {one["id"] for one in listed}


async def test_methods_that_are_not_documented_do_not_exist(world: World) -> None:
    for path, item in world.document["paths"].items():
        for method in set(METHODS) - set(item):
            answer = await world.estate.owner.call(method.upper(), world.url(path))
            assert answer.status_code == 405, f"{method} {path}: {answer.status_code}"


async def test_ids_in_queries_and_bodies_are_checked_as_well(world: World) -> None:
    ids, stranger = world.estate.ids, world.stranger
    found = await stranger.expect("payments", "GET", "/v1/payments", params={"booking_id": ids["booking_id"]})
    assert found["items"] == []
    body = {"booking_id": ids["booking_id"], "method": {"type": "wallet"}}
    paid = await stranger.call("POST", "/v1/payments", json=body, headers={"idempotency-key": secrets.token_hex(8)})
    assert paid.status_code == 404
    booking = await stranger.book((await stranger.search("DXB", "LHR"))[0])
    path = f"/v1/bookings/{booking['id']}/passengers/{ids['passenger_id']}"
    assert (await stranger.call("PATCH", path, json={"phone": "+8801712345678"})).status_code == 404
    other = f"/v1/bookings/{booking['id']}/documents/{ids['document_id']}"
    assert (await stranger.call("GET", other)).status_code == 404
    cancel = {"quote_id": ids["quote_id"]}
    headers = {"idempotency-key": secrets.token_hex(8)}
    answer = await stranger.call("POST", f"/v1/bookings/{booking['id']}/cancellations", json=cancel, headers=headers)
    assert answer.status_code == 404


async def test_administration_is_for_staff(world: World) -> None:
    wrong = []
    for path, item in sorted(world.document["paths"].items()):
        if not path.startswith("/v1/admin/"):
            continue
        for method in item.keys() & set(METHODS):
            url, request = world.url(path), world.request(item[method])
            traveller = (await world.stranger.call(method.upper(), url, **request)).status_code
            anonymous = (await world.anonymous.call(method.upper(), url, **request)).status_code
            if (traveller, anonymous) != (403, 401):
                wrong.append(f"{method} {path}: traveller {traveller}, anonymous {anonymous}")
    assert not wrong, "\n".join(wrong)
