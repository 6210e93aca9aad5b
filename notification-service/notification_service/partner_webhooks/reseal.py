"""`python -m notification_service.partner_webhooks.reseal` moves what is sealed to the first key of WEBHOOK_KEYS.

Run it after a new key was put in front (docs/runbooks/secret-rotation.md), with the service running; when it ends well
no row names an older key, and that key may go. It may be stopped and run again; 1 when rows are unreadable.
"""

import asyncio
import sys
from typing import Final

from notification_service.partner_webhooks.secret_box import SECRET
from notification_service.partner_webhooks.tables import webhook_endpoint
from notification_service.settings import Settings
from rihla.db.resealing import SealedColumn, reseal_and_say

ALL: Final = (
    SealedColumn(webhook_endpoint.c.id, webhook_endpoint.c.secret_sealed, SECRET),
    SealedColumn(webhook_endpoint.c.id, webhook_endpoint.c.previous_sealed, SECRET),
)


if __name__ == "__main__":
    settings = Settings()
    sys.exit(asyncio.run(reseal_and_say(settings.database_url, settings.webhook_encryption_keys(), ALL)))
