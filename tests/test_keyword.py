"""The keyword index: one analysis for text and questions, BM25, filters, damage, two processes."""

from __future__ import annotations

import math
import os
import subprocess
import sys
import threading
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rag.errors import IndexingError
from rag.filters import matches, parse
from rag.keyword import MAX_TERMS, KeywordEntry, KeywordIndex, terms
from rag.types import Metadata


def entry(chunk_id: str, own: str, window: str = "", metadata: Metadata | None = None) -> KeywordEntry:
    return KeywordEntry(chunk_id, chunk_id.rpartition(":")[0], window or own, own, metadata or {})


@pytest.fixture
def index(tmp_path: Path) -> KeywordIndex:
    return KeywordIndex(tmp_path / "keyword")


def found(index: KeywordIndex, question: str, where: object = None) -> list[str]:
    return [hit.chunk_id for hit in index.search(question, 10, parse(where))]  # type: ignore[arg-type]


# --- analysis --------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("The Running dogs' run", ["the", "run", "dog", "run"]),
        ("Senjō crème brûlée", ["senjo", "creme", "brule"]),
        ("STRASSE Straße Ærø Łódź", ["strass", "strass", "aero", "lodz"]),
        ("ＡＢＣ ﬁne ① e\u0301", ["abc", "fine", "1", "e"]),
        ("3.5 kg, v1.2.3 in 2019.", ["3.5", "kg", "v1", "2.3", "in", "2019"]),
        ("1,000 and 12,345,678.5", ["1000", "and", "12345678.5"]),
        ("1,2,3 and 1,0000", ["1", "2", "3", "and", "1", "0000"]),
        ("C++, C# and node.js", ["c++", "c#", "and", "node", "js"]),
        ("snake_case don't", ["snake", "case", "don", "t"]),
        ("東京都", ["東京", "京都"]),
        ("私はPythonが好き。", ["私は", "python", "が好", "好き"]),
        ("ｶﾞｿﾘﾝ 水", ["ガソ", "ソリ", "リン", "水"]),
        ("한국어는", ["한국", "국어", "어는"]),
        ("ΣΑΣ σας Άλφα", ["σασ", "σασ", "αλφα"]),
        ("Ёлка елка", ["елка", "елка"]),
        ("हिन्दी", ["हिन्दी"]),
        ("שָׁלוֹם", ["שלום"]),
        ("مَرحَبًا", ["مرحبا"]),
        ("🍷 !? \x00 \ud800", []),
        ("", []),
        ("x" * 300, []),
    ],
)
def test_terms(text: str, expected: list[str]) -> None:
    assert terms(text) == expected


@given(st.text())
def test_terms_are_the_same_in_any_case_and_form(text: str) -> None:
    import unicodedata

    assert terms(unicodedata.normalize("NFD", text)) == terms(unicodedata.normalize("NFC", text))


@given(st.text(min_size=1))
def test_text_finds_itself_if_it_has_any_terms(text: str) -> None:
    assert all(term for term in terms(text))


# --- search ------------------------------------------------------------------------


def test_accents_and_endings_are_folded_on_both_sides(index: KeywordIndex) -> None:
    index.write([entry("a:0", "Senjō was a crème brûlée."), entry("b:0", "Dogs were running.")])
    assert found(index, "senjo") == ["a:0"]
    assert found(index, "SENJŌ") == ["a:0"]
    assert found(index, "creme brulee") == ["a:0"]
    assert found(index, "Does the dog run?") == ["b:0"]


@pytest.mark.parametrize(
    ("question", "expected"),
    [("東京の天気", "ja:0"), ("北京大学在哪里", "zh:0"), ("서울의 인구", "ko:0"), ("เมืองหลวง", "th:0")],
)
def test_scripts_without_spaces_are_found(index: KeywordIndex, question: str, expected: str) -> None:
    index.write(
        [
            entry("ja:0", "明日の東京の天気は晴れです。"),
            entry("zh:0", "北京大学成立于1898年。"),
            entry("ko:0", "서울은 대한민국의 수도이다."),
            entry("th:0", "กรุงเทพมหานครเป็นเมืองหลวงของประเทศไทย"),
        ]
    )
    assert found(index, question)[0] == expected


def test_scores_are_those_of_bm25(index: KeywordIndex) -> None:
    index.write([entry("a:0", "red wine"), entry("b:0", "red red grape juice"), entry("c:0", "white wine")])

    def bm25(tf: int, df: int, length: int) -> float:
        idf = math.log(1 + (3 - df + 0.5) / (df + 0.5))
        return idf * tf * 2.2 / (tf + 1.2 * (1 - 0.75 + 0.75 * length / (8 / 3)))

    hits = {hit.chunk_id: hit.score for hit in index.search("red juice", 10, field="own")}
    assert hits == pytest.approx({"a:0": bm25(1, 2, 2), "b:0": bm25(2, 2, 4) + bm25(1, 1, 4)}, rel=1e-5)
    assert index.search("red juice", 1, field="own")[0].chunk_id == "b:0"
    scores = index.scores("red juice", ["c:0", "a:0", "unknown:0", "a:0"], field="own")
    assert scores == pytest.approx({"c:0": 0.0, "a:0": hits["a:0"], "unknown:0": 0.0})


