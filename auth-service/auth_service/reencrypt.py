"""`python -m auth_service.reencrypt` moves everything encrypted at rest to the first key of DATA_KEYS.

Run it after a new key was put in front (docs/runbooks/secret-rotation.md), with the service running; when it ends well
no row names an older key, and that key may go. It may be stopped and run again; 1 when rows are unreadable.
"""

import asyncio
import sys
from typing import Any

from auth_service.bootstrap import open_database
from auth_service.people.encryption import DataCipher
from auth_service.people.passports import PASSPORT_NUMBER
from auth_service.people.tables import Passport
from auth_service.settings import Settings
from auth_service.two_factor.check_factor import SECRET
from auth_service.two_factor.tables import TotpDevice
from rihla.db import Database
from rihla.db.resealing import Resealed, SealedColumn, reseal_column

_PASSPORT: Any = Passport.__table__.c
_TOTP: Any = TotpDevice.__table__.c
ALL = (
    SealedColumn(_PASSPORT.holder_id, _PASSPORT.number_encrypted, PASSPORT_NUMBER),
    SealedColumn(_TOTP.account_id, _TOTP.secret_encrypted, SECRET),
)


async def reencrypt(db: Database, cipher: DataCipher) -> dict[str, Resealed]:
    """Move every row; by table, what was done. What cannot be read is left as it is."""
    return {str(one.column.table): await reseal_column(db, cipher, one) for one in ALL}


async def run(settings: Settings) -> int:
    """Re-encrypt and say what was done; 1 when something could not be read."""
    async with open_database(settings) as db:
        done = await reencrypt(db, DataCipher(settings.encryption_keys()))
    for table, outcome in done.items():
        words = f"{outcome.seen} rows, {outcome.moved} moved to the first key, {outcome.unreadable} unreadable"
        sys.stdout.write(f"{table}: {words}\n")
    return 1 if any(outcome.unreadable for outcome in done.values()) else 0


def main() -> int:
    """Command line."""
    return asyncio.run(run(Settings()))


if __name__ == "__main__":
    sys.exit(main())
