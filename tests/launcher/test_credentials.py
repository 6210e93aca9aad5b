"""Keys and passwords are made once, kept, and readable by their owner only."""

import json
import stat
from pathlib import Path

from rihla_local import container_secrets, credentials, manifest


def test_the_file_is_its_owners_alone_and_stays_as_it_is(tmp_path: Path) -> None:
    file = tmp_path / "secrets.json"
    first = credentials.load(file)
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert credentials.load(file) == first


def test_what_a_newer_service_needs_is_added_and_the_rest_kept(tmp_path: Path) -> None:
    file = tmp_path / "secrets.json"
    first = credentials.load(file)
    stored = json.loads(file.read_text())
    del stored["variables"]["OFFER_SECRETS"]
    file.write_text(json.dumps(stored))
    second = credentials.load(file)
    assert second.keys == first.keys
    assert second.variables["OFFER_SECRETS"] not in ("", first.variables["OFFER_SECRETS"])


def test_no_two_callers_share_a_key(tmp_path: Path) -> None:
    secrets = credentials.load(tmp_path / "secrets.json")
    assert len({key["d"] for key in secrets.keys.values()}) == len(manifest.CALLERS)


def test_a_container_gets_its_own_services_secrets(tmp_path: Path) -> None:
    container_secrets.write(tmp_path)
    lines = (tmp_path / "flight.env").read_text()
    assert "OFFER_SECRETS" in lines
    assert "ACCESS_TOKEN_KEYS" not in lines
    assert stat.S_IMODE((tmp_path / "flight.env").stat().st_mode) == 0o600
