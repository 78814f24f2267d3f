"""A model's text with its citations checked as it arrives."""

from __future__ import annotations

import re
from itertools import pairwise

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from rag.cite import Judgement, judge
from rag.cite.stream import CitedStream
from rag.types import Cited, Draft, Passage
from tests.benchmarks.streams import CODE

TEXTS = (
    "The permit costs 24 euros. It is valid for two weeks.",
    "Children under 12 do not pay. The office opens at nine.",
    "Geneva lies on a lake.",
)
PASSAGES = [Passage(f"d{n}", f"{n}.md", "T", 0, len(t), t, 1.0, "fused") for n, t in enumerate(TEXTS)]


def write(*pieces: str | Cited) -> tuple[str, Draft]:
    """The text that a reader sees, and the last Draft."""
    stream = CitedStream(PASSAGES, judge)
    found = [t for piece in pieces for t in stream.feed(piece)] + list(stream.end())
    drafts = [t for t in found if isinstance(t, Draft)]
    return "".join(t for t in found if isinstance(t, str)), drafts[-1]


def test_a_supported_claim_keeps_its_citation() -> None:
    text, draft = write("The permit costs 24 euros [1].")

    assert text == draft.text == "The permit costs 24 euros. [1]"
    (citation,) = draft.citations
    assert (citation.number, citation.quote, citation.verdict) == (
        1,
        "The permit costs 24 euros.",
        "verbatim",
    )
    assert text[citation.answer_start : citation.answer_end] == "The permit costs 24 euros."
    assert draft.quality is not None
    assert (draft.quality.recall, draft.quality.precision) == (1.0, 1.0)


def test_a_wrong_citation_is_moved_to_the_passage_that_supports_the_claim() -> None:
    text, draft = write("Children under 12 do not have to pay [3].")

    assert text.endswith("pay. [1]")
    assert draft.citations[0].document_id == "d1"
    assert (draft.claims[0].verdict, draft.claims[0].attributed, draft.claims[0].cited) == (
        "supported",
        True,
        (2,),
    )
    assert draft.quality is not None
    assert (draft.quality.recall, draft.quality.precision) == (0.0, 0.0)


def test_what_the_nearest_passage_contradicts_is_not_moved_to_one_about_something_else() -> None:
    def credulous(claim: str, source: str) -> Judgement:
        lake = "lake" in source
        return Judgement("supported", 0.9, (), 0, len(source)) if lake else judge(claim, source)

    stream = CitedStream(PASSAGES, credulous)
    *_, draft = [
        t for t in (*stream.feed("The permit costs 42 euros [1]."), *stream.end()) if isinstance(t, Draft)
    ]

    assert [(c.verdict, c.reasons, c.attributed) for c in draft.claims] == [
        ("unsupported", ("number",), False)
    ]
    assert draft.citations == ()


def test_a_claim_that_nothing_supports_gets_no_number_and_is_marked() -> None:
    text, draft = write("The permit costs 42 euros [1]. Geneva lies on a lake [3].")

    assert text == "The permit costs 42 euros. Geneva lies on a lake. [1]"
    wrong, right = draft.claims
    assert (wrong.verdict, wrong.reasons, text[wrong.start : wrong.end]) == (
        "unsupported", ("number",), "The permit costs 42 euros.",
    )  # fmt: skip
    assert right.verdict == "verbatim"


def test_a_claim_without_a_citation_is_given_one_where_a_passage_supports_it() -> None:
    text, draft = write("The office opens at nine. It serves cake.")

    assert text == "The office opens at nine. [1] It serves cake."
    assert [(c.verdict, c.attributed) for c in draft.claims] == [("verbatim", True), ("unsupported", False)]


def test_a_citation_that_adds_nothing_is_dropped_and_counts_against_precision() -> None:
    text, draft = write("The permit costs 24 euros [1][3].")

    assert text == "The permit costs 24 euros. [1]"
    assert draft.quality is not None
    assert (draft.quality.recall, draft.quality.precision) == (1.0, 0.5)


