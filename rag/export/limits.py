"""Numbers that no answer can have, brought to what every format holds.

A store may have them from before they were refused: a passage that ends at character 10^20, a
report of citation 3,000,000,000. One such number must not end the export of all the rest, so
it becomes the nearest that the formats have room for, and the text beside it stays; the number of a
reported citation, which would be that of another, is left out.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from rag.store import Rated
from rag.store.thumbs import LARGEST

Limits = Mapping[str, tuple[float, float]]
"""The least and the most that a field may be."""

_WHOLE = (-LARGEST, LARGEST)
_SPAN: Limits = {"start": _WHOLE, "end": _WHOLE}
_PASSAGE: Limits = {**_SPAN, "page": _WHOLE}
_CITATION: Limits = {**_SPAN, "number": _WHOLE, "passage": (-LARGEST, LARGEST - 1)}  # written counted from 1
_CREATED: Limits = {"created": (-62_135_596_800, 253_402_300_799)}  # the years 1 to 9999
_FEEDBACK: Limits = {**_CREATED, "revision": _WHOLE}


def fitted(rated: Rated) -> Rated:
    """An answer with its feedback, every number in it within the limits; the very one where all are."""
    answer, feedback = rated.answer, rated.feedback
    fitting = _within(
        answer,
        _CREATED,
        passages=tuple(_within(passage, _PASSAGE) for passage in answer.passages),
        citations=tuple(_within(citation, _CITATION) for citation in answer.citations),
    )
    said = feedback
    if feedback is not None:
        said = _within(
            feedback,
            _FEEDBACK,
            passage=None if feedback.passage is None else _within(feedback.passage, _SPAN),
            reported=tuple(number for number in feedback.reported if 1 <= number <= LARGEST),
        )
    return rated if fitting is answer and said is feedback else Rated(rated.n, fitting, said)


def _within(item: Any, limits: Limits, **parts: Any) -> Any:
    """``item`` with each field brought within its limits, and with these parts in their places.

    The very one where that changes nothing.
    """
    changed = {name: part for name, part in parts.items() if part != getattr(item, name)}
    for name, (least, most) in limits.items():
        value = getattr(item, name)
        if value is not None and not least <= value <= most:
            changed[name] = min(max(value, least), most)
    return replace(item, **changed) if changed else item
