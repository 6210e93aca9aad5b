"""Who may ask how often, and how it is told."""

import asyncio
import math
import time
from typing import Any

import pytest

from gateway.door.client_address import bucket_of, client_address
from gateway.limits.token_bucket import TokenBucket, lease_size
from gateway.routes import ROUTES, Limits, WithoutRedis
from rihla.testing import eventually


async def test_each_answer_tells_what_is_left(stack: Any) -> None:
    answer = await stack.client.get("/v1/flights")
    assert answer.headers["ratelimit-policy"] == '"read";q=1200;w=60'
    assert answer.headers["ratelimit"].startswith('"read";r=1199;t=')
    person = await stack.client.get("/v1/bookings", headers=stack.sign_in().headers)
    assert person.headers["ratelimit-policy"] == '"read-user";q=600;w=60'
    for path in ("/v1/nothing", "/docs"):
        assert "ratelimit" in (await stack.client.get(path)).headers


async def test_a_used_up_limit_is_429_with_the_seconds_to_wait(start: Any) -> None:
    stack = await start(limit_read_per_user=4)
    person = stack.sign_in()
    answers = [await stack.client.get("/v1/bookings", headers=person.headers) for _ in range(5)]
    assert [answer.status_code for answer in answers] == [200, 200, 200, 200, 429]
    assert [answer.headers["ratelimit"].split(";")[1] for answer in answers] == ["r=3", "r=2", "r=1", "r=0", "r=0"]
    last = answers[-1]
    assert (last.json()["code"], last.headers["content-type"]) == ("too-many-requests", "application/problem+json")
    assert 1 <= int(last.headers["retry-after"]) <= 16


async def test_neighbours_behind_one_address_do_not_lock_each_other_out(start: Any) -> None:
    stack = await start(limit_read_per_user=3, limit_read_per_address=5)
    noisy, quiet = stack.sign_in(), stack.sign_in()
    for _ in range(6):
        last = await stack.client.get("/v1/bookings", headers=noisy.headers)
    assert last.status_code == 429
    assert (await stack.client.get("/v1/bookings", headers=quiet.headers)).status_code == 200
    assert (await stack.client.get("/v1/flights")).status_code == 200


async def test_reading_and_writing_and_signing_in_are_counted_apart(start: Any) -> None:
    stack = await start(limit_write_per_user=1, limit_sign_in_per_address=1)
    person = stack.sign_in()
    writes = [(await stack.client.post("/v1/bookings", json={}, headers=person.headers)).status_code for _ in range(2)]
    assert writes == [200, 429]
    assert (await stack.client.get("/v1/bookings", headers=person.headers)).status_code == 200
    sign_ins = [
        (await stack.client.post("/v1/auth/login", json={}, headers=person.headers)).status_code for _ in range(2)
    ]
    assert sign_ins == [200, 429]
    assert (await stack.client.post("/v1/auth/refresh", json={})).status_code == 200


async def test_guessing_tokens_uses_up_the_addresses_bucket(start: Any) -> None:
    stack = await start(limit_read_per_address=3)
    guesses = [
        (await stack.client.get("/v1/bookings", headers={"Authorization": f"Bearer x{n}"})).status_code
        for n in range(4)
    ]
    assert guesses == [401, 401, 401, 429]


async def test_two_gateways_share_one_bucket(start: Any) -> None:
    stack = await start(limit_read_per_user=20)
    other = await start(limit_read_per_user=20)
    other.auth.keys[:] = stack.auth.keys
    person = stack.sign_in()
    began = time.monotonic()
    await eventually(lambda: _status_is(other, person, 200))
    answers = await asyncio.gather(
        *(each.client.get("/v1/bookings", headers=person.headers) for _ in range(20) for each in (stack, other))
    )
    passed = sum(answer.status_code == 200 for answer in answers)
    come_back = math.ceil((time.monotonic() - began) / 3)
    assert 18 <= passed <= 20 + come_back  # one has passed while waiting; a token comes back every three seconds


