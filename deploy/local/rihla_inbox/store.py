"""Where mails are kept: one SQLite file. A single writer thread commits whatever is waiting as one transaction."""

from __future__ import annotations

import asyncio
import queue
import sqlite3
import threading
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from rihla_inbox.parsing import Mail

KEPT_MAILS = 20_000
KEPT_BYTES = 1_000_000_000
"""The oldest mails go once there are more, or larger ones, than this."""
SWEEP_EVERY = 200

SCHEMA = """
CREATE TABLE IF NOT EXISTS mail (
  id INTEGER PRIMARY KEY AUTOINCREMENT, received_at TEXT NOT NULL, sender TEXT NOT NULL, subject TEXT NOT NULL,
  text TEXT NOT NULL, html TEXT NOT NULL, size INTEGER NOT NULL);
CREATE TABLE IF NOT EXISTS recipient (
  mail_id INTEGER NOT NULL REFERENCES mail(id) ON DELETE CASCADE, address TEXT NOT NULL,
  PRIMARY KEY (mail_id, address)) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS recipient_by_address ON recipient (address COLLATE NOCASE, mail_id DESC);
CREATE TABLE IF NOT EXISTS attachment (
  mail_id INTEGER NOT NULL REFERENCES mail(id) ON DELETE CASCADE, position INTEGER NOT NULL, name TEXT NOT NULL,
  type TEXT NOT NULL, content_id TEXT NOT NULL, data BLOB NOT NULL, PRIMARY KEY (mail_id, position));
"""


@dataclass(frozen=True)
class AttachmentRow:
    """An attachment without its bytes."""

    position: int
    name: str
    type: str
    content_id: str


@dataclass(frozen=True)
class Delivery:
    """One mail as one of its recipients got it."""

    mail_id: int
    to: str
    sender: str
    subject: str
    text: str
    html: str
    received_at: str
    attachments: tuple[AttachmentRow, ...]


@dataclass(frozen=True)
class _Job:
    mail: Mail
    recipients: tuple[str, ...]
    size: int
    loop: asyncio.AbstractEventLoop
    done: asyncio.Future[None]


