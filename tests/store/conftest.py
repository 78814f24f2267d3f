"""An answer to save, and a store to save it in."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from rag.store import Store, new_id
from rag.types import Answer, Citation, Passage, Provenance, Sentence

PASSAGE = Passage(
    document_id="cellar",
    source="wines/cellar.csv",
    title="Cellar",
    start=4,
    end=22,
    text="Tempranillo, 2019.",
    score=0.75,
    scorer="fused",
    metadata={"region": "Rioja", "vintage": 2019, "price": 12.5, "organic": True, "tags": ("red", "dry")},
    path=("Spain", "Rioja"),
    page=2,
    context="The Tempranillo, 2019.",
    context_start=0,
    sentences=(Sentence(4, 22, score=1.5, cosine=0.5, kind="row"),),
)

ANSWER = Answer(
    id="",
    question="Which red is dry?",
    rewritten="Which red wine is dry?",
    text="Tempranillo, 2019. [1]",
    citations=(
        Citation(1, "cellar", "wines/cellar.csv", 4, 22, "Tempranillo, 2019.", "verbatim", 0, 18, passage=0),
    ),
    passages=(PASSAGE,),
    confidence=0.9,
    abstained=False,
    generator="extractive",
    usage={"input": 120, "output": 8},
    seconds={"retrieve": 0.02, "total": 0.03},
    provenance=Provenance("wine", settings="5e77", index_version="1d3", prompt_version="p1", link="l1"),
    created=1_700_000_000.25,
    where={"$and": [{"vintage": {"$gte": 2015}}, {"tags": {"$contains": "dry"}}]},
    notices=("The filter left 3 wines.",),
)


@pytest.fixture
def make_answer() -> Callable[..., Answer]:
    """A full answer with a new id; keyword arguments replace fields."""
    return lambda **changes: replace(ANSWER, **{"id": new_id(), **changes})


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store(tmp_path / "home" / "store.db")
