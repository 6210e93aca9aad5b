"""Every table of this service, for migrations and for the test that compares them with the models."""

from payment_service.database import metadata
from payment_service.ledger import tables as ledger_tables
from payment_service.payments import tables as payment_tables
from payment_service.promos import tables as promo_tables
from payment_service.receipts import tables as receipt_tables
from payment_service.refunds import tables as refund_tables
from payment_service.saved_methods import tables as saved_method_tables
from payment_service.subscriptions import tables as subscription_tables
from payment_service.wallet import tables as wallet_tables
from payment_service.webhooks import tables as webhook_tables
from rihla.db.idempotency import idempotency_table
from rihla.db.inbox import inbox_table
from rihla.db.outbox import outbox_table

outbox_table(metadata)
inbox_table(metadata)
idempotency_table(metadata)

__all__ = [
    "ledger_tables",
    "metadata",
    "payment_tables",
    "promo_tables",
    "receipt_tables",
    "refund_tables",
    "saved_method_tables",
    "subscription_tables",
    "wallet_tables",
    "webhook_tables",
]
