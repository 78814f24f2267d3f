"""Answers as they are stored, written out by hand, and how tests of exports ask for one."""

from __future__ import annotations

from collections.abc import Callable

from rag.config import Settings
from rag.export import Exported
from rag.types import Answer, Citation, Passage, Provenance

Export = Callable[..., Exported]
"""``make("csv", ids="hash")``: see the fixture ``make``."""

SECRET = "the-secret-of-a-browser"
SETTINGS = Settings()


def passage(document: str, start: int, text: str, score: float = 1.0, **more: object) -> Passage:
    """A passage of ``document`` at ``start`` that holds ``text``."""
    values = {"source": f"{document}.md", "title": document.title(), "scorer": "fused", **more}
    return Passage(document_id=document, start=start, end=start + len(text), text=text, score=score, **values)


def answer(name: str, question: str, text: str, *passages: Passage, **more: object) -> Answer:
    """An answer whose first passage is cited, where there is one."""
    cited = [
        Citation(1, p.document_id, p.source, p.start, p.start + 5, p.text[:5], "verbatim", 0, len(text), 0)
        for p in passages[:1]
    ]
    values = {
        "rewritten": question,
        "citations": tuple(cited),
        "confidence": 0.5,
        "abstained": not passages,
        "generator": "extractive",
        "usage": {"input_tokens": 12},
        "seconds": {"search": 0.25, "total": 0.5},
        "provenance": Provenance("wine", SETTINGS.fingerprint, "v1", "extractive-1"),
        "created": 1_700_000_000.5,
        **more,
    }
    return Answer(id=name, question=question, text=text, passages=passages, **values)


RED = passage("reds", 10, "Tempranillo is dry and red.", 3.0, page=2)
WIDE = passage("reds", 0, "The reds: Tempranillo is dry and red. More of it.", 2.5)
WHITE = passage("whites", 0, "Riesling is white.", 1.5)
