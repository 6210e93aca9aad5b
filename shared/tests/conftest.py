"""A small service of its own: the plumbing is tested on a real application and real servers."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Annotated, Any, ClassVar

import pytest
import pytest_asyncio
from fastapi import APIRouter, Depends, Request
from fastapi.responses import Response

from rihla.auth import CurrentPrincipal, Person, require_roles, require_service
from rihla.db import Database, make_base
from rihla.db.idempotency import idempotency_table
from rihla.db.inbox import inbox_table
from rihla.db.outbox import outbox_table
from rihla.kernel import DomainError, FixedClock, new_id
from rihla.settings import ServiceSettings
from rihla.testing.databases import with_database
from rihla.testing.keyring import Keyring
from rihla.testing.servers import Servers
from rihla.web import PageParams, ProblemSpec, ProblemTable, RequestModel, build_app, container
from rihla.web.idempotency import IdempotentRequest, Replay, idempotent_request, replay_response


class TooManyCups(DomainError):
    """More cups than the tray holds."""


class NobodyListedMe(DomainError):
    """Missing from the problem table, as a mistake would be."""


class TeaSettings(ServiceSettings):
    service: ClassVar[str] = "flight"


class CupOrder(RequestModel):
    cups: int


@dataclass(frozen=True)
class TeaContainer:
    db: Database


PROBLEMS = ProblemTable({TooManyCups: ProblemSpec(409, "too-many-cups", "The tray is full")})
router = APIRouter()
Key = Annotated[IdempotentRequest, Depends(idempotent_request())]
Tea = Annotated[TeaContainer, Depends(container)]


@router.get("/v1/cups")
async def list_cups(page: PageParams) -> dict[str, Any]:
    return {"limit": page.limit, "cursor": page.cursor}


@router.get("/v1/me")
async def me(person: Person) -> dict[str, str]:
    return {"id": str(person.user_id)}


@router.get("/v1/who")
async def who(principal: CurrentPrincipal) -> dict[str, str]:
    return {"kind": principal.kind}


@router.get("/v1/admin", dependencies=[Depends(require_roles("admin"))])
async def admin() -> dict[str, str]:
    return {"ok": "yes"}


@router.get("/internal/v1/cups", dependencies=[Depends(require_service("booking"))])
async def internal() -> dict[str, str]:
    return {"ok": "yes"}


@router.get("/v1/broken")
async def broken() -> None:
    raise ZeroDivisionError("a secret of the implementation")


@router.get("/v1/forgotten")
async def forgotten() -> None:
    raise NobodyListedMe("not in the table")


@router.post("/v1/orders")
async def order(body: CupOrder, person: Person, key: Key, tea: Tea, request: Request) -> Response:
    async with tea.db.transaction() as session:
        began = await key.begin(session, resource_id=new_id(), now=request.app.state.clock.now())
    if isinstance(began, Replay):
        return replay_response(began)
    if body.cups > 10:
        error = TooManyCups("Ten cups fit on a tray.", most=10)
        await key.finish_with_error(tea.db, error, PROBLEMS)
        raise error
    answer = f'{{"id": "{began.resource_id}"}}'.encode()
    async with tea.db.transaction() as session:
        await key.finish(session, status=201, body=answer)
    return Response(answer, 201, media_type="application/json")


@pytest_asyncio.fixture
async def database(real_servers: Servers) -> AsyncIterator[Database]:
    """A database with only the plumbing's tables."""
    import asyncpg

    admin = await asyncpg.connect(real_servers.database_url)
    name = f"t_{new_id().hex}"
    await admin.execute(f'CREATE DATABASE "{name}"')
    database = Database(with_database(real_servers.database_url, name))
    base = make_base()
    outbox_table(base.metadata)
    inbox_table(base.metadata)
    idempotency_table(base.metadata)
    async with database.engine.begin() as connection:
        await connection.run_sync(base.metadata.create_all)
    yield database
    await database.close()
    await admin.execute(f'DROP DATABASE "{name}" WITH (FORCE)')
    await admin.close()


@pytest.fixture
def tea_app(database: Database, keyring: Keyring, clock: FixedClock) -> Any:
    @asynccontextmanager
    async def open_container() -> AsyncIterator[TeaContainer]:
        yield TeaContainer(database)

    settings = TeaSettings(**keyring.settings("flight"))
    app = build_app(
        settings,
        title="Tea",
        routers=[router],
        problems=PROBLEMS,
        open_container=open_container,
        checks=lambda c: {"database": c.db.check},
        body_limit=10_000,
    )
    app.state.clock = clock
    return app
