"""The local store: answers, what people thought of them, and conversations, in one SQLite file.

Always there and always written first; nothing leaves the machine. Nothing is overwritten:
an answer is saved once, feedback is appended under the next revision, and only erasing removes
rows.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import secrets
import sqlite3
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path

from rag.errors import NotFound, StoreError, UsageError
from rag.store import erasing, thumbs
from rag.store import selection as selecting
from rag.store.annotations import Annotations
from rag.store.arrivals import Arrivals
from rag.store.codec import clean_text, decode, encode
from rag.store.database import BUSY_SECONDS, Database
from rag.store.digest import Digest
from rag.store.erasing import Erased
from rag.store.gate import Gate
from rag.store.links import Links
from rag.store.outbox import Outbox
from rag.store.preferences import Preferences
from rag.store.rows import answer_row, insert, new_id, newest, no_answer, one, queue, short
from rag.store.selection import Rated, Selection
from rag.store.topics import Topics
from rag.store.triage import Findings
from rag.types import Answer, Conversation, Feedback, Origin, Rating, Relevant

MAX_TITLE = 200
"""Characters."""

_COUNT = (
    "(SELECT count(*) FROM answers WHERE conversation_id = conversations.id AND place IS NULL) AS answers"
)
_NEWEST = newest("feedback")


def new_secret() -> str:
    """A new secret for one browser, 256 bits: whoever holds it opens its conversations."""
    return secrets.token_urlsafe(32)


def secret_hash(secret: str) -> str:
    """What is stored of a browser's secret: its SHA-256, in hexadecimal digits."""
    return hashlib.sha256(secret.encode("utf-8", "surrogatepass")).hexdigest()


