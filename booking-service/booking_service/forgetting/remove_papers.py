"""Take the papers of forgotten people out of the store: what the law keeps is in the tables, a paper only repeats it.

First the files, then their rows: whatever ends in between is done again, and a file that is gone is no error.
"""

import asyncio

from sqlalchemy import text

from booking_service.bootstrap import Container
from booking_service.forgetting.erased import ERASED_EMAIL
from rihla.telemetry import Counter

REMOVED = Counter("rihla_documents_removed_total", "Files of forgotten people taken out of the store")
_BATCH = 100
_PAPERS = text(
    f"""SELECT d.id, d.storage_key FROM forgotten_person f JOIN booking b ON b.user_id = f.user_id
    JOIN document d ON d.booking_id = b.id
    WHERE f.finished_at IS NULL AND b.contact_email = '{ERASED_EMAIL}' LIMIT {_BATCH}"""
)
_FORGET = text("DELETE FROM document WHERE id = ANY(:ids)")


async def remove_papers(c: Container) -> int:
    """Remove a batch of those whose booking was erased; how many. StorageUnavailable leaves them for later."""
    async with c.db.transaction() as session:
        papers = (await session.execute(_PAPERS)).all()
    await asyncio.gather(*(c.documents.storage.delete(paper.storage_key) for paper in papers))
    if papers:
        async with c.db.transaction() as session:
            await session.execute(_FORGET, {"ids": [paper.id for paper in papers]})
    REMOVED.inc(len(papers))
    return len(papers)
