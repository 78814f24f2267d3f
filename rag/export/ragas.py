"""Samples for ragas: ``EvaluationDataset.from_jsonl`` reads them, each a ``SingleTurnSample``.

``reference`` is the answer as the reader corrected it, and ``reference_contexts`` the passage that
they named; a thumb up makes no reference, for an answer would be measured by itself. Both are
null where nobody gave them. Answers that were stopped before their end are left out.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from rag.export.formats import Counts, Format
from rag.export.source import Source
from rag.export.writing import line, opened
from rag.store import Rated


def sample(rated: Rated) -> dict[str, Any]:
    """A sample under the field names of ragas 0.4."""
    answer, feedback = rated.answer, rated.feedback
    named = feedback.passage if feedback else None
    return {
        "user_input": answer.rewritten or answer.question,
        "retrieved_contexts": [passage.text for passage in answer.passages],
        "reference_contexts": [named.text] if named and named.text else None,
        "retrieved_context_ids": [f"{p.document_id}:{p.start}-{p.end}" for p in answer.passages],
        "reference_context_ids": [f"{named.document_id}:{named.start}-{named.end}"] if named else None,
        "response": answer.text,
        "reference": feedback.correction or None if feedback else None,
    }


def write(source: Source, path: Path) -> Counts:
    counts = {"samples": 0, "with_reference": 0, "with_reference_contexts": 0, "stopped": 0}
    with opened(path) as file:
        for rated in source.answers():
            if rated.answer.stopped:
                counts["stopped"] += 1
                continue
            made = sample(rated)
            file.write(line(made))
            counts["samples"] += 1
            counts["with_reference"] += made["reference"] is not None
            counts["with_reference_contexts"] += made["reference_contexts"] is not None
    return counts


RAGAS = Format("ragas", "ragas", "Samples with question, passages, answer and correction.", ".jsonl", write)
