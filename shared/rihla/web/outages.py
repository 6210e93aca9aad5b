"""Which exceptions mean that a server we need is away (503, try again) rather than that we are wrong (500)."""

import asyncpg
from redis.exceptions import ConnectionError as RedisConnectionError
from redis.exceptions import TimeoutError as RedisTimeoutError
from sqlalchemy.exc import DBAPIError, InterfaceError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError

_DIRECT: tuple[type[BaseException], ...] = (
    ConnectionError,
    TimeoutError,
    PoolTimeoutError,
    RedisConnectionError,
    RedisTimeoutError,
    asyncpg.PostgresConnectionError,
    asyncpg.InterfaceError,
    # What asyncpg says when the server cut a connection between its being taken from the pool and its first statement.
    asyncpg.InternalClientError,
    asyncpg.exceptions.CannotConnectNowError,
    asyncpg.exceptions.AdminShutdownError,
    asyncpg.exceptions.CrashShutdownError,
    asyncpg.exceptions.TooManyConnectionsError,
    asyncpg.exceptions.LockNotAvailableError,
    asyncpg.exceptions.DeadlockDetectedError,
    asyncpg.exceptions.QueryCanceledError,
    asyncpg.exceptions.ReadOnlySQLTransactionError,
)
# SQLSTATE classes and codes: connection exceptions, operator intervention, insufficient resources, lock not available,
# deadlock, read-only transaction.
_STATES = ("08", "57P", "53", "55P03", "40P01", "57014", "25006")


def is_outage(error: BaseException) -> bool:
    """Whether a retry in a moment may well succeed."""
    if isinstance(error, _DIRECT):
        return True
    if isinstance(error, DBAPIError):
        state = str(getattr(error.orig, "sqlstate", "") or "")
        return error.connection_invalidated or isinstance(error, InterfaceError) or state.startswith(_STATES)
    return False
