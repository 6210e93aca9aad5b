"""PostgreSQL: engine and unit of work, outbox, inbox, idempotency keys, migrations."""

from rihla.db.base import make_base
from rihla.db.database import Database, asyncpg_dsn

__all__ = ["Database", "asyncpg_dsn", "make_base"]
