"""The manifest names what is there, and every process gets the environment its settings ask for."""

import json
from pathlib import Path

import pytest

from rihla_local import credentials, manifest, wiring
from rihla_local.layout import ROOT


def addresses(everyone: list[manifest.Process], folder: Path) -> wiring.Addresses:
    ports = {process.name: 20000 + number for number, process in enumerate(everyone)}
    databases = {name: f"postgresql://{name}:x@127.0.0.1:5432/{name}" for name in manifest.databases(ROOT)}
    return wiring.Addresses(ports, 1025, databases, "redis://127.0.0.1/0", "amqp://127.0.0.1/", folder)


def test_a_service_without_a_package_is_left_out(tmp_path: Path) -> None:
    (tmp_path / "auth-service" / "auth_service").mkdir(parents=True)
    assert manifest.processes(tmp_path) == []
    (tmp_path / "auth-service" / "auth_service" / "main.py").touch()
    assert [one.name for one in manifest.processes(tmp_path)] == ["auth"]
    (tmp_path / "auth-service" / "auth_service" / "worker.py").touch()
    assert [one.name for one in manifest.processes(tmp_path)] == ["auth", "auth-worker"]


def test_replicas_multiply_services_but_not_the_inbox_or_the_sandbox() -> None:
    names = [one.name for one in manifest.processes(ROOT, replicas=3)]
    assert {"booking", "booking-2", "booking-3", "booking-worker-3", "gateway-3"} <= set(names)
    assert [name for name in names if name.startswith(("inbox", "sandbox"))] == ["sandbox", "inbox"]


@pytest.mark.parametrize("process", manifest.processes(ROOT), ids=lambda process: str(process.name))
def test_every_process_has_its_own_database_and_its_own_key_only(process: manifest.Process, tmp_path: Path) -> None:
    everyone = manifest.processes(ROOT, replicas=2)
    secrets = credentials.load(tmp_path / "secrets.json")
    found = wiring.variables(process, everyone, addresses(everyone, tmp_path), secrets, {})
    name = process.service.name
    assert found["DATABASE_URL"] == (f"postgresql://{name}:x@127.0.0.1:5432/{name}" if process.service.database else "")
    assert ("SERVICE_KEY" in found) == process.service.caller
    if process.service.caller:
        assert json.loads(found["SERVICE_KEY"])["kid"] == f"{name}-1"
        assert all("d" not in key for key in json.loads(found["SERVICE_JWKS"])["keys"])
    assert len(found["BOOKING_URL"].split(",")) == 2


def test_what_a_person_sets_wins_over_secrets_but_not_over_wiring(tmp_path: Path) -> None:
    everyone = manifest.processes(ROOT)
    auth = next(one for one in everyone if one.name == "auth")
    secrets = credentials.load(tmp_path / "secrets.json")
    own = {"ADMIN_PASSWORD": "chosen by me", "DATABASE_URL": "postgresql://elsewhere", "ACCESS_TOKEN_MINUTES": "5"}
    found = wiring.variables(auth, everyone, addresses(everyone, tmp_path), secrets, own)
    assert (found["ADMIN_PASSWORD"], found["ACCESS_TOKEN_MINUTES"]) == ("chosen by me", "5")
    assert "elsewhere" not in found["DATABASE_URL"]


def test_the_company_next_door_signs_with_the_secret_payment_checks(tmp_path: Path) -> None:
    everyone = manifest.processes(ROOT)
    secrets = credentials.load(tmp_path / "secrets.json")
    by_name = {one.name: one for one in everyone}
    payment, sandbox = (
        wiring.variables(by_name[name], everyone, addresses(everyone, tmp_path), secrets, {})
        for name in ("payment", "sandbox")
    )
    assert payment["SANDBOX_WEBHOOK_SECRET"] == sandbox["WEBHOOK_SECRET"]
    assert payment["SANDBOX_API_KEY"] == sandbox["SANDBOX_API_KEY"]


def test_a_dotenv_file_is_read_without_expanding_anything(tmp_path: Path) -> None:
    file = tmp_path / ".env"
    file.write_text("# no\nexport LOG_LEVEL=DEBUG\nMAIL='a $b # c'\nEMPTY=\nPORT=8081 # why\n")
    assert wiring.read_dotenv(file) == {"LOG_LEVEL": "DEBUG", "MAIL": "a $b # c", "PORT": "8081"}


def test_webhooks_can_be_sent_through_somebody_elses_hands(tmp_path: Path) -> None:
    everyone = manifest.processes(ROOT)
    secrets = credentials.load(tmp_path / "secrets.json")
    sandbox = next(one for one in everyone if one.name == "sandbox")
    places = addresses(everyone, tmp_path)
    assert wiring.variables(sandbox, everyone, places, secrets, {})["WEBHOOK_URL"].startswith(places.url("gateway"))
    own = {"SANDBOX_WEBHOOK_URL": "http://127.0.0.1:9/v1/webhooks/sandbox"}
    assert wiring.variables(sandbox, everyone, places, secrets, own)["WEBHOOK_URL"] == own["SANDBOX_WEBHOOK_URL"]
