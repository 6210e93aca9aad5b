"""What has served its time goes, and nothing younger."""

from datetime import timedelta

import pytest
from sqlalchemy import text

from rihla.db import Database
from rihla.kernel import FixedClock, new_id
from rihla.web import housekeeping
from rihla.web.housekeeping import Housekeeping


async def test_old_inbox_rows_and_keys_go_batch_by_batch_and_young_ones_stay(
    database: Database, clock: FixedClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    now = clock.now()
    ages = {"inbox": (timedelta(days=15), timedelta(days=13)), "key": (timedelta(hours=25), timedelta(hours=23))}
    async with database.transaction() as session:
        for n in range(6):
            await session.execute(
                text("INSERT INTO inbox (consumer, event_id, received_at) VALUES ('c', :id, :at)"),
                {"id": new_id(), "at": now - ages["inbox"][n % 2]},
            )
            await session.execute(
                text(
                    "INSERT INTO idempotency_key (scope, key, fingerprint, resource_id, lease_until, created_at) "
                    "VALUES ('s', :key, 'x', :id, :at, :at)"
                ),
                {"key": str(n), "id": new_id(), "at": now - ages["key"][n % 2]},
            )
    monkeypatch.setattr(housekeeping, "_BATCH", 2)
    assert await Housekeeping(database, clock).tidy() == 6
    assert await Housekeeping(database, clock).tidy() == 0
    async with database.transaction() as session:
        for table in ("inbox", "idempotency_key"):
            assert (await session.execute(text(f"SELECT count(*) FROM {table}"))).scalar_one() == 3
