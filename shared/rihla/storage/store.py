"""What every store can do, and how it fails."""

import re
from typing import Protocol

_KEY = re.compile(r"[A-Za-z0-9_-][A-Za-z0-9._-]*(/[A-Za-z0-9_-][A-Za-z0-9._-]*)*")
_LONGEST_KEY = 512


class ObjectMissing(LookupError):
    """Nothing is stored under this key."""


class StorageUnavailable(ConnectionError):
    """The store did not answer, or refused; the caller tries again later."""


class ObjectStore(Protocol):
    """Whole objects only. A `put` is atomic: a reader sees the old object or the new one, never a part."""

    async def put(self, key: str, data: bytes, *, media_type: str) -> None:
        """Store `data`, replacing what was there. Raises StorageUnavailable."""
        ...

    async def get(self, key: str) -> bytes:
        """The stored bytes. Raises ObjectMissing or StorageUnavailable."""
        ...

    async def delete(self, key: str) -> None:
        """Forget the object; a missing one is no error. Raises StorageUnavailable."""
        ...

    async def check(self) -> None:
        """Raise StorageUnavailable unless the store answers."""
        ...

    async def close(self) -> None:
        """Close connections."""
        ...


def checked_key(key: str) -> str:
    """`key` unless it could leave its place: letters, digits, `._-`, single slashes, no part begins with a dot."""
    if len(key) > _LONGEST_KEY or not _KEY.fullmatch(key):
        raise ValueError(f"not a storage key: {key[:80]!r}")
    return key
