"""One answer as one row: the names and order of the columns, for CSV, JSON Lines and Parquet.

JSON Lines holds everything nested. Parquet has lists as lists, and objects whose keys vary
(filter, settings, usage, seconds) as JSON text. CSV has lists and objects as JSON text, and
leaves the texts of the passages out: a cell of a spreadsheet holds 32,767 characters.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from rag.export.source import Source
from rag.store import Rated
from rag.types import Citation, Passage

COLUMNS = (
    "answer_id", "created", "prototype", "link", "origin", "conversation_id",
    "question", "rewritten", "text", "abstained", "stopped", "confidence", "generator", "model",
    "rating", "reasons", "comment", "correction", "relevant", "reported",
    "feedback_revision", "feedback_created", "feedback_origin",
    "citations", "passages", "where",
    "seconds", "seconds_by_stage", "usage", "cost",
    "settings", "settings_values", "index_version", "prompt_version",
)  # fmt: skip
"""``relevant`` is the passage that the reader named, ``reported`` the numbers of the citations that
they refused, ``seconds`` the whole time of the answer, ``cost`` US dollars, ``settings``
the fingerprint."""


def row(rated: Rated, source: Source) -> dict[str, Any]:
    """Values under COLUMNS, in that order: text, numbers, None, and lists and dicts of these.

    Where nothing was said of an answer, the columns of its feedback are None or empty.
    """
    answer, feedback = rated.answer, rated.feedback
    named = feedback.passage if feedback else None
    return {
        "answer_id": answer.id,
        "created": iso(answer.created),
        "prototype": answer.provenance.prototype,
        "link": answer.provenance.link,
        "origin": answer.origin,
        "conversation_id": answer.conversation_id,
        "question": answer.question,
        "rewritten": answer.rewritten,
        "text": answer.text,
        "abstained": answer.abstained,
        "stopped": answer.stopped,
        "confidence": answer.confidence,
        "generator": answer.generator,
        "model": answer.model,
        "rating": feedback.rating if feedback else None,
        "reasons": list(feedback.reasons) if feedback else [],
        "comment": feedback.comment if feedback else "",
        "correction": feedback.correction if feedback else "",
        "relevant": None
        if named is None
        else {
            "document_id": named.document_id,
            "source": named.source,
            "start": named.start,
            "end": named.end,
            "text": named.text,
        },
        "reported": list(feedback.reported) if feedback else [],
        "feedback_revision": feedback.revision if feedback else None,
        "feedback_created": iso(feedback.created) if feedback else None,
        "feedback_origin": feedback.origin if feedback else None,
        "citations": [_citation(citation) for citation in answer.citations],
        "passages": [_passage(rank, passage) for rank, passage in enumerate(answer.passages, 1)],
        "where": None if answer.where is None else dict(answer.where),
        "seconds": answer.seconds.get("total"),
        "seconds_by_stage": dict(answer.seconds),
        "usage": dict(answer.usage),
        "cost": answer.cost,
        "settings": answer.provenance.settings,
        "settings_values": dict(source.settings(answer.provenance.settings)) or None,
        "index_version": answer.provenance.index_version,
        "prompt_version": answer.provenance.prompt_version,
    }


def iso(seconds: float) -> str:
    """A time in UTC to the microsecond, as ISO 8601."""
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def _citation(citation: Citation) -> dict[str, Any]:
    return {
        "number": citation.number,
        "document_id": citation.document_id,
        "source": citation.source,
        "start": citation.start,
        "end": citation.end,
        "quote": citation.quote,
        "verdict": citation.verdict,
        "passage": citation.passage + 1,
    }


def _passage(rank: int, passage: Passage) -> dict[str, Any]:
    """Its ``rank`` counts from 1, and citations name their passage by it."""
    return {
        "rank": rank,
        "document_id": passage.document_id,
        "source": passage.source,
        "title": passage.title,
        "start": passage.start,
        "end": passage.end,
        "text": passage.text,
        "score": passage.score,
        "scorer": passage.scorer,
        "page": passage.page,
    }


def without_text(passages: list[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Passages as references."""
    return [{key: value for key, value in passage.items() if key != "text"} for passage in passages]
