"""Alembic's environment; the runner lives in rihla.db.migrations."""

from notification_service.tables_all import metadata
from rihla.db.migrations import run_env

run_env(metadata)
