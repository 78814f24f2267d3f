"""What hangs on the answers of a conversation that is erased."""

from __future__ import annotations

import sqlite3
import time

from rag.store.rows import insert, queue

_ANSWERS = "(SELECT id FROM answers WHERE conversation_id = :conversation)"


def forget(connection: sqlite3.Connection, conversation_id: str) -> None:
    """Remove what refers to the answers of a conversation, and have Supabase erase them too.

    Feedback and the answers themselves are the caller's to remove, in the same transaction.
    What waits for delivery is dropped; what was delivered already, the queued erasure removes.
    """
    of = {"conversation": conversation_id}
    pairs = f"(SELECT pair FROM preferences WHERE left_answer IN {_ANSWERS} OR right_answer IN {_ANSWERS})"
    connection.execute(f"DELETE FROM outbox WHERE thread IN {_ANSWERS} OR thread IN {pairs}", of)
    connection.execute(
        f"DELETE FROM preferences WHERE left_answer IN {_ANSWERS} OR right_answer IN {_ANSWERS}", of
    )
    for table in ("annotations", "topics"):
        connection.execute(f"DELETE FROM {table} WHERE answer_id IN {_ANSWERS}", of)
    now = time.time()
    insert(connection, "erased", {"conversation_id": conversation_id, "created": now})
    queue(connection, "erase", conversation_id, conversation_id)
