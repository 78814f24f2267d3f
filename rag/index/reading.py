"""Reading a Chroma collection: all of it, or a page at a time where the server gives no more."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, TypeVar

from rag.index.client import wrapped

_T = TypeVar("_T")
READ = 5000
"""Records of one read by id."""


def read_ids(collection: Any, where: dict[str, Any] | None, page: int | None) -> Iterator[str]:
    """The ids of the records that ``where`` matches, of all for None, in no order."""
    offset = 0
    while True:
        with wrapped():
            found = collection.get(where=where, include=[], limit=page, offset=offset)["ids"]
        yield from found
        if page is None or len(found) < page:
            return
        offset += page


def read_records(
    collection: Any,
    *,
    ids: Sequence[str] | None = None,
    where: dict[str, Any] | None = None,
    page: int | None = None,
) -> Iterator[tuple[str, dict[str, Any], str]]:
    """Id, metadata and text of records, in no order.

    Always by id, some at a time: Chroma 1.5.9 gives no metadata of more than 32,766 records
    in one call ("too many SQL variables"), and a page of a filter costs as much as the whole.
    """
    if ids is None:
        ids = list(read_ids(collection, where, page))
    for batch in batches(ids, page or READ):
        found = collection.get(ids=batch, include=["metadatas", "documents"])
        yield from zip(found["ids"], found["metadatas"], found["documents"], strict=True)


def batches(rows: Sequence[_T], size: int) -> Iterator[Sequence[_T]]:
    """The rows in order, ``size`` at a time."""
    for start in range(0, len(rows), size):
        yield rows[start : start + size]
