"""What the votes come to: for each pair of settings who won how often, and whether that says anything."""

from __future__ import annotations

import streamlit as st

from pages.ui import compare_settings as settings
from pages.ui.frame import Page
from rag.compare import Standing, standings
from rag.prototypes import Prototype

_COLOURS = {"one": "#5b74ea", "tie": "#9aa1b1", "neither": "#c9cdd8", "other": "#e08a3c"}
"""Of the parts of a bar; they tell apart in light and dark, and to the colour-blind."""


def draw(page: Page, prototype: Prototype) -> None:
    """All pairs of settings that were voted on, the one with the most votes first."""
    store = page.engine.store
    known: dict[str, dict[str, object]] = {}

    def values(fingerprint: str) -> dict[str, object]:
        if fingerprint not in known:
            known[fingerprint] = store.settings(fingerprint)
        return known[fingerprint]

    found = standings(store.preferences.all(prototype.name), values, prototype.settings)
    st.subheader("Results", anchor=False)
    if not found:
        st.caption("Nothing has been voted on yet. Each vote counts for the two settings it was between.")
        return
    for standing in found:
        with st.container(border=True, gap="small"):
            _card(standing)
    st.caption(
        "Intervals are exact ones of 95 % (Clopper–Pearson) over the votes for one of the two. Ties and "
        "“neither” are shown and stay out of them. Looking after every vote and stopping when one is "
        "ahead makes a lucky lead look real: decide beforehand how many questions you ask."
    )


def _card(standing: Standing) -> None:
    one, other = settings.words(standing.differing, 0), settings.words(standing.differing, 1)
    st.markdown(
        f"{_square('one')} **{one}** {_wins(standing.wins)}  \n"
        f"{_square('other')} **{other}** {_wins(standing.losses)}"
    )
    st.html(_bars(standing))
    st.markdown(verdict(standing, one, other))
    votes = "1 vote" if standing.votes == 1 else f"{standing.votes} votes"
    ties = "1 tie" if standing.ties == 1 else f"{standing.ties} ties"
    questions = "1 question" if standing.questions == 1 else f"{standing.questions} questions"
    parts = [
        f"{votes} on {questions}",
        ties,
        f"{standing.neither} neither",
        f"left chosen {standing.left} of {standing.decided} times",
        f"settings `{standing.one}` and `{standing.other}`",
    ]
    if standing.shared:
        parts.append(f"both with {settings.named(standing.shared)}")
    st.caption(" · ".join(parts))


def verdict(standing: Standing, one: str, other: str) -> str:
    """Who is ahead, in a sentence of Markdown; or that nobody is, and why."""
    if standing.share is None:
        return "No vote has decided for either of them yet."
    favoured, rival, share, low, high = one, other, standing.share, standing.low, standing.high
    if share < 0.5:
        favoured, rival, share, low, high = other, one, 1 - share, 1 - high, 1 - low
    interval = (
        f"{share * 100:.0f} % of the decided votes, 95 % interval {low * 100:.1f} to {high * 100:.1f} %"
    )
    if standing.ahead:
        return f":green[:material/check_circle:] **{favoured}** is ahead of {rival}: {interval}."
    if share == 0.5:
        return f"Nobody is ahead: {interval}."
    return f"Nobody is ahead yet: **{favoured}** has {interval}, which holds one half."


def _wins(count: int) -> str:
    return f":gray[{count} {'win' if count == 1 else 'wins'}]"


def _square(name: str) -> str:
    return f':color[■]{{foreground="{_COLOURS[name]}"}}'


def _bars(standing: Standing) -> str:
    """The votes as a bar, and the share with its interval over the middle. Figures of ours alone."""
    counts = {
        "one": standing.wins,
        "tie": standing.ties,
        "neither": standing.neither,
        "other": standing.losses,
    }
    parts = "".join(
        f'<div title="{count}" style="flex:{count};background:{_COLOURS[name]}"></div>'
        for name, count in counts.items()
        if count
    )
    bar = (
        '<div aria-hidden="true" style="display:flex;gap:2px;height:12px;border-radius:6px;overflow:hidden">'
        f"{parts}</div>"
    )
    if standing.share is None:
        return bar
    # The scale runs like the bar: further right is a larger share for the first, whose colour is left.
    low, share, high = standing.low * 100, standing.share * 100, standing.high * 100
    return bar + (
        '<div aria-hidden="true" style="position:relative;height:18px;margin-top:8px">'
        '<div style="position:absolute;left:0;right:0;top:8px;height:2px;background:currentColor;'
        'opacity:.15"></div>'
        '<div style="position:absolute;left:50%;top:1px;height:16px;width:0;border-left:2px dashed '
        'currentColor;opacity:.45"></div>'
        f'<div style="position:absolute;left:{low:.2f}%;width:{high - low:.2f}%;top:6px;height:6px;'
        f'border-radius:3px;background:{_COLOURS["one"]};opacity:.55"></div>'
        f'<div style="position:absolute;left:calc({share:.2f}% - 6px);top:3px;width:12px;height:12px;'
        f'border-radius:6px;background:{_COLOURS["one"]}"></div></div>'
        '<div aria-hidden="true" style="display:flex;justify-content:space-between;font-size:12px;'
        'opacity:.65">'
        "<span>0 %</span><span>one half of the decided votes</span><span>100 %</span></div>"
    )
