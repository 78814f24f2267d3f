"""Editing a document's title and facts: a widget of the right type for each, added and taken away."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING, Any

import streamlit as st

from pages.ui import frame
from pages.ui.describe import metadata_words
from pages.ui.text import one_line
from rag.errors import NotFound, ThumbprintError
from rag.prototypes import Prototype
from rag.types import MetaValue

if TYPE_CHECKING:
    from rag.librarian import DocumentView, Librarian

_DIALOG = "library-edit-dialog"
_DRAFT = "library-edit-draft"
_KINDS = ("text", "number", "date", "list", "yes or no")
_EMPTY: Mapping[str, Any] = {"text": "", "number": None, "date": None, "list": [], "yes or no": False}
_DAY = 86_400


def ask_to_edit(document_id: str) -> None:
    """Callback: open the dialog."""
    st.session_state[_DIALOG] = document_id
    st.session_state.pop(_DRAFT, None)


def revert(librarian: Librarian, document_id: str) -> None:
    """Callback: back to what the file says."""
    try:
        librarian.revert(document_id)
        st.session_state["facets-cache"] = {}
    except ThumbprintError as error:
        frame.remember_problem(str(error))


def dialogs(librarian: Librarian, prototype: Prototype) -> None:
    """The dialog that was asked for. Call it last on the page."""
    wanted = st.session_state.pop(_DIALOG, None)
    if wanted is None:
        return
    try:
        _edit(librarian, prototype, librarian.document(wanted))
    except NotFound as error:
        frame.problem(str(error))


@st.dialog("Edit title and facts", width="medium")
def _edit(librarian: Librarian, prototype: Prototype, view: DocumentView) -> None:
    record = view.record
    draft: dict[str, str] = st.session_state.setdefault(_DRAFT, kinds(record.metadata, prototype))
    title = st.text_input("Title", record.title, key="edit-title", max_chars=500)
    values: dict[str, Any] = {}
    for key, kind in draft.items():
        with st.container(horizontal=True, vertical_alignment="bottom", gap="xsmall", key=f"edit-row-{key}"):
            values[key] = _widget(key, kind, record.metadata.get(key), prototype)
            if st.button(
                "",
                key=f"edit-drop-{key}",
                icon=":material/close:",
                type="tertiary",
                help=f"Take “{one_line(key)}” away",
                on_click=draft.pop,
                args=(key, None),
            ):
                st.rerun(scope="fragment")
    _adding(draft)
    changes = changed(record.metadata, draft, values)
    with st.container(horizontal=True):
        if st.button(
            "Save",
            key="edit-save",
            type="primary",
            disabled=not changes and title.strip() == record.title,
        ):
            try:
                with st.spinner("Saving…"):
                    librarian.edit(
                        record.id,
                        title=title.strip() if title.strip() != record.title else None,
                        metadata=changes,
                    )
            except ThumbprintError as error:
                frame.problem(str(error))
            else:
                st.session_state.pop(_DRAFT, None)
                st.session_state["facets-cache"] = {}
                st.rerun()
        if st.button("Leave as it was", key="edit-leave"):
            st.session_state.pop(_DRAFT, None)
            st.rerun()
    st.caption("Edits are kept when the file is read again or the index is built anew.")


def _adding(draft: dict[str, str]) -> None:
    with st.container(horizontal=True, vertical_alignment="bottom", gap="xsmall", key="edit-add-row"):
        st.text_input("Another fact", key="edit-key", placeholder="Its name, such as author", max_chars=60)
        st.selectbox("Type", _KINDS, key="edit-kind", width=130)
        st.button("Add", key="edit-add", icon=":material/add:", on_click=_add, args=(draft,))


def _add(draft: dict[str, str]) -> None:
    key = "_".join(str(st.session_state["edit-key"] or "").split())
    if key and key not in draft:
        draft[key] = st.session_state["edit-kind"]
        st.session_state["edit-key"] = ""


def _widget(key: str, kind: str, value: MetaValue | None, prototype: Prototype) -> Any:
    ((label, _),) = metadata_words({key: ""}, prototype.facets)
    label, name = one_line(label), f"edit-{kind}-{key}"
    if kind == "yes or no":
        return st.toggle(label, bool(value), key=name, width="stretch")
    if kind == "number":
        number = value if isinstance(value, (int, float)) else None
        return st.number_input(label, value=number, step=1 if isinstance(number, int) else None, key=name)
    if kind == "date":
        day = (
            date(1970, 1, 1) + timedelta(days=float(value) // _DAY)
            if isinstance(value, (int, float))
            else None
        )
        return st.date_input(
            label,
            day,
            key=name,
            format="YYYY-MM-DD",
            min_value=date(1000, 1, 1),
            max_value=date(9999, 12, 31),
        )
    if kind == "list":
        items = list(value) if isinstance(value, tuple) else []
        return st.multiselect(
            label, items, items, key=name, accept_new_options=True, placeholder="Type and Enter"
        )
    return st.text_input(label, str(value or ""), key=name)


# --- values -----------------------------------------------------------------


def kinds(metadata: Mapping[str, MetaValue], prototype: Prototype) -> dict[str, str]:
    """The type of each fact, by its value and by the facets that are dates."""
    dates = {facet.key for facet in prototype.facets if facet.kind == "date"}
    found: dict[str, str] = {}
    for key, value in metadata.items():
        if isinstance(value, bool):
            found[key] = "yes or no"
        elif isinstance(value, (int, float)):
            found[key] = "date" if key in dates else "number"
        else:
            found[key] = "list" if isinstance(value, tuple) else "text"
    return found


def changed(
    metadata: Mapping[str, MetaValue], draft: Mapping[str, str], values: Mapping[str, Any]
) -> dict[str, MetaValue | None]:
    """What to change: new values of facts, and None for those to take away.

    An empty field takes its fact away. A date that stays the same day keeps its time.
    """
    changes: dict[str, MetaValue | None] = {key: None for key in metadata if key not in draft}
    for key, value in values.items():
        new, old = _typed(draft[key], value), metadata.get(key)
        if (
            draft[key] == "date"
            and new is not None
            and isinstance(old, (int, float))
            and old // _DAY == new // _DAY
        ):
            continue
        if new != old or type(new) is not type(old):
            changes[key] = new
    return changes


def _typed(kind: str, value: Any) -> Any:
    if kind == "date":
        return (
            None
            if value is None
            else int(datetime(value.year, value.month, value.day, tzinfo=UTC).timestamp())
        )
    if kind == "list":
        return tuple(value) or None
    if kind == "text":
        return value.strip() or None
    return value
