"""What is used of a model's reply that was to make a follow-up stand alone; the reply is of no trust."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

from rag.rewrite import leans, names, subject
from rag.sentences.abbreviations import NEVER_END
from rag.types import Turn
from rag.words import FUNCTION_WORDS

_WORD = re.compile(r"\w+")
_MARKER = re.compile(r"\A(?:[-+•>*]|#{1,6}|\(?\d{1,2}[.)])\s+")
_WRAPPED = re.compile(r"(\*{1,3}|_{1,3}|`{1,3})((?:(?!\1).)+)\1|[\"“”„«»‘']([^\"“”„«»]+)[\"“”„«»’']")
_LABEL = re.compile(
    r"\A[*_]*(?:(?:sure|certainly|of course|okay|ok)[,.!:]* )?(?:here(?:['’]s| is) )?(?:(?:the|your|a|my) )?"
    r"(?:(?:re-?written|stand-?alone|self-contained|reformulated|rephrased|revised|clarified|complete|full|"
    r"final|last|new|search) )*"
    r"(?:question|query|version|rewriting|rewrite|re-?written|stand-?alone)[*_]*:[*_]*\s*",
    re.IGNORECASE,
)
"""What a model writes in front of the question that it was to give alone."""
_MARKED = re.compile(r"[?？؟][\s\"'”’»)*_]*\Z")
_INTERROGATIVE = re.compile(
    r"(?:(?:and|but|or|so|also|then|in|at|on|for|from|to|by|of|with|about),? )?"
    r"(?:what|which|who|whom|whose|when|where|why|how|is|are|was|were|am|do|does|did|can|could|will|would|"
    r"shall|should|may|might|must|has|have|had)(?:['’]s|['’]re)?\b",
    re.IGNORECASE,
)
_REQUEST = re.compile(
    r"(?:please |and |also )*"
    r"(?:tell|show|list|name|give|find|explain|describe|compare|summari[sz]e|define)\b",
    re.IGNORECASE,
)
_SHORTENED = 5
"""Characters of the longest abbreviation, with its full stop: "Prof."."""
_STOPPED = re.compile(r"\b(\w{1,4})\.(?= )")
_SENTENCE = re.compile(r"[.!?:]\s|\n")
_FIGURE = re.compile(r"\d+(?:[.,]\d+)*")
_YEAR = re.compile(r"\b(?:1\d|20)\d\d\b")
_NUMBERS = (
    "zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen "
    "seventeen eighteen nineteen twenty".split()
)
_ASKS_BACK = re.compile(
    r"\byou\b.{0,30}\b(?:mean|meant|refer\w*|ask\w*|looking for|interested|clarify|specify|elaborate|"
    r"rephrase|(?:want|like) to know|like me to)\b",
    re.IGNORECASE,
)


def taken(reply: str, question: str, history: Sequence[Turn]) -> str | None:
    """The question that a model made to stand alone, in one line; None where its reply gives none.

    ``history`` is what the model was shown. Labels, quotation marks and Markdown around the question go.
    An answer, a refusal and a question to the reader are none: a rewriting asks where the reader asked,
    speaks of what was spoken of, brings no figure and no name that nobody said, is not an earlier question,
    and where it still leans on what was said, it has at least taken something from there.
    """
    text = _alone(reply, question)
    earlier = [turn.question for turn in history]
    if _plain(text) in map(_plain, earlier) and _plain(text) != _plain(question):
        return None
    asked = [question, *earlier]
    said = [*asked, *(turn.text for turn in history)]
    asks = _asks(text)
    if not asks and (_asks(question) or (text.endswith(".") and not question.rstrip().endswith("."))):
        return None
    own, known = _stems(subject(text)), _stems(subject(" ".join(said)))
    if not own & known or not (asks or own <= known):
        return None
    # A figure that only an answer gave is part of a question, and all of an answer.
    if not _figures(text) <= _known_figures(" ".join(said if asks else asked)):
        return None
    # A sentence in front of the question is an answer, but where the reader told it; "of St. Gallen" is none.
    told = {word for part in asked for word in part.split()}
    told |= {word for part in said for word in part.split() if len(word) <= _SHORTENED}
    for at, word in enumerate(text.split()[:-1]):
        if word[-1] in ".!" and word not in told and not _shortened(word, opens=at == 0):
            return None
    if _ASKS_BACK.search(text) and not _ASKS_BACK.search(" ".join(asked)):
        return None
    if not _nouns_have_capitals(said) and not _heard(names(_STOPPED.sub(r"\1", text)), " ".join(said)):
        return None
    brought = own - _stems(subject(question))
    if leans(question) and leans(text) and not brought & _stems(subject(" ".join(said[1:]))):
        return None
    return text


def _alone(reply: str, question: str) -> str:
    """The line of a reply that is the question; empty where several could be."""
    lines = [line for line in map(_bare, reply.splitlines()) if any(map(str.isalnum, line[0]))]
    labelled = [text for text, label in lines if label]
    texts = labelled[-1:] or [text for text, _ in lines if not text.endswith(":")]
    if len(texts) > 1 and "\n" not in question.strip():
        texts = [text for text in texts if _MARKED.search(text)]
        texts = texts if len(texts) == 1 else []
    return " ".join(" ".join(texts).split())


def _bare(line: str) -> tuple[str, bool]:
    """A line without what stands around its words, and whether a label stood in front of them."""
    label, before = False, ""
    while line != before:
        before = line
        line = _MARKER.sub("", line.strip())
        wrapped = _WRAPPED.fullmatch(line)
        line = (wrapped[2] or wrapped[3]) if wrapped else line
        line, labels = _LABEL.subn("", line)
        label = label or labels > 0
    return line, label


def _asks(text: str) -> bool:
    """Whether a text has the form of a question, or bids somebody to tell."""
    opens = _INTERROGATIVE.match(text.strip()) is not None and not text.rstrip().endswith(".")
    return opens or _MARKED.search(text) is not None or _REQUEST.match(text.strip()) is not None


def _plain(text: str) -> str:
    """The words of a text, in any case, without marks."""
    return " ".join(_WORD.findall(text.casefold()))


def _shortened(word: str, *, opens: bool) -> bool:
    """Whether a full stop only shortens the word: "Dr.", "vs.", but not "Yes.", which opens a text."""
    short = not opens and len(word) <= _SHORTENED and word[0].isupper()
    return word.endswith(".") and (short or word.lstrip("(").rstrip(".").casefold() in NEVER_END)


def _nouns_have_capitals(said: Iterable[str]) -> bool:
    """Whether capitals are no sign of a name, as in German: they are many, and the words not English."""
    inside: list[str] = []
    for part in (part for text in said for part in _SENTENCE.split(text)):
        inside += _WORD.findall(part)[1:]
    capitals = sum(word[0].isupper() for word in inside)
    return 5 * capitals > len(inside) > 4 * sum(word in FUNCTION_WORDS for word in inside)


def _heard(found: Iterable[str], said: str) -> bool:
    """Whether something of each name was said: "Spanish" of "Spain", but "Canada" of no "candle"."""
    named, content = _stems(subject(" ".join(names(said)))), _stems(subject(said), 4)
    words = filter(None, map(subject, found))
    return all(_stems(name) & named or _stems(name, 4) & content for name in words)


def _stems(words: Iterable[str], length: int = 3) -> set[str]:
    """What inflected forms of a word have in common, roughly: "Spain" and "Spanish" are the same.

    Of scripts without spaces every character.
    """
    found: set[str] = set()
    for word in map(str.casefold, words):
        found |= {re.sub("['’]s$", "", word)[:length]} if word[0] < "\u2e80" else set(word)
    return found


def _figures(text: str) -> set[str]:
    return {re.sub("[.,]", "", figure) for figure in _FIGURE.findall(text)}


def _known_figures(text: str) -> set[str]:
    """The figures of a text, those that it has in words, and the years next to its own ("a year before")."""
    words = set(_plain(text).split())
    years = {str(int(year) + step) for year in _YEAR.findall(text) for step in (-1, 1)}
    return _figures(text) | years | {str(n) for n, word in enumerate(_NUMBERS) if word in words}