def test_unknown_numbers_are_counted_and_never_shown() -> None:
    text, draft = write("Geneva lies on a lake [9] [0] [3].")

    assert text == "Geneva lies on a lake. [1]"
    assert draft.quality is not None
    assert draft.quality.unknown == 2


def test_two_claims_in_a_sentence_are_checked_apart() -> None:
    text, draft = write("The permit costs €24 [1], and children under 12 do not pay [2].")

    assert text == "The permit costs €24, [1] and children under 12 do not pay. [2]"
    assert len(draft.claims) == 2


def test_lists_and_paragraphs_keep_their_shape() -> None:
    text, _ = write("Fees:\n\n- The permit costs 24 euros [1]\n- Geneva lies on a lake [3]\n")

    assert text == "Fees:\n\n- The permit costs 24 euros [1]\n- Geneva lies on a lake [2]"


def test_a_block_of_code_is_no_claim_and_comes_through_as_it_is() -> None:
    code = "```python\nfees = read(42)  # The permit costs 42 euros.\nprint(fees[1], fees[9])\n```"
    text, draft = write(f"The permit costs 24 euros [1].\n\n{code}\n\nGeneva lies on a lake [3].")

    assert text == f"The permit costs 24 euros. [1]\n\n{code}\n\nGeneva lies on a lake. [2]"
    assert [text[c.start : c.end] for c in draft.claims] == [
        "The permit costs 24 euros.",
        "Geneva lies on a lake.",
    ]
    assert draft.quality is not None
    assert (draft.quality.recall, draft.quality.unknown) == (1.0, 0)


@pytest.mark.parametrize("name", ["markdown", "md"])
def test_an_answer_that_stands_in_a_block_as_a_whole_is_read(name: str) -> None:
    answer = f"```{name}\nThe permit costs 24 euros [1].\n\n```py\nx[1]\n```\nIt costs 500 euros [9].\n```"
    text, draft = write(answer)

    assert text == "The permit costs 24 euros. [1]\n\n```py\nx[1]\n```\nIt costs 500 euros."
    assert [c.verdict for c in draft.claims] == ["verbatim", "unsupported"]
    assert (text, draft) == write(*answer)


def test_what_stands_around_a_block_of_code_is_checked_as_ever() -> None:
    text, draft = write("It costs 42 dollars a year\n```\nx\n```\nIt serves plenty of cake")

    assert [(text[c.start : c.end], c.verdict) for c in draft.claims] == [
        ("It costs 42 dollars a year", "unsupported"),
        ("It serves plenty of cake", "unsupported"),
    ]


@pytest.mark.parametrize("before", ["", "The permit costs 24 euros [1].\n"])
def test_a_marker_behind_a_block_of_code_has_nothing_to_stand_for(before: str) -> None:
    text, draft = write(f"{before}```\nx = 24\n```\n[2]")

    assert text.endswith("```\nx = 24\n```")
    assert [c.passage for c in draft.citations] == [0] * bool(before)


def test_a_block_of_code_behind_a_marker_still_begins_its_line() -> None:
    text, _ = write("The permit costs 24 euros.\n[1]```\nx[1]\n```")

    assert text == "The permit costs 24 euros. [1]\n```\nx[1]\n```"


def test_code_within_a_sentence_is_a_part_of_its_claim() -> None:
    text, draft = write("The permit costs `24` euros [1]. The permit costs `42` euros [1].")

    assert [(text[c.start : c.end], c.verdict) for c in draft.claims] == [
        ("The permit costs `24` euros.", "supported"),
        ("The permit costs `42` euros.", "unsupported"),
    ]


def test_a_line_that_begins_with_code_hides_no_claim() -> None:
    text, draft = write("```fee``` is set. The permit costs 42 euros [1].")

    assert "The permit costs 42 euros." in [text[c.start : c.end] for c in draft.claims]


TABLE = (
    "| What | How much |\n| --- | :---: |\n| The permit | costs 24 euros [1] |\n| The cake | costs 9 euros |"
)


