"""Administrators and support: who may do what, and that it is written down."""

import asyncio
from typing import Any

import pytest

from auth_service.administration.permissions import PERMISSIONS, ROLES, roles_with
from auth_service.seed import seed
from auth_service.settings import Settings
from rihla.kernel import FixedClock

ADMIN = "root@example.com"
ADMIN_PASSWORD = "eleven boats on the Meghna"


def test_the_permission_table_knows_every_role() -> None:
    assert set(PERMISSIONS) == set(ROLES)
    assert roles_with("users.read") == ("support", "admin")
    assert roles_with("users.suspend") == ("admin",)


async def _admin(auth: Any) -> Any:
    update = {"admin_email": ADMIN, "admin_password": ADMIN_PASSWORD, "support_email": "s@example.com"}
    settings = Settings(**{**auth.settings.model_dump(), **update, "support_password": ADMIN_PASSWORD})
    await seed(settings, auth.clock)
    return await auth.login(ADMIN, password=ADMIN_PASSWORD)


async def test_seeding_twice_makes_one_administrator(auth: Any) -> None:
    admin = await _admin(auth)
    again = await _admin(auth)
    assert admin.id == again.id
    assert admin.roles == ["admin", "traveller"]
    assert len(await auth.sql("SELECT 1 FROM account")) == 2


async def test_support_finds_people_and_changes_nothing(auth: Any) -> None:
    await _admin(auth)
    support = await auth.login("s@example.com", password=ADMIN_PASSWORD)
    amina = await auth.registered()
    for query in ("amina@", "Amina R", str(amina.id)):
        found = (await auth.get("/v1/admin/users", support, query=query)).json()["items"]
        assert [item["id"] for item in found] == [str(amina.id)]
    assert (await auth.get("/v1/admin/users", support, role="admin")).json()["items"][0]["email"] == ADMIN
    assert (await auth.get("/v1/admin/users", support, query="100%_")).json()["items"] == []
    assert (await auth.get(f"/v1/admin/users/{amina.id}", support)).json()["full_name"] == "Amina Rahman"
    suspend = await auth.post(f"/v1/admin/users/{amina.id}/suspend", {"reason": "no"}, support)
    assert (suspend.status_code, suspend.json()["code"]) == (403, "forbidden")
    assert (await auth.put(f"/v1/admin/users/{amina.id}/roles", {"roles": ["admin"]}, support)).status_code == 403
    assert (await auth.get("/v1/admin/audit-log", support)).status_code == 403


@pytest.mark.parametrize("path", ["/v1/admin/users", "/v1/admin/audit-log"])
async def test_travellers_are_turned_away(auth: Any, path: str) -> None:
    assert (await auth.get(path, await auth.registered())).status_code == 403
    assert (await auth.get(path)).status_code == 401


async def test_suspending_ends_everything_and_restoring_lets_back_in(auth: Any) -> None:
    admin, amina = await _admin(auth), await auth.registered()
    path = f"/v1/admin/users/{amina.id}"
    answer = await auth.post(f"{path}/suspend", {"reason": "Card testing"}, admin)
    assert (answer.status_code, answer.json()["status"]) == (200, "suspended")
    assert (await auth.post(f"{path}/suspend", {"reason": "Again"}, admin)).json()["suspended_reason"] == "Card testing"
    assert (await auth.post("/v1/auth/refresh", {"refresh_token": amina.refresh_token})).status_code == 401
    login = await auth.post("/v1/auth/login", {"identifier": amina.email, "password": "four wild geese over Sylhet"})
    assert (login.status_code, login.json()["code"]) == (403, "account-suspended")
    wrong = await auth.post("/v1/auth/login", {"identifier": amina.email, "password": "a wrong password"})
    assert wrong.json()["code"] == "invalid-credentials"
    kinds = {row["kind"] for row in await auth.sql("SELECT kind FROM revocation")}
    assert kinds == {"session", "user"}
    assert (await auth.post(f"{path}/restore", None, admin)).json()["status"] == "active"
    await auth.login()
    events = await auth.events("user.suspended.v1")
    assert [event["data"]["suspended"] for event in events] == [True, False]
    assert [event["sequence"] for event in events] == [2, 3]
    log = (await auth.get("/v1/admin/audit-log", admin, user_id=str(amina.id))).json()["items"]
    assert [entry["action"] for entry in log] == ["user.restored", "user.suspended"]
    assert log[1]["actor_id"] == str(admin.id)


async def test_a_role_given_is_in_the_next_token_and_one_taken_ends_the_sessions(auth: Any) -> None:
    admin, amina = await _admin(auth), await auth.registered()
    path = f"/v1/admin/users/{amina.id}/roles"
    given = await auth.put(path, {"roles": ["traveller", "partner"]}, admin)
    assert given.json()["roles"] == ["traveller", "partner"]
    pair = (await auth.post("/v1/auth/refresh", {"refresh_token": amina.refresh_token})).json()
    assert (await auth.put(path, {"roles": ["traveller"]}, admin)).status_code == 200
    assert (await auth.post("/v1/auth/refresh", {"refresh_token": pair["refresh_token"]})).status_code == 401
    assert (await auth.put(path, {"roles": ["emperor"]}, admin)).status_code == 422


async def test_one_administrator_always_remains(auth: Any) -> None:
    admin, other = await _admin(auth), await auth.registered()
    await auth.put(f"/v1/admin/users/{other.id}/roles", {"roles": ["admin"]}, admin)
    answers = await asyncio.gather(
        auth.put(f"/v1/admin/users/{other.id}/roles", {"roles": ["traveller"]}, admin),
        auth.put(f"/v1/admin/users/{admin.id}/roles", {"roles": ["traveller"]}, admin),
    )
    assert sorted(answer.status_code for answer in answers) == [200, 409]
    rows = await auth.sql("SELECT 1 FROM account WHERE 'admin' = ANY(roles)")
    assert len(rows) == 1


async def test_an_administrator_adds_an_organisation_and_its_people(auth: Any, clock: FixedClock) -> None:
    admin, amina = await _admin(auth), await auth.registered()
    organisation = (await auth.post("/v1/admin/organisations", {"name": "Padma Travels"}, admin)).json()
    path = f"/v1/admin/organisations/{organisation['id']}/members/{amina.id}"
    assert (await auth.put(path, None, admin)).status_code == 204
    amina = await auth.login()
    assert "partner" in amina.roles
    made = (await auth.post("/v1/me/api-keys", {"name": "Site", "mode": "live"}, amina)).json()
    assert made["organisation_id"] == organisation["id"]
    limit = f"/v1/admin/organisations/api-keys/{made['id']}/limit"
    contract = {"rate_limit_per_minute": 1200, "unpaid_bookings": 40}
    assert (await auth.put(limit, contract, admin)).status_code == 204
    [listed] = (await auth.get("/v1/me/api-keys", amina)).json()["items"]
    assert (listed["rate_limit_per_minute"], listed["unpaid_bookings"], listed["mode"]) == (1200, 40, "live")
