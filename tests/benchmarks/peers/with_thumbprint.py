"""This project, through the engine that the command line and the chat call."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from rag.config import DEFAULT_MODEL, Environment, with_settings
from rag.engine import Engine

from . import Corpus, Found


class Thumbprint:
    """Settings as shipped, but ``budget``, or 20 passages where documents are ranked."""

    name = "thumbprint"
    uses_budget = True

    def load(self, folder: Path) -> None:
        import chromadb  # noqa: F401  # as every peer has by now
        import tantivy  # noqa: F401

        self._engine = Engine(Environment(home=folder))
        self._engine.embedder(DEFAULT_MODEL)

    def ingest(self, corpus: Corpus) -> int:
        self._prototype = corpus.name
        self._ids = {text.id for text in corpus.texts}
        result = self._engine.ingest(corpus.name, corpus.paths)
        if result.failed:
            raise RuntimeError(f"{result.failed[0].path}: {result.failed[0].error}")
        return result.chunks

    def search(self, question: str, budget: int) -> Sequence[Found]:
        settings = self._engine.prototype(self._prototype).settings
        settings = with_settings(settings, {"budget": budget} if budget else {"k": 20})
        found = self._engine.search(self._prototype, question, settings=settings)
        return [
            Found(p.document_id if p.document_id in self._ids else p.source, p.text, p.start)
            for p in found.passages
        ]
