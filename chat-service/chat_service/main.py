"""The API process: `uvicorn --factory chat_service.main:create_app`."""

from typing import Any

import uvicorn
from fastapi import FastAPI

import chat_service.assistant.api
import chat_service.attachments.api
import chat_service.callbacks.api
import chat_service.canned.api
import chat_service.conversations.admin_api
import chat_service.conversations.api
import chat_service.desk.api
import chat_service.faq.api
import chat_service.live.api
import chat_service.tickets.api
from chat_service.attachments.rules import LARGEST_OF_ALL
from chat_service.bootstrap import open_live
from chat_service.problems import problems
from chat_service.settings import Settings
from rihla.kernel import Clock, SystemClock
from rihla.web import build_app
from rihla.web.whole_answer import WholeAnswerProtocol

_ENVELOPE_BYTES = 64 * 1024


def create_app(settings: Settings | None = None, *, clock: Clock | None = None) -> FastAPI:
    """The application; settings come from the environment when none are given."""
    settings = settings or Settings()
    return build_app(
        settings,
        title="Rihla: support",
        description="Conversations with support, attachments, tickets, callbacks, the FAQ and the assistant.",
        routers=[
            chat_service.conversations.api.router,
            chat_service.conversations.admin_api.router,
            chat_service.live.api.router,
            chat_service.attachments.api.router,
            chat_service.attachments.api.files_router,
            chat_service.assistant.api.router,
            chat_service.faq.api.router,
            chat_service.faq.api.admin_router,
            chat_service.tickets.api.router,
            chat_service.tickets.api.admin_router,
            chat_service.tickets.api.mail_router,
            chat_service.callbacks.api.router,
            chat_service.callbacks.api.admin_router,
            chat_service.desk.api.router,
            chat_service.canned.api.router,
        ],
        problems=problems,
        open_container=lambda: open_live(settings, clock or SystemClock()),
        checks=lambda c: {"database": c.db.check},
        body_limit=LARGEST_OF_ALL + _ENVELOPE_BYTES,
    )


def server_config(app: Any, settings: Settings, **more: Any) -> uvicorn.Config:
    """How uvicorn should run this service: frames bounded before they are in memory whole, no compression windows
    (they cost 64 KB and more a socket), dead peers noticed."""
    return uvicorn.Config(
        app,
        http=WholeAnswerProtocol,
        ws_max_size=settings.socket_frame_bytes * 2,
        ws_max_queue=8,
        ws_per_message_deflate=False,
        ws_ping_interval=20.0,
        ws_ping_timeout=20.0,
        access_log=False,
        log_config=None,
        timeout_graceful_shutdown=5,
        **more,
    )
