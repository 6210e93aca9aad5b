"""Clones of a template database, one made ahead: while a test runs, a thread makes the next and drops the last.

Creating and dropping a database is waiting for files, about 0.15 s a test; a test that waits for neither is a test that
is run more often.
"""

import asyncio
from collections.abc import AsyncIterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import asynccontextmanager
from urllib.parse import urlsplit, urlunsplit

import asyncpg

from rihla.kernel import new_id

_ahead: dict[tuple[str, str], "Future[str]"] = {}
_thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="databases")


def with_database(url: str, name: str) -> str:
    """`url` pointing at another database of the same server."""
    return urlunsplit(urlsplit(url)._replace(path=f"/{name}"))


@asynccontextmanager
async def cloned(admin_url: str, template: str) -> AsyncIterator[str]:
    """The URL of a clone of its own; dropped some time afterwards, at the latest by `drop_what_was_made_ahead`."""
    wanted = (admin_url, template)
    made = _ahead.pop(wanted) if wanted in _ahead else _thread.submit(_create, *wanted)
    name = await asyncio.wrap_future(made)
    _ahead[wanted] = _thread.submit(_create, *wanted)
    try:
        yield with_database(admin_url, name)
    finally:
        _thread.submit(_drop, admin_url, name)


def drop_what_was_made_ahead() -> None:
    """At the end of a session: nothing is left on a server that others use too."""
    for (admin_url, _), future in _ahead.items():
        _thread.submit(_drop, admin_url, future.result())
    _ahead.clear()
    _thread.submit(lambda: None).result()


def _create(admin_url: str, template: str) -> str:
    name = f"t_{new_id().hex}"
    asyncio.run(_execute(admin_url, f'CREATE DATABASE "{name}" TEMPLATE "{template}"'))
    return name


def _drop(admin_url: str, name: str) -> None:
    asyncio.run(_execute(admin_url, f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)'))


async def _execute(admin_url: str, statement: str) -> None:
    admin = await asyncpg.connect(admin_url)
    try:
        await admin.execute(statement)
    finally:
        await admin.close()
