"""What no source supports is told wherever an answer goes, and so is how it came about."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from rag import show
from rag.answering import BUDGET_SPENT, UNAVAILABLE
from rag.generators.failures import CUT_OFF
from rag.remarks import marked, notes, plain_text
from rag.rerankers import UNAVAILABLE as NOT_RERANKED
from rag.response import BROKE_OFF
from rag.types import Answer, CitationQuality, Claim, Provenance

FEE = "The fee is 900 euros."
WRONG = Claim(0, 21, "unsupported", 0.1, ("number",), cited=(0, 2))
AWAY = "The server cannot be reached. Check its address."
ANSWER = Answer(
    id="a1",
    question="What is the fee?",
    rewritten="What is the fee?",
    text=FEE,
    citations=(),
    passages=(),
    confidence=0.5,
    abstained=False,
    generator="openai",
    usage={},
    seconds={"total": 1.0},
    provenance=Provenance("p", "", "", ""),
    created=0.0,
    notices=(f"{UNAVAILABLE}{AWAY}", BUDGET_SPENT),
    claims=(WRONG,),
    quality=CitationQuality(recall=0.0, precision=None, unknown=1),
)
QUOTED = f"Note: Quoted instead, because no model could write it. {AWAY}"
SPENT = "Note: Quoted instead: the budget for answers by a model is used up for now."


def claim(text: str, of: str, *reasons: str) -> Claim:
    start = text.index(of)
    return Claim(start, start + len(of), "unsupported" if reasons else "supported", 0.5, reasons)


def test_a_remark_stands_behind_what_no_source_supports() -> None:
    text = "It opens at 9. [1] It costs 5. It is nice. See you."
    claims = [
        claim(text, "It is nice.", "meaning"),
        claim(text, "It costs 5.", "meaning", "number"),
        claim(text, "It opens at 9."),
    ]

    assert marked(text, claims) == (
        "It opens at 9. [1] It costs 5. [not found in the sources] It is nice. [?] See you."
    )
    assert marked(text, claims, lambda wrong: f"<{wrong}>") == (
        "It opens at 9. [1] <It costs 5.> [not found in the sources] It is nice. [?] See you."
    )


def test_what_two_claims_share_is_marked_once() -> None:
    spans = [Claim(0, 4, "unsupported", 0.0, ("number",)), Claim(0, 9, "unsupported", 0.0, ("uncited",))]

    assert marked("Two. Six.", spans) == "Two. [not found in the sources] Six. [?]"
    assert marked("Two", spans) == "Two [not found in the sources]"


@pytest.mark.parametrize(
    ("notice", "note"),
    [
        (f"{UNAVAILABLE}{AWAY}", QUOTED),
        (BUDGET_SPENT, SPENT),
        (f"{BROKE_OFF}It broke off. Ask again.", "Note: It broke off. Ask again."),
        (f"{CUT_OFF}Cut off at 9 tokens.", "Note: Cut off at 9 tokens."),
        (
            NOT_RERANKED,
            "Note: re-ranking was unavailable; the passages stand in the order of the search.",
        ),
    ],
)
def test_every_notice_has_its_note(notice: str, note: str) -> None:
    assert notes([notice]) == [note]


def test_it_is_counted_what_no_source_supports() -> None:
    doubted = replace(WRONG, reasons=("uncited",))

    assert notes([]) == notes([], [replace(WRONG, verdict="supported")]) == []
    assert notes([], [WRONG]) == ["Note: 1 statement was not found in the sources."]
    assert notes([], [doubted, doubted]) == [
        "Note: 2 statements were not found in the sources in these words: see [?]."
    ]


def test_what_ended_early_says_why_once() -> None:
    assert notes([], stopped=True) == ["Note: Stopped before its end."]
    assert notes([f"{BROKE_OFF}It broke off."], stopped=True) == ["Note: It broke off."]


def test_people_on_the_command_line_are_told() -> None:
    printed = show.ask_text((None, ANSWER)).split("\n\n")

    assert printed[:4] == [
        f"{FEE} [not found in the sources]",
        QUOTED,
        SPENT,
        "Note: 1 statement was not found in the sources.",
    ]


def test_programs_get_the_claims_and_the_quality() -> None:
    printed = json.loads(json.dumps(show.ask_json((None, ANSWER))))

    assert printed["text"] == FEE
    assert printed["claims"] == [
        {
            "start": 0, "end": 21, "verdict": "unsupported", "score": 0.1, "reasons": ["number"],
            "cited": [1, 3], "attributed": False,
        }
    ]  # fmt: skip
    assert printed["quality"] == {"recall": 0.0, "precision": None, "unknown": 1}
    quoted = show.ask_json((None, replace(ANSWER, claims=(), quality=None)))
    assert (quoted["claims"], quoted["quality"]) == ([], None)


def test_what_is_copied_says_it_too() -> None:
    assert plain_text(replace(ANSWER, notices=(BUDGET_SPENT,))) == (
        f"{FEE} [not found in the sources]\n\n{SPENT}\n\nNote: 1 statement was not found in the sources."
    )
    assert plain_text(replace(ANSWER, notices=(), claims=())) == FEE
    assert plain_text(replace(ANSWER, text="", notices=(), claims=(), stopped=True)) == (
        "Note: Stopped before its end."
    )