class Store:
    """Answers, feedback and conversations on disk. Safe to share between threads and processes.

    Every call is one transaction on a connection of its own. Any of them raises StoreError
    where the file cannot be opened, read or written; what was saved before is kept.
    """

    def __init__(self, path: Path, *, busy_seconds: float = BUSY_SECONDS) -> None:
        """Open the store at ``path``, making the file and its folder, or upgrading its schema.

        ``busy_seconds``: how long a call waits for another process that is writing.
        """
        self._database = Database(Path(path), busy_seconds)
        self.preferences = Preferences(self._database)
        self.annotations = Annotations(self._database)
        self.gate = Gate(self._database)
        self.links = Links(self._database)
        self.outbox = Outbox(self._database)
        self.arrivals = Arrivals(self._database)
        self.digest = Digest(self._database)
        self.findings = Findings(self._database)
        self.topics = Topics(self._database)

    @property
    def path(self) -> Path:
        return self._database.path

    # --- answers --------------------------------------------------------------

    def save_answer(
        self,
        answer: Answer,
        *,
        replaces: str | None = None,
        settings: Mapping[str, object] | None = None,
        system_prompt: str | None = None,
    ) -> None:
        """Save the whole record of an answer; saving the same one again does nothing.

        ``replaces`` is the id of the answer of the same conversation that this one was
        regenerated from. ``settings`` says what the fingerprint in its provenance stands for, as
        JSON values under the stable keys, and ``system_prompt`` what the version of its prompt does.
        Raises NotFound for an unknown conversation or replaced answer, StoreError where the id is
        taken by an answer with other content.
        """
        record = encode(answer)
        kept = decode(Answer, record)  # what is stored can be read back, or is refused here
        replaces = None if replaces is None else clean_text(replaces)
        if not kept.id:
            raise UsageError("An answer needs an id before it can be saved.")
        with self._database.writing() as connection:
            known = one(connection, "SELECT record, replaces FROM answers WHERE id = ?", kept.id)
            if known is not None:
                if decode(Answer, known["record"]) == kept and known["replaces"] == replaces:
                    return
                raise StoreError(
                    f"An answer with the id {short(kept.id)} is already stored with other content; "
                    "it was left as it is."
                )
            place = _place_of(connection, replaces, kept.conversation_id)
            if kept.conversation_id is not None:
                touched = connection.execute(
                    "UPDATE conversations SET updated = max(updated, ?) WHERE id = ?",
                    (time.time(), kept.conversation_id),
                )
                if touched.rowcount == 0:
                    raise _no_conversation(kept.conversation_id)
            insert(connection, "answers", answer_row(kept, record, replaces, place))
            if settings is not None:
                values = json.dumps(dict(settings), ensure_ascii=False, sort_keys=True)
                connection.execute(
                    "INSERT OR IGNORE INTO settings (fingerprint, record) VALUES (?, ?)",
                    (kept.provenance.settings, values),
                )
            if system_prompt:
                connection.execute(
                    "INSERT OR IGNORE INTO prompts (version, system) VALUES (?, ?)",
                    (kept.provenance.prompt_version, clean_text(system_prompt)),
                )
            queue(connection, "answer", kept.id, kept.id)

    def answer(self, answer_id: str) -> Answer:
        """The answer of that id. Raises NotFound."""
        with self._database.reading() as connection:
            row = one(connection, "SELECT record FROM answers WHERE id = ?", answer_id)
        if row is None:
            raise no_answer(answer_id)
        return decode(Answer, row["record"])

    def count(self, selection: Selection) -> int:
        """How many answers are meant."""
        return selecting.count(self._database, selection)

    def stream(self, selection: Selection) -> Iterator[Rated]:
        """The answers meant, oldest first, with the feedback that counts; in bounded memory."""
        return selecting.stream(self._database, selection)

    def settings(self, fingerprint: str) -> dict[str, object]:
        """What a fingerprint stands for, by the stable keys; empty where that was never told."""
        with self._database.reading() as connection:
            row = one(connection, "SELECT record FROM settings WHERE fingerprint = ?", fingerprint)
        return {} if row is None else dict(json.loads(row["record"]))

    def questions(self, prototype: str, most: int) -> list[str]:
        """The last questions asked of a prototype, each once, newest first."""
        sql = (
            "SELECT question FROM answers WHERE prototype = ? GROUP BY question ORDER BY max(n) DESC LIMIT ?"
        )
        with self._database.reading() as connection:
            return [row["question"] for row in connection.execute(sql, (prototype, most))]

    # --- feedback -------------------------------------------------------------

    def add_feedback(
        self,
        answer_id: str,
        rating: Rating | None,
        *,
        reasons: Sequence[str] = (),
        comment: str = "",
        correction: str = "",
        origin: Origin = "chat",
        passage: Relevant | None = None,
        reported: Sequence[int] = (),
    ) -> Feedback:
        """Append what a reader thinks of an answer now; ``rating`` None takes it back.

        ``passage`` is what should have been cited, ``reported`` the numbers of citations that do
        not support their sentences. It is on disk when this returns. Raises NotFound for an
        unknown answer, UsageError for a rating that is none or a text that is too long.
        """
        wanted = Feedback(
            answer_id,
            0,
            rating,
            reasons=reasons if isinstance(reasons, str) else tuple(reasons),  # type: ignore[arg-type]
            comment=comment,
            correction=correction,
            origin=origin,
            passage=passage,
            reported=tuple(reported),
        )
        with self._database.writing() as connection:
            return thumbs.append(connection, wanted)

    def feedback(self, answer_id: str) -> Feedback | None:
        """What counts for an answer: its highest revision. None where there is none yet."""
        return self.feedback_for([answer_id]).get(answer_id)

    def feedback_history(self, answer_id: str) -> list[Feedback]:
        """Every revision of an answer's feedback, oldest first."""
        with self._database.reading() as connection:
            rows = connection.execute(
                "SELECT * FROM feedback WHERE answer_id = ? ORDER BY revision", (clean_text(answer_id),)
            ).fetchall()
        return [thumbs.feedback_of(row) for row in rows]

    def feedback_for(self, answer_ids: Iterable[str]) -> dict[str, Feedback]:
        """What counts for each of these answers; those without feedback are left out."""
        ids = json.dumps([clean_text(answer_id) for answer_id in answer_ids])
        with self._database.reading() as connection:
            rows = connection.execute(
                f"SELECT * FROM feedback WHERE answer_id IN (SELECT value FROM json_each(?)) AND {_NEWEST}",
                (ids,),
            ).fetchall()
        return {row["answer_id"]: thumbs.feedback_of(row) for row in rows}

    # --- conversations --------------------------------------------------------

    def start_conversation(self, secret: str, prototype: str, title: str = "") -> Conversation:
        """Begin a conversation that only the holder of ``secret`` (see :func:`new_secret`) opens.

        Of the secret only the SHA-256 is stored. The title is cut to MAX_TITLE characters.
        """
        if not secret.strip():
            raise UsageError("A conversation needs the secret of the browser that it belongs to.")
        now = time.time()
        row = {
            "id": new_id(),
            "secret_hash": secret_hash(secret),
            "prototype": clean_text(prototype),
            "title": _title(title),
            "created": now,
            "updated": now,
        }
        with self._database.writing() as connection:
            insert(connection, "conversations", row)
            return _conversation(_owned(connection, str(row["id"]), secret))

    def conversations(
        self, secret: str, prototype: str | None = None, limit: int = 200
    ) -> list[Conversation]:
        """The conversations of a browser, the last one answered in first; at most ``limit``."""
        # Equal hashes are looked up in an index. That takes no constant time, but what leaks
        # is about a SHA-256 of 256 random bits, from which no guess can be improved.
        with self._database.reading() as connection:
            rows = connection.execute(
                f"SELECT *, {_COUNT} FROM conversations "
                "WHERE secret_hash = :hash AND (:prototype IS NULL OR prototype = :prototype) "
                "ORDER BY updated DESC, n DESC LIMIT :limit",
                {
                    "hash": secret_hash(secret),
                    "prototype": None if prototype is None else clean_text(prototype),
                    "limit": max(limit, 0),
                },
            ).fetchall()
        return [_conversation(row) for row in rows]

    def conversation(self, conversation_id: str, secret: str) -> Conversation:
        """One conversation. Raises NotFound, the same for an unknown id as for a foreign secret."""
        with self._database.reading() as connection:
            return _conversation(_owned(connection, conversation_id, secret))

    def conversation_answers(self, conversation_id: str, secret: str) -> list[tuple[Answer, Feedback | None]]:
        """The answers of a conversation in order, each with the feedback that counts.

        A regenerated answer stands in the place of the one it replaced; of several that
        replaced the same one, the last saved stands there. One without a word takes the place of
        none that has any. Raises NotFound.
        """
        with self._database.reading() as connection:
            owned = _owned(connection, conversation_id, secret)["id"]
            rows = connection.execute(
                "SELECT n, place, id, text, record FROM answers WHERE conversation_id = ? ORDER BY n",
                (owned,),
            ).fetchall()
            given = connection.execute(
                "SELECT * FROM feedback WHERE answer_id IN "
                f"(SELECT id FROM answers WHERE conversation_id = ?) AND {_NEWEST}",
                (owned,),
            ).fetchall()
        shown: dict[int, sqlite3.Row] = {}  # it keeps the order of first insertion
        for row in rows:
            place = row["n"] if row["place"] is None else row["place"]
            if row["text"].strip() or place not in shown or not shown[place]["text"].strip():
                shown[place] = row
        newest = {row["answer_id"]: thumbs.feedback_of(row) for row in given}
        return [(decode(Answer, row["record"]), newest.get(row["id"])) for row in shown.values()]

    def rename_conversation(self, conversation_id: str, secret: str, title: str) -> Conversation:
        """Give a conversation another title. Raises NotFound, UsageError for a blank title."""
        if not _title(title):
            raise UsageError("A conversation needs a title of at least one character.")
        with self._database.writing() as connection:
            owned = _owned(connection, conversation_id, secret)["id"]
            connection.execute("UPDATE conversations SET title = ? WHERE id = ?", (_title(title), owned))
            return _conversation(_owned(connection, owned, secret))

    def delete_conversation(self, conversation_id: str, secret: str) -> Erased:
        """Erase a conversation, all of its answers (replaced ones too) and their feedback.

        The text is overwritten in the file, not only unlinked. Raises NotFound.
        """
        with self._database.writing() as connection:
            owned = _owned(connection, conversation_id, secret)["id"]
            erased = erasing.erase_conversation(connection, owned)
        erasing.scrub(self._database)
        return erased

    # --- what the owner may ----------------------------------------------------

    def erase_conversation(self, conversation_id: str) -> Erased:
        """As :meth:`delete_conversation`, for the owner, who needs no secret. Raises NotFound."""
        with self._database.writing() as connection:
            row = one(connection, "SELECT id FROM conversations WHERE id = ?", conversation_id)
            if row is None:
                raise NotFound(f"No conversation is stored under the id {short(conversation_id)}.")
            erased = erasing.erase_conversation(connection, row["id"])
        erasing.scrub(self._database)
        return erased

    def erase_before(self, until: float, prototype: str | None = None) -> Erased:
        """Erase every answer made before ``until`` (Unix seconds), and conversations left empty.

        Of the prototype, or where none is named, of all of them.
        """
        return erasing.erase_before(self._database, until, prototype)

    def count_before(self, until: float, prototype: str | None = None) -> Erased:
        """What :meth:`erase_before` would erase."""
        return erasing.count_before(self._database, until, prototype)


