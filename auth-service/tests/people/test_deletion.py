"""Taking one's data along, and being forgotten."""

from datetime import timedelta
from typing import Any

PASSWORD = "four wild geese over Sylhet"
PASSPORT = {"number": "BX0123456", "issuing_country": "BD", "nationality": "BD", "expires_on": "2031-05-01"}


async def _full_account(auth: Any) -> Any:
    person = await auth.registered()
    await auth.sql("UPDATE account SET roles = '{traveller,partner}' RETURNING id")
    person = await auth.login()
    await auth.patch("/v1/me", {"passport": PASSPORT, "location": "Dhaka", "username": "amina"}, person)
    companion = {"given_name": "Nadia", "surname": "Rahman", "passport": PASSPORT}
    assert (await auth.post("/v1/me/companions", companion, person)).status_code == 201
    assert (await auth.post("/v1/me/api-keys", {"name": "Site"}, person)).status_code == 201
    return person


async def test_a_person_takes_everything_along_but_secrets(auth: Any) -> None:
    person = await _full_account(auth)
    answer = await auth.get("/v1/me/export", person)
    assert "attachment" in answer.headers["content-disposition"]
    data = answer.json()
    assert data["profile"]["passport"]["number"] == "BX0123456"
    assert data["companions"][0]["passport"]["number"] == "BX0123456"
    assert len(data["sessions"]) == 2
    assert data["api_keys"][0]["name"] == "Site"
    assert "hash" not in answer.text
    assert (data["bookings"], len(data["incomplete"])) == ([], 11), "without tokens for other services it says so"


async def test_a_deleted_person_leaves_nothing_personal_and_others_hear_of_it(auth: Any) -> None:
    person = await _full_account(auth)
    [organisation] = await auth.sql("SELECT id FROM organisation")
    assert (await auth.delete("/v1/me", person)).status_code == 401
    assert (await auth.delete("/v1/me", person, {"password": "not the password"})).status_code == 401
    assert (await auth.delete("/v1/me", person, {"password": PASSWORD})).status_code == 204
    tables = [row["tablename"] for row in await auth.sql("SELECT tablename FROM pg_tables WHERE schemaname = 'public'")]
    for table in set(tables) - {"outbox", "alembic_version"}:
        for row in await auth.sql(f'SELECT t::text AS everything FROM "{table}" AS t'):
            found = row["everything"]
            assert not any(text in found for text in ("amina", "Amina", "Nadia", "Dhaka", "203.0.113.7")), table
    [event] = await auth.events("user.deleted.v1")
    assert event["data"]["user_id"] == str(person.id)
    assert event["data"]["ended_organisation_id"] == str(organisation["id"])
    kinds = {row["kind"] for row in await auth.sql("SELECT kind FROM revocation")}
    assert kinds == {"session", "user", "api_key"}
    assert (await auth.get("/v1/me", person)).status_code == 404
    assert (await auth.post("/v1/auth/refresh", {"refresh_token": person.refresh_token})).status_code == 401
    assert (await auth.post("/v1/auth/login", {"identifier": person.email, "password": PASSWORD})).status_code == 401


async def test_an_organisation_with_others_in_it_goes_on_without_the_person_who_left(auth: Any) -> None:
    person, other = await _full_account(auth), await auth.registered("other@example.com")
    await auth.sql(
        "INSERT INTO membership (account_id, organisation_id, joined_at) "
        "SELECT $1, organisation_id, joined_at FROM membership RETURNING 1",
        other.id,
    )
    assert (await auth.delete("/v1/me", person, {"password": PASSWORD})).status_code == 204
    [event] = await auth.events("user.deleted.v1")
    assert event["data"]["ended_organisation_id"] is None
    assert len(await auth.sql("SELECT 1 FROM organisation")) == 1


async def test_the_address_is_free_again_after_deletion(auth: Any) -> None:
    person = await auth.registered()
    await auth.delete("/v1/me", person, {"password": PASSWORD})
    again = await auth.registered()
    assert again.id != person.id


async def test_without_a_password_a_fresh_sign_in_is_needed(auth: Any) -> None:
    person = await auth.registered()
    await auth.sql("UPDATE account SET password_hash = NULL RETURNING id")
    auth.clock.advance(timedelta(minutes=11))
    assert (await auth.delete("/v1/me", person)).status_code == 401
    await auth.post("/v1/auth/login/code", {"identifier": person.email})
    code = await auth.code_for(person.email, "login")
    pair = (await auth.post("/v1/auth/login/code/verify", {"identifier": person.email, "code": code})).json()
    assert (await auth.delete("/v1/me", type(person).of(pair, person.email))).status_code == 204
