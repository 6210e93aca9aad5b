"""Alembic's environment; the runner lives in rihla.db.migrations."""

from chat_service.tables_all import metadata
from rihla.db.migrations import run_env

run_env(metadata)
