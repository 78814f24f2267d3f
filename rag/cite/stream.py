"""A model's text, as it arrives, into text whose every citation has been checked.

Text goes through at once. A marker is held for as long as its claim takes to check, and only
a number that was checked is ever given out. A claim is a sentence, or the part of one up to
its marker. What its cited passages do not support is attributed to another passage that does;
where there is none, or where nothing was cited, the claim is marked ``unsupported``. A block
of code claims nothing, and neither does the head of a table that cites nothing.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Literal

from rag.cite.claims import Judgement
from rag.cite.markers import Block, Marker, MarkerParser, Token
from rag.cite.nothing import cannot_be_cited, says_nothing
from rag.cite.wording import UNSPACED, coverage
from rag.sentences.abbreviations import MAY_END, NEVER_END
from rag.types import Citation, CitationQuality, Cited, Claim, Draft, Passage
from rag.words import FUNCTION_WORDS

Judge = Callable[[str, str], Judgement]
"""A claim and a source: does it support it?"""

_RUNS = re.compile(r"\s+|[^\s。！？]*[。！？]+|[^\s。！？]+")
_CLOSERS = ".,;:!?)]\"”’'*_。！？"
_INITIAL = re.compile(r"(?:[a-z]\.)*[a-z]")
_LISTED = re.compile(r"\d{1,3}\.")
"""The number of an item: "1." ends nothing."""
_NUMBERED = re.compile(r"\(?\d{1,2}(?:\.\d{1,3})*[.)]*")
"""The same, of a list or a heading, without its marks: "**1.1.**"."""
_AMOUNT = re.compile(r"[-*•\s]*(?:[€$£¥]\s?\d[\d.,]*|\d[\d.,]*\s?[€$£¥%])[\s.]*")
_RULE = re.compile(r"\|?\s*:?-+:?\s*(?:\|\s*:?-+:?\s*)*\|?")
"""The row of a table between its head and its body: "| --- | :-: |"."""
_BARE = frozenset("yes no true false right correct exactly indeed see source sources".split())
"""Words that tell nothing by themselves."""
_FEW = 2
"""Content words from which a piece of a sentence is a claim of its own."""
_ELSEWHERE = 2
"""Passages that are looked through, by words in common, for one that supports a claim."""
_AS_NEAR = 0.6
"""Share of the most words in common with the claim that such a passage has to have: what the nearest passage
contradicts is not supported by one that is about something else."""


class CitedStream:
    """Feed it the model's text; it gives text, and Drafts with what has been checked so far.

    A Draft comes before the text that ends with its citations, so that an answer which is
    stopped there keeps them.
    """

    def __init__(self, passages: Sequence[Passage], judge: Judge) -> None:
        self._passages = passages
        self._judge = judge
        self._parser = MarkerParser(len(passages))
        self._text = ""
        """All that was given out."""
        self._space = ""
        """White space that is held back: a marker may come before it."""
        self._parts = False
        """Whether a marker stood behind code, and nothing was given out since."""
        self._from = 0
        """Where the claim that is being written begins."""
        self._code = 0
        """Where the last block of code ended."""
        self._broken = False
        """Whether a line ended before a marker, and nothing was given out since."""
        self._ours: list[tuple[int, int]] = []
        """Where markers stand in the text that was given out."""
        self._marked: list[int] = []
        """Passages that markers named for the claim, which has ended."""
        self._read = 0
        """Characters of the model's text."""
        self._numbers: dict[tuple[int, int, int], int] = {}
        self._citations: list[Citation] = []
        self._claims: list[Claim] = []
        self._unknown = self._recalled = self._cited = self._precise = 0

    def feed(self, piece: str | Cited) -> Iterator[str | Draft]:
        """What is certain with this piece of the model's text.

        A :class:`Cited` counts as a marker behind the claim that is being written, where its
        span reaches into that; of a claim that is done with, its passages were looked through.
        """
        if isinstance(piece, Cited):
            if piece.end > self._read - len(self._text[self._from :] + self._space):
                space = self._space
                yield from self._take(Marker(tuple(n + 1 for n in piece.passages if n < len(self._passages))))
                self._space = space  # it stands beside the text, and takes nothing of it away
            return
        self._read += len(piece)
        for token in self._parser.feed(piece):
            yield from self._take(token)

    def end(self, usage: Mapping[str, int] | None = None) -> Iterator[str | Draft]:
        """What was held back, and the last Draft."""
        for token in self._parser.end():
            yield from self._take(token)
        yield from self._close(len(self._text))
        self._space = ""
        yield self._draft(self._text, usage)

    def _take(self, token: Token) -> Iterator[str | Draft]:
        if isinstance(token, Marker):
            self._unknown += token.unknown
            self._marked += [n - 1 for n in token.numbers if n - 1 not in self._marked]
            self._broken = self._broken or "\n" in self._space
            self._space = ""  # the marker brings its own
            self._parts = self._text.endswith("`")
            return
        if isinstance(token, Block):
            yield from self._close(len(self._text))
            yield self._give(self._spaced() + token.text)
            self._from = self._code = len(self._text)
            return
        for run in _RUNS.findall(token):
            if run.isspace():
                self._space += run
                continue
            if self._marked and not self._space and not self._broken:
                # Punctuation that closes the claim goes before its marker.
                closing = run[: len(run) - len(run.lstrip(_CLOSERS))]
                if closing:
                    yield self._give(closing)
                    run = run[len(closing) :]
            if run and (self._marked or self._ends(run[0])):
                yield from self._close(len(self._text))
            if run:
                yield self._give(self._spaced() + run)

    def _spaced(self) -> str:
        """The space that was held back, with the line end of a marker that began the line."""
        lost = self._broken and "\n" not in self._space
        self._broken = False
        return "\n" + self._space.lstrip() if lost else self._space

    def _give(self, text: str) -> str:
        if not self._text:
            text = text.lstrip()  # of a marker before the first word, or of the model
        if self._parts and text.startswith("`"):
            text = f" {text}"  # two pieces of code must not become one
        self._parts = False
        self._text += text
        self._space = ""
        return text

    def _ends(self, following: str) -> bool:
        """Whether the claim ended before the space that is held back, and ``following``."""
        if "\n" in self._space:
            return True
        written = self._text[self._from :].rstrip("\"'”’»)]*_")
        if written.endswith(("。", "！", "？")):
            return True
        if not self._space or not written.endswith((".", "!", "?", "…")) or following.islower():
            return False
        word = written.rpartition(" ")[2].lstrip("(\"'“‘[").removesuffix(".").casefold()
        return not (
            word in NEVER_END
            or word in MAY_END
            or _INITIAL.fullmatch(word)
            or _LISTED.fullmatch(written.strip())
        )

    # --- claims ---------------------------------------------------------------

    def _close(self, end: int) -> Iterator[str | Draft]:
        """Check the claim that ends at ``end`` and give out its markers."""
        marked, self._marked = self._marked, []
        start = (
            self._from
            + len(self._text[self._from : end])
            - len(self._text[self._from : end].lstrip(" \n\t,;:.!?)-*#>|"))
        )
        self._from = end
        text = self._text[start:end]
        last = self._claims[-1] if self._claims and self._claims[-1].start >= self._code else None
        if not _is_claim(text, bool(marked)) or (not marked and says_nothing(text)):
            if self._heads(end):
                self._claims.pop()
                last = None  # it was the head of a table, and no claim
                yield self._draft(self._text)
            if not marked or last is None:
                return
            # A marker that stands apart from its sentence belongs to the one before.
            claim, support = self._also(last, end, tuple(marked))
            self._claims[-1], start = claim, last.start
        elif marked and cannot_be_cited(text) and not self._says_so(text, marked):
            return  # to strike it as not found in the sources would deny what it says
        else:
            if marked and last and _told(text) < _FEW and self._goes_on(last, start):
                text = self._plain(last.start, end)  # "500 euros [1] a year [2]"
            claim, support = self._checked(text, start, end, tuple(marked))
            self._claims.append(claim)
        if not support:
            yield self._draft(self._text)
            return
        numbers = []
        for passage, judgement in support:
            place = (passage, judgement.start, judgement.end)
            number = self._numbers.setdefault(place, len(self._numbers) + 1)
            if number not in numbers:
                numbers.append(number)
                self._citations.append(self._citation(number, passage, judgement, start, end))
        markers = " " + "".join(f"[{number}]" for number in numbers)
        self._ours.append((len(self._text), len(self._text) + len(markers)))
        yield self._draft(self._text + markers)
        self._text += markers
        self._from = len(self._text)
        yield markers

    def _says_so(self, text: str, cited: Sequence[int]) -> bool:
        """Whether a cited passage itself says that something is not there."""
        return any(self._judge(text, self._passages[n].text).verdict != "unsupported" for n in cited)

    def _goes_on(self, last: Claim, start: int) -> bool:
        """Whether what begins at ``start`` is of the same sentence as the last claim."""
        between = self._plain(last.end, start)
        return "\n" not in between and not self._plain(last.start, last.end).rstrip().endswith(
            tuple(".!?。！？")
        )

    def _plain(self, start: int, end: int) -> str:
        """What was given out there, without the markers: their numbers are none of the text's."""
        pieces, at = [], start
        for left, right in self._ours:
            if left < end and right > at:
                pieces.append(self._text[at : max(at, left)])
                at = right
        return "".join([*pieces, self._text[at:end]])

    def _also(
        self, last: Claim, end: int, cited: tuple[int, ...]
    ) -> tuple[Claim, list[tuple[int, Judgement]]]:
        """The last claim with what a marker behind it cites too; what was found of it is not taken back."""
        text = self._plain(last.start, end)
        new = tuple(n for n in cited if n not in last.cited)
        if last.verdict == "unsupported":
            self._cited -= len(last.cited)  # all of them are judged anew, also together
            return self._checked(text, last.start, last.end, (*last.cited, *new))
        judged = {n: self._judge(text, self._passages[n].text) for n in new}
        good = [(n, j) for n, j in judged.items() if j.verdict != "unsupported"]
        self._cited += len(new)
        self._precise += len(good)
        return replace(last, cited=(*last.cited, *new)), good

    def _heads(self, end: int) -> bool:
        """Whether the row that ends at ``end`` shows the last claim to be the head of a table."""
        before, _, row = self._text[:end].rpartition("\n")
        if not self._claims or "|" not in row or not _RULE.fullmatch(row.strip()):
            return False
        head, last = before.rpartition("\n")[2], self._claims[-1]
        in_head = "|" in head and last.start >= len(before) - len(head)
        return in_head and last.verdict == "unsupported" and not last.cited

    def _checked(
        self, text: str, start: int, end: int, cited: tuple[int, ...]
    ) -> tuple[Claim, list[tuple[int, Judgement]]]:
        """The claim with its verdict, and the passages that support it."""
        judged = {n: self._judge(text, self._passages[n].text) for n in cited}
        good = [(n, j) for n, j in judged.items() if j.verdict != "unsupported"]
        together = bool(good)
        if not good and len(cited) > 1:
            whole = self._judge(text, "\n\n".join(self._passages[n].text for n in cited))
            together = whole.verdict != "unsupported"
            if together:  # none alone: each gives a part
                good = [(n, j) for n, j in judged.items() if j.end > j.start]
        self._count(cited, judged, together, text)
        attributed = False
        if not good:
            near = [coverage(text, passage.text) for passage in self._passages]
            least = _AS_NEAR * max(near, default=0.0)
            others = [n for n in range(len(self._passages)) if n not in cited and near[n] >= least]
            others.sort(key=lambda n: -near[n])
            for n in others[:_ELSEWHERE]:
                judgement = self._judge(text, self._passages[n].text)
                if judgement.verdict != "unsupported":
                    good, attributed = [(n, judgement)], True
                    break
        best = max((j for _, j in good), key=lambda j: j.score, default=None)
        if best is None:
            nearest = max(judged.values(), key=lambda j: j.score, default=None)
            reasons = nearest.reasons if nearest else ("uncited",)
            score = nearest.score if nearest else 0.0
            return Claim(start, end, "unsupported", score, reasons, cited), []
        return Claim(start, end, _told_of(best), best.score, (), cited, attributed), good

    def _count(
        self, cited: tuple[int, ...], judged: Mapping[int, Judgement], together: bool, text: str
    ) -> None:
        """ALCE's counts for one claim."""
        self._recalled += together
        self._cited += len(cited)
        if not together:
            return
        for n in cited:
            if judged[n].verdict != "unsupported":
                self._precise += 1
                continue
            rest = "\n\n".join(self._passages[m].text for m in cited if m != n)
            self._precise += not rest or self._judge(text, rest).verdict == "unsupported"

    def _citation(self, number: int, passage: int, judgement: Judgement, start: int, end: int) -> Citation:
        found = self._passages[passage]
        a, b = found.start + judgement.start, found.start + judgement.end
        return Citation(
            number=number,
            document_id=found.document_id,
            source=found.source,
            start=a,
            end=b,
            quote=found.text[judgement.start : judgement.end],
            verdict=_told_of(judgement),
            answer_start=start,
            answer_end=end,
            passage=passage,
        )

    def _draft(self, text: str, usage: Mapping[str, int] | None = None) -> Draft:
        claims = len(self._claims)
        quality = CitationQuality(
            recall=self._recalled / claims if claims else None,
            precision=self._precise / self._cited if self._cited else None,
            unknown=self._unknown,
        )
        return Draft(text, tuple(self._citations), dict(usage or {}), tuple(self._claims), quality)


def _told_of(best: Judgement) -> Literal["verbatim", "supported"]:
    """What is told of a claim that its passages support, together if not alone."""
    return "verbatim" if best.verdict == "verbatim" else "supported"


def _is_claim(text: str, marked: bool) -> bool:
    """Whether a piece of text says something that can be checked: not a heading, not "Yes.".

    Of a piece that cites something one word is enough: "Berlin [1]."; and a line may be an amount alone.
    """
    ending = text.rstrip()
    if ending.endswith("?") or (ending.endswith(":") and not (marked and any(c.isdigit() for c in text))):
        return False
    told, plain = _told(text), text.strip(" \n*#_")
    if told >= _FEW or _AMOUNT.fullmatch(text):
        return True
    bare = plain.strip(".,;:!()[]\"'`-").casefold() in _BARE or _NUMBERED.fullmatch(plain)
    return marked and told > 0 and not bare


def _told(text: str) -> int:
    """How many words and figures of content it has; of a script without spaces, a word for two letters."""
    words = [w.strip(".,;:!?()[]\"'*#_`-").casefold() for w in text.split()]
    told = sum(any(c.isalnum() for c in w) and w not in FUNCTION_WORDS for w in words)
    return told + len(UNSPACED.findall(text)) // _FEW
