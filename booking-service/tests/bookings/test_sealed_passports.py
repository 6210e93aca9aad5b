"""Numbers of passports at rest."""

import base64
import json
from typing import Any

import pytest
from pydantic import ValidationError

from booking_service.bookings.sealed_passport import PASSPORT_NUMBER, is_same
from booking_service.reseal import ALL
from booking_service.settings import Settings
from rihla.db.resealing import reseal
from rihla.encryption import DataCipher, read_keys
from rihla.kernel import new_id

_NUMBER = "BX0123456"
_PASSPORTS = "SELECT id, passport_number, passport_masked, passport_sealed FROM passenger ORDER BY id"


async def _everything_stored(house: Any) -> str:
    """Every row of every table of the service, as text."""
    tables = await house.rows("SELECT tablename FROM pg_tables WHERE schemaname = 'public'")
    stored = [await house.rows(f'SELECT t::text AS row FROM "{one["tablename"]}" t') for one in tables]
    return "\n".join(row["row"] for rows in stored for row in rows)


async def test_no_table_holds_the_number_of_a_passport(house: Any, traveller: Any) -> None:
    booking = await house.confirmed(house.body(None, traveller(), traveller(given_name="Noor", passport=None)))
    stored = await _everything_stored(house)
    assert "Rahman" in stored
    assert _NUMBER not in stored
    first, second = await house.rows(_PASSPORTS)
    plain = house.worker.c.cipher.decrypt(first["passport_sealed"], what=PASSPORT_NUMBER, owner=first["id"])
    assert (plain, first["passport_masked"]) == (_NUMBER, "******456")
    assert (second["passport_sealed"], second["passport_masked"]) == (None, None)
    assert [one["passport"] and one["passport"]["number"] for one in booking["passengers"]] == ["******456", None]


async def test_neither_does_the_draft_of_a_placing_that_was_cut_short(house: Any) -> None:
    house.flight.wire.down = True
    assert (await house.post("/v1/bookings", house.body())).status_code == 503
    (row,) = await house.rows("SELECT draft::text AS draft FROM booking")
    assert "******456" in row["draft"]
    assert _NUMBER not in await _everything_stored(house)


async def test_a_draft_of_the_version_before_is_sealed_when_it_is_driven_on(house: Any) -> None:
    house.flight.wire.down = True
    assert (await house.post("/v1/bookings", house.body())).status_code == 503
    house.flight.wire.down = False
    plain = json.dumps({"number": _NUMBER, "issuing_country": "BD", "nationality": "BD", "expires_on": "2031-05-01"})
    await house.rows(
        "UPDATE booking SET draft = jsonb_set(draft, '{travellers,0,passport}', CAST(:plain AS jsonb))", plain=plain
    )
    assert await house.worker.placings.sweep() == 1
    (row,) = await house.rows(_PASSPORTS)
    sealed = "\\x" + row["passport_sealed"].hex()
    assert is_same(house.worker.c.cipher, sealed, _NUMBER, row["id"])
    assert _NUMBER not in await _everything_stored(house)


async def test_rows_of_the_version_before_read_the_same_until_and_after_the_worker_seals_them(house: Any) -> None:
    booking = await house.place()
    await house.place()
    plain = "UPDATE passenger SET passport_number = :n, passport_masked = NULL, passport_sealed = NULL"
    await house.rows(plain, n=_NUMBER)
    before = await house.read(booking["id"])
    assert before["passengers"][0]["passport"]["number"] == "******456"
    assert [await house.worker.passports.seal_plain(limit=1) for _ in range(3)] == [1, 1, 0]
    assert await house.read(booking["id"]) == before
    for row in await house.rows(_PASSPORTS):
        assert row["passport_number"] is None
        assert house.worker.c.cipher.decrypt(row["passport_sealed"], what=PASSPORT_NUMBER, owner=row["id"]) == _NUMBER


async def test_a_corrected_number_is_sealed_and_the_same_number_again_changes_nothing(house: Any) -> None:
    booking = await house.place()
    path = f"/v1/bookings/{booking['id']}/passengers/{booking['passengers'][0]['id']}"
    other = {"number": "AB7654321", "issuing_country": "BD", "nationality": "BD", "expires_on": "2031-05-01"}
    for _ in range(2):
        answer = await house.client.patch(path, json={"passport": other}, headers=house.headers())
        assert answer.json()["passengers"][0]["passport"]["number"] == "******321"
    assert len(await house.events("booking.changed.v1")) == 1
    assert "AB7654321" not in await _everything_stored(house)


def _two_keys() -> tuple[str, str]:
    key = base64.b64encode(b"k" * 32).decode()
    old = json.loads(Settings.model_fields["traveller_keys"].default.get_secret_value())
    return json.dumps({"new": key, **old}), json.dumps({"new": key})


async def test_after_a_rotation_nothing_names_the_old_key(house: Any) -> None:
    for _ in range(3):
        await house.place()
    both, new = (DataCipher(read_keys(keys)) for keys in _two_keys())
    assert await reseal(house.worker.c.db, both, ALL, batch=2) == (3, 0)
    assert await reseal(house.worker.c.db, both, ALL, batch=2) == (0, 0)
    for row in await house.rows(_PASSPORTS):
        assert new.decrypt(row["passport_sealed"], what=PASSPORT_NUMBER, owner=row["id"]) == _NUMBER


async def test_a_number_sealed_for_one_passenger_is_unreadable_as_anothers_and_counted(house: Any) -> None:
    await house.place()
    (row,) = await house.rows(_PASSPORTS)
    sealed = "\\x" + row["passport_sealed"].hex()
    assert not is_same(house.worker.c.cipher, sealed, _NUMBER, new_id())
    _, new = (DataCipher(read_keys(keys)) for keys in _two_keys())
    assert await reseal(house.worker.c.db, new, ALL) == (0, 1)


def test_the_known_key_is_refused_outside_local(house: Any) -> None:
    of_my_own = {
        "rihla_env": "production",
        "idempotency_secret": "of-my-own",
        "boarding_pass_keys": base64.urlsafe_b64encode(b"p" * 32).decode().rstrip("="),
    }
    mine = house.settings.model_dump() | of_my_own
    keys = json.dumps({"2026-11": base64.b64encode(b"b" * 32).decode()})
    assert Settings(**mine | {"traveller_keys": keys}).encryption_keys() == {"2026-11": b"b" * 32}
    with pytest.raises(ValidationError, match="TRAVELLER_KEYS still has its local default"):
        Settings(**mine)
