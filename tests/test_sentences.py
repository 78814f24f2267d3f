"""Sentence boundaries: one behaviour a test, the sentences written out."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rag.sentences import MAX_CHARS, cut, sentences


def split(text: str) -> list[str]:
    return [text[start:end] for start, end in sentences(text)]


def test_offsets_are_those_of_the_whole_text() -> None:
    text = "Not this one. The cellar is cold. It holds four hundred bottles. Nor this."
    assert sentences(text, 14, 64) == [(14, 33), (34, 64)]


@pytest.mark.parametrize("text", ["", " ", "\n\n\t\n", "\u2003\u00a0"])
def test_white_space_has_no_sentences(text: str) -> None:
    assert sentences(text) == []


@pytest.mark.parametrize(
    "text",
    [
        "Mr. Speaker and Dr. Jones met Prof. Lee at St. James.",
        "The books of J. K. Rowling and J.R.R. Tolkien and George W. Bush sell.",
        "Use a cask, e.g. Oak or i.e. Acacia, approx. 3 times.",
        "It leaves at 9 a.m. Monday or at 3 p.m. EST to the coast.",
        "See Fig. 3 in Vol. II, No. 5, pp. 12 ff. and Sec. 2.1 of it.",
        "It costs $3.14 in version 2.0.1 of the list.",
        "Visit https://example.com/a.b?q=1.2 or write to j.doe@example.org about config.yaml today.",
        "The U.S. Army bought it from Apple Inc. Europe for 5 Mio. Euro.",
        "Am 3. Oktober 1990, d. h. im Herbst, war es z. B. in Berlin so.",
        "A. S. Puschkin (geb. 1799) and Smith et al. Nature wrote of it.",
        "The firm Yahoo! was sold, and so was Jeopardy! in time.",
        '"Why on earth?" she asked him.',
        "He waited ... and then he waited some more.",
        "The year (d. 1560) was cold for everybody.",
    ],
)
def test_a_stop_inside_a_sentence_does_not_end_it(text: str) -> None:
    assert split(text) == [text]


@pytest.mark.parametrize(
    "text",
    [
        "He lives in the U.S. | The rest of them do not.",
        "They opened at 9 a.m. | The doors were wide open.",
        "They opened at 9 a.m. | Children came in first.",
        "He works for Smith Inc. | They make very good barrels.",
        "That was World War I. | The next one began later.",
        "The answer to it is no. | The other answer is yes.",
        "It is rich in vitamin C. | It is also very sour.",
        "He said, “I will go there.” | Then he went there at once.",
        "It was (as they say.) | Nobody knew about it.",
        "Was that really it?! | No way was that really it.",
        "He waited for a day... | Then he went back home.",
        "This was shown before.[12] | Others have disagreed since.",
        "**This is the bold claim.** | This is the plain rest.",
        "i went home early today. | then i slept for hours.",
    ],
)
def test_a_stop_at_the_end_of_a_sentence_ends_it(text: str) -> None:
    assert split(text.replace("| ", "")) == text.split(" | ")


def test_a_missing_space_is_seen_before_a_word_that_opens_sentences() -> None:
    assert split("They walked to the end.The others stayed with System.Out and Media.Vision.") == [
        "They walked to the end.",
        "The others stayed with System.Out and Media.Vision.",
    ]


@pytest.mark.parametrize(
    ("text", "want"),
    [
        ("北京是中国的首都。它有很多历史遗迹！", ["北京是中国的首都。", "它有很多历史遗迹！"]),
        ("他说：“我已经去过了。”然后他走了。", ["他说：“我已经去过了。”", "然后他走了。"]),
        (
            "私は「行きます。」と答えました。次の日は雨でした。",
            ["私は「行きます。」と答えました。", "次の日は雨でした。"],
        ),
        ("彼は笑った（本当に！）。次の日は雨でした。", ["彼は笑った（本当に！）。", "次の日は雨でした。"]),
        ("यह एक छोटा वाक्य है। यह दूसरा वाक्य है।", ["यह एक छोटा वाक्य है।", "यह दूसरा वाक्य है।"]),
        (
            "هل أنت بخير اليوم؟ نعم أنا بخير جدا۔ شكرا جزيلا لك يا صديقي.",
            ["هل أنت بخير اليوم؟", "نعم أنا بخير جدا۔", "شكرا جزيلا لك يا صديقي."],
        ),
        ("Ես այստեղ եմ հիմա։ Նա գնաց այնտեղ։", ["Ես այստեղ եմ հիմա։", "Նա գնաց այնտեղ։"]),
        ("አዲስ አበባ ዋና ከተማ ናት። ኢትዮጵያ ትልቅ ሀገር ናት።", ["አዲስ አበባ ዋና ከተማ ናት።", "ኢትዮጵያ ትልቅ ሀገር ናት።"]),
        (
            "한국은 정말 아름답다. 서울은 한국의 수도이다!",
            ["한국은 정말 아름답다.", "서울은 한국의 수도이다!"],
        ),
        (
            "¿Cómo está usted hoy? ¡Estoy muy bien, gracias!",
            ["¿Cómo está usted hoy?", "¡Estoy muy bien, gracias!"],
        ),
    ],
)
def test_stops_of_other_scripts(text: str, want: list[str]) -> None:
    assert split(text) == want


def test_stops_and_quotation_marks_set_apart_by_spaces() -> None:
    text = 'They called it " The Raven . " Its second game , lit . Valkyria , sold well . It was very good .'
    assert split(text) == [
        'They called it " The Raven . "',
        "Its second game , lit . Valkyria , sold well .",
        "It was very good .",
    ]


def test_a_wrapped_paragraph_reads_on_over_its_lines() -> None:
    text = (
        "The bottles lie on their sides so that the cork\n"
        "stays wet. A cork that dries lets air in, and in\n"
        "France nobody would let that happen to a good\n"
        "wine."
    )
    assert split(text) == [
        "The bottles lie on their sides so that the cork\nstays wet.",
        "A cork that dries lets air in, and in\nFrance nobody would let that happen to a good\nwine.",
    ]


def test_a_blank_line_ends_a_sentence_without_a_stop() -> None:
    assert split("The wines of the Loire\n\nthe wines of the Rhône") == [
        "The wines of the Loire",
        "the wines of the Rhône",
    ]


def test_windows_line_ends_are_line_ends() -> None:
    assert split("The wines of the Loire\r\n\r\nThe wines of the Rhône\r\n") == [
        "The wines of the Loire",
        "The wines of the Rhône",
    ]


def test_list_items_and_short_lines_stand_alone() -> None:
    text = "What to bring along:\n- a corkscrew of steel\n- two glasses\n1. Open the bottle\n2. Pour the wine"
    assert split(text) == text.split("\n")


def test_very_short_lines_gather() -> None:
    text = "Ann Smith\n12 Main St\nLondon\nUK\n\nBob\n\nThe others live somewhere else.\nShort line"
    assert split(text) == [
        "Ann Smith\n12 Main St\nLondon\nUK",
        "Bob",
        "The others live somewhere else.",
        "Short line",
    ]


def test_a_short_line_before_a_long_one_is_a_heading() -> None:
    text = (
        "Storing the bottles\nBottles lie on their sides, in the dark, at twelve degrees, all the year round."
    )
    assert split(text) == text.split("\n")


def test_a_number_that_opens_an_item_stays_with_it() -> None:
    assert split("1. Open the old bottle. 2. Pour the young wine.") == [
        "1. Open the old bottle.",
        "2. Pour the young wine.",
    ]


def test_the_line_breaks_of_a_dumped_string_are_line_breaks() -> None:
    text = (
        r"These are the steps:\n\n1. Log in to it.\n2. Open the page.\n\nPortland, USA\nPortland is a city."
    )
    assert split(text) == [
        "These are the steps:",
        "1. Log in to it.",
        "2. Open the page.",
        "Portland, USA",
        "Portland is a city.",
    ]


def test_a_backslash_elsewhere_is_text() -> None:
    text = r"Save it under C:\new\notes and type \nabla f in the box."
    assert split(text) == [text]


def test_records_on_one_line_are_apart() -> None:
    text = "[{'role': 'user', 'content': 'Is it open'}, {'role': 'bot', 'content': 'It is'}]"
    assert split(text) == [
        "[{'role': 'user', 'content': 'Is it open'},",
        "{'role': 'bot', 'content': 'It is'}]",
    ]


@pytest.mark.parametrize(
    ("text", "want"),
    [
        ("Yes. That is what they told us.", ["Yes. That is what they told us."]),
        ("That is what they told us. Yes.", ["That is what they told us. Yes."]),
        ("Stand up. Now. We have to leave the house.", ["Stand up. Now. We have to leave the house."]),
        ("Stay.\n\nThat is what they told us.", ["Stay.", "That is what they told us."]),
    ],
)
def test_fragments_join_a_neighbour_of_their_paragraph(text: str, want: list[str]) -> None:
    assert split(text) == want


def test_a_long_sentence_is_cut_at_clauses_of_even_length() -> None:
    clause = "the barrel is rolled down to the cellar and left there for as long as it takes"
    text = "; ".join([clause] * 12) + "."
    parts = split(text)
    assert [part.count(clause) for part in parts] == [6, 6]
    assert parts[0].endswith(";")


def test_a_million_characters_without_a_space_are_cut() -> None:
    spans = sentences("x" * 300_000)
    assert len(spans) == 500
    assert all(end - start == MAX_CHARS for start, end in spans)


def test_a_hard_cut_keeps_what_is_drawn_as_one() -> None:
    family, accented = "\U0001f468\u200d\U0001f469\u200d\U0001f467", "e\u0301"
    for cluster in (family, accented):
        text = "x" + cluster * 400
        starts = [start for start, _ in sentences(text)][1:]
        assert starts
        assert {(start - 1) % len(cluster) for start in starts} == {0}


def test_a_cut_spares_brackets() -> None:
    text = "The barrels are old (oak; ash; elm; fir; yew and larch), and they were made by hand."
    assert [text[start:end] for start, end in cut(text, 0, len(text), 600, 2)] == [
        "The barrels are old (oak; ash; elm; fir; yew and larch),",
        "and they were made by hand.",
    ]


def test_a_line_does_not_end_with_an_article() -> None:
    text = (
        "We drank the wine of the\nRhône in the evening, and on the next day we went home by the early train."
    )
    assert split(text) == [text]


def test_cut_gives_the_pieces_asked_for() -> None:
    assert cut("one two three four", 0, 18, 600, 2) == [(0, 7), (8, 18)]


SAMPLES = st.sampled_from(
    [
        *(". ", "! ", "? ", "...", "Mr. ", "e.g. ", "U.S. ", "1. ", "word ", "The ", "[1]", "- ", "= "),
        *("\n", "\n\n", "\r\n", "\f", "\u2028", "\x1c", r"\n", "}, {'", "“", "” ", '" ', "(", ") "),
        *("。", "」", "।", "\u0301", "\u200d", "\U0001f468"),
    ]
)
TEXTS = st.one_of(st.text(max_size=400), st.lists(SAMPLES, max_size=120).map("".join))


@settings(max_examples=300, deadline=None)
@given(TEXTS, st.integers(0, 50), st.integers(0, 50))
def test_sentences_are_ordered_trimmed_and_lose_only_white_space(text: str, before: int, after: int) -> None:
    begin, end = min(before, len(text)), max(min(before, len(text)), len(text) - after)
    spans = sentences(text, begin, end)
    at = begin
    lost = ""
    for left, right in spans:
        assert at <= left < right <= end
        assert right - left <= MAX_CHARS
        assert text[left:right] == text[left:right].strip()
        lost += text[at:left]
        at = right
    lost += text[at:end]
    assert not lost.replace("\\n", "").replace("\\r", "").replace("\\", "").strip()


@pytest.mark.parametrize(
    "unit", [".", "a", "(", " ", ". ", "a. ", '. "', "\\n", "\\", "a\n", "\r", "}, {'", "。", "\u0301"]
)
def test_a_repeated_character_is_cut_in_time(unit: str) -> None:
    # Anything worse than linear would take minutes here.
    text = unit * (300_000 // len(unit))
    assert all(end - start <= MAX_CHARS for start, end in sentences(text))
