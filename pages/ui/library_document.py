"""One document: its facts, its sections, and its text with the boundaries of its chunks drawn.

What a section searches by is one chunk, about a sentence. Chunks are told apart by two
backgrounds in turn; text outside of sections, which is never searched, is grey.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import streamlit as st

from pages.ui import library_browse as browse
from pages.ui import library_edit as edit
from pages.ui.describe import metadata_words
from pages.ui.library_words import counted
from pages.ui.text import badge, composed, cut, one_line
from rag.errors import NotFound
from rag.prototypes import Prototype

if TYPE_CHECKING:
    from rag.librarian import DocumentView, Librarian, SectionView

_SHOWN = 12_000
"""Characters of text on a page: a megabyte at once would stop the browser for seconds."""
_BETWEEN = 600
"""Most characters that are shown of text between two sections."""
_DIRECTIVES = ("blue-background", "green-background")
"""Of the chunks in turn."""
_PAGE = "document-page"
_SECTION = "document-section"


def draw(librarian: Librarian, prototype: Prototype, document_id: str) -> None:
    """The document of that id; where it is gone, that, and the way back."""
    st.button(
        "All documents",
        key="library-back",
        icon=":material/arrow_back:",
        type="tertiary",
        on_click=browse.open_,
        args=(None,),
    )
    try:
        view = librarian.document(document_id)
    except NotFound:
        st.info("This document is not in the library any more.", icon=":material/info:")
        return
    _head(view, prototype, librarian)
    st.fragment(_text)(view)


def _head(view: DocumentView, prototype: Prototype, librarian: Librarian) -> None:
    record = view.record
    title = record.title or record.source
    st.subheader(one_line(title, 200), anchor=False)
    counts = " · ".join(
        (
            counted(record.sections, "section"),
            counted(record.chunks, "chunk"),
            counted(len(view.text), "character"),
        )
    )
    places = [one_line(file.source, 120) for file in record.files[:5]]
    if len(record.files) > 5:
        places.append(f"and {len(record.files) - 5} more places")
    st.caption(f"{' · '.join(places)}  \n{counts}")
    labels = {
        key: label for key in record.metadata for label, _ in metadata_words({key: ""}, prototype.facets)
    }
    changed = {labels[key] for key in view.edited if key in labels}
    badges = [
        badge(f"{label}: {cut(value, 120)}", "blue" if label in changed else "gray")
        for label, value in metadata_words(record.metadata, prototype.facets)
    ]
    if badges:
        st.markdown(" ".join(badges))
    if view.edited:
        st.caption(":blue[Blue] facts, or the title, were edited here; the others are as the file says.")
    with st.container(horizontal=True, gap="xsmall"):
        st.button(
            "Edit", key="library-edit", icon=":material/edit:", on_click=edit.ask_to_edit, args=(record.id,)
        )
        if view.edited:
            st.button(
                "Revert",
                key="library-revert",
                icon=":material/undo:",
                help="Back to the title and facts that the file gives",
                on_click=edit.revert,
                args=(librarian, record.id),
            )
        st.button(
            "Delete",
            key="library-delete-one",
            icon=":material/delete:",
            on_click=browse.ask_to_delete,
            args=([record.id], title),
        )


# --- the text ---------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Leaf:
    """What one page of the text shows: sections ``first`` to ``last``, half-open, and the span around."""

    first: int
    last: int
    start: int
    end: int


def leaves(view: DocumentView) -> list[Leaf]:
    """The text cut into pages of whole sections, about ``_SHOWN`` characters each."""
    found: list[Leaf] = []
    first, start = 0, 0
    for n, section in enumerate(view.sections):
        if n > first and section.end - start > _SHOWN:
            begin = view.sections[n].start
            found.append(Leaf(first, n, start, begin))
            first, start = n, begin
    found.append(Leaf(first, len(view.sections), start, len(view.text)))
    return found


def _text(view: DocumentView) -> None:
    if not view.text.strip():
        st.caption("This document has no text.")
        return
    pages = leaves(view)
    if st.session_state.get(f"{_PAGE}-of") != view.record.id:
        st.session_state[f"{_PAGE}-of"] = view.record.id
        st.session_state[_PAGE] = 1
    st.session_state[_PAGE] = min(st.session_state.get(_PAGE, 1), len(pages))
    with st.container(horizontal=True, vertical_alignment="bottom", key="document-controls"):
        st.subheader("Text", anchor=False, width="stretch")
        if len(view.sections) > 1:
            st.selectbox(
                "Go to a section",
                range(len(view.sections)),
                key=_SECTION,
                index=None,
                placeholder=f"Go to one of {counted(len(view.sections), 'section')}",
                format_func=lambda n: f"{n + 1}  {_name(view.sections[n])}",
                label_visibility="collapsed",
                on_change=_go,
                args=(pages,),
                width=360,
            )
    st.caption(
        ":blue-background[Each] :green-background[background] is a chunk, which is what is searched; each "
        "box is a section, which is what is shown in an answer. :gray[Grey text] is not searched."
    )
    leaf = pages[st.session_state[_PAGE] - 1]
    _leaf(view, leaf)
    if len(pages) > 1:
        st.pagination(len(pages), key=_PAGE, max_visible_pages=7)


def _go(pages: list[Leaf]) -> None:
    chosen = st.session_state[_SECTION]
    if chosen is not None:
        st.session_state[_PAGE] = next(
            n for n, leaf in enumerate(pages, 1) if leaf.first <= chosen < leaf.last
        )


def _leaf(view: DocumentView, leaf: Leaf) -> None:
    at = leaf.start
    chosen = st.session_state.get(_SECTION)
    for n in range(leaf.first, leaf.last):
        section = view.sections[n]
        _between(view.text[at : section.start])
        with st.container(border=True, gap="xsmall", key=f"section-{n - leaf.first}"):
            spans = [(start, end) for start, end in view.chunks if section.start <= start < section.end]
            mark = ":blue[:material/arrow_forward:] " if n == chosen else ""
            st.markdown(f":small[{mark}:gray[{_heading(n, section, len(spans))}]]")
            st.markdown(chunked(view.text, section, spans))
        at = section.end
    _between(view.text[at : leaf.end])


def _between(text: str) -> None:
    if not any(c.isalnum() for c in text):  # white space, the # of a heading
        return
    rest = len(text) - _BETWEEN
    shown = text if rest <= 0 else f"{text[:_BETWEEN]}…"
    more = f" :small[and {rest:,} characters more]" if rest > 0 else ""
    st.markdown(composed([(shown.strip(), "gray")]) + more)


def chunked(text: str, section: SectionView, chunks: list[tuple[int, int]]) -> str:
    """Markdown of a section with its chunks on two backgrounds in turn."""
    pieces: list[tuple[str, str]] = []
    at = section.start
    for n, (start, end) in enumerate(chunks):
        start, end = max(start, at), min(end, section.end)
        pieces.append((text[at:start], ""))
        pieces.append((text[start:end], _DIRECTIVES[n % 2]))
        at = end
    pieces.append((text[at : section.end], ""))
    return composed(pieces)


def _heading(n: int, section: SectionView, chunks: int) -> str:
    parts = [f"**{n + 1}**"]
    if section.path:
        parts.append(one_line(" › ".join(section.path), 160))
    if section.page is not None:
        parts.append(f"page {section.page}")
    if section.kind not in ("prose", "heading"):
        parts.append(section.kind)
    parts.append(counted(chunks, "chunk"))
    parts.append(f"characters {section.start:,} to {section.end:,}")
    return " · ".join(parts)


def _name(section: SectionView) -> str:
    name = cut(" › ".join(section.path), 80) if section.path else section.kind
    return name if section.page is None else f"{name}, page {section.page}"
