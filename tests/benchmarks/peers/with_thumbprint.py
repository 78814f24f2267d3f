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

    def __init__(self) -> None:
        self._engine: Engine | None = None
        self._prototype = ""
        self._ids: set[str] = set()

    def load(self) -> None:
        from rag.embed import SentenceTransformerEmbedder

        self._model = SentenceTransformerEmbedder(DEFAULT_MODEL)

    def ingest(self, corpus: Corpus, folder: Path) -> int:
        self._engine = Engine(Environment(home=folder), load_model=lambda _: self._model)
        self._prototype = corpus.name
        self._ids = {text.id for text in corpus.texts}
        result = self._engine.ingest(corpus.name, corpus.paths)
        if result.failed:
            raise RuntimeError(f"{result.failed[0].path}: {result.failed[0].error}")
        return result.chunks

    def search(self, question: str, budget: int) -> Sequence[Found]:
        assert self._engine is not None
        settings = self._engine.prototype(self._prototype).settings
        settings = with_settings(settings, {"budget": budget} if budget else {"k": 20})
        found = self._engine.search(self._prototype, question, settings=settings)
        return [
            Found(p.document_id if p.document_id in self._ids else p.source, p.text, p.start)
            for p in found.passages
        ]
