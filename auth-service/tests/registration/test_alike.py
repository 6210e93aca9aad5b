"""What the database is asked does not depend on whether an account exists, so neither can the time it takes."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any

from sqlalchemy import event

PASSWORD = "four wild geese over Sylhet"


@contextmanager
def _work_of(auth: Any) -> Iterator[list[str]]:
    """Statements sent and passwords computed, in order."""
    work: list[str] = []
    container = auth.app.state.container
    engine = container.db.engine.sync_engine

    def sent(_: Any, __: Any, statement: str, *___: Any) -> None:
        work.append(statement)

    run = container.passwords._run

    async def computed(task: Any) -> Any:
        work.append("argon2")
        return await run(task)

    event.listen(engine, "before_cursor_execute", sent)
    container.passwords._run = computed
    try:
        yield work
    finally:
        event.remove(engine, "before_cursor_execute", sent)
        container.passwords._run = run


async def _compare(auth: Any, path: str, known: dict[str, Any], unknown: dict[str, Any]) -> list[str]:
    works = []
    for body in (known, unknown):
        with _work_of(auth) as work:
            await auth.post(path, body)
        works.append(work)
    assert works[0] == works[1]
    return works[0]


async def test_registering_asking_and_forgetting_do_the_same_work_for_known_and_unknown_addresses(auth: Any) -> None:
    await auth.registered("known@example.com")
    await auth.post("/v1/auth/login", {"identifier": "warm@example.com", "password": "up the dummy hash"})
    auth.clock.advance(timedelta(minutes=2))
    known, unknown = {"identifier": "known@example.com"}, {"identifier": "unknown@example.com"}
    # Both have asked before, so that nothing but the account differs.
    for path in ("/v1/auth/login/code", "/v1/auth/password/forgot"):
        await auth.post(path, unknown)
        await auth.post(path, known)
    await auth.post("/v1/auth/register", {"email": "unknown@example.com", "password": PASSWORD, "full_name": "B"})
    auth.clock.advance(timedelta(minutes=2))
    await _compare(auth, "/v1/auth/login/code", known, unknown)
    await _compare(auth, "/v1/auth/password/forgot", known, unknown)
    wrong = {"password": "certainly not this"}
    signing_in = await _compare(auth, "/v1/auth/login", {**known, **wrong}, {**unknown, **wrong})
    assert signing_in.count("argon2") == 1


async def test_registering_does_the_same_work_whether_or_not_an_account_exists(auth: Any) -> None:
    await auth.registered("known@example.com")
    auth.clock.advance(timedelta(minutes=2))
    body = {"password": PASSWORD, "full_name": "A"}
    work = await _compare(
        auth,
        "/v1/auth/register",
        {**body, "email": "known@example.com"},
        {**body, "email": "unknown@example.com"},
    )
    assert work.count("argon2") == 1
