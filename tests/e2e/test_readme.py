"""The README's journey is played as it is printed: a reader who copies it gets what it says."""

import json
import re
import secrets
import subprocess
from pathlib import Path
from typing import Any

from rihla_local.traveller import within

README = Path(__file__).resolve().parents[2] / "README.md"


def journey() -> str:
    """The shell block below the heading "The journey by curl"."""
    found = re.search(r"## The journey by curl.*?```sh\n(.*?)```", README.read_text(), re.DOTALL)
    assert found is not None
    return found.group(1)


def _shell(script: str) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        ["bash", "-c", script], capture_output=True, text=True, timeout=300, stdin=subprocess.DEVNULL, check=False
    )


async def test_the_journey_by_curl_ends_with_a_confirmed_booking_and_a_ticket_by_mail(stack: Any) -> None:
    lines = journey().splitlines()
    addresses = f"G={stack.gateway_url}; I={stack.inbox_url}; E=readme-{secrets.token_hex(4)}@example.com"
    assert lines[0].startswith("G=")
    *journey_lines, read_booking, read_mail = [addresses, *lines[1:]]
    script = "\n".join(["set -e", *journey_lines, 'echo; echo "BOOKING=$BOOKING TOKEN=$TOKEN"'])
    played = _shell(script)
    assert played.returncode == 0, played.stdout + played.stderr
    variables = played.stdout.splitlines()[-1].replace(" ", "\n")

    def run(command: str) -> str:
        return _shell(f"{addresses}\n{variables}\n{command}").stdout

    async def confirmed() -> bool | None:
        return json.loads(run(read_booking))["status"] == "confirmed" or None

    async def ticket() -> str | None:
        mails = json.loads(run(read_mail))["items"]
        return next(
            (one["name"] for mail in mails for one in mail["attachments"] if one["name"].endswith(".pdf")), None
        )

    await within(120, "confirmation", confirmed)
    await within(120, "a ticket by mail", ticket)
