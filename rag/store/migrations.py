"""The schema of the local store, as numbered migrations that are only ever appended to.

``PRAGMA user_version`` counts the migrations that a file has seen; ``application_id``
marks it as one of ours. A released migration is never edited: a change of the schema is
a new entry at the end of :data:`MIGRATIONS`.
"""

from __future__ import annotations

import sqlite3
import time
from pathlib import Path

from rag.errors import StoreError
from rag.store import digest_schema

APPLICATION_ID = int.from_bytes(b"Thmb", "big")

MIGRATIONS: tuple[tuple[str, ...], ...] = (
    # 1: conversations, answers, feedback. The numbers `n` are never given twice
    # (AUTOINCREMENT), so a reader that remembers the last one it saw misses no row.
    (
        """
        CREATE TABLE conversations (
            n           INTEGER PRIMARY KEY AUTOINCREMENT,
            id          TEXT NOT NULL UNIQUE,
            secret_hash TEXT NOT NULL,   -- SHA-256 of the browser's secret, hexadecimal
            prototype   TEXT NOT NULL,
            title       TEXT NOT NULL,
            created     REAL NOT NULL,   -- Unix seconds, as all times here
            updated     REAL NOT NULL
        )
        """,
        "CREATE INDEX conversations_by_secret ON conversations (secret_hash, updated)",
        # `record` is the whole answer as JSON; the columns beside it repeat what is queried.
        # `place` is the `n` of the answer that this one stands in for, through any number of
        # replacements; NULL where it replaces none.
        """
        CREATE TABLE answers (
            n               INTEGER PRIMARY KEY AUTOINCREMENT,
            id              TEXT NOT NULL UNIQUE,
            conversation_id TEXT REFERENCES conversations (id),
            replaces        TEXT REFERENCES answers (id),
            place           INTEGER,
            prototype       TEXT NOT NULL,
            created         REAL NOT NULL,
            origin          TEXT NOT NULL,
            question        TEXT NOT NULL,
            text            TEXT NOT NULL,
            confidence      REAL NOT NULL,
            abstained       INTEGER NOT NULL CHECK (abstained IN (0, 1)),
            generator       TEXT NOT NULL,
            settings        TEXT NOT NULL,
            index_version   TEXT NOT NULL,
            prompt_version  TEXT NOT NULL,
            link            TEXT,
            record          TEXT NOT NULL
        )
        """,
        "CREATE INDEX answers_by_conversation ON answers (conversation_id)",
        "CREATE INDEX answers_by_replaces ON answers (replaces)",
        """
        CREATE TABLE feedback (
            n          INTEGER PRIMARY KEY AUTOINCREMENT,
            answer_id  TEXT NOT NULL REFERENCES answers (id),
            revision   INTEGER NOT NULL CHECK (revision >= 1),
            rating     TEXT CHECK (rating IN ('up', 'down')),   -- NULL: taken back
            reasons    TEXT NOT NULL,                           -- a JSON array
            comment    TEXT NOT NULL,
            correction TEXT NOT NULL,
            origin     TEXT NOT NULL,
            created    REAL NOT NULL,
            UNIQUE (answer_id, revision)
        )
        """,
    ),
    # 2: what people prefer, what the owner notes, and what is to be delivered to Supabase.
    (
        # A delivery is recognised by an id that was made here, so feedback needs one of its own.
        "ALTER TABLE feedback ADD COLUMN id TEXT",
        "UPDATE feedback SET id = lower(hex(randomblob(16)))",
        "CREATE UNIQUE INDEX feedback_by_id ON feedback (id)",
        "ALTER TABLE feedback ADD COLUMN passage TEXT",  # JSON of a Relevant; NULL for none
        "ALTER TABLE feedback ADD COLUMN reported TEXT NOT NULL DEFAULT '[]'",  # a JSON array of numbers
        "ALTER TABLE answers ADD COLUMN seconds REAL",  # in all
        "ALTER TABLE answers ADD COLUMN cost REAL",  # in US dollars; NULL: unknown
        "UPDATE answers SET seconds = json_extract(record, '$.seconds.total')",
        "CREATE INDEX answers_by_time ON answers (created)",
        # What a fingerprint stands for, so that answers can be compared by their settings.
        """
        CREATE TABLE settings (
            fingerprint TEXT PRIMARY KEY,
            record      TEXT NOT NULL       -- a JSON object of the stable keys
        )
        """,
        # What a version of a prompt stands for: its system part.
        "CREATE TABLE prompts (version TEXT PRIMARY KEY, system TEXT NOT NULL)",
        """
        CREATE TABLE preferences (
            n              INTEGER PRIMARY KEY AUTOINCREMENT,
            id             TEXT NOT NULL UNIQUE,
            pair           TEXT NOT NULL,
            revision       INTEGER NOT NULL CHECK (revision >= 1),
            prototype      TEXT NOT NULL,
            question       TEXT NOT NULL,
            left_answer    TEXT NOT NULL REFERENCES answers (id),
            right_answer   TEXT NOT NULL REFERENCES answers (id),
            left_settings  TEXT NOT NULL,
            right_settings TEXT NOT NULL,
            choice         TEXT CHECK (choice IN ('left', 'right', 'tie', 'neither')),  -- NULL: taken back
            reason         TEXT NOT NULL,
            created        REAL NOT NULL,
            UNIQUE (pair, revision)
        )
        """,
        "CREATE INDEX preferences_by_left ON preferences (left_answer)",
        "CREATE INDEX preferences_by_right ON preferences (right_answer)",
        """
        CREATE TABLE annotations (
            n         INTEGER PRIMARY KEY AUTOINCREMENT,
            answer_id TEXT NOT NULL REFERENCES answers (id),
            revision  INTEGER NOT NULL CHECK (revision >= 1),
            failure   TEXT,                 -- NULL: as the program finds it
            note      TEXT NOT NULL,
            created   REAL NOT NULL,
            UNIQUE (answer_id, revision)
        )
        """,
        # What waits for Supabase. A row is a reference: what it delivers is read when it goes.
        # `thread` is the answer, pair or conversation within which the order is kept.
        """
        CREATE TABLE outbox (
            n        INTEGER PRIMARY KEY AUTOINCREMENT,
            kind     TEXT NOT NULL,         -- answer, feedback, preference, link, erase
            row_id   TEXT NOT NULL,
            thread   TEXT NOT NULL,
            created  REAL NOT NULL,
            attempts INTEGER NOT NULL DEFAULT 0,    -- how often it was sent
            refused  TEXT,                  -- why it was set aside; NULL while it waits
            UNIQUE (kind, row_id)
        )
        """,
        "CREATE INDEX outbox_by_thread ON outbox (thread, n)",
        "CREATE INDEX outbox_by_kind ON outbox (kind, n)",
        "INSERT INTO outbox (kind, row_id, thread, created) "
        "SELECT 'answer', id, id, created FROM answers ORDER BY n",
        "INSERT INTO outbox (kind, row_id, thread, created) "
        "SELECT 'feedback', id, answer_id, created FROM feedback ORDER BY n",
        # How far each table of Supabase has been read, for the owner's copy of other replicas' rows.
        "CREATE TABLE cursors (name TEXT PRIMARY KEY, value TEXT NOT NULL)",
        # Conversations that were erased, and answers that belonged to none: what another replica
        # still holds must not come back.
        "CREATE TABLE erased (conversation_id TEXT PRIMARY KEY, created REAL NOT NULL)",
        *digest_schema.SCHEMA,
    ),
    # 3: links, who the owner is, tries to sign in, and what was asked and spent under a limit.
    (
        # As the table of Supabase: append-only, of a link the highest revision counts.
        """
        CREATE TABLE links (
            n          INTEGER PRIMARY KEY AUTOINCREMENT,
            id         TEXT NOT NULL UNIQUE,
            link_id    TEXT NOT NULL,
            revision   INTEGER NOT NULL CHECK (revision >= 1),
            kind       TEXT NOT NULL CHECK (kind IN ('prototype', 'conversation')),
            token_hash TEXT NOT NULL,    -- SHA-256 of the token, hexadecimal
            prototype  TEXT NOT NULL,
            record     TEXT NOT NULL,    -- a JSON object
            created    REAL NOT NULL,
            UNIQUE (link_id, revision)
        )
        """,
        "CREATE INDEX links_by_token ON links (token_hash)",
        "CREATE INDEX answers_by_link ON answers (link)",
        # One row a name: `owner` is the SHA-256 of the owner's browser secret, `signing` the key
        # that sessions are signed with.
        "CREATE TABLE keys (name TEXT PRIMARY KEY, value TEXT NOT NULL, created REAL NOT NULL)",
        # Failed tries of a password. `who` is a keyed hash: no address is kept.
        """
        CREATE TABLE attempts (
            who      TEXT PRIMARY KEY,
            failures INTEGER NOT NULL,
            last     REAL NOT NULL
        )
        """,
        # What counts against a link or a budget: one row a question under a link, and a
        # written answer. `cost` is the most that it can come to until it has ended.
        """
        CREATE TABLE uses (
            n       INTEGER PRIMARY KEY AUTOINCREMENT,
            id      TEXT NOT NULL UNIQUE,
            day     TEXT NOT NULL,       -- the date, UTC
            link    TEXT,
            visitor TEXT NOT NULL,       -- a keyed hash
            cost    REAL NOT NULL,       -- US dollars
            created REAL NOT NULL
        )
        """,
        "CREATE INDEX uses_by_link ON uses (link, day)",
        "CREATE INDEX uses_by_day ON uses (day)",
    ),
)


