"""Haystack over Chroma: sentences given with their neighbours."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from pathlib import Path

import llama_index.core
import nltk
from haystack import Document
from haystack.components.preprocessors import DocumentSplitter
from haystack.components.retrievers import SentenceWindowRetriever
from haystack_integrations.components.embedders.sentence_transformers import (
    SentenceTransformersDocumentEmbedder,
    SentenceTransformersTextEmbedder,
)
from haystack_integrations.components.retrievers.chroma import ChromaEmbeddingRetriever
from haystack_integrations.document_stores.chroma import ChromaDocumentStore

from . import DEPTH, Corpus, Found, model_folder

# Haystack would download NLTK's sentence model; LlamaIndex's package brings the same one.
nltk.data.path.append(str(Path(llama_index.core.__file__).parent / "_static" / "nltk_cache"))
logging.getLogger("haystack").setLevel(logging.ERROR)


class Window:
    """Sentences are searched, each given with three on either side."""

    name = "haystack-window"
    uses_budget = False

    def load(self, folder: Path) -> None:
        self._folder = folder
        self._documents = SentenceTransformersDocumentEmbedder(model=model_folder(), progress_bar=False)
        self._question = SentenceTransformersTextEmbedder(model=model_folder(), progress_bar=False)
        for embedder in (self._documents, self._question):
            embedder.warm_up()

    def ingest(self, corpus: Corpus) -> int:
        splitter = DocumentSplitter(split_by="sentence", split_length=1)
        splitter.warm_up()
        pieces = splitter.run(_sources(corpus))["documents"]
        store = ChromaDocumentStore("benchmark", persist_path=str(self._folder))
        store.write_documents(self._documents.run(pieces)["documents"])
        self._retriever = ChromaEmbeddingRetriever(store)
        self._windows = SentenceWindowRetriever(store, window_size=3)
        return len(pieces)

    def search(self, question: str, budget: int) -> Sequence[Found]:
        vector = self._question.run(question)["embedding"]
        found = self._retriever.run(query_embedding=vector, top_k=DEPTH)["documents"]
        windows = self._windows.run(found)["context_windows"]
        return [
            Found(f.meta["document"], window, int(f.meta["split_idx_start"]))
            for f, window in zip(found, windows, strict=True)
        ]


def _sources(corpus: Corpus) -> list[Document]:
    return [
        Document(content=t.text, meta={"document": t.id} | ({"title": t.title} if t.title else {}))
        for t in corpus.texts
    ]