def test_of_a_table_the_rows_are_checked_and_neither_its_head_nor_the_rule_below_it() -> None:
    text, draft = write(TABLE)

    assert text == TABLE
    assert [(text[c.start : c.end], c.verdict) for c in draft.claims] == [
        ("The permit | costs 24 euros", "supported"),
        ("The cake | costs 9 euros |", "unsupported"),
    ]
    assert draft.quality is not None
    assert draft.quality.recall == 0.5


def test_a_line_between_bars_is_no_head_without_a_table() -> None:
    _, draft = write("| The cake | costs 9 euros |\n\n| --- |")

    assert [c.verdict for c in draft.claims] == ["unsupported"]


@pytest.mark.parametrize("begins", ["[1] ", "[9]\n\n", " \n"])
def test_an_answer_begins_with_its_first_word(begins: str) -> None:
    text, draft = write(f"{begins}The permit costs 24 euros.")

    assert text == draft.text == "The permit costs 24 euros. [1]"


def test_citations_that_come_beside_the_text_count_as_markers() -> None:
    text, draft = write(
        "The permit costs 24 euros.", Cited(0, 26, (0,)), " It is valid for two weeks.", Cited(27, 52, (0,))
    )

    assert text == "The permit costs 24 euros. [1] It is valid for two weeks. [2]"
    assert [claim.cited for claim in draft.claims] == [(0,), (0,)]


def test_text_goes_through_before_its_claim_ends() -> None:
    stream = CitedStream(PASSAGES, judge)

    assert list(stream.feed("The permit costs")) == ["The", " permit", " costs"]


ANSWER = (
    "The permit costs 24 euros [1]. Children, e.g. Ann, pay nothing [1, 2]! 东京很大。日内瓦【3】\n\n"
    "1. Geneva lies on a lake [3]\n\n```py\nx[1] = 24\n```\n"
    "| A fee | A lake |\n| --- | --- |\n| 24 euros [1] | 9 |\n\n"
    "- [1] states that it is valid for two weeks. According to [3], [2] and [9], Geneva lies on a lake.\n"
    "See [3]. 这是真的！？The office closes at 3 p.m. Children pay. Ab dem 3. Oktober, see Sec. 12. The end"
)


@given(st.lists(st.integers(0, len(ANSWER)), max_size=40))
@settings(max_examples=60, deadline=None)
def test_any_split_gives_the_same_answer(cuts: list[int]) -> None:
    places = [0, *sorted(cuts), len(ANSWER)]

    assert write(*(ANSWER[a:b] for a, b in pairwise(places))) == write(ANSWER)


WORDS = st.sampled_from(
    [
        "The permit",
        " costs",
        " 24 euros",
        "[1]",
        "[2",
        "]",
        " [9]",
        ".",
        "\n",
        "`",
        "[1-3]",
        "【2】",
        " Geneva",
        "(",
        "```",
        "| --- |",
        " According to",
        ", ",
        "- ",
        "1. ",
        " states",
        " and",
        " »",
        "9 a.m. The",
    ]
)


@given(st.lists(WORDS, max_size=25))
@example(["[2", "[1]", "]"])
@example([" 24 euros", "The permit", "| --- |", "\n", "| --- |", "[1]"])
@example(["`", "\n", "[1]", "`", "[1]", "`"])
@example(["[1]", "```", "\n", "```", "[1]"])
@example(["The permit costs", "[2", " [9]", "[1]", "]", "]"])
@settings(max_examples=500, deadline=None)
def test_every_number_that_is_shown_was_checked(pieces: list[str]) -> None:
    text, draft = write(*pieces)

    outside = CODE.sub(" ", text)
    assert {int(n) for n in re.findall(r"\[(\d+)\]", outside)} <= {c.number for c in draft.citations}
    for claim in draft.claims:
        assert 0 <= claim.start < claim.end <= len(text)
    for citation in draft.citations:
        passage = PASSAGES[citation.passage]
        assert passage.text[citation.start : citation.end] == citation.quote


