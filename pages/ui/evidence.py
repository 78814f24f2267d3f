"""The evidence of an answer: each quoted sentence highlighted where it stands in its document.

A row of pills names the quotations; the chosen one is drawn below, and only that one,
so that a long conversation stays quick.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import streamlit as st

from pages.ui import admission, frame
from pages.ui.describe import metadata_words
from pages.ui.frame import Page
from pages.ui.text import badge, cut, highlighted, one_line
from rag.errors import ThumbprintError
from rag.prototypes import Prototype
from rag.types import Answer, Citation, Passage, Verdict

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
    first: dict[int, Citation] = {}  # a sentence that is cited twice has one number
    for citation in answer.citations:
        if 0 <= citation.passage < len(answer.passages):
            first.setdefault(citation.number, citation)
    return [
        Exhibit(c.number, answer.passages[c.passage], ((c.start, c.end),), c.verdict)
        for _, c in sorted(first.items())
    ]


def draw(
    prototype: Prototype,
    answer: Answer,
    foot: Callable[[int], None] | None = None,
    *,
    blind: bool = False,
    page: Page | None = None,
) -> None:
    """The pills, and the exhibit that is chosen; none to begin with, so that the answer stays in view.

    ``foot`` draws what stands below a citation, given its number. ``blind`` leaves out how the
    passage was found, which would tell one of two settings from the other.
    With ``page`` the pages of PDFs can be looked at.
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
            _card(prototype, exhibit, foot, blind=blind, key=f"page-{answer.id}", page=page)


def name_of(passage: Passage) -> str:
    """What tells a passage from others of its document: its heading, else its title and page."""
    heading = passage.path[-1] if passage.path else passage.title or passage.source
    return heading if passage.page is None else f"{heading}, page {passage.page}"


def _card(
    prototype: Prototype,
    exhibit: Exhibit,
    foot: Callable[[int], None] | None,
    *,
    blind: bool,
    key: str,
    page: Page | None,
) -> None:
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
        verdict = f"{_VERDICTS[exhibit.verdict]} " if exhibit.verdict in _VERDICTS else ""
        found = "" if blind else f":small[:gray[Found by {one_line(scorer)}, score {passage.score:.3g}]]"
        if verdict or found:
            st.markdown(f"{verdict}{found}")
        if foot is not None and exhibit.verdict:
            foot(exhibit.number)
        if page is not None and passage.page is not None and passage.metadata.get(_TYPE) == "pdf":
            _page(page, prototype, f"{key}-{exhibit.number}", exhibit)


def _page(page: Page, prototype: Prototype, key: str, exhibit: Exhibit) -> None:
    """The page of a PDF with the sentence marked, drawn when it is opened."""
    passage = exhibit.passage
    number = passage.page or 1
    opened = st.expander(
        f"Page {number} of the file",
        key=key,
        icon=":material/picture_as_pdf:",
        type="compact",
        on_change="rerun",
    )
    if not opened.open:
        return
    with opened:
        start, end = exhibit.spans[0]
        sentence = passage.text[start - passage.start : end - passage.start]
        try:
            admission.still_open(page)
            image = page.engine.page_image(prototype.name, passage.source, number, sentence)
        except ThumbprintError as error:
            frame.problem(str(error))
            return
        if image is None:
            st.caption(
                "The file is not where it was read from any more, so its text alone is shown. "
                "Ingest it again to see its pages."
            )
            return
        alt = f"Page {number} of {cut(passage.title or passage.source, 100)}"
        st.image(image.png, width="stretch", alt=alt)
        if not image.marked:
            st.caption("The sentence was not found on the page as the file is now.")


def _place(passage: Passage) -> str:
    """Where the passage stands: heading path, page, file."""
    path = " › ".join(part for part in passage.path if part != passage.title)
    parts = [path] if path else []
    if passage.page is not None:
        parts.append(f"page {passage.page}")
    if passage.source and passage.source != passage.title:
        parts.append(passage.source)
    return one_line(" · ".join(parts))
