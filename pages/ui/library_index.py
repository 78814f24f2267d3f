"""The index of a prototype: its size, what the doctor says of it, and building it anew."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import streamlit as st

from pages.ui import frame
from pages.ui.library_words import size
from pages.ui.text import one_line
from rag.errors import ThumbprintError

if TYPE_CHECKING:
    from rag.librarian import Librarian, Status

_STATUS = "library-status"
_TOKENS, _MODEL = "reindex-tokens", "reindex-model"
_GOOD, _BAD = ":green[:material/check_circle:]", ":red[:material/error:]"
_DISK = {"vectors": "Vectors", "keywords": "Keywords", "uploads": "Uploaded files"}


def draw(librarian: Librarian) -> None:
    """Totals, disk, version, checks, and the form to build it anew."""
    status = librarian.status(checks=False)
    _numbers(status)
    checked = st.container(key="library-checks")  # drawn last: the doctor takes his time with a large library
    _again(librarian, status)
    with checked:
        st.subheader("What the doctor says", anchor=False)
        with st.spinner("Comparing every chunk…"):
            status = librarian.status()
        _checks(librarian, status)


def _numbers(status: Status) -> None:
    with st.grid(4, min_column_width=150, key="index-numbers"):
        st.metric("Documents", f"{status.documents:,}", border=True)
        st.metric("Sections", f"{status.sections:,}", border=True)
        st.metric("Chunks", f"{status.chunks:,}", border=True)
        st.metric("On disk", size(sum(status.disk.values())), border=True)
    parts = [f"{_DISK.get(name, name)} {size(number)}" for name, number in status.disk.items()]
    st.caption(one_line(" · ".join(parts)))
    st.markdown(
        f":gray[Index version] `{status.index_version or 'none yet'}`  \n"
        f":gray[Embedding model] {one_line(status.embedding_model)}  \n"
        f":gray[Section tokens] {status.section_tokens}"
    )
    if status.outdated:
        st.warning(
            "The settings ask for another index than this one. Questions are answered from it as it is; "
            "build it anew below.",
            icon=":material/update:",
        )


def _checks(librarian: Librarian, status: Status) -> None:
    lines = [f"{_GOOD if check.ok else _BAD} {one_line(check.message)}" for check in status.checks]
    st.markdown("\\\n".join(lines))
    with st.container(horizontal=True, vertical_alignment="center"):
        st.button(
            "Mend",
            key="library-mend",
            icon=":material/healing:",
            type="secondary" if all(check.ok for check in status.checks) else "primary",
            help="Brings vectors and keywords into agreement, and sweeps what an interruption left",
            on_click=_act,
            args=(librarian.mend,),
        )
        st.button("Look again", key="library-look", icon=":material/refresh:", type="tertiary")


def _again(librarian: Librarian, status: Status) -> None:
    st.subheader("Build it anew", anchor=False)
    st.markdown(
        "With other settings, the index is built beside the one there is, and takes its place when it is "
        "complete. Answers go on from the old index meanwhile, and edits are kept."
    )
    model, tokens = status.wanted or (status.embedding_model, status.section_tokens)
    with st.form("reindex", border=True):
        with st.container(horizontal=True, vertical_alignment="bottom"):
            st.number_input(
                "Section tokens",
                min_value=32,
                max_value=2_000,
                value=tokens,
                step=10,
                key=_TOKENS,
                help="Most tokens of a section: the text that is shown around what was found. "
                "The model's window is the limit.",
                width=180,
            )
            st.text_input(
                "Embedding model",
                value=model,
                key=_MODEL,
                help="The name of a sentence-transformers model, or its folder",
            )
        st.form_submit_button("Re-index", icon=":material/autorenew:", on_click=_reindex, args=(librarian,))


def _reindex(librarian: Librarian) -> None:
    settings: dict[str, str] = {"chunking.section_tokens": str(st.session_state[_TOKENS])}
    model = str(st.session_state[_MODEL] or "").strip()
    if model:  # also where it was left as it was: the one in force may not be the prototype's own
        settings["embedding.model"] = model
    try:
        librarian.reindex(settings)
    except ThumbprintError as error:
        frame.remember_problem(str(error))


def _act(action: Callable[[], object]) -> None:
    try:
        action()
    except ThumbprintError as error:
        frame.remember_problem(str(error))
