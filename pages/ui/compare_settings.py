"""What is compared: two settings, A and B, as what differs in them from the prototype's own.

The values of the widgets are the state. A comparison that is opened by its address brings its
own settings along, in an order that does not say which of them stands left.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

import streamlit as st

from pages.ui.text import cut, one_line
from rag.compare import differing, prompts
from rag.config import Settings, parse_assignments, with_settings
from rag.prototypes import Prototype

SIDES = ("A", "B")
_OTHER = "other"
_LABELS = {
    "rerank": "Re-ranker",
    "k": "Passages",
    "budget": "Context in tokens",
    "fusion": "Search weights",
    "generator": "Generator",
    "model": "Model",
    "prompt": "Prompt",
    "abstain": "When unsure",
    "filters.guess": "Filters from the question",
    "chunking.section_tokens": "Section size",
    "embedding.model": "Embedding model",
    _OTHER: "Anything else",
}
_NAMES: Mapping[str, Mapping[str, str]] = {
    "rerank": {
        "none": "none",
        "late": "late interaction",
        "cross": "cross-encoder",
        "cohere": "Cohere",
    },
    "fusion": {"auto": "automatic", "learned": "learned", "hand": "set by hand"},
    "generator": {
        "auto": "automatic",
        "extractive": "quotations, no model",
        "openai": "OpenAI or compatible",
        "cohere": "Cohere",
    },
    "abstain": {"on": "say “I don't know”", "off": "answer anyway"},
    "filters.guess": {"off": "offered", "on": "applied"},
}
_NUMBERS = {"k": (1, 30, 1), "budget": (0, 8_000, 50), "chunking.section_tokens": (32, 2_000, 10)}
"""Lowest, highest, and step."""
_HELP = {
    "budget": "The best text that fits in so many tokens, in place of a number of passages. 0: passages.",
    "model": "The name of the model, as its provider writes it",
    "chunking.section_tokens": "Most tokens of a section. An index of its own is built for it, "
    "which takes as long as indexing the documents.",
    "embedding.model": "A sentence-transformers model. An index of its own is built for it.",
    _OTHER: "One setting a line: KEY=VALUE",
}
_SHOWN = 40
"""Characters of a value in a line."""


def draw(prototype: Prototype) -> None:
    """What differs, and a column for each of the two."""
    key = _varied_key(prototype)
    if key not in st.session_state:
        st.session_state[key] = ["rerank"]
    varied = st.pills(
        "What differs",
        list(_LABELS),
        key=key,
        selection_mode="multi",
        format_func=_LABELS.__getitem__,
        persist_state="session",
    )
    if not varied:
        st.caption("Choose at least one setting that is to differ. All others are those of the prototype.")
        return
    for side, column in zip(SIDES, st.columns(2), strict=True):
        with column.container(border=True, gap="small"):
            st.markdown(f"**{side}**")
            for name in _in_order(varied):
                _widget(prototype, name, side)


def settings(prototype: Prototype) -> tuple[Settings, Settings]:
    """A and B. Raises :class:`rag.errors.UsageError` for what a setting does not take."""
    varied = _in_order(st.session_state.get(_varied_key(prototype)) or ())
    one, other = (
        with_settings(prototype.settings, _assigned({name: _value(prototype, name, side) for name in varied}))
        for side in SIDES
    )
    return one, other


def adopt(prototype: Prototype, sides: Sequence[Mapping[str, object]]) -> None:
    """Begin with the settings of a comparison that was opened by its address."""
    key = _varied_key(prototype)
    if key in st.session_state or not all(sides):
        return
    known = sorted(sides, key=lambda values: json.dumps(values, sort_keys=True, ensure_ascii=False))
    apart = differing(*known)
    lines: tuple[list[str], list[str]] = ([], [])
    for name, values in apart.items():
        for side, value, rest in zip(SIDES, values, lines, strict=True):
            if name in _LABELS:
                st.session_state[_key(prototype, name, side)] = value
            else:
                rest.append(f"{name}={'' if value is None else value}")
    named = [name for name in apart if name in _LABELS]
    if any(lines):
        named.append(_OTHER)
        for side, rest in zip(SIDES, lines, strict=True):
            st.session_state[_key(prototype, _OTHER, side)] = "\n".join(rest)
    st.session_state[key] = named


def words(values: Mapping[str, tuple[object, object]], side: int) -> str:
    """One of two settings in a line of Markdown: the keys that differ, with its values."""
    return named({name: both[side] for name, both in values.items()}) or "settings that are not known here"


def named(values: Mapping[str, object]) -> str:
    """Settings in a line of Markdown, those of the form first and in its order."""
    order = sorted(values, key=lambda name: list(_LABELS).index(name) if name in _LABELS else len(_LABELS))
    return one_line(" · ".join(f"{_LABELS.get(name, name)}: {_word(name, values[name])}" for name in order))


def title(prototype: Prototype) -> str:
    """A and B in a line of Markdown, as far as the form can be read."""
    parts = []
    for side in SIDES:
        said = [
            f"{_LABELS[name]} {_word(name, _value(prototype, name, side))}"
            for name in _in_order(st.session_state.get(_varied_key(prototype)) or ())
        ]
        parts.append(f"**{side}** {one_line(', '.join(said))}")
    return " · ".join(parts)


def _word(name: str, value: object) -> str:
    if value is None or value == "":
        return "as it comes"
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    return cut(_NAMES.get(name, {}).get(text, text), _SHOWN)


def _in_order(varied: Sequence[str]) -> list[str]:
    return [name for name in _LABELS if name in varied]


def _assigned(values: Mapping[str, Any]) -> dict[str, Any]:
    """The lines of "anything else" as the settings they name."""
    lines = str(values.get(_OTHER) or "").splitlines()
    named = {name: value for name, value in values.items() if name != _OTHER}
    return {**named, **parse_assignments([line for line in lines if line.strip()])}


def _widget(prototype: Prototype, name: str, side: str) -> None:
    key = _key(prototype, name, side)
    if key not in st.session_state:
        st.session_state[key] = _default(prototype, name, side)
    label, tip = _LABELS[name], _HELP.get(name)
    if name in _NUMBERS:
        low, high, step = _NUMBERS[name]
        st.session_state[key] = min(max(int(st.session_state[key]), low), high)
        st.number_input(
            label,
            min_value=low,
            max_value=high,
            step=step,
            key=key,
            help=tip,
            persist_state="session",
        )
    elif name == _OTHER:
        st.text_area(
            label, key=key, help=tip, height=68, placeholder="temperature=0", persist_state="session"
        )
    elif name in _NAMES or name == "prompt":
        options = _options(prototype, name)
        if st.session_state[key] not in options:
            options = [*options, st.session_state[key]]
        st.selectbox(
            label,
            options,
            key=key,
            help=tip,
            format_func=lambda value: one_line(_word(name, value)),
            persist_state="session",
        )
    else:
        st.text_input(label, key=key, help=tip, max_chars=200, persist_state="session")


def _value(prototype: Prototype, name: str, side: str) -> Any:
    return st.session_state.get(_key(prototype, name, side), _default(prototype, name, side))


def _default(prototype: Prototype, name: str, side: str) -> Any:
    """A is the prototype's own value, B another one where there is one to guess."""
    own = prototype.settings.values.get(name)
    if name == "prompt":
        own = own or prompts(prototype)[0]
    if side == "A" or name == _OTHER:
        return "" if own is None else own
    if name in _NUMBERS:
        return {"k": 2 * int(own or 5), "budget": 600}.get(name, max(32, int(own or 200) // 2))
    if name in _NAMES or name == "prompt":
        options = _options(prototype, name)
        return next((option for option in options if option != own), own)
    return own or ""


def _options(prototype: Prototype, name: str) -> list[Any]:
    return prompts(prototype) if name == "prompt" else list(_NAMES[name])


def _varied_key(prototype: Prototype) -> str:
    return f"compare-{prototype.name}-varied"


def _key(prototype: Prototype, name: str, side: str) -> str:
    return f"compare-{prototype.name}-{name}-{side}"