async def _status_is(stack: Any, person: Any, status: int) -> bool:
    return bool((await stack.client.get("/v1/bookings", headers=person.headers)).status_code == status)


async def test_with_redis_gone_each_process_counts_for_itself_and_says_so(start: Any) -> None:
    stack = await start(redis_url="redis://127.0.0.1:1/0", limit_read_per_user=3)
    person = stack.sign_in()
    answers = [(await stack.client.get("/v1/bookings", headers=person.headers)).status_code for _ in range(4)]
    assert answers == [200, 200, 200, 429]
    assert (await stack.client.post("/v1/auth/login", json={})).status_code == 200
    ready = await stack.client.get("/health/ready")
    assert (ready.status_code, ready.json()["checks"]["redis"]) == (200, "degraded")
    assert "limits" in ready.json()["details"]["redis"]


async def test_webhooks_are_not_lost_to_a_local_limit(start: Any) -> None:
    stack = await start(redis_url="redis://127.0.0.1:1/0", limit_webhook_per_address=2)
    answers = [(await stack.client.post("/v1/webhooks/stripe", content=b"{}")).status_code for _ in range(4)]
    assert answers == [200] * 4


async def test_a_flood_from_one_address_leaves_people_who_are_signed_in_alone(start: Any) -> None:
    stack = await start(limit_read_per_address=50)
    flood = await asyncio.gather(*(stack.client.get("/v1/flights") for _ in range(120)))
    assert {answer.status_code for answer in flood} == {200, 429}
    assert (await stack.client.get("/v1/bookings", headers=stack.sign_in().headers)).status_code == 200


async def test_a_forwarded_address_counts_only_from_a_trusted_proxy(start: Any) -> None:
    trusting = await start(trusted_proxies="127.0.0.0/8")
    headers = {"X-Forwarded-For": "203.0.113.9, 198.51.100.7"}
    seen = (await trusting.client.get("/v1/flights", headers=headers)).json()
    assert dict(seen["headers"])["x-client-ip"] == "198.51.100.7"


def test_the_list_of_hops_is_read_from_its_end() -> None:
    from ipaddress import ip_network

    trusted = (ip_network("10.0.0.0/8"),)
    assert client_address("10.0.0.1", "1.1.1.1, 2.2.2.2, 10.0.0.9", trusted) == "2.2.2.2"
    assert client_address("8.8.8.8", "1.1.1.1", trusted) == "8.8.8.8"
    assert client_address("10.0.0.1", "1.1.1.1, nonsense", trusted) == "10.0.0.1"
    assert client_address("10.0.0.1", None, trusted) == "10.0.0.1"


def test_an_ipv6_customer_is_a_network_and_a_mapped_address_is_its_ipv4() -> None:
    assert bucket_of("2001:db8:1:2:3:4:5:6") == bucket_of("2001:db8:1:2:ffff::1") == "2001:db8:1:2::/64"
    assert bucket_of("::ffff:192.0.2.1") == "192.0.2.1"
    assert bucket_of("not an address") == "unknown"


def test_a_bucket_refills_evenly_and_never_above_its_quota() -> None:
    bucket = TokenBucket(60, 60.0, 0.0)
    assert bucket.take(100, 0.0) == 60
    assert bucket.take(1, 0.5) == 0
    assert bucket.wait() == pytest.approx(0.5)
    assert bucket.take(5, 2.5) == 2
    assert bucket.take(100, 10_000.0) == 60


def test_a_lease_is_a_small_part_of_its_quota() -> None:
    assert [lease_size(quota, 50) for quota in (1, 19, 120, 600, 5000)] == [1, 1, 6, 30, 50]


def test_each_row_says_what_happens_without_redis_and_only_webhooks_are_open() -> None:
    open_rows = {route.prefix for route in ROUTES if route.without_redis is WithoutRedis.OPEN}
    assert open_rows == {route.prefix for route in ROUTES if route.limits is Limits.WEBHOOK}
