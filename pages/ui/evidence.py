"""The evidence of an answer: each quoted sentence highlighted where it stands in its document.

A row of pills names the quotations; the chosen one is drawn below, and only that one,
so that a long conversation stays quick.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import streamlit as st

from pages.ui.describe import metadata_words
from pages.ui.text import badge, highlighted, one_line
from rag.prototypes import Prototype
from rag.types import Answer, Passage, Verdict

_SCORERS = {
    "dense": "meaning (cosine)",
    "bm25": "words (BM25)",
    "fused": "meaning and words, fused",
    "late": "late interaction",
    "cross": "cross-encoder",
    "cohere": "Cohere re-ranker",
}
_VERDICTS: dict[Verdict, str] = {
    "verbatim": ":green-badge[:material/check: quoted word for word]",
    "supported": ":blue-badge[:material/check: supported by this passage]",
    "unsupported": ":orange-badge[:material/question_mark: not found in this passage]",
}

_NAME = 36
"""Characters of a name on a pill."""
_TYPE = "type"
"""The kind of file, which its name says already."""


@dataclass(frozen=True, slots=True)
class Exhibit:
    """One piece of evidence: a passage, the spans of its context to highlight, and a verdict."""

    number: int
    passage: Passage
    spans: tuple[tuple[int, int], ...]
    verdict: Verdict | None


def exhibits(answer: Answer) -> list[Exhibit]:
    """The citations in the order of their numbers; for an abstained answer the nearest passages."""
    if answer.abstained:
        return [
            Exhibit(n, passage, ((passage.start, passage.end),), None)
            for n, passage in enumerate(answer.passages, start=1)
        ]
    return [
        Exhibit(c.number, answer.passages[c.passage], ((c.start, c.end),), c.verdict)
        for c in sorted(answer.citations, key=lambda c: c.number)
        if 0 <= c.passage < len(answer.passages)
    ]


def draw(
    prototype: Prototype, answer: Answer, foot: Callable[[int], None] | None = None, *, blind: bool = False
) -> None:
    """The pills, and the exhibit that is chosen; none to begin with, so that the answer stays in view.

    ``foot`` draws what stands below a citation, given its number. ``blind`` leaves out how the
    passage was found, which would tell one of two settings from the other.
    """
    found = exhibits(answer)
    if not found:
        return
    names = {exhibit.number: name_of(exhibit.passage) for exhibit in found}
    chosen = st.pills(
        "Nearest passages" if answer.abstained else "See the evidence",
        list(names),
        key=f"evidence-{answer.id}",
        format_func=lambda number: f"**{number}** {one_line(names[number], _NAME)}",
        persist_state="session",
    )
    for exhibit in found:
        if exhibit.number == chosen:
            _card(prototype, exhibit, foot, blind=blind)


def name_of(passage: Passage) -> str:
    """What tells a passage from others of its document: its heading, else its title and page."""
    heading = passage.path[-1] if passage.path else passage.title or passage.source
    return heading if passage.page is None else f"{heading}, page {passage.page}"


def _card(prototype: Prototype, exhibit: Exhibit, foot: Callable[[int], None] | None, *, blind: bool) -> None:
    passage = exhibit.passage
    with st.container(border=True, gap="small"):
        st.markdown(f"**{one_line(passage.title or passage.source)}**  \n:small[:gray[{_place(passage)}]]")
        context, start = passage.context, passage.context_start
        if not context:
            context, start = passage.text, passage.start
        st.markdown(highlighted(context, [(a - start, b - start) for a, b in exhibit.spans]))
        facts = {key: value for key, value in passage.metadata.items() if key != _TYPE}
        words = [badge(f"{label}: {value}") for label, value in metadata_words(facts, prototype.facets)]
        if words:
            st.markdown(" ".join(words))
        scorer = _SCORERS.get(passage.scorer, passage.scorer)
        verdict = f"{_VERDICTS[exhibit.verdict]} " if exhibit.verdict else ""
        found = "" if blind else f":small[:gray[Found by {one_line(scorer)}, score {passage.score:.3g}]]"
        if verdict or found:
            st.markdown(f"{verdict}{found}")
        if foot is not None and exhibit.verdict:
            foot(exhibit.number)


def _place(passage: Passage) -> str:
    """Where the passage stands: heading path, page, file."""
    path = " › ".join(part for part in passage.path if part != passage.title)
    parts = [path] if path else []
    if passage.page is not None:
        parts.append(f"page {passage.page}")
    if passage.source and passage.source != passage.title:
        parts.append(passage.source)
    return one_line(" · ".join(parts))
