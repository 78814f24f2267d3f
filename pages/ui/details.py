"""How an answer came about, for who asks: the question searched with, the model, tokens, cost, times.

Drawn only while it is open, so that a long conversation stays quick.
"""

from __future__ import annotations

import streamlit as st

from pages.ui.text import one_line
from rag.types import Answer

_LONG = 300
"""Characters of the question that was searched with."""


def draw(answer: Answer) -> None:
    """A button that opens the details."""
    opened = st.popover(
        "Details",
        key=f"facts-{answer.id}",
        icon=":material/info:",
        type="tertiary",
        on_change="rerun",  # nothing is computed before it is opened
    )
    if opened.open:
        rows = "\n".join(f"| {label} | {one_line(value, _LONG)} |" for label, value in lines(answer))
        opened.markdown(f"| | |\n|---|---|\n{rows}")


def lines(answer: Answer) -> list[tuple[str, str]]:
    """Labels and values, as plain text."""
    found = [("Written by", _writer(answer))]
    if answer.rewritten != answer.question:
        found.append(("Searched with", answer.rewritten))
    if answer.usage:
        found.append(("Tokens", _tokens(answer)))
    found += [("Cost", money(answer.cost)), ("Time", _times(answer))]
    found.append(("Confidence", f"{100 * answer.confidence:.0f} %"))
    if answer.quality is not None and not answer.abstained:
        quality = answer.quality
        shares = [("precision", quality.precision), ("recall", quality.recall)]
        words = [f"{name} {100 * share:.0f} %" for name, share in shares if share is not None]
        if quality.unknown:
            words.append(f"{quality.unknown} of no passage")
        if words:
            found.append(("Citations as the model gave them", ", ".join(words)))
    found.append(("Settings", answer.provenance.settings))
    if answer.provenance.prompt_version:
        found.append(("Prompt", answer.provenance.prompt_version))
    return found


def money(cost: float | None) -> str:
    """A cost in words: never 0 for what is unknown, nor for what is merely small."""
    if cost is None:
        return "unknown"
    if cost == 0:
        return "none"
    if cost < 0.0001:
        return "less than $0.0001"
    return f"${cost:.4f}" if cost < 0.1 else f"${cost:.2f}"


def _writer(answer: Answer) -> str:
    if answer.generator == "extractive":
        return "nobody: sentences of the documents are quoted" if not answer.abstained else "nobody"
    if answer.abstained and not answer.model:
        return "nobody: the model was not asked"
    return f"{answer.model} ({answer.generator})" if answer.model else answer.generator


def _tokens(answer: Answer) -> str:
    read, wrote = answer.usage.get("input_tokens", 0), answer.usage.get("output_tokens", 0)
    cached = answer.usage.get("cached_tokens")
    return f"{read:,} read{f' ({cached:,} from a cache)' if cached else ''}, {wrote:,} written"


def _times(answer: Answer) -> str:
    whole = f"{answer.seconds.get('total', 0.0):.1f} s in all"
    first = answer.seconds.get("first")
    return whole if first is None else f"first words after {first:.1f} s, {whole}"
