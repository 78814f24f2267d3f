"""The links there are, each with its terms and what came of it; and the limits that hold for everyone."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import fields
from datetime import UTC, datetime

import streamlit as st

from pages.ui import frame, resources
from pages.ui.frame import Page
from pages.ui.links_making import describe
from pages.ui.text import badge, one_line, plain
from rag.config import LIMIT_NAMES, Limits, Settings
from rag.errors import ThumbprintError
from rag.limits import Purse
from rag.link import LinkReport
from rag.links import Links
from rag.prototypes import Prototype
from rag.types import LinkTerms

_REVOKE = "links-revoke"
_STATES = {"active": "green", "expired": "gray", "revoked": "red"}
_WORDS = {
    "questions_per_minute": "Questions a minute, of one browser",
    "address_per_minute": "Questions a minute, of one network address",
    "question_characters": "Characters of a question",
    "concurrent": "Answers written at the same time; others wait",
    "waiting": "Questions that wait; further ones are refused",
    "upload_files": "Files of one drop on the library page",
    "dollars_per_day": "US dollars a day (UTC) for written answers; beyond it they are quoted",
}


def where_kept(links: Links) -> None:
    """Where links are looked up."""
    if links.kept_in == "supabase":
        st.caption(
            ":material/cloud_done: Links are kept in your Supabase project: they live through a wiped disk "
            "and hold on every replica."
        )
    else:
        st.caption(
            ":material/hard_drive: Links are kept on this machine. A host that wipes its disk loses them; "
            "with SUPABASE_URL and SUPABASE_SECRET_KEY they are kept in Supabase too."
        )


def draw(links: Links, prototypes: Mapping[str, Prototype]) -> None:
    """Every link, the newest first; those that have ended fold away."""
    reports = links.reports()
    if not reports:
        st.info("There are no links yet. The first one takes a label and a click.", icon=":material/link:")
        return
    active = [report for report in reports if report.state == "active"]
    ended = [report for report in reports if report.state != "active"]
    for report in active:
        _card(report, prototypes)
    if ended:
        with st.expander(f"Ended, {len(ended)}", key="links-ended"):
            for report in ended:
                _card(report, prototypes)


def _card(report: LinkReport, prototypes: Mapping[str, Prototype]) -> None:
    link, figures = report.link, report.figures
    known = prototypes.get(link.prototype)
    title = f"{known.icon} {known.title}" if known else link.prototype
    with st.container(border=True, gap="xsmall", key=f"link-{link.id}"):
        with st.container(horizontal=True, vertical_alignment="center", horizontal_alignment="distribute"):
            if link.kind == "conversation":
                st.markdown(f"**A conversation**, shared by its reader :small[:gray[{one_line(title)}]]")
            else:
                st.markdown(f"**{describe(link.terms.label)}** :small[:gray[{one_line(title)}]]")
            if report.state == "active":
                st.button("Revoke", key=f"revoke-{link.id}", type="tertiary", on_click=_ask, args=(link.id,))
        st.markdown(" ".join([badge(report.state, _STATES[report.state]), *_badges(report)]))
        if link.kind == "prototype":
            rated = figures.up + figures.down
            share = f", {figures.up / rated:.0%} up" if rated else ""
            st.markdown(
                f"**{figures.answers:,}** question{'' if figures.answers == 1 else 's'} · "
                f"**{report.visitors:,}** visitor{'' if report.visitors == 1 else 's'} · "
                f":material/thumb_up: **{figures.up}** :material/thumb_down: **{figures.down}**{share}"
                + (f" · &#36;{figures.dollars:.2f}" if figures.dollars else "")
            )
            st.caption(_terms(link.terms, known))
        st.caption(
            f"Made on {_day(link.created)}"
            + (f", last asked on {_day(figures.last)}" if figures.last else "")
        )
        if report.problem:
            st.warning(plain(report.problem), icon=":material/warning:")
        if report.index_differs:
            _index(report)


def _badges(report: LinkReport) -> list[str]:
    terms, found = report.link.terms, []
    if terms.expires is not None and report.state == "active":
        soon = terms.expires - time.time() <= 2 * 86_400
        found.append(badge(f"ends on {_day(terms.expires)}", "orange" if soon else "gray"))
    if terms.password is not None:
        found.append(badge("password", "blue"))
    if report.index_differs and report.link.kind == "prototype":
        found.append(badge("documents changed", "orange"))
    found.append(badge("in Supabase" if report.link.kept == "supabase" else "on this machine"))
    return found


def _terms(terms: LinkTerms, prototype: Prototype | None) -> str:
    caps = terms.caps
    parts = [
        f"{count:,} questions {words}"
        for count, words in ((caps.visitor, "per visitor"), (caps.day, "a day"), (caps.total, "in all"))
        if count is not None
    ]
    if caps.dollars is not None:
        parts.append(f"{caps.dollars:g} US dollars")
    defaults = Settings().values
    own = [f"{key} = {value}" for key, value in terms.settings.items() if defaults.get(key) != value]
    limits = one_line("At most " + ", ".join(parts) if parts else "No caps")
    return f"{limits}. {one_line('Frozen: ' + (', '.join(own) or 'the defaults'), 300)}"


def _index(report: LinkReport) -> None:
    made, now = report.link.terms.index_version, report.index_version
    if report.link.kind != "prototype":
        return
    versions = ", ".join(f"`{one_line(v)}`" for v in report.figures.index_versions[-5:])
    st.caption(
        f"Index when it was made `{one_line(made) or 'none'}`, now `{one_line(now) or 'none'}`"
        + (f"; of its answers {versions}" if versions else "")
    )


def _day(seconds: float) -> str:
    try:
        return f"{datetime.fromtimestamp(seconds, UTC):%d %B %Y}".lstrip("0")
    except (ValueError, OverflowError, OSError):  # a link is shown, whatever was stored
        return "a day beyond the calendar"


def _ask(link_id: str) -> None:
    st.session_state[_REVOKE] = link_id


def dialogs(links: Links) -> None:
    """The question before a link is revoked."""
    wanted = st.session_state.pop(_REVOKE, None)
    if wanted:
        _revoke(links, wanted)


@st.dialog("Revoke this link?")
def _revoke(links: Links, link_id: str) -> None:
    st.markdown("It opens nothing any more, for good. What was asked and rated under it stays.")
    with st.container(horizontal=True):
        if st.button("Revoke", key="revoke-sure", type="primary", icon=":material/link_off:"):
            try:
                links.revoke(link_id)
            except ThumbprintError as error:
                frame.problem(str(error))
            else:
                st.rerun()
        if st.button("Keep it", key="revoke-not"):
            st.rerun()


def limits(page: Page) -> None:
    """Every limit that holds, where it is set, and what of the day's budget is spent."""
    held: Limits = page.engine.environment.limits
    store = page.engine.store
    spent = Purse(lambda: store, held).spent_today()
    with st.expander("Limits", icon=":material/speed:", key="links-limits"):
        rows = [
            {
                "Limit": _WORDS[field.name],
                "Value": _value(getattr(held, field.name)),
                "Variable": LIMIT_NAMES[field.name],
            }
            for field in fields(held)
        ]
        megabytes = page.engine.environment.max_file_bytes / 1_000_000
        rows.append(
            {
                "Limit": "Megabytes of one file",
                "Value": f"{megabytes:g}",
                "Variable": "THUMBPRINT_MAX_FILE_MB",
            }
        )
        rows.append(
            {
                "Limit": "Who may chat without a link",
                "Value": "everyone" if page.engine.environment.chat == "open" else "the owner",
                "Variable": "THUMBPRINT_CHAT",
            }
        )
        st.dataframe(rows, hide_index=True, width="stretch")
        st.caption(
            f"Spent today: &#36;{spent:.4f}. Answers that are being written count for the most they can cost."
        )
        owner = resources.owner()
        st.caption(
            "Wrong passwords: the fourth one waits, the tenth locks for a quarter of an hour. "
            + ("A password is set." if owner.has_password else "No password is set.")
        )


def _value(value: float | None) -> str:
    return "none" if value is None else f"{value:,g}"
