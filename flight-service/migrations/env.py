"""Alembic's entry: the service's metadata, run by the shared runner."""

from flight_service.tables_all import metadata
from rihla.db.migrations import run_env

run_env(metadata)
