"""A partner's test key from its making to its end: it sees and books the test airline only."""

import asyncio
import html
import re
import secrets
from collections.abc import AsyncIterator, Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio

from rihla_local.traveller import Refused, Traveller, within

MakeTraveller = Callable[[], Traveller]
ROUTES = [("DAC", "JED"), ("DXB", "LHR"), ("DAC", "DXB")]


class Partner(Traveller):
    """The same journey with a key in place of a token."""

    key = ""

    async def call(self, method: str, path: str, **options: Any) -> Any:
        headers = {"x-api-key": self.key, **options.pop("headers", {})}
        return await super().call(method, path, headers=headers, **options)


@pytest_asyncio.fixture
async def person(stack: Any, traveller: Traveller, new_traveller: MakeTraveller) -> Traveller:
    """Somebody whom an administrator has let act for an organisation."""
    admin = new_traveller()
    await admin.sign_in(stack.admin["email"], stack.admin["password"])
    made = await admin.expect("org", "POST", "/v1/admin/organisations", status=201, json={"name": "Padma Travels"})
    me = await traveller.expect("me", "GET", "/v1/me")
    path = f"/v1/admin/organisations/{made['id']}/members/{me['id']}"
    await admin.expect("member", "PUT", path, status=204)
    refresh = {"refresh_token": traveller.tokens["refresh_token"]}
    traveller.tokens = await traveller.expect("refresh", "POST", "/v1/auth/refresh", json=refresh)
    return traveller


@pytest_asyncio.fixture
async def partner(stack: Any, person: Traveller) -> AsyncIterator[Partner]:
    made = await person.expect("key", "POST", "/v1/me/api-keys", status=201, json={"name": "Site", "mode": "test"})
    assert made["key"].startswith("rk_test_")
    one = Partner(stack.gateway_url, stack.inbox_url)
    one.key, one.email = made["key"], person.email
    yield one
    await one.close()


async def _a_live_offer(person: Traveller) -> dict[str, Any]:
    return (await person.search("DAC", "JED"))[0]


async def _test_offers(partner: Partner) -> list[dict[str, Any]]:
    """Offers of the first route the test airline flies."""
    for origin, destination in await _routes_of_the_test_airline(partner):
        if found := await partner.search(origin, destination):
            return found
    raise AssertionError("the test airline flies nowhere")


async def _routes_of_the_test_airline(partner: Partner) -> list[tuple[str, str]]:
    board = await partner.expect("board", "GET", "/v1/flights", params={"airline": "ZZ", "limit": 20})
    return [(flight["origin"], flight["destination"]) for flight in board["items"]] or ROUTES


def _airlines(offers: list[dict[str, Any]]) -> set[str]:
    return {segment["airline"] for offer in offers for part in offer["slices"] for segment in part["segments"]}


async def test_a_test_key_searches_books_and_pays_on_the_test_airline_only(partner: Partner, person: Traveller) -> None:
    offers = await _test_offers(partner)
    assert _airlines(offers) == {"ZZ"}
    for origin, destination in ROUTES:
        assert _airlines(await partner.search(origin, destination)) <= {"ZZ"}
        assert "ZZ" not in _airlines(await person.search(origin, destination))
    booking = await partner.book(offers[0])
    assert (await partner.pay(booking))["status"] == "succeeded"
    confirmed = await partner.wait_until(booking, "confirmed", timeout=120)
    assert confirmed["passengers"][0]["e_ticket_number"]
    with pytest.raises(Refused) as refused:
        await partner.book(await _a_live_offer(person))
    assert refused.value.code in ("invalid-offer", "offer-not-found")
    live = await partner.call(
        "POST",
        "/v1/payments",
        headers={"idempotency-key": secrets.token_hex(8)},
        json={"booking_id": booking["id"], "method": {"type": "card", "provider": "stripe", "token": "tok_visa"}},
    )
    assert live.status_code in (409, 422)


async def test_a_key_may_do_what_its_scopes_say(stack: Any, person: Traveller) -> None:
    body = {"name": "Readers", "mode": "test", "scopes": ["offers:read"]}
    made = await person.expect("key", "POST", "/v1/me/api-keys", status=201, json=body)
    reader = Partner(stack.gateway_url, stack.inbox_url)
    reader.key, reader.email = made["key"], person.email
    offers = await _test_offers(reader)
    with pytest.raises(Refused) as refused:
        await reader.book(offers[0])
    assert (refused.value.status, refused.value.code) == (403, "forbidden")
    for path in ("/v1/me", "/v1/me/api-keys", "/v1/wallet", "/v1/admin/users"):
        assert (await reader.call("GET", path)).status_code == 403, path
    await reader.close()


async def test_a_revoked_key_is_refused_and_its_last_use_was_shown(partner: Partner, person: Traveller) -> None:
    assert (await partner.call("GET", "/v1/airlines")).status_code == 200
    [listed] = (await person.expect("keys", "GET", "/v1/me/api-keys"))["items"]
    used = datetime.fromisoformat(listed["last_used_at"])
    assert abs((datetime.now(UTC) - used).total_seconds()) < 600
    assert "key" not in listed
    await person.expect("revoke", "DELETE", f"/v1/me/api-keys/{listed['id']}", status=204)

    async def refused() -> bool:
        return (await partner.call("GET", "/v1/bookings")).status_code == 401

    await within(120, "the refusal of a revoked key", refused)


async def test_the_commands_of_the_partners_page_end_with_a_ticket(person: Traveller, tmp_path: Path) -> None:
    """Copied from the page one after the other, as a partner's programmer would."""
    page = await person.call("GET", "/partners")
    *journey, read, tickets = [html.unescape(block) for block in re.findall(r"<pre>(.*?)</pre>", page.text, re.DOTALL)]
    token = person.tokens["access_token"]
    script = "\n".join([f"set -eo pipefail; TOKEN={token}", *journey, 'printf "\\n%s %s" "$KEY" "$BOOKING"'])
    key, booking = (await _played(script, tmp_path)).split()[-2:]
    given = f"KEY={key}; BOOKING={booking}"

    async def confirmed() -> bool:
        return '"confirmed"' in await _played(f"{given}\n{read}", tmp_path)

    async def has_its_ticket() -> bool:
        await _played(f"{given}\n{tickets}", tmp_path)
        return (await asyncio.to_thread((tmp_path / "tickets.pdf").read_bytes)).startswith(b"%PDF")

    await within(120, "confirmation", confirmed)
    await within(120, "the tickets", has_its_ticket, every=0.5)


async def _played(script: str, folder: Path) -> str:
    process = await asyncio.create_subprocess_exec(
        "bash", "-c", script, cwd=folder, stdin=asyncio.subprocess.DEVNULL, stdout=asyncio.subprocess.PIPE
    )
    said, _ = await process.communicate()
    assert process.returncode == 0, said.decode()
    return said.decode()
