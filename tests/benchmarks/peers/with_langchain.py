"""LangChain: recursive splitter over Chroma, with BM25 beside it, and small chunks with big parents."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from langchain_chroma import Chroma
from langchain_classic.retrievers import EnsembleRetriever, ParentDocumentRetriever
from langchain_classic.storage import InMemoryStore
from langchain_community.retrievers import BM25Retriever
from langchain_core.documents import Document
from langchain_huggingface import HuggingFaceEmbeddings
from langchain_text_splitters import RecursiveCharacterTextSplitter

from . import DEPTH, Corpus, Found, chroma_client, model_folder, tokenizer


class _Base:
    name: str
    uses_budget = False

    def load(self, folder: Path) -> None:
        self._folder = folder
        self._model = HuggingFaceEmbeddings(model_name=model_folder())

    def _store(self) -> Chroma:
        return Chroma("benchmark", embedding_function=self._model, client=chroma_client(self._folder))

    def search(self, question: str, budget: int) -> Sequence[Found]:
        return [
            Found(d.metadata["id"], d.page_content, d.metadata["start_index"])
            for d in self._retriever.invoke(question)
        ]

    _retriever: Any


class Recursive(_Base):
    """Chunks of 200 tokens of the model, none overlapping: the splitter that Chroma's report recommends."""

    name = "langchain-recursive"

    def ingest(self, corpus: Corpus) -> int:
        store, chunks = self._filled(corpus)
        self._retriever = store.as_retriever(search_kwargs={"k": DEPTH})
        return len(chunks)

    def _filled(self, corpus: Corpus) -> tuple[Chroma, list[Document]]:
        splitter = RecursiveCharacterTextSplitter(
            chunk_size=200,
            chunk_overlap=0,
            length_function=lambda text: len(tokenizer().encode(text, add_special_tokens=False).ids),
            add_start_index=True,
        )
        chunks = splitter.split_documents(_documents(corpus))
        store = self._store()
        store.add_documents(chunks)
        return store, chunks


class Ensemble(Recursive):
    """The same chunks by meaning and by words, EnsembleRetriever's reciprocal rank fusion.

    BM25Retriever's own analysis splits at blanks only, so that "fees," is not "fees"; a person
    who looks at the results folds case and punctuation, and so it is done here.
    """

    name = "langchain-ensemble"

    def ingest(self, corpus: Corpus) -> int:
        store, chunks = self._filled(corpus)
        words = BM25Retriever.from_documents(chunks, preprocess_func=_words, k=DEPTH)
        dense = store.as_retriever(search_kwargs={"k": DEPTH})
        self._retriever = EnsembleRetriever(retrievers=[words, dense], weights=[0.5, 0.5])
        return len(chunks)


class Parent(_Base):
    """Chunks of 400 characters are searched, their parents of 2000 are given."""

    name = "langchain-parent"

    def ingest(self, corpus: Corpus) -> int:
        store = self._store()
        self._retriever = ParentDocumentRetriever(
            vectorstore=store,
            docstore=InMemoryStore(),
            child_splitter=RecursiveCharacterTextSplitter(chunk_size=400, chunk_overlap=0),
            parent_splitter=RecursiveCharacterTextSplitter(
                chunk_size=2000, chunk_overlap=0, add_start_index=True
            ),
            search_kwargs={"k": DEPTH},
        )
        self._retriever.add_documents(_documents(corpus))
        return int(store._collection.count())


def _documents(corpus: Corpus) -> list[Document]:
    return [
        Document(t.text, metadata={"id": t.id} | ({"title": t.title} if t.title else {}))
        for t in corpus.texts
    ]


def _words(text: str) -> list[str]:
    return re.findall(r"\w+", text.lower())
