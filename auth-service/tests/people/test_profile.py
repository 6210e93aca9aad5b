"""One's own data: what changes, what never does, what is encrypted."""

from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest

from auth_service.people.encryption import DataCipher, UnreadableData, masked
from auth_service.people.identifiers import normal_email, normal_phone, normal_username, parse_identifier
from auth_service.people.rules import countries, currencies, normal_locale

PASSPORT = {
    "number": "BX0123456",
    "issuing_country": "BD",
    "nationality": "BD",
    "expires_on": "2031-05-01",
    "visas": [{"country": "SA", "expires_on": "2027-05-01"}],
}


@pytest.mark.parametrize(
    ("typed", "normal"),
    [
        (" Amina@Example.COM ", "amina@example.com"),
        ("ＡＭＩＮＡ@example.com", "amina@example.com"),
        ("amina@bücher.example", "amina@xn--bcher-kva.example"),
        ("a+tag@example.com", "a+tag@example.com"),
    ],
)
def test_an_email_address_has_one_form(typed: str, normal: str) -> None:
    assert normal_email(typed) == normal


@pytest.mark.parametrize(
    "wrong", ["", "@", "a@", "a@b", "a b@example.com", "a@example..com", "a\n@example.com", "a@-x.com"]
)
def test_what_is_no_email_address_is_refused(wrong: str) -> None:
    with pytest.raises(ValueError, match="e-mail"):
        normal_email(wrong)


def test_a_phone_number_is_kept_as_e164() -> None:
    assert normal_phone("+880 (0) 1712-345678".replace("(0) ", "")) == "+8801712345678"
    for wrong in ("01712345678", "+88", "+999999999999999", "hello"):
        with pytest.raises(ValueError, match="phone"):
            normal_phone(wrong)


def test_identifiers_are_told_apart_by_their_shape() -> None:
    assert parse_identifier("A@example.com").kind == "email"
    assert parse_identifier("+8801712345678").kind == "phone"
    assert parse_identifier("Amina.R").value == normal_username("amina.r")


def test_countries_currencies_and_languages_are_the_published_ones() -> None:
    assert {"BD", "SA", "US", "GB"} <= countries()
    assert not {"EU", "ZZ", "UK"} & countries()
    assert {"BDT", "SAR", "USD", "KWD"} <= currencies()
    assert normal_locale("bn-bd") == "bn-BD"


def test_encrypted_data_belongs_to_its_owner_and_survives_a_new_key() -> None:
    old, new = {"k1": b"1" * 32}, {"k2": b"2" * 32, "k1": b"1" * 32}
    owner = uuid4()
    stored = DataCipher(old).encrypt("BX0123456", what="passport-number", owner=owner)
    assert b"BX0123456" not in stored
    rotated = DataCipher(new)
    assert rotated.decrypt(stored, what="passport-number", owner=owner) == "BX0123456"
    assert not rotated.is_current(stored)
    for what, whose in (("passport-number", uuid4()), ("something else", owner)):
        with pytest.raises(UnreadableData):
            rotated.decrypt(stored, what=what, owner=whose)
    with pytest.raises(UnreadableData):
        DataCipher({"k2": b"2" * 32}).decrypt(stored, what="passport-number", owner=owner)


def test_lists_show_the_end_of_a_number_only() -> None:
    assert masked("BX0123456") == "••••••456"


