"""Claims made from SQuAD's questions: a question and its answer, turned into a statement.

The wording is that of the person who asked, so the statement is a paraphrase that nobody wrote
with the checker in mind. Changed ones have another figure, date or name in place of the answer,
or a "not" more or less; unrelated ones are held against another paragraph.
"""

from __future__ import annotations

import json
import random
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from rag.cite.facts import dates, names, quantities

_AUX = "is|are|was|were|can|could|will|would|may|might|must|should|has|have|had"
_PARTICIPLE = re.compile(
    r"(?:\w{2,}ed|built|made|found|born|held|known|given|taken|written|sent|led|won|lost|sold|kept|put|set|seen|"
    r"done|used|called|located|brought|chosen|taught|spent|left|paid|begun|drawn|shown|grown|driven|lit)$"
)
_LOOSE = re.compile(r"\b(?:of|in|to|by|for|from|with|at|on|as|about|into|under|after|called|named|known)$")


@dataclass(frozen=True, slots=True)
class Pair:
    """A claim, a source, and what is between them; ``article`` is what folds are dealt by."""

    kind: str
    claim: str
    source: str
    article: str


def statement(question: str, answer: str) -> str | None:
    """The question as a statement with that answer; None where the rules know none."""
    q = re.sub(r"\s+", " ", question).strip(" ?.")
    q = q[:1].lower() + q[1:] if q[:2] != "I " else q
    if _LOOSE.search(q) or len(answer.split()) > 8:
        return None
    answer = answer.strip(" .,;")
    if m := re.fullmatch(rf"(?:who|what) ({_AUX}) (the|a|an|his|her|its|their) (.+)", q):
        rest = f"{m[2]} {m[3]}"
        if any(_PARTICIPLE.match(w) for w in rest.split()[-1:]):
            return None
        return _sentence(f"{rest} {m[1]} {answer}")
    if m := re.fullmatch(rf"(?:when|where|in (?:what|which) \w+) ({_AUX}) (.+)", q):
        words = m[2].split()
        at = next((n for n, w in enumerate(words) if n and _PARTICIPLE.match(w)), None)
        if at is None:
            return None
        place = (
            answer
            if re.match(r"(?:in|on|at|from|during|after|before|since|by)\b", answer)
            else f"in {answer}"
        )
        return _sentence(f"{' '.join(words[:at])} {m[1]} {' '.join(words[at:])} {place}")
    if m := re.fullmatch(r"(?:when|where|in (?:what|which) \w+) did (.+)", q):
        place = (
            answer
            if re.match(r"(?:in|on|at|from|during|after|before|since|by)\b", answer)
            else f"in {answer}"
        )
        return _sentence(f"it was {place} that {m[1]}")
    if m := re.fullmatch(
        r"how many ((?:\w+ ){1,4}?)(are|were|is|was|have|had|can|live|lived|attend\w*|\w+ed) (.+)", q
    ):
        known = m[1].strip()
        counted = answer if known.split()[-1] in answer else f"{answer} {known}"
        return _sentence(f"{counted} {m[2]} {m[3]}")
    if m := re.fullmatch(r"how many ((?:\w+ ){1,4}?)(?:did|does|do) (.+)", q):
        known = m[1].strip()
        return _sentence(f"{m[2]} {answer if known.split()[-1] in answer else f'{answer} {known}'}")
    if m := re.fullmatch(r"(?:who|what|which) (?!did|does|do|the\b)(\w+) (.+)", q):
        if m[1] in _AUX.split("|") and not _PARTICIPLE.match(m[2].split()[0]):
            return None
        if not (m[1] in _AUX.split("|") or m[1].endswith(("ed", "s")) or _PARTICIPLE.match(m[1])):
            return None
        return _sentence(f"{answer} {m[1]} {m[2]}")
    if m := re.fullmatch(rf"(?:what|which) ((?:\w+ ){{1,3}}?)({_AUX}) (\w+(?:ed|ing)\b.+)", q):
        return _sentence(f"{answer} {m[2]} {m[3]}")
    return None


def _sentence(text: str) -> str:
    return f"{text[0].upper()}{text[1:]}."


def pairs(folder: Path, seed: int = 7) -> Iterator[Pair]:
    """Pairs from ``documents.jsonl`` and ``questions.jsonl`` of a SQuAD-like folder."""
    draw = random.Random(seed)
    documents = {d["id"]: d for d in _lines(folder / "documents.jsonl")}
    by_article: dict[str, list[str]] = {}
    for document in documents.values():
        by_article.setdefault(document["title"], []).append(document["text"])
    questions = folder / "questions.jsonl"
    asked = list(_lines(questions if questions.exists() else folder / "questions.en.jsonl"))
    for row in asked:
        if not row.get("answers"):
            continue
        document = documents[row["document_id"]]
        answer, article, source = row["answers"][0], document["title"], document["text"]
        claim = statement(row["question"], answer)
        if claim is None:
            continue
        yield Pair("true", claim, source, article)
        others = [t for t in by_article[article] if t != source and answer not in t]
        if others:
            yield Pair("unrelated near", claim, draw.choice(others), article)
        far = draw.choice([t for t in by_article if t != article])
        yield Pair("unrelated", claim, draw.choice(by_article[far]), article)
        swapped = _swapped(answer, source, by_article[article], draw)
        if swapped and (changed := statement(row["question"], swapped[1])):
            yield Pair(swapped[0], changed, source, article)
        if negated := _negated(claim):
            yield Pair("negation", negated, source, article)


def _swapped(answer: str, source: str, article: Sequence[str], draw: random.Random) -> tuple[str, str] | None:
    """Kind and text of something of the answer's kind that the article has elsewhere."""
    if when := dates(answer):
        years = [w for w in when if w.year and re.fullmatch(r"\D*\d{4}\D*", answer)]
        if not years:
            return None
        year = str(years[0].year)
        return "date", answer.replace(
            year, str(int(year) + draw.choice((-30, -10, -9, -3, -1, 1, 2, 9, 10, 20)))
        )
    if (found := quantities(answer)) and len(found) == 1:
        text = answer[found[0].start : found[0].end]
        digits = re.search(r"\d+", text)
        if not digits or len(digits[0]) > 6:
            return None
        other = str(max(2, int(digits[0]) + draw.choice((-3, -1, 1, 2, 5, 10, 30))))
        changed = answer.replace(digits[0], other)
        return None if other == digits[0] or re.search(rf"\b{other}\b", source) else ("number", changed)
    if answer[:1].isupper() and len(answer.split()) <= 3:
        pool = sorted({n.text for t in article for n in names(t) if not n.opens and len(n.text) > 3})
        pool = [n for n in pool if n.casefold() not in answer.casefold() and not n.isupper()]
        outside = [n for n in pool if n not in source]
        if outside:
            return "name", draw.choice(outside)
    return None


def _negated(claim: str) -> str | None:
    if re.search(r"n['’]t\b|\bnot\b|\bno\b|\bnever\b", claim):
        return None
    m = re.search(r"\b(?:is|are|was|were|can|could|will|would|may|must|should)\b", claim)
    return f"{claim[: m.end()]} not{claim[m.end() :]}" if m else None


def _lines(path: Path) -> Iterator[dict[str, str]]:
    for line in path.read_text(encoding="utf-8").splitlines():
        if line.strip():
            yield json.loads(line)
