"""What a reader thinks of an answer: the thumb, and as much more as they care to say.

The thumb is stored by the click, before anything else is asked. All that follows is optional,
stored field by field as it is given, and can be changed and taken back: each change is
appended as a whole new revision, made from the newest one there is, which another tab may
have given. Everything is recorded in callbacks, which the fragment under an answer runs alone,
so that nothing here disturbs an answer that is being written.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import streamlit as st

from pages.ui import admission, frame, rating_passage
from pages.ui.frame import Page
from pages.ui.text import cut, one_line
from rag.errors import ThumbprintError
from rag.prototypes import Prototype
from rag.store.thumbs import MAX_COMMENT, MAX_CORRECTION
from rag.types import REASONS, Answer, Feedback, Rating, Relevant

_THUMBS: dict[Rating, int] = {"up": 1, "down": 0}
_RATINGS: dict[int, Rating] = {number: rating for rating, number in _THUMBS.items()}
_TEXTS = {"comment": MAX_COMMENT, "correction": MAX_CORRECTION}
_QUOTED = 80
"""Characters of a reader's own words in the line that says what is recorded."""

Change = Callable[[Feedback], Feedback]


@dataclass(frozen=True, slots=True)
class Rated:
    """The rating of one answer. ``stored`` is what counted when the page was drawn."""

    page: Page
    prototype: Prototype
    answer: Answer
    stored: Feedback | None

    @property
    def newest(self) -> Feedback:
        """What this session knows to be recorded."""
        kept: Feedback | None = st.session_state.get(_key("feedback", self.answer.id), self.stored)
        return kept or Feedback(self.answer.id, 0, None)

    def thumbs(self) -> None:
        """The two thumbs. Draw them in a row, and :meth:`more` at its end."""
        key = _key("thumbs", self.answer.id)
        rating = self.newest.rating
        if key not in st.session_state and rating is not None:
            st.session_state[key] = _THUMBS[rating]
        st.feedback("thumbs", key=key, on_change=_turn, args=(self.page, self.answer.id))

    def more(self) -> None:
        """The way to say more once there is a thumb, and that what was given is saved."""
        answer_id = self.answer.id
        if self.newest.rating is not None and not self._open:
            said = bool(_details(self.newest))
            st.button(
                "Change" if said else "Say more",
                key=f"say-more-{answer_id}",
                icon=":material/edit_note:",
                type="tertiary",
                help="Change what you said about this answer" if said else "Add a comment; it is optional",
                on_click=_open,
                args=(answer_id, True),
            )
        if st.session_state.get(_key("told", answer_id)) == "":
            st.caption(":green[:material/check: Saved]", width="content")

    def details(self) -> None:
        """What is recorded beside the thumb in one line, or the fields to say it in."""
        told = st.session_state.pop(_key("told", self.answer.id), None)
        if told:
            frame.problem(told)
        if not self._open:
            words = recorded(self.newest)
            if words:
                st.caption(f":material/rate_review: {words}")
            return
        st.session_state.setdefault(_key("feedback", self.answer.id), self.newest)
        with st.container(border=True, gap="small", key=f"say-{self.answer.id}"):
            if self.newest.rating == "down":
                self._wrong()
            else:
                self._text("comment", "What was good about it?")
            with st.container(horizontal=True, vertical_alignment="center"):
                st.button("Done", key=f"done-{self.answer.id}", on_click=_open, args=(self.answer.id, False))
                st.caption(
                    "All of it is optional, and kept as you give it. Click the thumb again to take it back.",
                    width="content",
                )

    def report(self, number: int) -> None:
        """The button by which a citation is reported, or no longer."""
        reported = number in self.newest.reported
        st.button(
            "Reported. Take it back" if reported else "Report this citation",
            key=f"report-{self.answer.id}-{number}",
            icon=":material/flag:",
            type="tertiary",
            help="It stays reported until you take it back."
            if reported
            else "It does not say what the answer says, or says it of something else.",
            on_click=_report,
            args=(self.page, self.answer.id, number),
        )

    @property
    def _open(self) -> bool:
        is_open = bool(st.session_state.get(_key("say-open", self.answer.id)))
        return is_open and self.newest.rating is not None

    def _wrong(self) -> None:
        key, given = _key("reasons", self.answer.id), self.newest.reasons
        if key not in st.session_state:
            st.session_state[key] = list(given)
        st.pills(
            "What was wrong with it?",
            list(dict.fromkeys((*REASONS, *given))),
            key=key,
            selection_mode="multi",
            format_func=lambda reason: REASONS.get(reason) or one_line(reason),
            on_change=_reasons,
            args=(self.page, self.answer.id),
        )
        self._text("comment", "Comment")
        self._text("correction", "What should it have said?")
        rating_passage.draw(self.page, self.prototype, self.answer, self.newest.passage, _passage)

    def _text(self, name: str, label: str) -> None:
        key = _key(name, self.answer.id)
        if key not in st.session_state:
            st.session_state[key] = getattr(self.newest, name)
        st.text_area(
            label,
            key=key,
            height=68,
            max_chars=_TEXTS[name],
            placeholder="Optional",
            on_change=_write,
            args=(self.page, self.answer.id, name),
        )


def recorded(feedback: Feedback) -> str:
    """What is recorded beside the thumb, in one line of Markdown; empty where nothing is."""
    return " · ".join(one_line(words) for words in _details(feedback))