async def test_a_person_changes_their_profile_and_only_what_is_sent(auth: Any) -> None:
    person = await auth.registered()
    change = {
        "full_name": "Amina R. Khan",
        "gender": "female",
        "date_of_birth": "1988-04-01",
        "nationality": "bd",
        "location": "Sylhet",
        "locale": "bn-BD",
        "currency": "BDT",
        "theme": "dark",
        "dietary_needs": ["halal"],
        "assistance_needs": ["wheelchair"],
        "emergency_contact": {"name": "Karim", "phone": "+8801712345678", "relationship": "spouse"},
        "notification_channels": ["email", "push"],
        "username": "Amina.K",
        "passport": PASSPORT,
    }
    changed = (await auth.patch("/v1/me", change, person)).json()
    expected = {**change, "nationality": "BD", "username": "amina.k"}
    assert {name: changed[name] for name in change} == expected
    after = (await auth.patch("/v1/me", {"theme": "light"}, person)).json()
    assert {**changed, "theme": "light", "updated_at": ""} == {**after, "updated_at": ""}
    [row] = await auth.sql("SELECT passport::text AS everything FROM passport")
    assert "BX0123456" not in row["everything"]
    assert (await auth.patch("/v1/me", {"passport": None}, person)).json()["passport"] is None
    answer = await auth.post("/v1/auth/login", {"identifier": "AMINA.K", "password": "four wild geese over Sylhet"})
    assert answer.status_code == 200


async def test_server_owned_fields_are_never_written(auth: Any) -> None:
    person = await auth.registered()
    before = (await auth.get("/v1/me", person)).json()
    owned = {
        "roles": ["admin"],
        "status": "active",
        "id": str(uuid4()),
        "email_verified": True,
        "created_at": "2020-01-01",
    }
    for name, value in owned.items():
        answer = await auth.patch("/v1/me", {"full_name": "Changed", name: value}, person)
        assert answer.status_code == 422, name
    assert (await auth.get("/v1/me", person)).json() == before


async def test_impossible_values_are_named(auth: Any) -> None:
    person = await auth.registered()
    for pointer, change in (
        ("#/nationality", {"nationality": "XX"}),
        ("#/currency", {"currency": "ZZZ"}),
        ("#/date_of_birth", {"date_of_birth": "2030-01-01"}),
        ("#/passport/expires_on", {"passport": {**PASSPORT, "expires_on": "2026-12-01"}}),
        ("#/passport/number", {"passport": {**PASSPORT, "number": "no number!"}}),
        ("#/", {"full_name": None}),
        ("#/username", {"username": "9lives"}),
    ):
        answer = await auth.patch("/v1/me", change, person)
        assert answer.status_code == 422
        assert [error["pointer"] for error in answer.json()["errors"]] == [pointer]


async def test_a_new_address_waits_for_its_code_and_the_old_one_is_told(auth: Any) -> None:
    person = await auth.registered()
    changed = (await auth.patch("/v1/me", {"email": "new@example.com", "phone": "+8801712345678"}, person)).json()
    assert (changed["email"], changed["pending_email"]) == ("amina@example.com", "new@example.com")
    code = await auth.code_for("new@example.com", "change-email")
    body = {"identifier": "new@example.com", "code": code}
    stranger = await auth.registered("karim@example.com")
    me = await auth.post("/v1/me/contact/verify", body, person)
    assert (me.json()["email"], me.json()["pending_email"]) == ("new@example.com", None)
    sms = await auth.code_for("+8801712345678", "change-email")
    proof = {"identifier": "+8801712345678", "code": sms}
    assert (await auth.post("/v1/me/contact/verify", proof, stranger)).status_code == 401
    [notice] = await auth.events("user.security_notice.v1")
    assert (notice["data"]["kind"], notice["data"]["email"]) == ("email_changed", "amina@example.com")
    await auth.login("new@example.com")


async def test_an_address_that_has_an_owner_cannot_be_taken(auth: Any) -> None:
    await auth.registered("karim@example.com")
    person = await auth.registered()
    answer = await auth.patch("/v1/me", {"email": "karim@example.com"}, person)
    assert answer.json()["pending_email"] == "karim@example.com"
    await auth.code_for("karim@example.com", "account-exists")
    assert auth.mail.sent_to("karim@example.com", "change-email") == []


async def test_a_username_belongs_to_one_person(auth: Any) -> None:
    amina, karim = await auth.registered(), await auth.registered("karim@example.com")
    assert (await auth.patch("/v1/me", {"username": "traveller"}, amina)).status_code == 200
    taken = await auth.patch("/v1/me", {"username": "Traveller"}, karim)
    assert (taken.status_code, taken.json()["code"]) == (409, "username-taken")
    free = (await auth.get("/v1/me/username-availability", karim, username="Traveller")).json()
    assert free == {"username": "traveller", "available": False}