class Store:
    """Adds wait for the commit; reads use a connection of their own."""

    def __init__(self, folder: Path, kept_mails: int = KEPT_MAILS, kept_bytes: int = KEPT_BYTES) -> None:
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        self._file = folder / "inbox.sqlite"
        self._kept_mails = kept_mails
        self._kept_bytes = kept_bytes
        self._jobs: queue.SimpleQueue[_Job | None] = queue.SimpleQueue()
        self._reading = threading.Lock()
        self._reader = self._connect()
        self._reader.executescript(SCHEMA)
        self._thread = threading.Thread(target=self._write, name="inbox-writer", daemon=True)
        self._thread.start()

    async def add(self, mail: Mail, recipients: Iterable[str], size: int) -> None:
        """Returns when the mail is on the disk. Raises sqlite3.Error when it could not be stored."""
        loop = asyncio.get_running_loop()
        done: asyncio.Future[None] = loop.create_future()
        self._jobs.put(_Job(mail, tuple(dict.fromkeys(recipients)), size, loop, done))
        await done

    def messages(self, to: str | None, limit: int, before: int | None = None) -> list[Delivery]:
        """Deliveries newest first, of one address (in any case) or of everybody."""
        rows = self._read(
            "SELECT m.id, r.address, m.sender, m.subject, m.text, m.html, m.received_at"
            " FROM recipient r JOIN mail m ON m.id = r.mail_id"
            " WHERE (?1 IS NULL OR r.address = ?1 COLLATE NOCASE) AND (?2 IS NULL OR m.id < ?2)"
            " ORDER BY r.mail_id DESC LIMIT ?3"
            if to is not None
            else "SELECT m.id, r.address, m.sender, m.subject, m.text, m.html, m.received_at"
            " FROM mail m JOIN recipient r ON r.mail_id = m.id"
            " WHERE ?1 IS NULL AND (?2 IS NULL OR m.id < ?2) ORDER BY m.id DESC LIMIT ?3",
            (to, before, limit),
        )
        return [Delivery(*(*row, self._attachments(row[0]))) for row in rows]

    def mail(self, mail_id: int) -> Delivery | None:
        """One mail, `to` being all its recipients; None when there is no such mail (any more)."""
        rows = self._read(
            "SELECT m.id, (SELECT group_concat(address, ', ') FROM recipient WHERE mail_id = m.id),"
            " m.sender, m.subject, m.text, m.html, m.received_at FROM mail m WHERE m.id = ?",
            (mail_id,),
        )
        return Delivery(*(*rows[0], self._attachments(mail_id))) if rows else None

    def attachment(self, mail_id: int, position: int) -> tuple[AttachmentRow, bytes] | None:
        """One attachment with its bytes."""
        rows = self._read(
            "SELECT position, name, type, content_id, data FROM attachment WHERE mail_id = ? AND position = ?",
            (mail_id, position),
        )
        return (AttachmentRow(*rows[0][:4]), rows[0][4]) if rows else None

    def close(self) -> None:
        """Commit what is waiting and close."""
        self._jobs.put(None)
        self._thread.join()
        self._reader.close()

    def _read(self, query: str, values: tuple[object, ...]) -> list[tuple[Any, ...]]:
        """Routes run in a pool of threads and share one connection."""
        with self._reading:
            return self._reader.execute(query, values).fetchall()

    def _connect(self) -> sqlite3.Connection:
        connection = sqlite3.connect(self._file, isolation_level=None, timeout=10.0, check_same_thread=False)
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("PRAGMA synchronous = FULL")
        connection.execute("PRAGMA foreign_keys = ON")
        return connection

    def _attachments(self, mail_id: int) -> tuple[AttachmentRow, ...]:
        rows = self._read(
            "SELECT position, name, type, content_id FROM attachment WHERE mail_id = ? ORDER BY position", (mail_id,)
        )
        return tuple(AttachmentRow(*row) for row in rows)

    def _write(self) -> None:
        """The writer thread: takes everything that is waiting, commits it once, then answers all of it."""
        connection = self._connect()
        written, running = 0, True
        while running:
            batch = [self._jobs.get()]
            while not self._jobs.empty():
                batch.append(self._jobs.get())
            running = None not in batch
            jobs = [job for job in batch if job is not None]
            error = self._commit(connection, jobs)
            for job in jobs:
                job.loop.call_soon_threadsafe(_answer, job.done, error)
            written += len(jobs)
            if written >= SWEEP_EVERY:
                written = 0
                self._sweep(connection)
        connection.close()

    def _commit(self, connection: sqlite3.Connection, jobs: list[_Job]) -> sqlite3.Error | None:
        try:
            connection.execute("BEGIN IMMEDIATE")
            for job in jobs:
                _insert(connection, job)
            connection.execute("COMMIT")
        except sqlite3.Error as error:
            if connection.in_transaction:
                connection.execute("ROLLBACK")
            return error
        return None

    def _sweep(self, connection: sqlite3.Connection) -> None:
        """Let the oldest go. A failure is no reason to refuse mail: the next sweep tries again."""
        try:
            connection.execute(
                "DELETE FROM mail WHERE id <= (SELECT max(id) FROM mail) - ? OR id <= coalesce((SELECT max(id) FROM"
                " (SELECT id, sum(size) OVER (ORDER BY id DESC) AS total FROM mail) WHERE total > ?), 0)",
                (self._kept_mails, self._kept_bytes),
            )
        except sqlite3.Error:
            return


def _insert(connection: sqlite3.Connection, job: _Job) -> None:
    mail = job.mail
    received_at = datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
    mail_id = connection.execute(
        "INSERT INTO mail (received_at, sender, subject, text, html, size) VALUES (?, ?, ?, ?, ?, ?)",
        (received_at, *map(_storable, (mail.sender, mail.subject, mail.text, mail.html)), job.size),
    ).lastrowid
    connection.executemany(
        "INSERT INTO recipient (mail_id, address) VALUES (?, ?)", [(mail_id, _storable(one)) for one in job.recipients]
    )
    connection.executemany(
        "INSERT INTO attachment (mail_id, position, name, type, content_id, data) VALUES (?, ?, ?, ?, ?, ?)",
        [
            (mail_id, position, _storable(one.name), one.type, _storable(one.content_id), one.data)
            for position, one in enumerate(mail.attachments, start=1)
        ],
    )


def _storable(text: str) -> str:
    """Mails can carry lone surrogates (undecodable bytes in a header); SQLite's text cannot."""
    return text.encode("utf-8", errors="replace").decode("utf-8")


def _answer(done: asyncio.Future[None], error: sqlite3.Error | None) -> None:
    if done.done():
        return
    if error is None:
        done.set_result(None)
    else:
        done.set_exception(error)
