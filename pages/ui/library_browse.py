"""The documents of a prototype: search, filters, sorting, pages of 25, and deleting several."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import TYPE_CHECKING, cast

import streamlit as st

from pages.ui import address, facets, frame, selection
from pages.ui import library_adding as adding
from pages.ui.describe import metadata_words
from pages.ui.frame import Page
from pages.ui.library_words import counted
from pages.ui.text import cut, one_line
from rag.errors import ThumbprintError
from rag.prototypes import Prototype
from rag.types import Where

if TYPE_CHECKING:
    from rag.librarian import DocumentPage, DocumentRow, Librarian, Sort

DOCUMENTS, ADD, INDEX = "Documents", "Add files", "Index"
_VIEWS = {DOCUMENTS: ":material/description:", ADD: ":material/upload_file:", INDEX: ":material/database:"}
_VIEW = "library-view"
_QUERY, _SORT, _DOWN, _PAGE, _SELECT = (
    f"library-{part}" for part in ("query", "sort", "descending", "page", "select")
)
_CHOSEN = "library-chosen"
_DIALOG = "library-dialog"
_FACETS = "library-facets"
_ROWS = 25
_FACTS = 3
"""Facts of a document that its line shows."""
_SORTS: dict[Sort, str] = {
    "title": "Title",
    "source": "File",
    "type": "Type",
    "chunks": "Length",
    "added": "Added",
}


def view() -> str:
    """Which view the reader has chosen."""
    st.session_state.setdefault(_VIEW, DOCUMENTS)
    return str(
        st.segmented_control(
            "View",
            list(_VIEWS),
            key=_VIEW,
            required=True,
            format_func=lambda name: f"{_VIEWS[name]} {name}",
            label_visibility="collapsed",
            persist_state="session",
        )
    )


def show(name: str) -> None:
    """Callback: go to that view."""
    st.session_state[_VIEW] = name


def draw(page: Page, prototype: Prototype, librarian: Librarian, where: Where | None, *, ready: bool) -> None:
    """The list, or where there are no documents yet, the way to some."""
    if not where and not st.session_state.get(_QUERY) and not librarian.documents(limit=1).total:
        if ready or not prototype.documents:
            adding.draw(page, prototype, librarian)
        return
    st.fragment(_listed)(prototype, librarian, where)


def known_facets(prototype: Prototype) -> Prototype:
    """The prototype with the facets that its documents suggest, as far as this session knows them."""
    if prototype.facets:
        return prototype
    return replace(prototype, facets=st.session_state.get(f"{_FACETS}-{prototype.name}", ()))


def filters(page: Page, prototype: Prototype, where: Where | None) -> None:
    """The filters, in the sidebar; ``where`` is what the list was drawn under. Draw them after it.

    To guess them, all documents of a library are looked at; the list of a large one is there before.
    """
    completed = facets.completed(page, prototype)
    st.session_state[f"{_FACETS}-{prototype.name}"] = completed.facets
    if selection.selected(completed) != where:
        st.rerun()  # filters were set before, in the chat
    with st.sidebar:
        facets.draw(page, completed)


def _listed(prototype: Prototype, librarian: Librarian, where: Where | None) -> None:
    _controls()
    rows = _page(prototype, librarian, where)
    if not rows.total:
        st.markdown("**Nothing matches.** Change the words above, or clear the filters in the sidebar.")
        return
    first, last = rows.offset + 1, rows.offset + len(rows.rows)
    of = "" if len(rows.rows) == rows.total else f"{first:,} to {last:,} of "
    with st.container(horizontal=True, vertical_alignment="center", gap="small", key="library-count"):
        st.caption(f"{of}{counted(rows.total, 'document')}", width="stretch")
        selecting = st.toggle("Select", key=_SELECT)
    if selecting:
        _selection(rows)
    with st.container(gap="xxsmall", key="library-rows"):
        for n, row in enumerate(rows.rows):
            _row(n, row, prototype, selecting=selecting)
    pages = math.ceil(rows.total / _ROWS)
    if pages > 1:
        st.pagination(pages, key=_PAGE, max_visible_pages=7, persist_state="session")


def _controls() -> None:
    st.session_state.setdefault(_SORT, "title")
    with st.container(horizontal=True, vertical_alignment="bottom", gap="small", key="library-controls"):
        st.text_input(
            "Search",
            key=_QUERY,
            placeholder="Search titles, files and facts",
            icon=":material/search:",
            label_visibility="collapsed",
            on_change=_from_the_first,
            persist_state="session",
        )
        st.selectbox(
            "Sort by",
            list(_SORTS),
            key=_SORT,
            format_func=lambda sort: f"By {_SORTS[sort].lower()}",
            label_visibility="collapsed",
            on_change=_from_the_first,
            width=150,
            persist_state="session",
        )
        st.toggle("Reverse", key=_DOWN, on_change=_from_the_first, persist_state="session")


def _from_the_first() -> None:
    st.session_state[_PAGE] = 1


def _page(prototype: Prototype, librarian: Librarian, where: Where | None) -> DocumentPage:
    """The rows to show; those of the last page where there are fewer than there were."""
    asked = (prototype.name, where)
    if st.session_state.get(f"{_PAGE}-of") != asked:
        st.session_state[f"{_PAGE}-of"] = asked
        st.session_state[_CHOSEN] = set()
        if _PAGE in st.session_state:
            st.session_state[_PAGE] = 1

    def at(number: int) -> DocumentPage:
        return librarian.documents(
            query=str(st.session_state.get(_QUERY) or ""),
            where=where,
            sort=cast("Sort", st.session_state[_SORT]),
            descending=bool(st.session_state.get(_DOWN)),
            offset=(number - 1) * _ROWS,
            limit=_ROWS,
        )

    found = at(st.session_state.get(_PAGE, 1))
    if found.total and not found.rows:
        st.session_state[_PAGE] = math.ceil(found.total / _ROWS)
        found = at(st.session_state[_PAGE])
    return found


def _row(n: int, row: DocumentRow, prototype: Prototype, *, selecting: bool) -> None:
    """A line for a document. Keys are places in the list, so that a new page changes only words."""
    label = f"**{one_line(row.title or row.source, 110)}**&ensp;:gray[{_facts(row, prototype)}]"
    if selecting:
        key = f"library-choose-{row.id}"
        st.session_state.setdefault(key, row.id in _chosen())
        st.checkbox(label, key=key, on_change=_choose, args=(row.id,))
    elif st.button(
        label, key=f"library-open-{n}", type="tertiary", on_click=open_, args=(row.id,), wrap=False
    ):
        st.rerun()  # the click ran the list alone; the document is the page's


def _facts(row: DocumentRow, prototype: Prototype) -> str:
    parts = [] if row.source in ("", row.title) else [cut(row.source, 60)]
    parts.append(counted(row.sections, "section"))
    declared = {facet.key for facet in prototype.facets}
    filtered = {key: value for key, value in row.metadata.items() if key in declared}
    facts = filtered or {key: value for key, value in row.metadata.items() if key != "type"}
    parts += [
        f"{label}: {cut(value, 40)}" for label, value in metadata_words(facts, prototype.facets)[:_FACTS]
    ]
    return one_line(" · ".join(parts)) + (" · :blue[edited]" if row.edited else "")


def open_(document_id: str | None) -> None:
    """Callback: show that document, or the list again."""
    frame.forget_notices()
    address.put(address.DOCUMENT, document_id)


# --- deleting ---------------------------------------------------------------


def _chosen() -> set[str]:
    chosen: set[str] = st.session_state.setdefault(_CHOSEN, set())
    return chosen


def _choose(document_id: str) -> None:
    _chosen().symmetric_difference_update({document_id})


def _choose_all(ids: list[str], all_of_them: bool) -> None:
    for document_id in ids:
        st.session_state[f"library-choose-{document_id}"] = not all_of_them
    (_chosen().difference_update if all_of_them else _chosen().update)(ids)


def _selection(rows: DocumentPage) -> None:
    ids = [row.id for row in rows.rows]
    everything = set(ids) <= _chosen()
    with st.container(horizontal=True, gap="xsmall", key="library-selection"):
        st.button(
            "None on this page" if everything else "All on this page",
            key="library-all",
            on_click=_choose_all,
            args=(ids, everything),
        )
        if st.button(
            f"Delete {counted(len(_chosen()), 'document')}",
            key="library-delete",
            icon=":material/delete:",
            disabled=not _chosen(),
            on_click=ask_to_delete,
            args=(sorted(_chosen()),),
        ):
            st.rerun()


def ask_to_delete(document_ids: list[str], title: str = "") -> None:
    """Callback: have the reader confirm it."""
    st.session_state[_DIALOG] = (document_ids, title)


def dialogs(librarian: Librarian) -> None:
    """The dialog, while it is open. Call it last on the page."""
    wanted = st.session_state.get(_DIALOG)
    if wanted is not None:
        _delete(librarian, *wanted)


def _close() -> None:
    st.session_state.pop(_DIALOG, None)


@st.dialog("Delete for good?", on_dismiss=_close)
def _delete(librarian: Librarian, document_ids: list[str], title: str) -> None:
    if _DIALOG not in st.session_state:
        st.rerun()  # done, or kept: the page shows what there is now
    what = f"**{one_line(title, 80)}**" if title else f"**{counted(len(document_ids), 'document')}**"
    st.markdown(
        f"{what} will be taken out of the index, and an uploaded copy with it. Files elsewhere on your disk "
        "are not touched; answers that quoted them keep their quotations."
    )
    frame.remembered_problem()
    with st.container(horizontal=True):
        st.button(
            "Delete",
            key="library-delete-now",
            type="primary",
            icon=":material/delete:",
            on_click=_delete_now,
            args=(librarian, document_ids),
        )
        st.button("Keep", key="library-keep", on_click=_close)


def _delete_now(librarian: Librarian, document_ids: list[str]) -> None:
    try:
        count = librarian.delete(document_ids)
    except ThumbprintError as error:
        frame.remember_problem(str(error))
        return
    _close()
    st.session_state[_CHOSEN] = set()
    st.session_state["facets-cache"] = {}
    address.put(address.DOCUMENT, None)
    frame.remember_notice(f"{counted(count, 'document')} deleted.")
