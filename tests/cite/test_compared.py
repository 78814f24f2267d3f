"""What is compared of a claim and its source: figures that follow, turns, aligned words, fitted weights."""

from __future__ import annotations

import numpy as np
import pytest

from rag.cite import judge
from rag.cite.alignment import align
from rag.cite.compare import Finding, changed
from rag.cite.facts import bare_units, dates, quantities
from rag.cite.parity import contrary, turns
from rag.cite.polarity import sweeping, turned
from rag.cite.signals import CHANGE, NEARNESS, compare
from rag.cite.support import Curve, fitted
from rag.sentences import sentences
from rag.types import TokenVectors


def found(claim: str, source: str) -> list[Finding]:
    texts = [source[a:b] for a, b in sentences(source)]
    return changed(claim, texts, source, texts[0])


@pytest.mark.parametrize(
    ("claim", "source"),
    [
        ("It takes one and a half minutes.", "Bake it for ninety seconds."),
        ("It measures half a millimetre.", "It is about 0.5 mm long."),
        ("The last bus leaves at twenty past four.", "Buses run until 04:20."),
        ("Every six months it is checked.", "It is checked twice a year."),
        ("In frost expect about 210 km.", "It drives 280 km. In frost a quarter is lost."),
        ("Six families began it.", "Anna began it with five other families."),
        ("Students save twenty euros.", "The fee is 35 euros, 15 for students."),
        ("Together they have room for sixty people.", "The two cabins hold thirty people each."),
        ("In 310 of the samples nothing was found.", "Two of 312 samples exceeded a limit."),
        ("A ten-year-old may not have it.", "It is not for children under twelve."),
        ("A class of twenty has to register.", "Groups of more than ten people must register."),
        ("She took her doctorate in 1926.", "Born in 1902, she took her doctorate at 24."),
        ("Herve came to Hauteville.", "Hervé came to Hauteville."),
        ("The work costs £4.2m.", "The work is to cost £4.2 million."),
        ("Revenue grew to $3B.", "Revenue grew to 3 billion dollars."),
        ("Keep it below 14 degrees Celsius.", "Nina says: below 14 °C."),
        ("The grant is €1400.", "The grant is 1,400 EUR."),
        ("It takes half an hour to an hour.", "It takes between 30 and 60 minutes."),
        ("It takes 90 minutes.", "It takes 1 hour 30 minutes."),
        ("You have two weeks.", "You have 10 working days."),
        ("It costs 20p.", "It costs £0.20."),
        ("Apply by 30 April.", "Apply by the end of April."),
        ("It is open until 8 p.m.", "It is open from 10 to 5, and until 8 on Thursdays."),
        ("The dose was doubled to 10 mg.", "The dose went from 5 mg to 10 mg."),
        ("Staff increased by 26 to 238.", "Staff: 212 before, 238 now."),
        ("It takes one and a half hours.", "It takes 1½ hours."),
        ("The room has 12 square metres.", "The room has 12 m²."),
        ("It cost 7.1 million dollars at first.", "It rose from 7.1 to 7.3 million dollars."),
        ("A cut for long hair is £46.", "Cut and blow-dry: short hair £38, long hair £46."),
        ("Neither side told Ann.", "Ann was told by none of them, says Bob."),
        ("Renard was succeeded by Vasseur.", "Claire Vasseur succeeded Paul Renard."),
        ("Expo 2020 opens in October.", "Expo 2020 in Dubai begins in October."),
        ("Repairs take 7-14 days.", "Repairs take one to two weeks."),
        ("It takes an hour and 30 minutes.", "It takes 1 hour 30 minutes."),
        ("You have ten working days.", f"You have {'9' * 400} weeks, or 10 working days."),
        ("The line is open 24 hours a day.", "The line is answered at any hour."),
        ("A ride costs 30 cents.", "A ride costs 0.30 crowns."),
        ("Three p.m. on Wednesday is fine.", "Come at 15:00 from Monday to Friday."),
        ("It is open on Tuesdays, but closed on Saturdays.", "It is open Monday to Friday."),
        ("Applications are accepted from June.", "From June we accept applications, writes Ann Roe."),
        ("One-third of them left.", "A third of them left."),
        ("One-sixth of the land is wet.", "A sixth of the land is wet."),
        ("Three eighths are sold.", "37.5 % are sold."),
        ("It had one and a half million guests.", "It had 1,500,000 guests."),
        ("It had half a million guests.", "It had 500,000 guests."),
        ("It had a quarter of a million guests.", "It had 250,000 guests."),
        ("A dish holds 3.2e5 cells.", "A dish holds 320,000 cells."),
        ("A dish holds 2.5 × 10^6 cells.", "A dish holds 2.5 million cells."),
        ("Add 1 1/2 cups of milk.", "Add 1.5 cups of milk."),
        ("Mayor Kuhlmann spoke.", "Mayor Annette Kuhlmann of Brakel spoke."),
        ("Anna Roth paints.", "Staff: Roth, Anna Maria, paints."),
        ("Anna Roth paints.", "Anna Maria Émilie Roth paints."),
        ("Press Enter twice.", "Press Escape once, and Enter two times."),
        ("We use Microsoft Excel.", "We use Microsoft Word, Excel and PowerPoint."),
        ("The park is near London's Heathrow.", "The park is near London's Richmond, and Heathrow."),
        ("Use 2½ × 4 feet.", "Use 2.5 × 4 feet."),
        ("Add 1/2 cup of sugar.", "Add half a cup of sugar."),
        ("Grade 3 or 4 events were rare.", "Grade 3/4 events were rare."),
        ("It is one-third of a mile away.", "It is 1/3 mile away."),
        ("It is one-half hour.", "It is half an hour."),
        ("It is 3/4 of an hour.", "It is 45 minutes."),
        ("It is 2-1/2 inches.", "It is 2.5 inches."),
        ("It had three-quarters of a million guests.", "It had 750,000 guests."),
        ("A dish holds 3·10^6 cells.", "A dish holds 3 × 10⁶ cells."),
        ("It got 3 out of 4 stars.", "It got 3/4 stars."),
    ],
)
def test_what_follows_by_one_step_is_not_changed(claim: str, source: str) -> None:
    assert found(claim, source) == []


