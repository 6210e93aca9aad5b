"""`python -m booking_service.reseal` moves everything sealed at rest to the first key of TRAVELLER_KEYS.

Run it two minutes after a new key was put in front (docs/runbooks/secret-rotation.md), with the service running; when
it ends well no row names an older key, and that key may go. It may be stopped and run again; 1 when rows are
unreadable.
"""

import asyncio
import sys
from typing import Final

from booking_service.bookings.sealed_passport import PASSPORT_NUMBER
from booking_service.bookings.tables import passenger
from booking_service.seat_plans.kept_traveller import KEPT_TRAVELLER
from booking_service.seat_plans.tables import kept_traveller
from booking_service.settings import Settings
from rihla.db.resealing import SealedColumn, reseal_and_say

ALL: Final = (
    SealedColumn(passenger.c.id, passenger.c.passport_sealed, PASSPORT_NUMBER),
    SealedColumn(kept_traveller.c.subscription_id, kept_traveller.c.sealed, KEPT_TRAVELLER),
)


if __name__ == "__main__":
    settings = Settings()
    sys.exit(asyncio.run(reseal_and_say(settings.database_url, settings.encryption_keys(), ALL)))
