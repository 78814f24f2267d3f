"""The feedback in figures and charts: how many liked it, over time and by what it was made with."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import streamlit as st

from pages.ui import charts, facets
from pages.ui import feedback_filters as filters
from pages.ui import feedback_work as work
from pages.ui.frame import Page
from pages.ui.library_words import counted
from pages.ui.text import cut, one_line
from rag.dashboard import Group, Overview, overview
from rag.metrics import Rate
from rag.prototypes import Facet, Prototype
from rag.store import By, Outcome, Query, Tally

_BY: Mapping[str, By] = {
    "Prototype": "prototype",
    "Settings": "settings",
    "Topic": "topic",
    "Model": "generator",
    "Link": "link",
}
_FACT = "Facts"
_GROUPS = 12
"""Groups in a chart; the table has them all."""
_WIDE = (
    "<style>.st-key-feedback-table table { display: block; overflow-x: auto; white-space: nowrap; }</style>"
)
"""On a phone the table is wider than the page, and is moved by itself."""
_LINES = ("Thumbs up", "Response", "“I don't know”", "Seconds", "Cost")


def draw(page: Page, prototypes: Mapping[str, Prototype], query: Query, by: By | Facet) -> Overview:
    """The figures and the charts. ``by`` is what was chosen of :func:`chosen`."""
    found = overview(page.engine.store, query, by, filters.shift())
    _figures(found)
    if not found.total.answers:
        st.markdown("**No answers in this period.** Choose another period or prototype above.")
        return found
    if not found.total.rated:
        st.info(
            "**Nobody has rated an answer yet.** Readers find the thumbs under each answer. Show them the "
            "chat, or rate a few answers yourself; a thumb down can say what is wrong.",
            icon=":material/thumbs_up_down:",
        )
    _over_time(found)
    _groups(page, prototypes, query, by, found)
    _wrong(found)
    if found.elsewhere:
        st.caption(
            f"Not counted here: {counted(found.elsewhere, 'answer')} of batches, commands and comparisons, "
            "where nobody was there to rate. Under Answers, all are listed."
        )
    return found


def chosen(page: Page, prototypes: Mapping[str, Prototype], query: Query) -> By | Facet:
    """What the answers are broken down by, as it was chosen at the last run."""
    name = st.session_state.get("feedback-by", "Prototype")
    known = _facets(page, prototypes, query) if name == _FACT else []
    if name == _FACT and known:
        key = st.session_state.get("feedback-fact")
        return next((facet for facet in known if facet.key == key), known[0])
    return _BY.get(str(name), "prototype")


def _facets(page: Page, prototypes: Mapping[str, Prototype], query: Query) -> Sequence[Facet]:
    prototype = prototypes.get(query.selection.prototype or "")
    return facets.completed(page, prototype).facets if prototype else ()


# --- figures ----------------------------------------------------------------


def _figures(found: Overview) -> None:
    total = found.total
    with st.container(horizontal=True, gap="small", key="feedback-figures"):
        _figure("Answers", f"{total.answers:,}", f"{total.rated:,} rated")
        _figure("Thumbs up", _share(total.liked), _interval(total.liked))
        _figure("Response rate", _share(total.responded, 1), _interval(total.responded, 1))
        _figure("“I don't know”", _share(total.refused), _interval(total.refused))
        slow = "" if total.slow is None else f"95 %: {_seconds(total.slow)}"
        _figure("Seconds, median", _seconds(total.median), slow)
        _figure("Cost", _money(total.cost), _known(total))


def _figure(label: str, value: str, note: str) -> None:
    # One Markdown text: st.metric cuts a note that does not fit instead of breaking it.
    with st.container(width=112, gap=None):
        st.markdown(f":small[:gray[{label}]]\n### {value}\n:small[:gray[{note or '&nbsp;'}]]")


def _share(rate: Rate | None, digits: int = 0) -> str:
    return "–" if rate is None else f"{rate.value:.{digits}%}"


def _interval(rate: Rate | None, digits: int = 0) -> str:
    return "" if rate is None else f"{100 * rate.low:.{digits}f} to {rate.high:.{digits}%}"


def _seconds(value: float | None) -> str:
    return "–" if value is None else f"{value:.2g} s" if value < 10 else f"{value:.0f} s"


def _money(value: float | None) -> str:
    if value is None:
        return "–"
    if not value:
        return "&#36;0"
    # Markdown takes what stands between two dollar signs for a formula.
    return f"&#36;{value:,.2f}" if value >= 1 else f"&#36;{value:.4f}"


def _known(tally: Tally) -> str:
    if tally.costed == tally.answers:
        return "known of all"
    return "not known" if not tally.costed else f"known of {tally.costed:,}"


# --- over time --------------------------------------------------------------


def _over_time(found: Overview) -> None:
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        st.markdown(f"**Over time**&ensp;:gray[:small[by {found.step}]]", width="content")
        lines = [name for name in _LINES if name != "Cost" or found.total.costed]
        if st.session_state.get("feedback-line") not in lines:
            st.session_state["feedback-line"] = lines[0]
        shown = st.pills(
            "Show",
            lines,
            key="feedback-line",
            required=True,
            label_visibility="collapsed",
            persist_state="session",
        )
    series = [(1_000 * (start + filters.shift()), tally) for start, tally in found.series]
    spec, alt = _line(str(shown), series, found)
    charts.draw(spec, alt)
    if shown == "Thumbs up":
        rated = [(at, tally.up, tally.down) for at, tally in series if tally.rated]
        if rated:
            charts.draw(
                charts.counts_over_time(rated, found.step),
                "Thumbs up and down over time.",
            )
        st.caption(
            "The band, and the range under each share above, is the 95 % interval (Wilson): where it is "
            "wide, few people rated. Only the last rating of an answer counts."
        )


def _line(name: str, series: Sequence[tuple[float, Tally]], found: Overview) -> tuple[charts.Spec, str]:
    step = found.step
    match name:
        case "Response":
            points = [charts.rate_point(at, tally.responded, "answers") for at, tally in series]
        case "“I don't know”":
            points = [charts.rate_point(at, tally.refused, "answers") for at, tally in series]
        case "Seconds":
            points = [charts.Point(at, t.median, note=f"{t.answers:,} answers") for at, t in series]
        case "Cost":
            points = [charts.Point(at, t.cost, note=f"{t.costed:,} answers") for at, t in series]
        case _:
            points = [charts.rate_point(at, tally.liked, "ratings") for at, tally in series]
    share = name not in ("Seconds", "Cost")
    what = {"Seconds": "Median seconds of an answer", "Cost": "US dollars"}.get(name, f"Share of {name}")
    return charts.line(points, name, step, share=share), f"{what} over time, by {step}."


# --- by groups --------------------------------------------------------------


def _groups(
    page: Page, prototypes: Mapping[str, Prototype], query: Query, by: By | Facet, found: Overview
) -> None:
    names = [*_BY]
    if query.selection.prototype in prototypes:
        names.insert(1, _FACT)
    if st.session_state.get("feedback-by") not in names:
        st.session_state["feedback-by"] = names[0]
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        st.markdown("**Thumbs up by**", width="content")
        st.pills(
            "By",
            names,
            key="feedback-by",
            required=True,
            label_visibility="collapsed",
            persist_state="session",
        )
        if isinstance(by, Facet):
            known = {facet.key: facet for facet in _facets(page, prototypes, query)}
            st.selectbox(
                "Fact",
                list(known),
                key="feedback-fact",
                format_func=lambda key: cut(known[key].label, 40),
                label_visibility="collapsed",
                width=180,
                persist_state="session",
            )
    if by == "topic":
        asked = query.selection.prototype
        work.topics(page, [asked] if asked else [*prototypes])
    groups = [_titled(group, prototypes, by) for group in found.groups]
    rated = [(g.name, g.tally.liked) for g in groups if g.tally.liked][:_GROUPS]
    if rated:
        charts.draw(
            charts.intervals([(name, rate) for name, rate in rated if rate], "ratings"),
            "Share of thumbs up with its 95 % interval, by " + _by_name(by),
        )
    else:
        st.caption(_nothing(by, groups))
    if groups:
        with st.expander("In figures", type="compact", key="feedback-table"):
            st.html(_WIDE)
            st.markdown(_table(groups))
            hidden = len([g for g in groups if g.tally.liked]) - len(rated)
            if hidden > 0:
                st.caption(f"The chart shows the first {_GROUPS}; {hidden} more are in this table.")


def _titled(group: Group, prototypes: Mapping[str, Prototype], by: By | Facet) -> Group:
    if by != "prototype":
        return group
    return Group(group.key, filters.title(prototypes, group.name), group.tally)


def _by_name(by: By | Facet) -> str:
    return f"{by.label}." if isinstance(by, Facet) else f"{by}."


def _nothing(by: By | Facet, groups: Sequence[Group]) -> str:
    if isinstance(by, Facet) and not groups:
        return "No document that was quoted has this fact."
    return "Nobody has rated an answer in this period yet."


def _table(groups: Sequence[Group]) -> str:
    """The groups as a table in Markdown, with everything that is known of each."""
    head = [
        "",
        "Answers",
        "Rated",
        "Response",
        "Thumbs up",
        "95 % interval",
        "“I don't know”",
        "Median",
        "Cost",
    ]
    rows = [head, ["---", *["--:"] * (len(head) - 1)]]
    for group in groups:
        t = group.tally
        rows.append(
            [
                one_line(group.name, 40),
                f"{t.answers:,}",
                f"{t.rated:,}",
                _share(t.responded, 1),
                f"{_share(t.liked)} ({_interval(t.liked)})" if t.liked else "–",
                _share(t.refused),
                _seconds(t.median),
                f"{_money(t.cost)}{f' ({_known(t)})' if 0 < t.costed < t.answers else ''}",
            ]
        )
    return "\n".join("| " + " | ".join(row) + " |" for row in rows)


# --- what went wrong --------------------------------------------------------


def _wrong(found: Overview) -> None:
    if not found.total.down:
        return
    left, right = st.columns(2, gap="medium")
    with left:
        thumbs = "1 thumb down" if found.total.down == 1 else f"{found.total.down:,} thumbs down"
        st.markdown(f"**Reasons given**&ensp;:gray[:small[of {thumbs}]]")
        if found.reasons:
            named = [(filters.reason_name(reason), times) for reason, times in found.reasons[:_GROUPS]]
            charts.draw(charts.bars(named, "Thumbs down"), "Thumbs down by reason.")
        else:
            st.caption("No thumb down came with a reason yet.")
    with right:
        st.markdown("**Where it went wrong**&ensp;:gray[:small[by the program, or by you]]")
        draw_failures(found.failures)


def draw_failures(counted: Mapping[Outcome, int]) -> None:
    """Thumbs down by the step that failed, in the order of the steps."""
    named = [
        (name, counted.get(failure, 0))
        for failure, name in filters.FAILURES.items()
        if failure != "waiting" or counted.get(failure)
    ]
    charts.draw(charts.bars(named, "Thumbs down", charts.GRAY), "Thumbs down by the step that failed.")
