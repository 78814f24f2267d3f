"""Records made fit to leave the house: ids kept, hashed or dropped, personal data redacted."""

from __future__ import annotations

import hashlib
import hmac
import os
import secrets
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from rag.errors import StoreError
from rag.export.formats import Ids
from rag.export.redact import redact
from rag.store import Rated
from rag.types import Answer, Feedback, Passage, Preference, Proposed

SALT = "export.salt"
"""The file in the data folder that holds the key of the hashes."""


def salt(home: Path) -> bytes:
    """The key of the hashes, 256 random bits, made on first use and never exported.

    Without it no hash can be turned back or guessed; deleting the file makes all later hashes
    different from all earlier ones. Raises StoreError.
    """
    path = home / SALT
    try:
        home.mkdir(parents=True, exist_ok=True)
        if not path.exists():
            made = path.with_suffix(f".{os.getpid()}-{secrets.token_hex(4)}")
            with open(os.open(made, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
                file.write(secrets.token_bytes(32))
            try:
                os.link(made, path)  # of two that come at once, the first one's key is kept
            except FileExistsError:
                pass
            except OSError:  # a file system without links
                os.replace(made, path)
            finally:
                made.unlink(missing_ok=True)
        key = path.read_bytes()
    except OSError as error:
        raise StoreError(
            f"The key for hashing ids cannot be kept in {home} ({error.strerror or error}). "
            "Check the folder, or leave the ids out."
        ) from error
    if len(key) < 16:
        raise StoreError(f"{path} is damaged. Remove it; a new key is made, and hashes differ from then on.")
    return key


class Private:
    """Applies one choice to every record."""

    def __init__(self, ids: Ids, *, redacted: bool, key: bytes = b"") -> None:
        """``key`` is that of :func:`salt`; only hashing needs it."""
        self._ids, self._redacted, self._key = ids, redacted, key

    def id(self, kind: str, value: str | None) -> str | None:
        """An id that ties records to one person or one link, as it leaves.

        Sixteen hex digits of HMAC-SHA-256 where it is hashed.
        """
        if value is None or self._ids == "keep":
            return value
        if self._ids == "drop":
            return None
        return hmac.new(self._key, f"{kind}:{value}".encode(), hashlib.sha256).hexdigest()[:16]

    def text(self, text: str) -> str:
        return redact(text) if self._redacted else text

    def rated(self, rated: Rated) -> Rated:
        """An answer with its feedback. Offsets still count characters of the original texts."""
        feedback = None if rated.feedback is None else self.feedback(rated.feedback)
        return Rated(rated.n, self.answer(rated.answer), feedback)

    def answer(self, answer: Answer) -> Answer:
        made_with = replace(answer.provenance, link=self.id("link", answer.provenance.link))
        kept = replace(
            answer,
            provenance=made_with,
            conversation_id=self.id("conversation", answer.conversation_id),
        )
        if not self._redacted:
            return kept
        return replace(
            kept,
            question=redact(kept.question),
            rewritten=redact(kept.rewritten),
            text=redact(kept.text),
            citations=tuple(replace(c, quote=redact(c.quote)) for c in kept.citations),
            passages=tuple(self._passage(passage) for passage in kept.passages),
            where=None if kept.where is None else _deep(kept.where),
            notices=tuple(map(redact, kept.notices)),
            proposed=tuple(Proposed(redact(p.label), _deep(p.where), p.applied) for p in kept.proposed),
        )

    def feedback(self, feedback: Feedback) -> Feedback:
        if not self._redacted:
            return feedback
        named = feedback.passage
        return replace(
            feedback,
            reasons=tuple(map(redact, feedback.reasons)),
            comment=redact(feedback.comment),
            correction=redact(feedback.correction),
            passage=None if named is None else replace(named, text=redact(named.text)),
        )

    def preference(self, preference: Preference) -> Preference:
        return replace(
            preference, question=self.text(preference.question), reason=self.text(preference.reason)
        )

    def _passage(self, passage: Passage) -> Passage:
        return replace(
            passage,
            title=redact(passage.title),
            path=tuple(map(redact, passage.path)),
            text=redact(passage.text),
            context=redact(passage.context),
            metadata=_deep(passage.metadata),
        )


def _deep(value: Any) -> Any:
    if isinstance(value, str):
        return redact(value)
    if isinstance(value, Mapping):
        return {key: _deep(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return type(value)(_deep(item) for item in value)
    return value