def test_idf_is_that_of_bm25(index: KeywordIndex) -> None:
    index.write([entry("a:0", "red wine"), entry("b:0", "red juice", window="wine"), entry("c:0", "wine")])
    weights = index.idf(["red", "wine", "absent", "red"])
    expected = {
        "red": math.log(1 + 1.5 / 2.5),
        "wine": math.log(1 + 1.5 / 2.5),
        "absent": math.log(1 + 3.5 / 0.5),
    }
    assert weights == pytest.approx(expected)
    assert index.idf(["wine"], field="window")["wine"] == pytest.approx(math.log(1 + 0.5 / 3.5))


def test_the_window_is_searched_unless_the_own_text_is_asked_for(index: KeywordIndex) -> None:
    index.write([entry("a:0", "It opened in 1889.", window="Eiffel Tower\nIt opened in 1889.")])
    assert found(index, "eiffel") == ["a:0"]
    assert index.search("eiffel", 5, field="own") == []


HOSTILE = [
    "title:foo OR (",
    'own:"a b"~3 AND NOT [1 TO 2]',
    "*",
    "wine^1000 +red -white",
    "\\",
    "{}[]/regex.*/",
    "facts:kdeadbeef",
    "\x00\ud800",
    "🍷",
    "IN [a b]",
    "",
]


@pytest.mark.parametrize("question", HOSTILE)
def test_query_syntax_in_a_question_is_only_words(index: KeywordIndex, question: str) -> None:
    index.write([entry("a:0", "red wine"), entry("b:0", "foo")])
    assert index.search("zebra " + question, 5) == index.search("zebra " + " ".join(terms(question)), 5)
    assert set(index.scores(question, ["a:0"])) == {"a:0"}


def test_a_very_long_question_is_searched_by_its_rarest_terms(index: KeywordIndex) -> None:
    words = [f"w{n}x" for n in range(3000)]
    index.write([entry(f"c:{n}", " ".join(words)) for n in range(3)] + [entry("rare:0", "needle")])
    question = " ".join([*words, "needle"])
    assert len(question) > 15_000
    assert len(terms(question)) > MAX_TERMS
    assert "rare:0" in found(index, question)
    assert index.search("x" * 1_000_000 + " needle", 5) == []  # what is beyond the limit is not read


def test_numbers_out_of_range_of_the_index_do_no_harm(index: KeywordIndex) -> None:
    index.write([entry("a:0", "wine")])
    assert index.search("wine", 10_000_000)[0].chunk_id == "a:0"
    assert index.search("wine", 0) == []
    assert index.scores("wine", []) == {}


# --- filters -----------------------------------------------------------------------

RECORDS: dict[str, Metadata] = {
    "a:0": {"country": "Portugal", "price": 12.5, "tags": ("dry", "rosé"), "a.b": True},
    "b:0": {"country": "Spain", "price": 9, "it's": "q", "AND": "x"},
    "c:0": {"country": "", "price": -3, "released": "2024-05-01"},
    "d:0": {},
}


@pytest.mark.parametrize(
    "where",
    [
        {"country": "Portugal"},
        {"country": {"$ne": "Portugal"}},
        {"country": ""},
        {"price": {"$gte": 9, "$lt": 12.5}},
        {"price": {"$lt": 0}},
        {"price": {"$gt": -3.0}},
        {"tags": {"$contains": "rosé"}},
        {"a.b": True},
        {"it's": "q", "AND": "x"},
        {"released": {"$lte": "2024-05-01"}},
        {"$or": [{"price": 9}, {"country": {"$nin": ["Portugal", "Spain", 1]}}]},
        {"country": {"$in": []}},
    ],
    ids=str,
)
def test_search_and_filter_together(index: KeywordIndex, where: dict[str, object]) -> None:
    index.write([entry(key, "wine", metadata=metadata) for key, metadata in RECORDS.items()])
    filter = parse(where)
    expected = {key for key, metadata in RECORDS.items() if matches(filter, metadata)}
    assert set(found(index, "wine", where)) == expected
    assert found(index, "absent", where) == []


def test_a_filter_does_not_change_scores(index: KeywordIndex) -> None:
    index.write([entry(key, "wine", metadata=metadata) for key, metadata in RECORDS.items()])
    plain = {hit.chunk_id: hit.score for hit in index.search("wine", 9)}
    (hit,) = index.search("wine", 9, parse({"country": "Spain"}))
    assert hit.score == pytest.approx(plain["b:0"])


# --- writing -----------------------------------------------------------------------


def test_documents_are_replaced_and_deleted(index: KeywordIndex) -> None:
    assert index.empty
    index.write([entry("d:0", "old"), entry("d:1", "old"), entry("e:0", "other")])
    index.write([entry("d:0", "new")], delete=["d"])
    assert index.chunk_ids() == {"d:0", "e:0"}
    assert (found(index, "old"), found(index, "new")) == ([], ["d:0"])
    index.write([entry("e:0", "changed")])
    assert (index.count(), found(index, "other"), found(index, "changed")) == (2, [], ["e:0"])
    index.write([], delete=["e", "unknown"])
    assert index.chunk_ids() == {"d:0"}
    index.clear()
    assert index.empty
    assert index.chunk_ids() == set()


