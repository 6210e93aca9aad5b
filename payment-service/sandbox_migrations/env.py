from rihla.db.migrations import run_env
from sandbox_provider.tables import metadata

run_env(metadata)