def turned(newest: Feedback, rating: Rating | None, aside: Feedback | None) -> Feedback:
    """The feedback after its thumb was turned.

    What was said of a wrong answer does not hold of a right one, and nothing holds without a
    thumb but the citations that were reported. ``aside`` is what an earlier turn took away: it
    comes back where the thumb does, for the click may have been a slip.
    """
    back = aside or newest
    comment = newest.comment or back.comment
    if rating == "down":
        return replace(
            newest,
            rating=rating,
            comment=comment,
            reasons=newest.reasons or back.reasons,
            correction=newest.correction or back.correction,
            passage=newest.passage or back.passage,
        )
    comment = comment if rating == "up" else ""
    return replace(newest, rating=rating, comment=comment, reasons=(), correction="", passage=None)


def _details(feedback: Feedback) -> list[str]:
    found = [REASONS.get(reason, reason) for reason in feedback.reasons]
    parts = [", ".join(found)] if found else []
    if feedback.comment:
        parts.append(f"“{cut(feedback.comment, _QUOTED)}”")
    if feedback.correction:
        parts.append(f"should say “{cut(feedback.correction, _QUOTED)}”")
    if feedback.passage:
        parts.append(f"answered by “{cut(feedback.passage.text or feedback.passage.source, _QUOTED)}”")
    numbers = [str(number) for number in feedback.reported]
    if numbers:
        parts.append(f"citation{'s' if len(numbers) > 1 else ''} {', '.join(numbers)} reported")
    return parts


# --- callbacks ----------------------------------------------------------------


def _turn(page: Page, answer_id: str) -> None:
    # Words just typed come with the click that takes the reader away from them, in either order.
    for name in _TEXTS:
        _write(page, answer_id, name)
    value = st.session_state[_key("thumbs", answer_id)]
    rating = None if value is None else _RATINGS[value]
    aside = _key("aside", answer_id)

    def change(newest: Feedback) -> Feedback:
        if newest.reasons or newest.comment or newest.correction or newest.passage:
            st.session_state.setdefault(aside, newest)  # until something is said anew
        return turned(newest, rating, st.session_state.get(aside))

    _record(page, answer_id, change)
    for name in ("reasons", *_TEXTS):
        st.session_state.pop(_key(name, answer_id), None)  # drawn anew from what is recorded now
    rating_passage.forget(answer_id)
    _open(answer_id, rating == "down")


def _reasons(page: Page, answer_id: str) -> None:
    chosen: Sequence[str] | None = st.session_state.get(_key("reasons", answer_id))
    if chosen is not None:
        _detail(page, answer_id, lambda newest: replace(newest, reasons=tuple(chosen)))


def _write(page: Page, answer_id: str, name: str) -> None:
    known: Feedback | None = st.session_state.get(_key("feedback", answer_id))
    typed = st.session_state.get(_key(name, answer_id))
    text = str(typed or "").strip()
    if typed is None or known is None or text == getattr(known, name):
        return  # nothing is pending: what another tab wrote meanwhile is not to be undone
    _detail(page, answer_id, lambda newest: _with_text(newest, name, text))


def _with_text(feedback: Feedback, name: str, text: str) -> Feedback:
    return replace(feedback, comment=text) if name == "comment" else replace(feedback, correction=text)


def _passage(page: Page, answer_id: str, chosen: Relevant | None) -> None:
    _detail(page, answer_id, lambda newest: replace(newest, passage=chosen))


def _report(page: Page, answer_id: str, number: int) -> None:
    _record(
        page,
        answer_id,
        lambda newest: replace(newest, reported=tuple(sorted(set(newest.reported) ^ {number}))),
    )


def _detail(page: Page, answer_id: str, change: Change) -> None:
    """A change of what is said beside the thumb: it is said of the thumb that stands in this tab.

    Another tab may have turned it meanwhile, but a correction belongs to no thumb up, and words
    to no answer that is not rated. What is said last counts.
    """
    st.session_state.pop(_key("aside", answer_id), None)
    known: Feedback | None = st.session_state.get(_key("feedback", answer_id))

    def beside(newest: Feedback) -> Feedback:
        turn = known is not None and known.rating is not None and newest.rating != known.rating
        return change(turned(newest, known.rating, None) if turn and known else newest)

    _record(page, answer_id, beside)


def _record(page: Page, answer_id: str, change: Change) -> None:
    """Append the newest feedback with that change; what came of it is told under the answer."""
    state, told = st.session_state, _key("told", answer_id)
    try:
        admission.still_open(page)
        newest = page.engine.store.feedback(answer_id) or Feedback(answer_id, 0, None)
        wanted = change(newest)
        state[_key("feedback", answer_id)] = newest
        if wanted != newest:
            state[_key("feedback", answer_id)] = page.engine.store.add_feedback(
                answer_id,
                wanted.rating,
                reasons=wanted.reasons,
                comment=wanted.comment,
                correction=wanted.correction,
                passage=wanted.passage,
                reported=wanted.reported,
            )
        state[told] = ""
    except ThumbprintError as error:
        state[told] = f"The rating was not saved. {error}"


def _open(answer_id: str, is_open: bool) -> None:
    st.session_state[_key("say-open", answer_id)] = is_open


def _key(name: str, answer_id: str) -> str:
    return f"{name}-{answer_id}"
