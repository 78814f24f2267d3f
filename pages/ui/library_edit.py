"""Editing a document's title and facts: a widget of the right type for each, added and taken away."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING, Any

import streamlit as st

from pages.ui import frame
from pages.ui.describe import metadata_words
from pages.ui.text import one_line
from rag.dates import is_moment
from rag.errors import NotFound, ThumbprintError
from rag.prototypes import Prototype
from rag.readers.metadata import RESERVED
from rag.types import MetaValue

if TYPE_CHECKING:
    from rag.librarian import DocumentView, Librarian

_DIALOG = "library-edit-dialog"
_DRAFT = "library-edit-draft"
_NAME, _KIND = "edit-key", "edit-kind"
_KINDS = ("text", "number", "date", "list", "yes or no")
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
    """The dialog, while it is open. Call it last on the page."""
    wanted = st.session_state.get(_DIALOG)
    if wanted is None:
        return
    try:
        _edit(librarian, prototype, librarian.document(wanted))
    except NotFound as error:
        _close()
        frame.problem(str(error))


def _close() -> None:
    st.session_state.pop(_DIALOG, None)
    st.session_state.pop(_DRAFT, None)


@st.dialog("Edit title and facts", width="medium", on_dismiss=_close)
def _edit(librarian: Librarian, prototype: Prototype, view: DocumentView) -> None:
    record = view.record
    if _DIALOG not in st.session_state:
        st.rerun()  # saved, or left as it was: the page shows what there is now
    draft: dict[str, str] = st.session_state.setdefault(_DRAFT, kinds(record.metadata, prototype))
    # A form, so that what was typed last comes along with the click. Enter would press its first button.
    with st.form("edit-form", border=False, enter_to_submit=False):
        st.text_input("Title", record.title, key="edit-title", max_chars=500)
        for key, kind in draft.items():
            with st.container(horizontal=True, vertical_alignment="bottom", gap="xsmall"):
                _widget(key, kind, record.metadata.get(key), prototype)
                st.form_submit_button(
                    "",
                    key=f"edit-drop-{key}",
                    icon=":material/close:",
                    type="tertiary",
                    help=f"Take “{one_line(key)}” away",
                    on_click=draft.pop,
                    args=(key, None),
                )
        with st.container(horizontal=True, vertical_alignment="bottom", gap="xsmall"):
            st.text_input("Another fact", key=_NAME, placeholder="Its name, such as author", max_chars=60)
            st.selectbox("Type", _KINDS, key=_KIND, width=130)
            st.form_submit_button("Add", key="edit-add", icon=":material/add:", on_click=_add, args=(draft,))
        frame.remembered_problem()
        with st.container(horizontal=True):
            st.form_submit_button(
                "Save", key="edit-save", type="primary", on_click=_save, args=(librarian, view, draft)
            )
            st.form_submit_button("Leave as it was", key="edit-leave", on_click=_close)
    st.caption("Edits are kept when the file is read again or the index is built anew.")


def _add(draft: dict[str, str]) -> str:
    """Callback: a field for the fact whose name was typed; the name, or nothing where it has one."""
    key = "_".join(str(st.session_state[_NAME] or "").split())
    st.session_state[_NAME] = ""
    if not key or key in draft:
        return ""
    draft[key] = st.session_state[_KIND]
    return key


def _save(librarian: Librarian, view: DocumentView, draft: dict[str, str]) -> None:
    if added := _add(draft):  # a name that was typed and not added: its field is not there yet
        frame.remember_problem(f"“{added}” has no value yet. Give it one, or take it away, and save again.")
        return
    values = {key: st.session_state.get(_key(key, kind)) for key, kind in draft.items()}
    title = str(st.session_state["edit-title"] or "").strip()
    changes = changed(view.record.metadata, draft, values)
    try:
        if changes or title != view.record.title:
            named = title if title != view.record.title else None
            librarian.edit(view.record.id, title=named, metadata=changes)
    except ThumbprintError as error:
        frame.remember_problem(str(error))
        return
    st.session_state["facets-cache"] = {}
    _close()


def _key(key: str, kind: str) -> str:
    return f"edit-{kind}-{key}"


def _widget(key: str, kind: str, value: MetaValue | None, prototype: Prototype) -> None:
    ((label, _),) = metadata_words({key: ""}, prototype.facets)
    label, name = one_line(label), _key(key, kind)
    if kind == "yes or no":
        st.toggle(label, bool(value), key=name, width="stretch")
    elif kind == "number":
        number = value if isinstance(value, (int, float)) else None
        st.number_input(label, value=number, step=1 if isinstance(number, int) else None, key=name)
    elif kind == "date":
        day = (
            date(1970, 1, 1) + timedelta(days=float(value) // _DAY)
            if isinstance(value, (int, float))
            else None
        )
        st.date_input(
            label,
            day,
            key=name,
            format="YYYY-MM-DD",
            min_value=date(1000, 1, 1),
            max_value=date(9999, 12, 31),
        )
    elif kind == "list":
        items = list(value) if isinstance(value, tuple) else []
        st.multiselect(label, items, items, key=name, accept_new_options=True, placeholder="Type and Enter")
    else:
        st.text_input(label, str(value or ""), key=name)


# --- values -----------------------------------------------------------------


def kinds(metadata: Mapping[str, MetaValue], prototype: Prototype) -> dict[str, str]:
    """The type of each fact, by its value and by the facets that are dates."""
    dates = {facet.key for facet in prototype.facets if facet.kind == "date"}
    found: dict[str, str] = {}
    for key, value in metadata.items():
        if key in RESERVED:  # what the file says of itself
            continue
        if isinstance(value, bool):
            found[key] = "yes or no"
        elif isinstance(value, (int, float)):
            found[key] = "date" if key in dates and is_moment(value) else "number"
        else:
            found[key] = "list" if isinstance(value, tuple) else "text"
    return found


def changed(
    metadata: Mapping[str, MetaValue], draft: Mapping[str, str], values: Mapping[str, Any]
) -> dict[str, MetaValue | None]:
    """What to change: new values of facts, and None for those to take away.

    An empty field takes its fact away. A date that stays the same day keeps its time.
    """
    changes: dict[str, MetaValue | None] = {key: None for key in metadata if key not in {*draft, *RESERVED}}
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
