from datetime import timedelta
from typing import get_args

import pytest

from notification_service.partner_webhooks.rules import (
    EVENT_TYPES,
    UrlRefused,
    is_public,
    judge,
    new_secret,
    pause_after,
    read_url,
    signature,
)
from notification_service.partner_webhooks.schemas import EventType
from rihla.contracts.events.envelope import catalogue

INSIDE = (
    "127.0.0.1",
    "127.8.9.10",
    "0.0.0.0",
    "10.1.2.3",
    "172.16.0.1",
    "192.168.1.1",
    "100.64.0.1",
    "100.100.100.200",
    "169.254.169.254",
    "168.63.129.16",
    "192.0.0.192",
    "198.18.0.1",
    "224.0.0.1",
    "239.255.255.250",
    "240.0.0.1",
    "255.255.255.255",
    "::",
    "::1",
    "::127.0.0.1",
    "::ffff:127.0.0.1",
    "::ffff:169.254.169.254",
    "64:ff9b::7f00:1",
    "64:ff9b:1::1",
    "2002:7f00:1::",
    "2001:0:4136:e378:8000:63bf:3fff:fdd2",
    "fc00::1",
    "fd00:ec2::254",
    "fe80::1%eth0",
    "ff02::1",
)


@pytest.mark.parametrize("address", INSIDE)
def test_an_address_that_leads_inside_is_not_public(address: str) -> None:
    assert not is_public(address)


@pytest.mark.parametrize(
    "address", ["93.184.216.34", "8.8.8.8", "2606:2800:220:1:248:1893:25c8:1946", "::ffff:8.8.8.8"]
)
def test_an_address_of_the_public_network_is(address: str) -> None:
    assert is_public(address)


@pytest.mark.parametrize(
    ("url", "code"),
    [
        ("http://shop.example/", "https-required"),
        ("ftp://shop.example/", "https-required"),
        ("file:///etc/passwd", "https-required"),
        ("//shop.example/", "https-required"),
        ("https://", "malformed-url"),
        ("https://user@shop.example/", "malformed-url"),
        ("https://user:word@shop.example/", "malformed-url"),
        ("https://shop.example/#part", "malformed-url"),
        ("https://shop.example:99999/", "malformed-url"),
        ("https://[::1/", "malformed-url"),
        ("https://①②⑦.⓪.⓪.①/", "malformed-url"),
        ("https://shop.example/\r\nHost: other", "malformed-url"),
        ("https://shop.example\\@127.0.0.1/", "malformed-url"),
        ("https://shop.example/" + "a" * 2048, "malformed-url"),
        ("https://shop.example:22/", "port-not-allowed"),
        ("https://shop.example:6379/", "port-not-allowed"),
    ],
)
def test_an_url_that_is_not_an_https_address_of_the_usual_port_is_refused(url: str, code: str) -> None:
    with pytest.raises(UrlRefused) as refused:
        read_url(url, local=False)
    assert refused.value.code == code


def test_locally_http_and_any_port_will_do() -> None:
    assert read_url("http://localhost:9000/hook?shop=1", local=True) == ("localhost", 9000)
    assert read_url("https://shop.example/hook", local=False) == ("shop.example", 443)


def test_the_signature_is_the_one_of_the_standard_webhooks_specification() -> None:
    secret = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
    made = signature([secret], "msg_p5jXN8AQM9LWM0D4loKWxJek", 1614265330, b'{"test": 2432232314}')
    assert made == "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="


def test_two_secrets_sign_side_by_side() -> None:
    old, new = new_secret(), new_secret()
    both = signature([new, old], "m", 1, b"{}")
    assert both.split(" ") == [signature([new], "m", 1, b"{}"), signature([old], "m", 1, b"{}")]


def test_tries_go_on_for_three_days_and_then_end() -> None:
    tries = 1
    total = timedelta(0)
    while judge(500, tries) == "later":
        total += pause_after(tries)
        tries += 1
    assert judge(500, tries) == "dead"
    assert timedelta(days=2.6) < total < timedelta(days=3.4)
    assert timedelta(seconds=4) < pause_after(1) < timedelta(seconds=6)


@pytest.mark.parametrize(
    ("status", "outcome"),
    [
        (200, "delivered"),
        (204, "delivered"),
        (301, "later"),
        (400, "later"),
        (410, "gone"),
        (503, "later"),
        (None, "later"),
    ],
)
def test_what_an_answer_means(status: int | None, outcome: str) -> None:
    assert judge(status, 1) == outcome


def test_what_is_published_is_what_the_api_takes_and_what_is_told_inside() -> None:
    assert list(get_args(EventType)) == list(EVENT_TYPES)
    assert {f"{name}.v1" for name in EVENT_TYPES} <= set(catalogue())