def _place_of(
    connection: sqlite3.Connection, replaces: str | None, conversation_id: str | None
) -> int | None:
    """The number of the first answer in the chain of replacements that ends in ``replaces``."""
    if replaces is None:
        return None
    replaced = one(connection, "SELECT n, place, conversation_id FROM answers WHERE id = ?", replaces)
    if replaced is None:
        raise no_answer(replaces)
    if replaced["conversation_id"] != conversation_id:
        raise UsageError("An answer can only replace one of its own conversation.")
    place: int = replaced["n"] if replaced["place"] is None else replaced["place"]
    return place


def _owned(connection: sqlite3.Connection, conversation_id: str, secret: str) -> sqlite3.Row:
    """The row of a conversation that the secret opens; compares in constant time."""
    row = one(connection, f"SELECT *, {_COUNT} FROM conversations WHERE id = ?", conversation_id)
    stored = row["secret_hash"] if row is not None else "0" * 64  # as much work as for a known id
    if not hmac.compare_digest(stored, secret_hash(secret)) or row is None:
        raise _no_conversation(conversation_id)
    return row


def _title(title: str) -> str:
    return " ".join(clean_text(title).split())[:MAX_TITLE].rstrip()


def _conversation(row: sqlite3.Row) -> Conversation:
    return Conversation(
        id=row["id"],
        title=row["title"],
        prototype=row["prototype"],
        created=row["created"],
        updated=row["updated"],
        answers=row["answers"],
    )


def _no_conversation(conversation_id: str) -> NotFound:
    return NotFound(f"This browser has no conversation {short(conversation_id)}. Choose or start another.")
