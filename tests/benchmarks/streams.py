"""Fuzzed streams of a model: is a citation number ever shown that was not checked?

    python -m tests.benchmarks.streams [--streams 10000] [--seed 0] [--code]

Each stream is a text of sentences, true and false, with markers of every shape, whole and broken,
code, links, other brackets and digits, and characters that are not seen; with ``--code``, also many
blocks of code, tables, and halves of characters. It is read twice: in one
piece, and cut at random places, where every beginning of it is drawn as the page draws it. Counts
streams in which a number was drawn as a citation, or left in brackets outside code, that no checked
citation has; in which a citation does not quote its passage; and in which the two readings differ.
"""

from __future__ import annotations

import argparse
import random
import re
import sys
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from unicodedata import normalize

from pages.ui.answer import answer_markdown
from rag.answering import checked
from rag.cite import Judgement, judge
from rag.errors import GenerationError
from rag.types import Draft, Passage

TEXTS = (
    "The permit costs 24 euros. It is valid for two weeks. See table [4] of the annex.",
    "Children under 12 do not pay. The office opens at nine.",
    "Geneva lies on a lake. The lake is 310 metres deep.",
    "Code that reads x[1] or `y[2]` is shown as it is.",
)
PASSAGES = [Passage(f"d{n}", f"{n}.md", "T", 7, 7 + len(t), t, 1.0, "fused") for n, t in enumerate(TEXTS)]
_SENTENCES = (
    "The permit costs 24 euros",
    "The permit costs 42 euros",
    "Children under 12 do not pay",
    "Children under 12 pay",
    "It opens at nine",
    "Geneva lies on a lake",
    "The moon is made of cheese",
    "Yes",
    "I don't know from these documents",
    "The passages do not mention dogs",
    "日内瓦在湖边",
)
_MARKERS = (
    "[1]", "[2]", "[3]", "[4]", "[0]", "[9]", "[12]", "[-1]", "[1, 3]", "[1,9]", "[1-3]", "[3–1]", "[1-99]",
    "[1][2]", "[[1]]", "[[2], [9]]", "[1", "[", "]", "1]", "[2[1]]", "[ 3 ]", "[^2]", "[#1]", "[Source 2]",
    "[passage 9]",
    "【1】", "【2†source】", "【9", "［1］", "⟦2⟧", "〔9〕", "[¹]", "[①]", "[１]", "\\[1\\]", "\\[9\\]",
    "[1](http://x.example)",
    "[9](javascript:1)", "![1](http://x.example/p.png)", "[1]: http://x.example", 
    "[1, p. 3]", "[9: a.md]", "[1/2]", "[2|9]", "[see 9]", "[**9**]", "[_1_]", "[0002]", "[1]-[3]",
    "[2] – [9]", "([9])", "(see [1], [2])", "**[1]**", "[ref. 9]", "[P9]", "[9 (b)]", "[cite: 1, 9]", "[1.]",
    "[3]-", "([", "*[",
    "[1, 2, and 3]", "[2 and 9]", "[1 9]", "[1‑2]", "[1−9]", "[2..9]", "[1、3]", "【1:0†source】",
    "[Excerpt 9]", "[Quelle 2]", "[1], [9], and [3]", "[1] or [2]",
    "[2021]", "[sic]", "[]", "(1)", "¹",
)  # fmt: skip
_BETWEEN = (
    " ",
    ". ",
    " According to ",
    ". See ",
    " states",
    " 3 p.m. ",
    ", ",
    "\n",
    "\n\n",
    "",
    "! ",
    "; ",
    "。",
    "\n- ",
    "\n1. ",
    "`",
    "``",
    "```\n",
    "**",
    "# ",
    '"',
)
_CODE = (
    "\n```\n", "```", "\n```py\n", "````\n", "\n  ```\n", "```x``` ", "\n| --- | --- |\n", " | ", "\n| ",
    "\ud83d", "\ude00",
)  # fmt: skip
_UNSEEN = ("\u200b", "\u2060", "\u202e", "\ufeff", "\U000e0031", "\u00ad", "\x00", "\r\n", "\ufe0f")
_BEGUN = re.compile(r"`[^\n]*\Z")
"""Code that has begun to come: what is known at once is not given out in one piece."""
CODE = re.compile(
    r"^[ \t]*(```+)[^`\n]*(?:\n(?:.|\n)*?(?:^[ \t]*\1`*|\Z)|\Z)|(?<!`)(`+)(?!`)[^\n]{1,200}?(?<!`)\2(?!`)",
    re.MULTILINE,
)
_BRACKETED = re.compile(r"[\[【⟦〔〖]([^\[\]【】⟦⟧〔〕〖〗\n]{1,80})[\]】⟧〕〗]")
_NUMBERS = re.compile(
    r"(?=[\s^#*_]*(?:(?:see|ref|cite|source|passage|excerpt|quelle)\b[\s.:]*|p)?\d)(?:[\s,;:/|&^#*_.†()、+‐‑−–—-]|(?<!\d)\d{1,3}(?!\d)|\b(?:see|ref|cite|p|source|passage|excerpt|quelle|and|or|to)\b|"
    r"(?<=: )a\.md|(?<=, )p\. 3|(?<=\()b)+(?:†\w+)?",
    re.IGNORECASE,
)
"""What in brackets is nothing but numbers of passages, and words around them."""
_CHIP = re.compile(r":(?:blue|orange)-badge\[(\d+)\]")


