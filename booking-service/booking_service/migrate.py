"""`python -m booking_service.migrate`: bring the database of this service to its newest revision."""

from pathlib import Path

from booking_service.settings import Settings
from rihla.db.migrations import upgrade

SERVICE_ROOT = Path(__file__).resolve().parents[1]


def main() -> None:
    """Read the environment and migrate."""
    upgrade(SERVICE_ROOT, Settings().database_url)


if __name__ == "__main__":
    main()
