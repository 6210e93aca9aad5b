"""Objects as files of one folder: the local stack and tests."""

import asyncio
import os
import tempfile
from pathlib import Path

from rihla.storage.store import ObjectMissing, StorageUnavailable, checked_key


class FolderStore:
    """A file is written beside its place, synced, and renamed into it, so that a crash leaves no half object."""

    def __init__(self, root: Path) -> None:
        self._root = root

    async def put(self, key: str, data: bytes, *, media_type: str) -> None:
        """Store `data`; the media type is not kept, whoever reads knows it."""
        await asyncio.to_thread(self._write, self._root / checked_key(key), data)

    async def get(self, key: str) -> bytes:
        """The stored bytes."""
        path = self._root / checked_key(key)
        try:
            return await asyncio.to_thread(path.read_bytes)
        except FileNotFoundError as error:
            raise ObjectMissing(key) from error
        except OSError as error:
            raise StorageUnavailable(f"cannot read from the folder: {error.strerror}") from error

    async def delete(self, key: str) -> None:
        """Remove the file, if it is there."""
        path = self._root / checked_key(key)
        await asyncio.to_thread(path.unlink, missing_ok=True)

    async def check(self) -> None:
        """The folder can be made or is there."""
        try:
            await asyncio.to_thread(self._root.mkdir, parents=True, exist_ok=True)
        except OSError as error:
            raise StorageUnavailable(f"cannot make the folder: {error.strerror}") from error

    async def close(self) -> None:
        """Nothing is open."""

    @staticmethod
    def _write(path: Path, data: bytes) -> None:
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=".writing-")
            try:
                with os.fdopen(handle, "wb") as file:
                    file.write(data)
                    file.flush()
                    os.fsync(file.fileno())
                os.replace(temporary, path)
            except BaseException:
                Path(temporary).unlink(missing_ok=True)
                raise
        except OSError as error:
            raise StorageUnavailable(f"cannot write to the folder: {error.strerror}") from error
