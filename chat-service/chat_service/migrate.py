"""`python -m chat_service.migrate` brings the database to the newest revision."""

from pathlib import Path

from chat_service.settings import Settings
from rihla.db.migrations import upgrade

SERVICE_ROOT = Path(__file__).resolve().parent.parent


def main() -> None:
    """Read the settings and upgrade."""
    upgrade(SERVICE_ROOT, Settings().database_url)


if __name__ == "__main__":
    main()
