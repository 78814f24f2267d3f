"""The tables in Supabase as this version writes and reads them, and which migration brings each.

The SQL is in ``supabase/migrations``; a test applies it and compares.
"""

from __future__ import annotations

from collections.abc import Mapping

FEEDBACK_MIGRATION = "20261126080000_feedback.sql"
LINKS_MIGRATION = "20261126080100_links.sql"

INSERTED: Mapping[str, tuple[str, ...]] = {
    "answers": (
        "id", "conversation_id", "replaces", "prototype", "question", "text", "confidence", "abstained",
        "generator", "settings", "settings_values", "index_version", "prompt_version", "system_prompt",
        "link", "origin", "seconds", "cost", "created", "record",
    ),
    "feedback": (
        "id", "answer_id", "revision", "rating", "reasons", "comment", "correction", "passage", "reported",
        "origin", "created",
    ),
    "preferences": (
        "id", "pair", "revision", "prototype", "question", "left_answer", "right_answer", "left_settings",
        "right_settings", "choice", "reason", "created",
    ),
    "links": (
        "id", "link_id", "revision", "kind", "token_hash", "prototype", "conversation_id", "record",
        "created",
    ),
    "erased": ("conversation_id",),
}  # fmt: skip
"""What a client may set, by table. Everything else is the server's."""

PUBLIC = ("answers", "feedback", "preferences")
"""What the publishable key inserts into. The rest takes the secret key."""

SERVER_SET = ("n", "received")
"""Set by the server in every table: the order of arrival, and its time."""

READ: Mapping[str, tuple[str, ...]] = {
    **{table: (*columns, *SERVER_SET) for table, columns in INSERTED.items()},
    "response": ("system_prompt", "user_prompt", "response", "prototype", "reaction"),
}
"""What the secret key reads, by table or view."""

_BROUGHT_BY: Mapping[str, str] = {"links": LINKS_MIGRATION}


def migration_of(table: str) -> str:
    """The file that brings a table as this version uses it."""
    return _BROUGHT_BY.get(table, FEEDBACK_MIGRATION)
