"""Alembic's environment: the service's one metadata, the runner of `rihla`."""

from booking_service.tables_all import metadata
from rihla.db.migrations import run_env

run_env(metadata)