async def test_companions_are_kept_with_masked_passports_and_nobody_else_sees_them(auth: Any) -> None:
    amina, karim = await auth.registered(), await auth.registered("karim@example.com")
    body = {"given_name": "Nadia", "surname": "Rahman", "relationship": "child", "frequent": True, "passport": PASSPORT}
    made = await auth.post("/v1/me/companions", body, amina)
    assert made.status_code == 201
    path = f"/v1/me/companions/{made.json()['id']}"
    [listed] = (await auth.get("/v1/me/companions", amina)).json()["items"]
    assert listed["passport"]["number"] == "••••••456"
    assert (await auth.get(path, amina)).json()["passport"]["number"] == "BX0123456"
    changed = await auth.patch(path, {"surname": "Khan", "passport": None}, amina)
    assert (changed.json()["surname"], changed.json()["passport"]) == ("Khan", None)
    for answer in (
        await auth.get(path, karim),
        await auth.patch(path, {"surname": "Mine"}, karim),
        await auth.delete(path, karim),
    ):
        assert (answer.status_code, answer.json()["code"]) == (404, "not-found")
    assert (await auth.delete(path, amina)).status_code == 204
    assert (await auth.get(path, amina)).status_code == 404


async def test_booking_is_told_of_companions_and_of_oneself_but_never_of_anothers(auth: Any) -> None:
    amina, karim = await auth.registered(), await auth.registered("karim@example.com")
    body = {"given_name": "Nadia", "surname": "Rahman", "date_of_birth": "2015-01-02", "passport": PASSPORT}
    made = (await auth.post("/v1/me/companions", body, amina)).json()
    await auth.patch("/v1/me", {"date_of_birth": "1988-04-01", "gender": "female", "passport": PASSPORT}, amina)

    async def asked(owner: Any, traveller: Any, caller: str = "booking") -> Any:
        token = auth.keyring.token(audience="auth", issuer=caller)
        path = f"/internal/v1/users/{owner.id}/travellers/{traveller}"
        return await auth.client.get(path, headers={"authorization": f"Bearer {token}"})

    assert (await asked(amina, made["id"])).json() == {**body, "gender": None}
    oneself = {"given_name": None, "surname": None, "date_of_birth": "1988-04-01", "gender": "female"}
    assert (await asked(amina, amina.id)).json() == {**oneself, "passport": PASSPORT}
    for strange in (made["id"], amina.id, uuid4()):
        assert (await asked(karim, strange)).json()["code"] == "not-found"
    assert (await asked(amina, made["id"], "payment")).status_code == 403


async def test_an_idempotency_key_makes_one_companion(auth: Any) -> None:
    person = await auth.registered()
    headers = {**auth.headers(person), "idempotency-key": "one"}
    body = {"given_name": "Nadia", "surname": "Rahman", "passport": PASSPORT}
    first = await auth.client.post("/v1/me/companions", json=body, headers=headers)
    again = await auth.client.post("/v1/me/companions", json=body, headers=headers)
    assert first.json() == again.json()
    assert again.headers["idempotency-replayed"] == "true"
    assert len((await auth.get("/v1/me/companions", person)).json()["items"]) == 1
    rows = await auth.sql("SELECT encode(body, 'escape') AS body FROM idempotency_key")
    assert "BX0123456" not in rows[0]["body"]


async def test_old_requests_and_unfinished_registrations_are_forgotten(auth: Any) -> None:
    await auth.post(
        "/v1/auth/register", {"email": "a@example.com", "password": "four wild geese over", "full_name": "A"}
    )
    await auth.code_for("a@example.com", "verify")
    auth.clock.advance(timedelta(days=3))
    await auth.worker.state.container.sweeper.sweep()
    assert await auth.sql("SELECT 1 FROM registration UNION ALL SELECT 1 FROM code_request") == []
