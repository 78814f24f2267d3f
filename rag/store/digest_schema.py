"""The tables behind the feedback page, which the database itself keeps in step with the answers.

The record of an answer is several kilobytes, so that nothing which counts all answers can
afford to pass over ``answers``. ``digest`` repeats of each what is counted, in some 150 bytes, and
``digest_texts`` what is searched. Triggers fill both: whoever writes an answer or a thumb, by whatever
way, cannot forget it. Names of columns are those of ``answers`` where they mean the same.
"""

from __future__ import annotations


def _columns(row: str) -> str:
    return (
        f"{row}.n, {row}.id, {row}.prototype, {row}.origin, {row}.link, {row}.created, {row}.settings, "
        f"{row}.generator, {row}.abstained, {row}.seconds, {row}.cost"
    )


def _texts(row: str) -> str:
    """The facts are those of the document that the best citation quotes, else of the first passage.

    A record that is damaged is still a record: it has no facts.
    """
    cited = f"max(0, CAST(coalesce(json_extract({row}.record, '$.citations[0].passage'), 0) AS INTEGER))"
    facts = f"json_extract({row}.record, '$.passages[' || {cited} || '].metadata')"
    return (
        f"{row}.n, {row}.question, {row}.text, "
        f"CASE WHEN json_valid({row}.record) THEN coalesce({facts}, '{{}}') ELSE '{{}}' END"
    )


_DIGEST = (
    "digest (n, answer_id, prototype, origin, link, created, settings, generator, abstained, seconds, cost)"
)
_RATING = (
    "(rating, reasons, rated) = (SELECT rating, reasons, created FROM feedback"
    " WHERE feedback.answer_id = digest.answer_id ORDER BY revision DESC LIMIT 1)"
)

SCHEMA: tuple[str, ...] = (
    """
    CREATE TABLE digest (
        n         INTEGER PRIMARY KEY,      -- of the answer
        answer_id TEXT NOT NULL UNIQUE,
        prototype TEXT NOT NULL,
        origin    TEXT NOT NULL,
        link      TEXT,
        created   REAL NOT NULL,
        settings  TEXT NOT NULL,
        generator TEXT NOT NULL,
        abstained INTEGER NOT NULL,
        seconds   REAL,
        cost      REAL,
        rating    TEXT,                     -- these three of the feedback that counts
        reasons   TEXT,
        rated     REAL,                     -- when
        topic     INTEGER                   -- of topics; 0: near none of them; NULL: not looked at yet
    )
    """,
    "CREATE INDEX digest_by_time ON digest (created, n)",
    "CREATE INDEX digest_by_prototype ON digest (prototype)",
    "CREATE INDEX digest_by_settings ON digest (settings)",
    "CREATE INDEX digest_by_rating ON digest (rating, rated) WHERE rating IS NOT NULL",
    """
    CREATE TABLE digest_texts (
        n        INTEGER PRIMARY KEY,       -- of the answer
        question TEXT NOT NULL,
        text     TEXT NOT NULL,
        metadata TEXT NOT NULL              -- a JSON object
    )
    """,
    # Clusters of questions, computed beforehand (rag/topics.py).
    """
    CREATE TABLE topics (
        id        INTEGER PRIMARY KEY AUTOINCREMENT,
        prototype TEXT NOT NULL,
        name      TEXT NOT NULL,
        centre    BLOB NOT NULL,            -- 32-bit floats, little-endian, of unit length
        least     REAL NOT NULL,            -- cosine below which a question is near none
        model     TEXT NOT NULL,            -- that embedded the questions
        computed  REAL NOT NULL
    )
    """,
    # Where answers that got a thumb down went wrong, as far as the program can tell (rag/triage.py).
    """
    CREATE TABLE triage (
        answer_id TEXT PRIMARY KEY REFERENCES answers (id) ON DELETE CASCADE,
        revision  INTEGER NOT NULL,         -- of the feedback that was looked at
        rules     INTEGER NOT NULL,         -- version of the rules
        failure   TEXT,                     -- NULL: not clear
        basis     TEXT NOT NULL,
        why       TEXT NOT NULL,
        created   REAL NOT NULL
    )
    """,
    f"INSERT INTO {_DIGEST} SELECT {_columns('answers')} FROM answers",
    f"INSERT INTO digest_texts SELECT {_texts('answers')} FROM answers",
    f"UPDATE digest SET {_RATING} WHERE answer_id IN (SELECT answer_id FROM feedback)",
    f"""
    CREATE TRIGGER digest_answer AFTER INSERT ON answers BEGIN
        INSERT INTO {_DIGEST} VALUES ({_columns("new")});
        INSERT INTO digest_texts VALUES ({_texts("new")});
    END
    """,
    """
    CREATE TRIGGER digest_figures AFTER UPDATE OF seconds, cost ON answers BEGIN
        UPDATE digest SET seconds = new.seconds, cost = new.cost WHERE n = new.n;
    END
    """,
    """
    CREATE TRIGGER digest_erased AFTER DELETE ON answers BEGIN
        DELETE FROM digest WHERE n = old.n;
        DELETE FROM digest_texts WHERE n = old.n;
    END
    """,
    # Feedback of another replica may come late and with a lower revision, so that each change
    # looks up what counts now.
    *(
        f"""
        CREATE TRIGGER digest_feedback_{event.lower()} AFTER {event} ON feedback BEGIN
            UPDATE digest SET {_RATING} WHERE answer_id = {row}.answer_id;
        END
        """
        for event, row in (("INSERT", "new"), ("UPDATE", "new"), ("DELETE", "old"))
    ),
)
