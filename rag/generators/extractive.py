"""Answers without a model: the sentences that answer best, quoted and cited."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from rag.types import Citation, Draft, Passage, Sentence, Turn

_MOST = 3
_SECOND_MARGIN = 2.8
"""How far behind the best sentence a second may be, in sums of z-scores: with less, two quotes
hold the answer less often (SQuAD, 86 % at 1.2, 88.4 % here, and no more than 89 % without a limit)."""
_MARGIN = 1.2
"""The same for a third; chosen by reading answers: what is further off is about something else."""
_ROW_MARGIN = 3.0
"""A catalogue is asked for several items, which are about as good as each other."""

_SPACE = re.compile(r"\s+")
_MARKER = re.compile(r"\A(?:[-*+•‣▪●–]|\d{1,3}[.)])\s+")
# Markdown's marks are read, not quoted: the citation keeps the text as it stands.
_EMPHASIS = re.compile(r"\*\*|__|`")
_LINK = re.compile(r"!?\[([^\]\n]*)\]\((?:[^()\s]|\([^()\s]*\))*\)")


@dataclass(frozen=True, slots=True)
class _Pick:
    passage: int
    sentence: Sentence


class ExtractiveGenerator:
    """One to three sentences, in reading order, each with its citation.

    A sentence of a catalogue row is introduced by the row's title, and the row itself
    is given as one readable line.
    """

    name = "extractive"
    prompt_version = "extractive-1"
    system_prompt = ""

    def generate(
        self, question: str, passages: Sequence[Passage], history: Sequence[Turn]
    ) -> Iterator[str | Draft]:
        """Yield the answer quote by quote, each after the Draft that ends with it.

        The citations of a Draft come best evidence first.
        """
        picks = _pick(passages)
        text, citations = "", {}
        for number, pick in enumerate(sorted(picks, key=lambda p: _place(p, passages)), 1):
            before, quote, after = _show(pick, passages[pick.passage])
            piece = ("\n\n" if text else "") + before
            start = len(text) + len(piece)
            piece += f"{quote}{after} [{number}]"
            text += piece
            citations[pick] = _citation(number, pick, passages[pick.passage], start, start + len(quote))
            # Before each quote, so that an answer that is stopped at it keeps its citation.
            yield Draft(text, tuple(citations[pick] for pick in picks if pick in citations))
            yield piece


def _pick(passages: Sequence[Passage]) -> list[_Pick]:
    """The sentences to quote, best first."""
    found = [_Pick(at, s) for at, p in enumerate(passages) for s in p.sentences]
    found.sort(key=lambda pick: -pick.sentence.score)
    picks: list[_Pick] = []
    quoted: set[str] = set()
    rows: set[int] = set()
    for pick in found:
        row = _is_row(passages[pick.passage])
        margin = _ROW_MARGIN if row else _MARGIN if len(picks) > 1 else _SECOND_MARGIN
        if picks and picks[0].sentence.score - pick.sentence.score > margin:
            continue  # not the end: a row after it has a wider margin
        words = _SPACE.sub(" ", _quote(pick, passages[pick.passage])).casefold()
        if words in quoted or (row and pick.passage in rows):
            continue  # the same sentence of two documents, or a second line of one catalogue row
        quoted.add(words)
        if row:
            rows.add(pick.passage)
        picks.append(pick)
        if len(picks) == _MOST:
            break
    return picks


def _place(pick: _Pick, passages: Sequence[Passage]) -> tuple[int, int]:
    """Reading order: documents as they were ranked, sentences as they stand."""
    document = passages[pick.passage].document_id
    first = next(at for at, p in enumerate(passages) if p.document_id == document)
    return first, pick.sentence.start


def _is_row(passage: Passage) -> bool:
    return passage.metadata.get("type") == "csv" or any(s.kind == "row" for s in passage.sentences)


def _show(pick: _Pick, passage: Passage) -> tuple[str, str, str]:
    """What stands before the quote, the quote on one line, and what closes it."""
    quote = _quote(pick, passage)
    if pick.sentence.kind == "row":
        title, _, fields = quote.partition("\n")
        return "", f"{title.strip()} — {_SPACE.sub(' ', fields).strip()}" if fields else title, ""
    line = _SPACE.sub(" ", quote).strip()
    if pick.sentence.kind == "list":
        line = _MARKER.sub("", line) or line
    if passage.metadata.get("type") == "markdown":
        line = _LINK.sub(r"\1", _EMPHASIS.sub("", line)) or line
    if _is_row(passage):
        return f"{passage.title} — “", line, "”"
    return "“", line, "”"


def _quote(pick: _Pick, passage: Passage) -> str:
    return passage.text[pick.sentence.start - passage.start : pick.sentence.end - passage.start]


def _citation(number: int, pick: _Pick, passage: Passage, start: int, end: int) -> Citation:
    return Citation(
        number=number,
        document_id=passage.document_id,
        source=passage.source,
        start=pick.sentence.start,
        end=pick.sentence.end,
        quote=_quote(pick, passage),
        verdict="unsupported",  # until it is checked
        answer_start=start,
        answer_end=end,
        passage=pick.passage,
    )