@pytest.mark.parametrize(
    ("pieces", "lines"),
    [
        (["The permit costs 24 euros.\n[1] Tea is free of charge here."], 2),
        (["The permit costs 24 euros.\n", "[1]", "\n", "Tea is free of charge here."], 2),
        (["The permit costs 24 euros.\n\n[1]\n\nTea is free of charge here."], 3),
        (["The permit costs 24 euros.\n", Cited(0, 26, (0,)), "Tea is free of charge here."], 2),
        (["The permit costs 24 euros. ", Cited(0, 26, (0,)), "Tea is free of charge here."], 1),
    ],
)
def test_a_marker_takes_no_line_end_away(pieces: list[str | Cited], lines: int) -> None:
    text, _ = write(*pieces)

    assert text.count("\n") == lines - 1
    assert text.replace(" [1]", "") in (
        "The permit costs 24 euros." + "\n" * (lines - 1) + " " * (lines == 1) + "Tea is free of charge here."
    )


@pytest.mark.parametrize(
    ("piece", "verdict"),
    [
        ("24 euros [1].", "supported"),
        ("It costs:\n- 42 euros [1]\n- 24 euros", "unsupported"),
        ("€900 [1].", "unsupported"),
        ("Berlin [3].", "unsupported"),
        ("Geneva [3].", "supported"),
        ("Fee (adults): €900 [1]:", "unsupported"),
        ("巴黎是德国的首都 [3]。", "unsupported"),
        ("ปารีสเป็นเมืองหลวง [3]", "unsupported"),
    ],
)
def test_a_short_answer_that_cites_is_checked_as_a_long_one(piece: str, verdict: str) -> None:
    _, draft = write(piece)

    assert draft.claims[0].verdict == verdict


def test_a_figure_alone_in_its_line_is_a_claim() -> None:
    text, draft = write("The permit costs 24 euros [1]. Prices:\n- €1,400\n")

    assert [text[c.start : c.end] for c in draft.claims] == ["The permit costs 24 euros.", "€1,400"]
    assert draft.claims[1].verdict == "unsupported"


@pytest.mark.parametrize("text", ["Yes.", "1. \n2. ", "Prices:", "## 2024: what is new?", "Sources: [1]"])
def test_what_says_nothing_is_no_claim(text: str) -> None:
    assert write(text)[1].claims == ()


def test_of_the_passages_nothing_is_cited_for_what_they_do_not_say() -> None:
    text, draft = write("The permit costs 24 euros [1]. The passages do not mention parking [1][2].")

    assert text == draft.text == "The permit costs 24 euros. [1] The passages do not mention parking."
    assert [claim.verdict for claim in draft.claims] == ["verbatim"]
    assert draft.quality is not None
    assert (draft.quality.recall, draft.quality.precision) == (1.0, 1.0)


def test_what_a_passage_says_of_documents_is_a_claim() -> None:
    _, draft = write("Travel documents do not give a right to stay [1].")

    assert [claim.verdict for claim in draft.claims] == ["unsupported"]


def test_a_part_behind_a_citation_is_read_with_its_sentence_and_marked_alone() -> None:
    text, draft = write("The permit costs 24 euros [1] weekly [2].")

    first, second = draft.claims
    assert (first.verdict, text[first.start : first.end]) == ("verbatim", "The permit costs 24 euros")
    assert text[second.start : second.end] == "weekly."
    assert "number" not in second.reasons  # the number of the marker before is none of the claim's


def test_a_marker_behind_a_sentence_that_has_one_takes_nothing_back() -> None:
    text, draft = write("The permit costs 24 euros [1]. Yes. [3]")

    (claim,) = draft.claims
    assert (claim.verdict, claim.cited) == ("verbatim", (0, 2))
    assert text == "The permit costs 24 euros. [1] Yes."
    assert draft.quality is not None
    assert (draft.quality.recall, draft.quality.precision) == (1.0, 0.5)


def test_a_marker_that_stands_apart_may_support_the_sentence_before() -> None:
    text, draft = write("The permit costs 24 euros [3]. Yes. [1]")

    (claim,) = draft.claims
    assert claim.verdict == "verbatim"
    assert text.count("[1]") >= 1


