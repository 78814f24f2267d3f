"""Does a source support a claim? By words alone: nearness by a model is in the benchmark."""

from __future__ import annotations

import pytest

from rag.cite import judge
from rag.cite.facts import dates, names, quantities

SOURCE = (
    "The permit costs 24 euros a year and is valid for two weeks. Applicants must send form P-12 by 3 May "
    "2021. Children under 12 do not pay. The World Health Organization moved to Geneva in 1948. Most "
    "visitors like it."
)


@pytest.mark.parametrize(
    "claim",
    [
        "The permit costs €24 each year.",
        "The permit is valid for 14 days.",
        "By 3 May 2021 applicants have to send form P-12.",
        "Form P-12 must be sent by applicants in May 2021.",
        "Children below 12 do not have to pay.",
        "The WHO moved to Geneva in 1948.",
        "Most visitors like it.",
    ],
)
def test_a_paraphrase_is_supported(claim: str) -> None:
    assert judge(claim, SOURCE).verdict != "unsupported"


@pytest.mark.parametrize(
    ("claim", "reason"),
    [
        ("The permit costs 42 euros a year.", "number"),
        ("The permit costs 24 dollars a year.", "unit"),
        ("The permit costs 24 euros a month.", "unit"),
        ("The permit is valid for two months.", "unit"),
        ("Applicants must send form P-12 by 5 May 2021.", "date"),
        ("Applicants must send form P-12 by 3 May 2012.", "date"),
        ("Applicants must send form B-12 by 3 May 2021.", "name"),
        ("The World Health Organization moved to Vienna in 1948.", "name"),
        ("Children under 12 pay.", "negation"),
        ("Applicants must not send form P-12 by 3 May 2021.", "negation"),
        ("Applicants may send form P-12 by 3 May 2021.", "quantifier"),
        ("All visitors like it.", "quantifier"),
        ("The office sells ice cream.", "meaning"),
    ],
)
def test_a_change_is_named(claim: str, reason: str) -> None:
    found = judge(claim, SOURCE)

    assert (found.verdict, reason in found.reasons) == ("unsupported", True)


def test_a_change_costs_score() -> None:
    right = judge("By 3 May 2021 applicants have to send form P-12.", SOURCE)
    wrong = judge("By 5 May 2021 applicants have to send form P-12.", SOURCE)

    assert wrong.score < right.score


def test_a_whole_sentence_word_for_word_is_verbatim_and_found() -> None:
    found = judge("“Children under 12 do not pay.”", SOURCE)

    assert (found.verdict, found.score) == ("verbatim", 1.0)
    assert SOURCE[found.start : found.end] == "Children under 12 do not pay."


def test_yes_and_no_before_a_claim_are_no_part_of_it() -> None:
    assert judge("No, children under 12 do not pay.", SOURCE).verdict == "verbatim"
    assert judge("Yes: the permit costs €24 each year.", SOURCE).verdict == "supported"
    assert judge("No, children under 12 pay.", SOURCE).reasons == ("negation",)
    assert judge("Yes.", SOURCE).verdict == "unsupported"
    assert judge("No. 5 is the best seller.", "No. 5 is the best seller.").verdict == "verbatim"


@pytest.mark.parametrize(
    ("claim", "source"), [("", SOURCE), ("?!", SOURCE), ("Tea is green.", ""), ("Tea.", "…")]
)
def test_nothing_is_supported_by_nothing(claim: str, source: str) -> None:
    assert judge(claim, source).verdict == "unsupported"


def test_figures_are_read_with_their_units() -> None:
    text = (
        "two hundred and fifty thousand people, 3.5 million euros, half of it, a 30-day limit, $5bn, "
        "twenty-five percent"
    )

    assert [(q.value, q.dimension) for q in quantities(text)] == [
        (250_000, ""), (3_500_000, "€"), (50, "share"), (30 * 86_400, "time"), (5e9, "$"), (25, "share"),
    ]  # fmt: skip


def test_dates_are_read_as_far_as_they_are_given() -> None:
    found = dates(
        "On 3 May 2020, May 4th, in March 1999, 2021-07-09, since 1848, at 9 am on Monday; it may rain."
    )

    assert [(w.year, w.month, w.day) for w in found if w.year or w.month] == [
        (2020, 5, 3), (None, 5, 4), (1999, 3, None), (2021, 7, 9), (1848, None, None),
    ]  # fmt: skip
    assert [w.minute for w in found if w.minute is not None] == [540]
    assert [w.weekday for w in found if w.weekday] == ["monday"]


def test_names_are_capitalised_words_and_the_first_of_a_sentence_may_be_one() -> None:
    assert [(n.text, n.opens) for n in names("Ann met Saint-Émer's king. We saw NATO in May.")] == [
        ("Ann", True), ("Saint-Émer", False), ("We", True), ("NATO", False),
    ]  # fmt: skip


FRAGMENTS = (
    "The annual fee is 900 euros, due by 1 March. The office is in Geneva, Rue du Lac 5. "
    "Dogs are not allowed."
)


@pytest.mark.parametrize(
    "claim", ["900 euros.", "Geneva.", "In Geneva", "1 March", "Rue du Lac 5", "No dogs"]
)
def test_a_fragment_that_the_source_holds_is_supported(claim: str) -> None:
    assert judge(claim, FRAGMENTS).verdict == "supported"


@pytest.mark.parametrize(
    "claim", ["Berlin.", "1,400 euros", "2 April", "Dogs allowed", "Weekends", "90 euros"]
)
def test_a_fragment_that_the_source_does_not_hold_is_not(claim: str) -> None:
    assert judge(claim, FRAGMENTS).verdict == "unsupported"


def test_a_fragment_is_not_read_by_a_model_that_knows_sentences() -> None:
    found = judge("Geneva.", FRAGMENTS, entails=lambda claim, source: pytest.fail("it was read"))

    assert FRAGMENTS[found.start : found.end].startswith("The office is in Geneva")


@pytest.mark.parametrize(
    ("claim", "source"),
    [
        ("Allowed", "Pets are not allowed in the building."),
        ("Mandatory.", "A helmet isn't mandatory."),
        ("Berlin, Germany", "The office is not in Berlin, Germany."),
        ("500 euros", "The fee is 1,500 euros."),
        ("5 euros", "The fee is 1.5 euros."),
    ],
)
def test_a_fragment_that_is_denied_or_part_of_another_figure_is_not_supported(
    claim: str, source: str
) -> None:
    assert judge(claim, source).verdict == "unsupported"


def test_a_sentence_of_a_script_without_spaces_is_no_fragment() -> None:
    read = judge("ペットは許可されています。", "ペットは建物内で許可されています。")

    assert read.score > 0