@lru_cache(maxsize=20_000)
def judged(claim: str, source: str) -> Judgement:
    """The checker's rules, without a model."""
    return judge(claim, source)


@dataclass(frozen=True, slots=True)
class Read:
    """What a reader has of a stream in the end, and what was wrong on the way."""

    text: str
    draft: Draft
    wrong: tuple[str, ...]


def fuzzed(random: random.Random, *, code: bool = False) -> str:
    """The text of one stream."""
    parts: list[str] = []
    between = _BETWEEN + 2 * _CODE if code else _BETWEEN
    for _ in range(random.randint(1, 9)):
        for choices, likely in (
            (_SENTENCES, 0.8),
            (_MARKERS, 0.8),
            (_UNSEEN, 0.1),
            (_MARKERS, 0.3),
            (between, 0.9),
        ):
            if random.random() < likely:
                parts.append(random.choice(choices))
    return "".join(parts)


def cut(text: str, random: random.Random) -> list[str]:
    """The text in pieces, mostly of a few characters."""
    pieces, at = [], 0
    while at < len(text):
        size = random.choice((1, 1, 2, 3, 5, 8, 40))
        pieces.append(text[at : at + size])
        at += size
    return pieces


def read(pieces: Sequence[str], *, look: bool) -> Read:
    """Read a stream as the engine does; ``look`` at it whenever something came, as the page does."""
    text, draft, wrong = "", Draft("", ()), []

    def stream() -> Iterator[str | Draft]:
        yield from pieces
        yield Draft("", (), {"input_tokens": 1})

    try:
        for piece in checked(stream(), PASSAGES, judged):
            if isinstance(piece, Draft):
                draft = piece
                continue
            text += piece
            if look:
                wrong += shown_unchecked(text, draft, growing=True)
    except GenerationError:
        pass  # it wrote nothing
    return Read(text, draft, (*wrong, *shown_unchecked(text, draft), *misquoted(draft)))


def shown_unchecked(text: str, draft: Draft, *, growing: bool = False) -> list[str]:
    """Numbers that are drawn as citations, or stand in brackets outside code, and were not checked."""
    citations = [c for c in draft.citations if c.answer_end <= len(text)]
    known = {c.number for c in citations}
    drawn = {int(n) for n in _CHIP.findall(answer_markdown(text, citations, draft.claims))}
    bare = CODE.sub(" ", text)
    if growing:
        bare = _BEGUN.sub(" ", bare)
    bodies = [b for b in _BRACKETED.findall(normalize("NFKC", bare)) if _NUMBERS.fullmatch(b)]
    left = {int(n) for body in bodies for n in re.findall(r"\d+", body)}
    return [f"{number} is shown" for number in sorted((drawn | left) - known)]


def misquoted(draft: Draft) -> list[str]:
    """Citations whose quote does not stand where they say."""
    return [
        f"{c.number} quotes nothing"
        for c in draft.citations
        if not c.quote or PASSAGES[c.passage].text[c.start - 7 : c.end - 7] != c.quote
    ]


def trouble(seed: int, *, code: bool = False) -> list[str]:
    """What is wrong with one stream."""
    generator = random.Random(seed)
    text = fuzzed(generator, code=code)
    whole, pieces = read([text], look=False), read(cut(text, generator), look=True)
    found = [*whole.wrong, *pieces.wrong]
    if (whole.text, whole.draft.citations, whole.draft.claims) != (
        pieces.text, pieces.draft.citations, pieces.draft.claims,
    ):  # fmt: skip
        found.append("two splits give two answers")
    return [f"seed {seed}: {each}: {text!r}" for each in dict.fromkeys(found)]


def main() -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--streams", type=int, default=10_000)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--code", action="store_true")
    args = parser.parse_args()
    began, bad = time.perf_counter(), 0
    for seed in range(args.seed, args.seed + args.streams):
        found = trouble(seed, code=args.code)
        bad += bool(found)
        if found and bad <= 10:
            print(ascii("\n".join(found)))
    took = time.perf_counter() - began
    print(f"{args.streams:,} fuzzed streams: {bad} with a number that was not checked ({took:.0f} s)")
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