@pytest.mark.parametrize(
    ("claim", "source", "finding"),
    [
        ("It takes three minutes.", "Bake it for ninety seconds.", Finding("number", True)),
        ("The work costs £4.2m.", "The work is to cost £4.3 million.", Finding("number", True)),
        ("It takes ninety minutes.", "Bake it for ninety seconds.", Finding("unit", True)),
        ("Let it stand for a minute.", "Let it stand for an hour.", Finding("unit", True)),
        (
            "One plant gives thirty leaves a day.",
            "A plant gives thirty leaves a week.",
            Finding("unit", True),
        ),
        ("The bus leaves at half past four.", "The bus leaves at 04:20.", Finding("date", True)),
        ("The bus has 40 seats.", "The bus is green.", Finding("number", False)),
        ("The grant is 1500 crowns.", "The grant is 1,400 crowns.", Finding("number", True)),
        ("You have ten days.", "You have 10 working days.", Finding("unit", True)),
        ("It is open 24 hours a day.", "It is open daily from 9 to 17.", Finding("number", True)),
        ("Florence hosted the fair in 1998.", "Vienna hosted the fair in 1998.", Finding("name", True)),
        ("You have three weeks.", "You have 10 working days.", Finding("number", True)),
        ("Renard succeeded Vasseur.", "Claire Vasseur succeeded Paul Renard.", Finding("name", True)),
        ("Apply by 28 April.", "Apply by the end of May.", Finding("date", True)),
        ("It is open on Sundays.", "It is open Monday to Friday.", Finding("date", True)),
        ("She was born in Bergen.", "She was born in Oslo.", Finding("name", True)),
        ("The route needs HTTP.", "Anna wrote the route.", Finding("name", False)),
        ("It was Annette Brakel.", "It was Annette Kuhlmann, mayor of Brakel.", Finding("name", True)),
        ("One-third of them left.", "A fifth of them left.", Finding("number", True)),
        ("It had one and a half million guests.", "It had 2,500,000 guests.", Finding("number", True)),
    ],
)
def test_what_was_changed_is_told_from_what_was_added(claim: str, source: str, finding: Finding) -> None:
    assert [(f.kind, f.instead) for f in found(claim, source)] == [(finding.kind, finding.instead)]


def test_clock_times_in_words_may_be_before_noon_or_after() -> None:
    (spoken,) = dates("at twenty past four")

    assert (spoken.minute, spoken.either) == (260, True)
    assert spoken.says(dates("16:20")[0])
    assert not spoken.says(dates("16:30")[0])


def test_a_bare_unit_is_a_span() -> None:
    assert [(q.value, q.dimension) for q in bare_units("within a month, a week ahead, three a day")] == [
        (1, "months"),
        (604_800, "time"),
    ]
    assert [q.per for q in quantities("thirty leaves a week")] == ["week"]


@pytest.mark.parametrize(
    ("claim", "clause", "odd"),
    [
        ("The path is open.", "The path is closed.", True),
        ("The path is not open.", "The path is closed.", False),
        ("Dogs are forbidden.", "Dogs are not allowed.", False),
        ("A tow bar can be ordered.", "A tow bar is not available.", True),
        ("The bread stays soft.", "The bread hardens.", True),
        ("She went home.", "She went home.", False),
    ],
)
def test_an_odd_number_of_turns_says_the_opposite(claim: str, clause: str, odd: bool) -> None:
    assert turns(claim, clause).odd is odd


