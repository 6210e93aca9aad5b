"""`python -m chat_service.seed`: load the FAQ of a new installation. May be repeated; changed entries stay changed."""

import asyncio

from chat_service.faq.seed_entries import SEED
from chat_service.faq.store import add_entry
from chat_service.settings import Settings
from rihla.db import Database
from rihla.kernel import Clock, SystemClock


async def seed(settings: Settings, clock: Clock) -> int:
    """Load what is missing; the number of entries made."""
    db = Database(settings.database_url, pool_size=1)
    made = 0
    try:
        async with db.transaction() as session:
            for position, entry in enumerate(SEED):
                for language, (question, answer) in entry.texts.items():
                    values = {
                        "slug": entry.slug,
                        "language": language,
                        "category": entry.category,
                        "question": question,
                        "answer": answer,
                        "position": position,
                        "featured": entry.featured,
                    }
                    made += await add_entry(session, values, clock.now()) is not None
    finally:
        await db.close()
    return made


def main() -> None:
    """Read the settings and load."""
    print(f"chat-service: {asyncio.run(seed(Settings(), SystemClock()))} FAQ entries made")


if __name__ == "__main__":
    main()
