"""`python -m sandbox_provider.migrate` brings the sandbox company's database to the newest revision."""

from pathlib import Path

from alembic import command
from alembic.config import Config

from rihla.db.database import sqlalchemy_url
from sandbox_provider.settings import Settings

_SCRIPTS = Path(__file__).parents[1] / "sandbox_migrations"


def upgrade(database_url: str, scripts: Path = _SCRIPTS) -> None:
    """Run the company's own migrations."""
    config = Config()
    config.set_main_option("script_location", str(scripts))
    config.set_main_option("sqlalchemy.url", sqlalchemy_url(database_url).replace("%", "%%"))
    command.upgrade(config, "head")


if __name__ == "__main__":
    upgrade(Settings().database_url)
