"""The inbox as an ASGI application: SMTP in the lifespan, JSON for tools, pages for people."""

from __future__ import annotations

import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from fastapi import FastAPI

from rihla_inbox import api, pages
from rihla_inbox.receiving import listening
from rihla_inbox.store import Store


def create_app(*, smtp_port: int | None = None, data_dir: Path | None = None, smtp_host: str | None = None) -> FastAPI:
    """Arguments not given come from INBOX_SMTP_PORT (default 1025), INBOX_DATA_DIR and INBOX_SMTP_HOST (loopback)."""
    port = int(os.environ.get("INBOX_SMTP_PORT", "1025")) if smtp_port is None else smtp_port
    folder = data_dir or Path(os.environ.get("INBOX_DATA_DIR", ".run/inbox"))
    host = smtp_host or os.environ.get("INBOX_SMTP_HOST", "127.0.0.1")

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        store = Store(folder)
        try:
            async with listening(store, host, port) as app.state.smtp_port:
                app.state.store = store
                yield
        finally:
            store.close()

    app = FastAPI(title="Rihla inbox", description="What the local stack has sent", lifespan=lifespan, openapi_url=None)
    app.include_router(api.router)
    app.include_router(pages.router)
    return app
