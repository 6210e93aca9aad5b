"""Prefork: the launcher imports libraries and services once, freezes them, and each child shares those pages.

A process begins with 6 MB of its own instead of 130 and has 20 once it is ready, 30 to 50 at work (measured): most of
what FastAPI and pydantic make is made at import, but CPython 3.11 counts references in the objects themselves, so that
running shared code copies its pages. The price: after an edit the launcher has to be started again, a restarted
process alone would still run the old code.
"""

from __future__ import annotations

import contextlib
import gc
import importlib
import os
import runpy
import sys
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rihla_local.manifest import Process

if TYPE_CHECKING:
    import uvicorn

_metrics: dict[str, set[Any]] = {}
GRACEFUL_SECONDS = 3
"""How long a stopping process lets requests finish."""

LIBRARIES = (
    "aio_pika",
    "aiohttp",
    "aiosmtplib",
    "alembic.autogenerate",
    "alembic.command",
    "alembic.config",
    "anyio._backends._asyncio",
    "asyncpg",
    "certifi",
    "cryptography.hazmat.backends.openssl",
    "cryptography.hazmat.primitives.asymmetric.ec",
    "email_validator",
    "fastapi",
    "fastapi.openapi.utils",
    "h11",
    "httpcore",
    "httptools",
    "httpx",
    "httpx_aiohttp",
    "jinja2",
    "jose.jwt",
    "msgspec",
    "prometheus_client",
    "pydantic",
    "pydantic_settings",
    "redis.asyncio",
    "sqlalchemy.dialects.postgresql.asyncpg",
    "sqlalchemy.ext.asyncio",
    "structlog",
    "uvicorn.lifespan.on",
    "uvicorn.loops.uvloop",
    "rihla.web.whole_answer",
    "uvicorn.protocols.websockets.websockets_sansio_impl",
    "uvloop",
    "rihla.auth",
    "rihla.contracts.events",
    "rihla.db",
    "rihla.db.migrations",
    "rihla.http",
    "rihla.kernel",
    "rihla.messaging",
    "rihla.settings",
    "rihla.telemetry",
    "rihla.web",
)


def import_libraries(bytecode: Path) -> None:
    """Import what several services use.

    What cannot be imported is left to the child that needs it: its log will say why. Where the person wants no byte
    code beside the sources it goes to the folder `bytecode`, for compiling again at each start costs seconds.
    """
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
    if sys.dont_write_bytecode:
        sys.dont_write_bytecode, sys.pycache_prefix = False, str(bytecode)
    gc.disable()
    for name in LIBRARIES:
        with contextlib.suppress(Exception):
            importlib.import_module(name)
    gc.enable()


def import_services(processes: Iterable[Process]) -> None:
    """Import every process's module and freeze. Metrics are set aside; a child registers its own service's."""
    from prometheus_client import REGISTRY

    gc.disable()
    for process in processes:
        before = set(REGISTRY._collector_to_names)
        with contextlib.suppress(Exception):
            importlib.import_module(process.factory.partition(":")[0])
        added = set(REGISTRY._collector_to_names) - before
        for collector in added:
            REGISTRY.unregister(collector)
        _metrics.setdefault(process.service.name, set()).update(added)
    gc.collect()
    gc.freeze()
    gc.enable()


def serve(process: Process, port: int, environment: Mapping[str, str]) -> int:
    """Body of a child: one uvicorn process. Returns its exit code."""
    import uvicorn

    _become(process.name, environment)
    _register_metrics(process.service.name)
    place: dict[str, Any] = {"host": "127.0.0.1", "port": port, "loop": "uvloop", "lifespan": "on"}
    if process.service.server_config is None:
        config = _usual_config(process.factory, place)
    else:
        app = _named(process.factory)()
        # The gateway is a plain ASGI application with settings of its own; `rihla.web` keeps them in the state.
        settings = getattr(app, "settings", None) or app.state.settings
        config = _named(process.service.server_config)(app, settings, **place)
    config.timeout_graceful_shutdown = GRACEFUL_SECONDS
    server = uvicorn.Server(config)
    server.run()
    return 0 if server.started else 3


def _register_metrics(service: str) -> None:
    from prometheus_client import REGISTRY

    for collector in _metrics.get(service, ()):
        REGISTRY.register(collector)


def _usual_config(factory: str, place: Mapping[str, Any]) -> uvicorn.Config:
    """Idle connections are kept longer than the callers' pools keep them, so that nobody writes into a closing one."""
    import uvicorn

    return uvicorn.Config(
        factory,
        factory=True,
        http="rihla.web.whole_answer:WholeAnswerProtocol",
        ws="websockets-sansio",
        access_log=False,
        log_config=None,
        server_header=False,
        proxy_headers=False,
        backlog=2048,
        timeout_keep_alive=75,
        **place,
    )


def _named(path: str) -> Any:
    module, _, name = path.partition(":")
    return getattr(importlib.import_module(module), name)


def prepare(name: str, package: str, modules: list[str], environment: Mapping[str, str]) -> int:
    """Body of a child: `<package>.migrate`, then `<package>.seed` where there is one."""
    _become(name, environment)
    for module in modules:
        sys.argv = [module]
        _main_of(f"{package}.{module}")
    return 0


def _main_of(module: str) -> None:
    main = getattr(importlib.import_module(module), "main", None)
    if main is None:
        runpy.run_module(module, run_name="__main__", alter_sys=True)
        return
    code = main()
    if code:
        raise SystemExit(code)


def _become(name: str, environment: Mapping[str, str]) -> None:
    os.environ.clear()
    os.environ.update(environment)
    with contextlib.suppress(OSError), open("/proc/self/comm", "w") as file:
        file.write(name[:15])
