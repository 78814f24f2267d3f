"""The extractive answer: few sentences, quoted, cited, in reading order."""

from __future__ import annotations

from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from rag.cite import check
from rag.generators.extractive import ExtractiveGenerator
from rag.types import Draft, Passage, Sentence


def passage(*texts: tuple[str, float], document: str = "d", start: int = 10, kind: str = "prose") -> Passage:
    """A passage of sentences with their scores, a space between them."""
    sentences, at = [], start
    for text, score in texts:
        sentences.append(Sentence(at, at + len(text), score, 0.5, kind))  # type: ignore[arg-type]
        at += len(text) + 1
    whole = " ".join(text for text, _ in texts)
    best = max((score for _, score in texts), default=0.0)
    return Passage(
        document, f"{document}.txt", document.title(), start, start + len(whole), whole, best, "fused",
        sentences=tuple(sentences),
    )  # fmt: skip


def generate(*passages: Passage) -> tuple[list[str], Draft]:
    """The pieces, and the last draft."""
    found = list(ExtractiveGenerator().generate("?", passages, []))
    drafts = [item for item in found if isinstance(item, Draft)]
    return [item for item in found if isinstance(item, str)], drafts[-1]


def test_the_best_sentence_is_quoted_and_cited() -> None:
    pieces, draft = generate(passage(("Bees fly.", 0.0), ("They make honey.", 3.0)))

    assert pieces == ["“They make honey.” [1]"]
    assert draft.text == "“They make honey.” [1]"
    (citation,) = draft.citations
    assert (citation.number, citation.document_id, citation.passage) == (1, "d", 0)
    assert (citation.start, citation.end, citation.quote) == (20, 36, "They make honey.")
    assert draft.text[citation.answer_start : citation.answer_end] == "They make honey."


def test_sentences_are_read_as_they_stand_and_cited_best_first() -> None:
    pieces, draft = generate(passage(("One.", 2.0), ("Two.", 2.5), ("Three.", 3.0), ("Four.", 2.9)))

    assert "".join(pieces) == "“Two.” [1]\n\n“Three.” [2]\n\n“Four.” [3]"
    assert [c.quote for c in draft.citations] == ["Three.", "Four.", "Two."]
    assert [c.number for c in draft.citations] == [2, 3, 1]


def test_documents_are_read_in_the_order_of_their_rank() -> None:
    pieces, _ = generate(
        passage(("Later.", 2.8), document="b", start=500), passage(("Earlier.", 3.0), document="a", start=0)
    )

    assert "".join(pieces) == "“Later.” [1]\n\n“Earlier.” [2]"


def test_what_is_far_behind_is_left_out() -> None:
    pieces, _ = generate(passage(("Good.", 3.0), ("Bad.", 0.1)))

    assert pieces == ["“Good.” [1]"]


def test_a_third_must_be_nearer_than_a_second() -> None:
    pieces, _ = generate(passage(("Good.", 3.0), ("Fair.", 1.0), ("Bad.", 0.9)))

    assert pieces == ["“Good.” [1]", "\n\n“Fair.” [2]"]


def test_the_same_sentence_of_two_documents_is_quoted_once() -> None:
    pieces, draft = generate(
        passage(("Honey keeps.", 3.0), document="a"), passage(("Honey  keeps.", 2.9), document="b")
    )

    assert pieces == ["“Honey keeps.” [1]"]
    assert draft.citations[0].document_id == "a"


def test_a_quote_over_two_lines_is_shown_on_one_and_cited_as_it_stands() -> None:
    _, draft = generate(passage(("Honey\n  keeps for years.", 3.0)))

    assert draft.text == "“Honey keeps for years.” [1]"
    assert draft.citations[0].quote == "Honey\n  keeps for years."


def test_a_catalogue_row_is_one_readable_line() -> None:
    rows = [
        replace(passage((f"Wine {n}\nCountry: Spain; Price: {n}.", 3.0 - n), document=f"w{n}", kind="row"))
        for n in range(5)
    ]

    pieces, _ = generate(*rows)

    assert "".join(pieces) == (
        "Wine 0 — Country: Spain; Price: 0. [1]\n\n"
        "Wine 1 — Country: Spain; Price: 1. [2]\n\n"
        "Wine 2 — Country: Spain; Price: 2. [3]"
    )


def test_a_row_is_shown_once_whatever_of_it_is_good() -> None:
    row = replace(passage(("Smoky.", 3.0), ("Long.", 2.9)), metadata={"type": "csv"}, title="Wine")

    pieces, _ = generate(row)

    assert pieces == ["Wine — “Smoky.” [1]"]


def test_rows_are_not_cut_off_by_prose_that_is_too_far_behind() -> None:
    row = passage(("Wine A\nRed.", 3.0), document="a", kind="row")
    other = passage(("Wine B\nRed.", 0.05), document="b", kind="row")

    pieces, _ = generate(row, passage(("Prose.", 0.1), document="c"), other)

    assert len(pieces) == 2


def test_each_piece_comes_after_a_draft_that_ends_with_it() -> None:
    items = list(
        ExtractiveGenerator().generate("?", [passage(("One.", 3.0), ("Two.", 3.0), ("Three.", 3.0))], [])
    )

    written = ""
    for draft, piece in zip(items[::2], items[1::2], strict=True):
        assert isinstance(draft, Draft)
        assert isinstance(piece, str)
        written += piece
        assert draft.text == written
        assert all(c.answer_end <= len(written) for c in draft.citations)


def test_no_passages_give_no_text() -> None:
    assert list(ExtractiveGenerator().generate("?", [], [])) == []


SENTENCES = st.lists(st.tuples(st.text(min_size=1, max_size=30), st.floats(-5, 5)), min_size=1, max_size=5)


@given(st.lists(SENTENCES, min_size=1, max_size=4), st.sampled_from(["prose", "list", "row", "code"]))
def test_every_citation_is_verbatim_and_supports_what_it_spans(
    groups: list[list[tuple[str, float]]], kind: str
) -> None:
    passages = [passage(*texts, document=f"d{n}", kind=kind) for n, texts in enumerate(groups)]

    pieces, draft = generate(*passages)

    assert "".join(pieces) == draft.text
    assert 1 <= len(draft.citations) <= 3
    assert sorted(c.number for c in draft.citations) == list(range(1, len(draft.citations) + 1))
    for citation in check(draft.citations, passages):
        assert citation.verdict == "verbatim"
        assert draft.text[citation.answer_end :].lstrip("”").startswith(f" [{citation.number}]")
