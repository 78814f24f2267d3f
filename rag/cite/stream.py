"""A model's text, as it arrives, into text whose every citation has been checked.

Text goes through at once. A marker is held for as long as its claim takes to check, and only
a number that was checked is ever given out. A claim is a sentence, or the part of one up to
its marker. What its cited passages do not support is attributed to another passage that does;
where there is none, or where nothing was cited, the claim is marked ``unsupported``. A block
of code claims nothing, and neither does the head of a table that cites nothing.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence

from rag.cite.attribution import Attribution, Judge, told_of
from rag.cite.claims import Judgement
from rag.cite.markers import Block, Marker, MarkerParser, Token
from rag.cite.nothing import cannot_be_cited, says_nothing
from rag.cite.telling import SAYS, begins, begins_line, is_claim, is_figure, is_title, leads, links, telling
from rag.sentences import ends_before, sentences
from rag.sentences.lines import OPENERS
from rag.types import Citation, Cited, Claim, Draft, Passage

_RUNS = re.compile(r"\s+|[^\s。！？]*[。！？]+|[^\s。！？]+")
_CLOSERS = ".,;:!?)]\"”’'*_。！？"
_RULE = re.compile(r"\|?\s*:?-+:?\s*(?:\|\s*:?-+:?\s*)*\|?")
"""The row of a table between its head and its body: "| --- | :-: |"."""
_FEW = 2
"""Content words from which a piece of a sentence is a claim of its own."""
_STOPPED = re.compile(r"[.!?…][\"'”’»)\]*_`“]*\Z")
_CLOSING = 40
"""Characters that may close a sentence behind its stop."""
_OPENERS = "".join(OPENERS) + "”’)]}|—–-"
_SOURCE, _SOURCES = "the source ", "the sources "
"""Stand for markers that are the subject of their sentence: "[1] states …"."""


class CitedStream:
    """Feed it the model's text; it gives text, and Drafts with what has been checked so far.

    A Draft comes before the text that ends with its citations, so that an answer which is
    stopped there keeps them.
    """

    def __init__(self, passages: Sequence[Passage], judge: Judge) -> None:
        self._passages = passages
        self._judge = judge
        self._check = Attribution(passages, judge)
        self._parser = MarkerParser(len(passages))
        self._text = ""
        """All that was given out."""
        self._space = ""
        """White space that is held back: a marker may come before it."""
        self._word = ""
        """What may be a part of a word only, of which it depends whether the sentence before has ended."""
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
        self._at = 0
        """Where the first of these markers stood."""
        self._within: list[int] = []
        """Passages that markers named which open the claim or are words of it, which goes on."""
        self._worded = -1
        """Where words ended that stand for such a marker."""
        self._subject = False
        """Whether such a marker opened the claim, and nothing was given out since."""
        self._read = 0
        """Characters of the model's text."""
        self._numbers: dict[tuple[int, int, int], int] = {}
        self._citations: list[Citation] = []
        self._claims: list[Claim] = []
        self._unknown = 0

    def feed(self, piece: str | Cited) -> Iterator[str | Draft]:
        """What is certain with this piece of the model's text.

        A :class:`Cited` counts as a marker behind the claim that is being written, where its
        span reaches into that; of a claim that is done with, its passages were looked through.
        """
        if isinstance(piece, Cited):
            if piece.end > self._read - len(self._text[self._from :] + self._space + self._word):
                space = self._space
                self._cite(Marker(tuple(n + 1 for n in piece.passages if n < len(self._passages))))
                self._space = space  # it stands beside the text, and takes nothing of it away
            return
        self._read += len(piece)
        for token in self._parser.feed(piece):
            yield from self._take(token)

    def end(self, usage: Mapping[str, int] | None = None) -> Iterator[str | Draft]:
        """What was held back, and the last Draft."""
        for token in self._parser.end():
            yield from self._take(token)
        yield from self._spell()
        yield from self._close(len(self._text), final=True)
        self._space = ""
        yield self._draft(self._text, usage)

    def _take(self, token: Token) -> Iterator[str | Draft]:
        if isinstance(token, Marker):
            yield from self._spell()
            line = self._text.rpartition("\n")[2] if "\n" not in self._space else ""
            opens = begins_line(line) and (bool(line.strip()) or not self._text)
            opens = opens or links(self._text[self._from :])
            worded = self._worded == len(self._text) and not self._space
            within = bool(self._space) and "\n" not in self._space
            words = leads(self._text[self._from :]) if within and not worded else None
            if words is not None:
                if words:
                    yield self._give(self._space + words)
                self._space, self._worded = "", len(self._text)
            if not self._marked and (opens or worded or words is not None):
                self._unknown += token.unknown
                self._within += [n - 1 for n in token.numbers if n - 1 not in self._within]
                self._subject = opens and not worded and words is None
                if self._subject:
                    self._space = ""
            else:
                self._cite(token)
            return
        if isinstance(token, Block):
            yield from self._spell()
            yield from self._close(len(self._text))
            self._subject = False
            yield self._give(self._spaced() + token.text)
            self._from = self._code = len(self._text)
            return
        yield from self._write(self._word + token, final=False)

    def _cite(self, marker: Marker) -> None:
        """Passages that a marker names for the claim that it stands behind."""
        self._unknown += marker.unknown
        if not self._marked:
            self._at = len(self._text)
        self._marked += [n - 1 for n in marker.numbers if n - 1 not in self._marked]
        self._broken = self._broken or "\n" in self._space
        self._space = ""  # the marker brings its own
        self._parts = self._text.endswith("`")

    def _spell(self) -> Iterator[str | Draft]:
        """Give out the word that was held back: it is whole."""
        if self._word:
            yield from self._write(self._word, final=True)

    def _write(self, text: str, *, final: bool) -> Iterator[str | Draft]:
        self._word = ""
        runs = _RUNS.findall(text)
        for n, run in enumerate(runs):
            if run.isspace():
                self._space += run
                continue
            if n == len(runs) - 1 and not final and self._awaits(run):
                self._word = run
                return
            if self._marked and not self._space and not self._broken:
                # Punctuation that closes the claim goes before its marker.
                closing = run[: len(run) - len(run.lstrip(_CLOSERS))]
                if closing:
                    yield self._give(closing)
                    run = run[len(closing) :]
            if run and (self._marked or self._ends(run)):
                yield from self._close(len(self._text))
            if run:
                yield self._give(self._spaced() + self._named(run) + run)

    def _named(self, verb: str) -> str:
        """What stands for markers that are the subject of ``verb``, where they are, and it is one."""
        says, self._subject = self._subject and verb.rstrip(",:") in SAYS, False
        if not says:
            return ""
        words = _SOURCES if len(self._within) > 1 else _SOURCE
        return words if any(map(str.isalpha, self._text[self._from :])) else words.capitalize()

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

    def _awaits(self, run: str) -> bool:
        """Whether all of a word must be known to tell if the sentence before it has ended."""
        word = run.lstrip(_OPENERS)
        return self._subject or (
            bool(self._space)
            and "\n" not in self._space
            and not self._marked
            and (not word or word[0].isupper())
            and _STOPPED.search(self._text, max(0, len(self._text) - _CLOSING)) is not None
        )

    def _ends(self, following: str) -> bool:
        """Whether the claim ended before the space that is held back, and ``following``."""
        if "\n" in self._space:
            return True
        if not self._space and not self._text.endswith(("。", "！", "？")):
            return False
        written = self._text[self._from :] + self._space
        return ends_before(f"{written}{following} ", len(written) - len(written.lstrip()), len(written))

    # --- claims ---------------------------------------------------------------

    def _close(self, end: int, *, final: bool = False) -> Iterator[str | Draft]:
        """Check the claim that ends at ``end``, with the answer where that is ``final``, and give out its
        markers."""
        marked = list(dict.fromkeys((*self._within, *self._marked)))
        figure = bool(self._marked) and is_figure(self._text[self._from : self._at].strip(" \n*_-"))
        self._marked, self._within = [], []
        start, began, self._from = begins(self._text, self._from, end), self._from, end
        text = self._text[start:end]
        if final and not self._text[:start].strip() and is_figure(text.strip(" .*_\n")):
            figure = True  # all of the answer
        line = self._text[began:end].strip("\n")
        ended = "\n" in self._space or line.lstrip().startswith("#")
        last = self._claims[-1] if self._claims and self._claims[-1].start >= self._code else None
        if not marked and ended and is_title(line):
            return
        if not (figure or is_claim(text, bool(marked))) or (not marked and says_nothing(text)):
            if self._heads(end):
                self._claims.pop()
                last = None  # it was the head of a table, and no claim
                yield self._draft(self._text)
            if not marked or last is None:
                return
            # A marker that stands apart from its sentence belongs to the one before.
            claim, support = self._check.also(last, self._plain(last.start, end), tuple(marked))
            self._claims[-1], start = claim, last.start
        elif marked and cannot_be_cited(text) and not self._says_so(text, marked):
            return  # to strike it as not found in the sources would deny what it says
        else:
            if marked and last and telling(text) < _FEW and self._goes_on(last, start):
                text = self._plain(last.start, end)  # "500 euros [1] a year [2]"
            claim, support = self._check(text, start, end, tuple(marked))
            if support and not marked and self._may_head(end):
                return  # the head of a table is no claim, and a row of one that is right needs no mark
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
        """Whether a cited passage itself says that something is not there: to a model, one that is about
        something else may seem to."""
        return any(
            any(says_nothing(source[a:b]) for a, b in sentences(source))
            and self._judge(text, source).verdict != "unsupported"
            for source in (self._passages[n].text for n in cited)
        )

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

    def _heads(self, end: int) -> bool:
        """Whether the row that ends at ``end`` shows the last claim to be the head of a table."""
        before, _, row = self._text[:end].rpartition("\n")
        if not self._claims or "|" not in row or not _RULE.fullmatch(row.strip()):
            return False
        head, last = before.rpartition("\n")[2], self._claims[-1]
        in_head = "|" in head and last.start >= len(before) - len(head)
        return in_head and last.verdict == "unsupported" and not last.cited

    def _may_head(self, end: int) -> bool:
        """Whether a row opens a table."""
        before, _, row = self._text[:end].rpartition("\n")
        return row.lstrip().startswith("|") and "|" not in before.rpartition("\n")[2]

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
            verdict=told_of(judgement),
            answer_start=start,
            answer_end=end,
            passage=passage,
        )

    def _draft(self, text: str, usage: Mapping[str, int] | None = None) -> Draft:
        quality = self._check.quality(len(self._claims), self._unknown)
        return Draft(text, tuple(self._citations), dict(usage or {}), tuple(self._claims), quality)