def migrate(connection: sqlite3.Connection, path: Path, busy_seconds: float) -> None:
    """Bring the file behind ``connection`` to the newest schema; nothing to do is the usual case.

    All migrations that are missing apply in one transaction or not at all. Processes that
    start together queue at its lock, and the later ones find the work done. Raises
    StoreError for a file of a newer version or of another program; sqlite3.Error otherwise.
    """
    connection.execute("BEGIN")  # the facts must be of one moment: another process may be migrating
    try:
        done = _version(connection, path)
    finally:
        if connection.in_transaction:
            connection.execute("ROLLBACK")
    if done == len(MIGRATIONS):
        return
    _use_wal(connection, busy_seconds)
    connection.execute("BEGIN IMMEDIATE")
    try:
        done = _version(connection, path)  # again, now that nobody else can be changing it
        for statements in MIGRATIONS[done:]:
            for statement in statements:
                connection.execute(statement)
        connection.execute(f"PRAGMA application_id = {APPLICATION_ID}")
        connection.execute(f"PRAGMA user_version = {len(MIGRATIONS)}")
        connection.execute("COMMIT")
    except BaseException:
        if connection.in_transaction:
            connection.execute("ROLLBACK")
        raise


def _version(connection: sqlite3.Connection, path: Path) -> int:
    """How many migrations the file has seen; 0 for an empty one."""
    application = connection.execute("PRAGMA application_id").fetchone()[0]
    version: int = connection.execute("PRAGMA user_version").fetchone()[0]
    if application != APPLICATION_ID:
        tables = connection.execute("SELECT count(*) FROM sqlite_master").fetchone()[0]
        if application or version or tables:
            raise StoreError(
                f"{path} is a database of another program. Nothing was changed; move it aside, "
                "or set THUMBPRINT_HOME to another folder."
            )
    if version > len(MIGRATIONS):
        raise StoreError(
            f"The store {path} was written by a newer version of Thumbprint (schema {version}, this one "
            f"knows {len(MIGRATIONS)}). Nothing was changed; update Thumbprint to open it."
        )
    return version


def _use_wal(connection: sqlite3.Connection, busy_seconds: float) -> None:
    """Write-ahead log: readers and the one writer do not block each other. Kept in the file.

    The switch needs the file to itself for a moment, and SQLite may answer "locked" at once
    rather than wait, so waiting is done here. Where the file system has no shared memory
    (some network drives), SQLite keeps its rollback journal, which is slower and as safe.
    """
    deadline = time.monotonic() + busy_seconds
    while True:
        try:
            connection.execute("PRAGMA journal_mode = WAL").fetchone()
            return
        except sqlite3.OperationalError as error:
            if error.sqlite_errorcode & 0xFF != sqlite3.SQLITE_BUSY or time.monotonic() > deadline:
                raise
            time.sleep(0.01)
