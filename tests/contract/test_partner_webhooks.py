"""The lines the partners' page gives to check a signature are run as they are printed, on what we sign."""

import html
import json
import re
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest

from notification_service.partner_webhooks.rules import new_secret, signature

PAGE = Path(__file__).resolve().parents[2] / "gateway/gateway/reference/pages/partners.html"
BODY = json.dumps({"type": "booking.confirmed", "data": {"reference": "K7QX2M"}}).encode()
Verify = Callable[[str, Mapping[str, str], bytes], None]


@pytest.fixture
def verify() -> Verify:
    (block,) = re.findall(r'<pre class="python">(.*?)</pre>', PAGE.read_text(), re.DOTALL)
    names: dict[str, Any] = {}
    exec(compile(html.unescape(block), "partners.html", "exec"), names)
    found: Verify = names["verify"]
    return found


def sent(*secrets: str, at: int | None = None) -> dict[str, str]:
    timestamp = at if at is not None else int(time.time())
    made = signature(secrets, "0197f6d2", timestamp, BODY)
    return {"webhook-id": "0197f6d2", "webhook-timestamp": str(timestamp), "webhook-signature": made}


def test_the_pages_lines_accept_what_we_sign_with_the_old_secret_and_with_the_new(verify: Verify) -> None:
    old, new = new_secret(), new_secret()
    verify(new, sent(new), BODY)
    for secret in (old, new):
        verify(secret, sent(new, old), BODY)


def test_the_pages_lines_refuse_everything_else(verify: Verify) -> None:
    ours, other = new_secret(), new_secret()
    headers = sent(ours)
    cases: list[tuple[str, Mapping[str, str], bytes]] = [
        (other, headers, BODY),
        (ours, headers, BODY + b" "),
        (ours, {**headers, "webhook-id": "another"}, BODY),
        (ours, {**headers, "webhook-timestamp": str(int(headers["webhook-timestamp"]) + 1)}, BODY),
        (ours, {**headers, "webhook-signature": ""}, BODY),
        (ours, {**headers, "webhook-signature": "v1a," + headers["webhook-signature"][3:]}, BODY),
        (ours, sent(ours, at=int(time.time()) - 3600), BODY),
        (ours, sent(ours, at=int(time.time()) + 3600), BODY),
    ]
    for secret, given, body in cases:
        with pytest.raises(ValueError, match=r"signed|old"):
            verify(secret, given, body)