def test_no_bracket_is_left_of_a_marker_that_stood_in_brackets() -> None:
    assert write("The permit costs 24 euros ([1]).")[0] == "The permit costs 24 euros. [1]"
    assert write("The permit costs 24 euros (see [1], [2]).")[0] == "The permit costs 24 euros. [1]"
    assert write("The permit costs 24 euros **[1]**.")[0] == "The permit costs 24 euros. [1]"


@pytest.mark.parametrize(
    "text",
    [
        "**1.** The permit costs 24 euros [1].\n\n**3.** Geneva lies on a lake [3].",
        "1.1. The permit costs 24 euros [1].\n1.2. Geneva lies on a lake [3].",
        "## 2024\nThe permit costs 24 euros [1].\n(2)\nGeneva lies on a lake [3].",
    ],
)
def test_the_number_of_an_item_or_a_heading_is_no_claim(text: str) -> None:
    _, draft = write(text)

    assert [c.verdict for c in draft.claims] == ["verbatim", "verbatim"]
    assert len(draft.citations) == 2


def test_passages_that_only_together_support_a_claim_may_be_named_behind_it() -> None:
    text, draft = write("The permit costs 24 euros and Geneva lies on a lake. Sources: [1], [3]")
    whole = write("The permit costs 24 euros and Geneva lies on a lake [1][3].")[1]

    assert [c.verdict for c in draft.claims] == [c.verdict for c in whole.claims] == ["supported"]
    assert {c.passage for c in draft.citations} == {0, 2}
    assert draft.quality == whole.quality
    assert text.endswith("[1][2]")


def said(text: str, draft: Draft) -> list[tuple[str, str]]:
    return [(text[c.start : c.end], c.verdict) for c in draft.claims]


RIGHT, YOUNG = ("The permit costs 24 euros.", "verbatim"), ("Children under 12 do not pay.", "verbatim")


@pytest.mark.parametrize(
    ("answer", "claims"),
    [
        ("1. The permit costs 24 euros [1].\n2. Children under 12 do not pay [2].", [RIGHT, YOUNG]),
        ("1) The permit costs 24 euros [1].\n(2) Children under 12 do not pay [2].", [RIGHT, YOUNG]),
        ("a) The permit costs 24 euros [1].\nb) **Children under 12 do not pay** [2].", None),
        ("- [1] The permit costs 24 euros.\n- [2] Children under 12 do not pay.", [RIGHT, YOUNG]),
        ("[1] The permit costs 24 euros. Children under 12 do not pay [2].", [RIGHT, YOUNG]),
        ("The permit costs 24 euros [1]. See [2] for more.", [RIGHT]),
        ("## Fees for horses\nThe permit costs 24 euros [1].", [RIGHT]),
        ("**Fees and permits**\nThe permit costs 24 euros [1].", [RIGHT]),
        ("The permit costs 24 euros [1]. Let me know if you need anything else!", [RIGHT]),
        (
            "The office closes at 3 p.m. Children under 12 do not pay [2].",
            [("The office closes at 3 p.m.", "unsupported"), YOUNG],
        ),
        ("At 3 p.m. Monday it snows [1].", [("At 3 p.m. Monday it snows.", "unsupported")]),
        ("Mr. Inc. 3 lives in Sec. 12 of it [1].", [("Mr. Inc. 3 lives in Sec. 12 of it.", "unsupported")]),
        (
            "It costs 900 euros and its renewal 90 euros, as follows:\n- The permit costs 24 euros [1].",
            [("It costs 900 euros and its renewal 90 euros, as follows:", "unsupported"), RIGHT],
        ),
        ("There are 3 of them:\n- The permit costs 24 euros [1].", [RIGHT]),
        ("If you have a dog, you pay double.", [("If you have a dog, you pay double.", "unsupported")]),
        ("Of course dogs are allowed.", [("Of course dogs are allowed.", "unsupported")]),
        ("See [1]: it costs 900 euros.", [("See the sources: it costs 900 euros.", "unsupported")]),
        ("**Capital:** **Paris**\n\nYes.", [("Capital:** **Paris**", "unsupported")]),
        (
            "On 6 August at 8 a.m. Geneva was bombed [3].",
            [("On 6 August at 8 a.m. Geneva was bombed.", "unsupported")],
        ),
        ("42.", [("42.", "unsupported")]),
        ("42 [1].", [("42.", "unsupported")]),
        ("24 [1].", [("24.", "supported")]),
    ],
)
def test_what_of_an_answer_is_a_claim(answer: str, claims: list[tuple[str, str]] | None) -> None:
    text, draft = write(answer)

    if claims is None:
        assert {verdict for _, verdict in said(text, draft)} <= {"verbatim", "supported"}
        assert len(draft.citations) == 2
    else:
        assert said(text, draft) == claims


