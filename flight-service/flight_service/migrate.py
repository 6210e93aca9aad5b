"""`python -m flight_service.migrate`: bring this service's database to the newest revision."""

from pathlib import Path

from flight_service.settings import Settings
from rihla.db.migrations import upgrade

SERVICE_ROOT = Path(__file__).resolve().parent.parent


def main() -> None:
    upgrade(SERVICE_ROOT, Settings().database_url)


if __name__ == "__main__":
    main()
