"""`python -m payment_service.saved_methods.reseal` moves what is sealed to the first key of METHOD_KEYS.

Run it after a new key was put in front (docs/runbooks/secret-rotation.md), with the service running; when it ends well
no row names an older key, and that key may go. It may be stopped and run again; 1 when rows are unreadable.
"""

import asyncio
import sys
from typing import Final

from payment_service.saved_methods.tables import method_customer, saved_method
from payment_service.saved_methods.vault import CUSTOMER, SECRET, TOKEN
from payment_service.settings import Settings
from rihla.db.resealing import SealedColumn, reseal_and_say

ALL: Final = (
    SealedColumn(method_customer.c.user_id, method_customer.c.sealed, CUSTOMER),
    SealedColumn(saved_method.c.id, saved_method.c.token_sealed, TOKEN),
    SealedColumn(saved_method.c.id, saved_method.c.secret_sealed, SECRET),
)


if __name__ == "__main__":
    settings = Settings()
    sys.exit(asyncio.run(reseal_and_say(settings.database_url, settings.encryption_keys(), ALL)))
