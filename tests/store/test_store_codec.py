"""Records as JSON: what comes back, what is mended, what is refused."""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rag.errors import StoreError
from rag.store.codec import clean_text, decode, encode
from rag.types import Answer, Citation, Passage, Provenance, Sentence

text = st.text(st.characters(exclude_categories=["Cs"]), max_size=20)
any_text = st.text(st.characters(), max_size=20)  # lone surrogates among them
number = st.floats(allow_nan=False, allow_infinity=False)
offset = st.integers(0, 10**9)


def mapping(values: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    return st.dictionaries(text, values, max_size=3)


def tuples(values: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    return st.lists(values, max_size=3).map(tuple)


where = st.recursive(
    st.none() | st.booleans() | st.integers() | number | text,
    lambda inner: st.lists(inner, max_size=3) | mapping(inner),
    max_leaves=5,
)
passages = st.builds(
    Passage,
    *(text, text, text, offset, offset, text, number),
    scorer=st.sampled_from(["dense", "bm25", "fused"]),
    metadata=mapping(text | st.integers() | number | st.booleans() | tuples(text)),
    path=tuples(text),
    page=st.none() | st.integers(1),
    context=text,
    sentences=tuples(st.builds(Sentence, offset, offset, number, number, st.sampled_from(["prose", "row"]))),
)
citations = st.builds(
    Citation,
    *(offset, text, text, offset, offset, text, st.sampled_from(["verbatim", "unsupported"]), offset, offset),
    passage=offset,
)


def answers(texts: st.SearchStrategy[str]) -> st.SearchStrategy[Answer]:
    return st.builds(
        Answer,
        *(text, texts, texts, texts, tuples(citations), tuples(passages), number, st.booleans(), text),
        usage=mapping(st.integers()),
        seconds=mapping(number),
        provenance=st.builds(Provenance, text, text, text, text, st.none() | text),
        created=number,
        where=st.none() | mapping(where),
        conversation_id=st.none() | text,
        origin=st.sampled_from(["chat", "batch", "command"]),
        stopped=st.booleans(),
        notices=tuples(texts),
    )


@given(answers(text))
def test_an_answer_comes_back_equal_and_with_the_same_types(answer: Answer) -> None:
    back = decode(Answer, encode(answer))
    assert back == answer
    assert repr(back) == repr(answer)  # tells 1 from 1.0 and from True, and a list from a tuple


@given(answers(any_text))
def test_text_that_no_encoding_carries_is_mended_in_place(answer: Answer) -> None:
    record = encode(answer)
    record.encode()  # would raise on a lone surrogate
    back = decode(Answer, record)
    assert len(back.text) == len(answer.text)
    assert back.notices == tuple(clean_text(notice) for notice in answer.notices)


def test_a_lone_surrogate_becomes_one_replacement_character() -> None:
    assert clean_text("half a \ud83d smile, and a whole 😀") == "half a � smile, and a whole 😀"


def test_control_characters_are_kept(make_answer: Any) -> None:
    answer = make_answer(text="a\x00b\x1bc\u2028d\u202ee\r\n")
    assert decode(Answer, encode(answer)).text == "a\x00b\x1bc\u2028d\u202ee\r\n"


def test_a_full_answer_reads_as_plain_json(make_answer: Any) -> None:
    record = json.loads(encode(make_answer()))
    assert record["passages"][0]["metadata"]["tags"] == ["red", "dry"]
    assert record["provenance"]["prototype"] == "wine"


def test_keys_of_a_later_version_are_ignored(make_answer: Any) -> None:
    answer = make_answer()
    record = json.loads(encode(answer))
    record["mood"] = "good"
    record["passages"][0]["colour"] = {"r": 1}
    assert decode(Answer, json.dumps(record)) == answer


def test_keys_that_an_earlier_version_did_not_write_take_the_default(make_answer: Any) -> None:
    answer = make_answer(notices=(), where=None, stopped=False)
    record = json.loads(encode(answer))
    del record["notices"], record["where"], record["stopped"]
    assert decode(Answer, json.dumps(record)) == answer


def test_a_literal_of_a_later_version_is_kept(make_answer: Any) -> None:
    record = encode(make_answer()).replace('"scorer":"fused"', '"scorer":"quantum"')
    assert decode(Answer, record).passages[0].scorer == "quantum"


@pytest.mark.parametrize(
    ("before", "after", "says"),
    [
        ('"question":', '"asked":', "lacks question"),
        ('"abstained":false', '"abstained":"no"', "str stands where"),
        ('"confidence":0.9', '"confidence":true', "bool stands where"),
        ('"page":2', '"page":2.5', "float stands where"),
        ('"region":"Rioja"', '"region":{}', "dict where"),
        ('"passages":[{', '"passages":[[{', "Expecting"),
    ],
)
def test_a_damaged_record_is_refused_with_what_is_wrong(
    before: str, after: str, says: str, make_answer: Any
) -> None:
    record = encode(make_answer())
    assert record.count(before) == 1
    with pytest.raises(StoreError, match=says):
        decode(Answer, record.replace(before, after))


def test_numpy_numbers_become_plain_ones(make_answer: Any) -> None:
    answer = make_answer(confidence=np.float32(0.5), usage={"input": np.int64(3)})
    back = decode(Answer, encode(answer))
    assert (type(back.confidence), back.confidence) == (float, 0.5)
    assert (type(back.usage["input"]), back.usage["input"]) == (int, 3)


def test_what_json_cannot_hold_is_refused_by_the_name_of_its_field(make_answer: Any) -> None:
    answer = make_answer()
    with pytest.raises(StoreError, match=r"Passage\.score is nan"):
        encode(replace(answer, passages=(replace(answer.passages[0], score=float("nan")),)))
    with pytest.raises(StoreError, match=r"Answer\.confidence is inf"):
        encode(replace(answer, confidence=float("inf")))
    with pytest.raises(StoreError, match=r"Answer\.usage has a key"):
        encode(replace(answer, usage={1: 2}))
    with pytest.raises(StoreError, match=r"Answer\.where holds a set"):
        encode(replace(answer, where={"tags": {"$in": {"red"}}}))


def test_nesting_without_end_is_refused(make_answer: Any) -> None:
    where: dict[str, object] = {}
    for _ in range(5_000):
        where = {"$and": [where]}
    with pytest.raises(StoreError, match="nested too deeply"):
        encode(make_answer(where=where))


def test_a_type_without_a_rule_is_named_at_once() -> None:
    @dataclass(frozen=True)
    class Odd:
        items: set[str]

    Odd.__annotations__["items"] = set[str]  # a local class resolves no string
    with pytest.raises(TypeError, match=r"no rule for set\[str\]"):
        decode(Odd, "{}")