@pytest.mark.parametrize(
    ("answer", "text"),
    [
        (
            "According to [1], the permit costs 24 euros.",
            "According to the sources, the permit costs 24 euros. [1]",
        ),
        ("According to [1] and [3], the permit costs 24 euros.", None),
        (
            "As stated in [1], the permit costs 24 euros.",
            "As stated in the sources, the permit costs 24 euros. [1]",
        ),
        (
            "[1] states that the permit costs 24 euros.",
            "The source states that the permit costs 24 euros. [1]",
        ),
        ("The permit costs 24 euros [1], [1], and [3].", "The permit costs 24 euros. [1]"),
        (
            "According to document [1], the permit costs 24 euros.",
            "According to document, the permit costs 24 euros. [1]",
        ),
        ("Laut [1] und [2] kostet es viel Geld.", "Laut den Quellen kostet es viel Geld."),
        (
            "[1] and [3] state that the permit costs 24 euros.",
            "The sources state that the permit costs 24 euros. [1]",
        ),
        (
            "- [1] also says: the permit costs 24 euros.",
            "- The source also says: the permit costs 24 euros. [1]",
        ),
        (
            "The permit costs 24 euros [1], and [2] says that children under 12 do not pay.",
            "The permit costs 24 euros, [1] and the source says that children under 12 do not pay. [2]",
        ),
        ("The permit costs 24 euros. See [1].", "The permit costs 24 euros. [1] See the sources. [1]"),
        ("Children under 12 get in [2].", "Children under 12 get in. [1]"),
    ],
)
def test_what_is_left_of_a_sentence_without_its_markers_is_a_sentence(answer: str, text: str | None) -> None:
    text = text or "According to the sources, the permit costs 24 euros. [1]"

    assert write(answer)[0] == write(*answer)[0] == text


def test_a_marker_on_a_line_of_its_own_is_no_word_of_the_line_before() -> None:
    text, _ = write("According to [1]\n[3]```\nx[1]\n```")

    assert text.startswith("According to the sources [1]\n```\n") or text.startswith(
        "According to the sources\n```\n"
    )


def test_a_passage_that_adds_nothing_to_what_others_support_together_is_not_shown() -> None:
    text, draft = write("The permit costs 24 euros and Geneva lies on a lake [1][2][3].")

    assert text.endswith("lake. [1][2]")
    assert [c.passage for c in draft.citations] == [0, 2]
    assert draft.quality is not None
    assert draft.quality.precision == pytest.approx(2 / 3)


def test_what_says_otherwise_than_a_passage_is_wrong_without_a_citation_too() -> None:
    _, draft = write("The permit costs 42 euros. It serves cake. Some 900 people live on the moon.")

    assert [c.reasons for c in draft.claims] == [("uncited", "number"), ("uncited",), ("uncited",)]


def test_the_head_of_a_table_in_the_words_of_a_source_gets_no_number() -> None:
    text, draft = write("| The office opens | The permit costs |\n| --- | --- |\n| At nine | 24 euros [1] |")

    assert text.startswith("| The office opens | The permit costs |\n| --- | --- |\n")
    assert len(draft.claims) == 1


def test_a_citation_beside_the_text_may_come_with_the_first_word_of_the_next_sentence() -> None:
    text, draft = write("The permit costs 24 euros.", " It", Cited(0, 26, (0,)), " is valid for two weeks.")

    assert text.startswith("The permit costs 24 euros. [1] It is valid")
    assert draft.claims[0].cited == (0,)
