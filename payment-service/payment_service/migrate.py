"""`python -m payment_service.migrate` brings the database to the newest revision."""

from pathlib import Path

from payment_service.settings import Settings
from rihla.db.migrations import upgrade

ROOT = Path(__file__).parents[1]

if __name__ == "__main__":
    upgrade(ROOT, Settings().database_url)
