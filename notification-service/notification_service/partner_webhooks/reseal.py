"""`python -m notification_service.partner_webhooks.reseal` moves what is sealed to the first key of WEBHOOK_KEYS.

Run it after a new key was put in front (docs/runbooks/secret-rotation.md), with the service running; when it ends well
no row names an older key, and that key may go. It may be stopped and run again; 1 when rows are unreadable.
"""

import asyncio
import sys

from sqlalchemy import select, update

from notification_service.partner_webhooks.secret_box import seal, unseal
from notification_service.partner_webhooks.tables import webhook_endpoint
from notification_service.settings import Settings
from rihla.db import Database
from rihla.encryption import DataCipher, UnreadableData


async def reseal(db: Database, cipher: DataCipher) -> tuple[int, int]:
    """Move every secret, each in a transaction of its own; how many were moved, and how many nobody can read."""
    moved = unreadable = 0
    for column in (webhook_endpoint.c.secret_sealed, webhook_endpoint.c.previous_sealed):
        async with db.transaction() as session:
            rows = (await session.execute(select(webhook_endpoint.c.id, column).where(column.is_not(None)))).all()
        for endpoint_id, sealed in rows:
            if cipher.is_current(sealed):
                continue
            try:
                renewed = seal(cipher, unseal(cipher, sealed, endpoint_id), endpoint_id)
            except UnreadableData:
                unreadable += 1
                continue
            async with db.transaction() as session:
                same = update(webhook_endpoint).where(webhook_endpoint.c.id == endpoint_id, column == sealed)
                await session.execute(same.values({column.name: renewed}))
            moved += 1
    return moved, unreadable


async def _run(settings: Settings) -> int:
    db = Database(settings.database_url, pool_size=2, application_name="notification-reseal")
    try:
        moved, unreadable = await reseal(db, DataCipher(settings.webhook_encryption_keys()))
    finally:
        await db.close()
    sys.stdout.write(f"{moved} moved, {unreadable} unreadable\n")
    return 1 if unreadable else 0


if __name__ == "__main__":
    sys.exit(asyncio.run(_run(Settings())))