def test_it_is_there_again_when_it_is_opened_again(index: KeywordIndex) -> None:
    index.write([entry("d:0", "Senjō", metadata={"n": 1})])
    again = KeywordIndex(index.path)
    assert found(again, "senjo", {"n": 1}) == ["d:0"]


@pytest.mark.parametrize("damage", ["meta", "segments", "schema", "gone", "file"])
def test_a_damaged_folder_is_set_aside_and_the_index_is_empty(index: KeywordIndex, damage: str) -> None:
    index.write([entry("d:0", "wine")])
    path = index.path
    if damage == "meta":
        (path / "meta.json").write_text("{")
    elif damage == "segments":
        for file in path.glob("*.term"):
            file.write_bytes(file.read_bytes()[:10])
    elif damage == "schema":
        meta = path / "meta.json"
        meta.write_text(meta.read_text().replace('"window"', '"windov"'))
    else:
        for file in path.iterdir():
            file.unlink()
        path.rmdir()
        if damage == "file":
            path.write_text("a file where the folder was")
    again = KeywordIndex(path)
    assert again.empty
    again.write([entry("e:0", "wine")])
    assert found(again, "wine") == ["e:0"]


def test_an_index_that_is_taken_away_is_empty_after_refresh(index: KeywordIndex) -> None:
    index.write([entry("d:0", "wine")])
    index.path.rename(index.path.with_name("elsewhere"))
    index.refresh()
    assert index.empty
    index.write([entry("e:0", "wine")])
    assert found(index, "wine") == ["e:0"]


# --- several at once ---------------------------------------------------------------

WRITER = f"""
import sys
from pathlib import Path
sys.path[:0] = {[str(Path(__file__).parent.parent), str(Path(__file__).parent)]!r}
from test_keyword import *
index = KeywordIndex(Path(sys.argv[1]))
for n in range(int(sys.argv[2]), int(sys.argv[3])):
    index.write([entry(f"d{{n}}:0", f"word{{n}} shared")])
"""


def writer(path: Path, first: int, last: int) -> subprocess.Popen[bytes]:
    return subprocess.Popen([sys.executable, "-c", WRITER, str(path), str(first), str(last)])


def test_what_another_process_wrote_is_found_after_refresh(index: KeywordIndex) -> None:
    index.write([entry("here:0", "shared")])
    with writer(index.path, 0, 1) as process:
        assert process.wait(60) == 0
    assert found(index, "word0") == []
    index.refresh()
    assert found(index, "word0") == ["d0:0"]


def test_two_processes_and_a_thread_write_at_once_and_nothing_is_lost(index: KeywordIndex) -> None:
    with writer(index.path, 0, 6) as first, writer(index.path, 6, 12) as second:
        for n in range(12, 16):
            index.write([entry(f"d{n}:0", f"word{n} shared")])
        assert (first.wait(60), second.wait(60)) == (0, 0)
    index.refresh()
    assert index.chunk_ids() == {f"d{n}:0" for n in range(16)}
    assert len(index.search("shared", 100)) == 16


def test_a_lock_that_is_never_given_up_gives_a_sentence(
    index: KeywordIndex, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("rag.keyword._LOCK_WAIT", 0.1)
    held = KeywordIndex(index.path)._index.writer(15_000_000, 1)
    with pytest.raises(IndexingError, match="Another process is writing the keyword index"):
        index.write([entry("d:0", "wine")])
    del held
    index.write([entry("d:0", "wine")])
    assert index.count() == 1


def test_threads_search_while_another_writes(index: KeywordIndex) -> None:
    index.write([entry("d:0", "wine")])
    failures: list[BaseException] = []
    done = threading.Event()

    def search() -> None:
        while not done.is_set():
            try:
                assert found(index, "wine")[0] == "d:0"
            except BaseException as error:
                failures.append(error)
                return

    threads = [threading.Thread(target=search) for _ in range(2)]
    for thread in threads:
        thread.start()
    for n in range(10):
        index.write([entry(f"e{n}:0", "juice")])
        index.refresh()
    done.set()
    for thread in threads:
        thread.join()
    assert failures == []
    assert index.count() == 11


@pytest.mark.slow
@pytest.mark.skipif(sys.platform == "win32", reason="kills by signal")
def test_a_writer_killed_at_any_moment_leaves_an_index_that_answers(index: KeywordIndex) -> None:
    import random
    import time

    index.write([entry("first:0", "shared")])
    chance = random.Random(0)
    for round in range(15):
        with writer(index.path, round * 1000, round * 1000 + 1000) as process:
            time.sleep(chance.uniform(0.2, 1.2))
            os.kill(process.pid, 9)
        again = KeywordIndex(index.path)
        assert "first:0" in again.chunk_ids()
        again.write([entry(f"round{round}:0", "shared")])
        assert len(again.search("shared", 100_000)) == again.count()
