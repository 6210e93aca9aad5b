"""Moving what is encrypted at rest to a new key."""

from typing import Any
from uuid import uuid4

from auth_service.people.encryption import DataCipher
from auth_service.reencrypt import reencrypt
from rihla.db import Database

PASSWORD = "four wild geese over Sylhet"
PASSPORT = {"number": "BX0123456", "issuing_country": "BD", "nationality": "BD", "expires_on": "2031-05-01"}


async def test_every_row_moves_to_the_first_key_and_the_old_one_may_go(auth: Any) -> None:
    people = [await auth.registered(f"p{number}@example.com") for number in range(3)]
    for person in people:
        assert (await auth.patch("/v1/me", {"passport": PASSPORT}, person)).status_code == 200
    assert (await auth.post("/v1/me/two-factor", {"password": PASSWORD}, people[0])).status_code == 201
    keys = auth.settings.encryption_keys()
    rotated = DataCipher({"new-1": b"n" * 32, **keys})
    db = Database(auth.settings.database_url, pool_size=1)
    done = await reencrypt(db, rotated)
    assert (done["passport"].seen, done["passport"].moved, done["passport"].unreadable) == (3, 3, 0)
    assert (done["totp_device"].seen, done["totp_device"].moved) == (1, 1)
    again = await reencrypt(db, rotated)
    assert {outcome.moved for outcome in again.values()} == {0}
    alone = DataCipher({"new-1": b"n" * 32})
    for row in await auth.sql("SELECT holder_id, number_encrypted FROM passport"):
        assert alone.decrypt(row[1], what="passport-number", owner=row[0]) == "BX0123456"
    await db.close()


async def test_a_row_that_cannot_be_read_is_left_and_counted(auth: Any) -> None:
    person = await auth.registered()
    await auth.patch("/v1/me", {"passport": PASSPORT}, person)
    strange = DataCipher({"lost": b"l" * 32}).encrypt("X", what="passport-number", owner=uuid4())
    await auth.sql(f"UPDATE passport SET number_encrypted = '\\x{strange.hex()}'::bytea RETURNING 1")
    db = Database(auth.settings.database_url, pool_size=1)
    done = await reencrypt(db, DataCipher({"new-1": b"n" * 32, **auth.settings.encryption_keys()}))
    assert (done["passport"].moved, done["passport"].unreadable) == (0, 1)
    [row] = await auth.sql("SELECT number_encrypted FROM passport")
    assert bytes(row[0]) == strange
    await db.close()