def test_a_comparison_may_be_said_from_both_sides() -> None:
    source = "Rye breads contain less gluten than wheat breads."

    assert turned("Wheat breads contain more gluten than rye breads.", source) == []
    assert turned("Rye breads contain more gluten than wheat breads.", source) == ["quantifier"]


@pytest.mark.parametrize(
    ("claim", "evidence", "against"),
    [
        ("The pump is harmless when wet.", "The pump is dangerous when wet.", True),
        ("The pension goes on when you marry.", "The pension stops when you marry.", True),
        ("The pump is dangerous when wet.", "The pump is dangerous when wet.", False),
        ("It is cheap and safe.", "It is expensive and dangerous.", False),  # two of them
        ("The lid is harmless.", "Pumps that children reach are dangerous.", False),
        ("The pump is not harmless.", "The pump is dangerous.", False),
        ("Turnover went up.", "Turnover rose, while profit fell.", False),
    ],
)
def test_a_word_against_a_word_of_a_sentence_that_has_the_others(
    claim: str, evidence: str, against: bool
) -> None:
    assert contrary(claim, evidence) is against


def test_sweeping_is_what_nothing_in_the_sentence_says() -> None:
    assert sweeping("All runners pay 15 euros.", "Students pay 15 euros.")
    assert sweeping("The hut has at least thirty beds.", "The hut has thirty beds.")
    assert not sweeping("All runners pay 15 euros.", "Every runner pays 15 euros.")
    assert not sweeping("It opens every day.", "It opens daily.")


def tokens_of(text: str) -> TokenVectors:
    """A token a word, and "cat" points the same way as "pet"."""
    starts = [n for n, c in enumerate(text) if c.isalpha() and (n == 0 or not text[n - 1].isalpha())]
    spans = [(a, a + len(text[a:].split()[0].strip(".,"))) for a in starts]
    axes = {"cat": 0, "pet": 0, "sleeps": 1, "rests": 2, "sun": 3}
    rows = np.zeros((len(spans), 8), np.float32)
    for row, (a, b) in enumerate(spans):
        rows[row, axes.get(text[a:b].casefold(), 7)] = 1
    return TokenVectors(np.array(spans, np.int64), rows)


def test_words_are_aligned_by_their_token_vectors() -> None:
    source = "The pet rests. The sun shines."
    aligned = align("The cat rests.", source, sentences(source), tokens_of)

    assert aligned.words == ("cat", "rests")
    assert aligned.near.tolist() == [1.0, 1.0]
    assert aligned.held.tolist() == [False, True]
    assert aligned.clauses[0].text == "The pet rests."
    assert aligned.by_model


def test_without_token_vectors_a_word_is_near_where_it_stands() -> None:
    source = "The pet rests. The sun shines."
    for tokens in (None, lambda text: None):
        aligned = align("The cat rests.", source, sentences(source), tokens)
        assert (aligned.near.tolist(), aligned.by_model) == ([0.0, 1.0], False)


def test_a_claim_without_content_is_aligned_to_nothing() -> None:
    aligned = align("It is so.", "The pet rests.", [(0, 14)], tokens_of)

    assert (aligned.words, aligned.mean, aligned.novelty) == ((), 0.0, 0.0)


def test_a_curve_is_a_logistic_function() -> None:
    curve = Curve({"a": 2.0, "b": -1.0}, 0.5, 0.5)

    assert curve.probability({"a": 0.0, "b": 0.5}) == pytest.approx(0.5)
    assert curve.probability({"a": 1.0, "b": 0.0}) == pytest.approx(1 / (1 + np.exp(-2.5)))
    assert curve.probability({"a": 1e9, "b": 0.0}) == pytest.approx(1.0)


@pytest.mark.parametrize("tokens", [True, False])
def test_the_fitted_weights_are_those_of_the_signals_with_their_signs(tokens: bool) -> None:
    support = fitted(tokens)

    assert tuple(support.nearness.weights) == NEARNESS
    assert tuple(support.change.weights) == CHANGE
    assert all(weight >= 0 for weight in support.nearness.weights.values())
    assert all(weight <= 0 for weight in support.change.weights.values())
    signals = compare("The cat rests.", "The pet rests.", [(0, 14)], None).signals
    assert set(signals) == {*NEARNESS, *CHANGE}


def test_token_vectors_are_used_where_a_model_gives_them() -> None:
    source = "The pet rests. The sun shines."

    with_tokens = judge("The cat rests.", source, tokens=tokens_of)
    without = judge("The cat rests.", source)

    assert with_tokens.score != without.score
