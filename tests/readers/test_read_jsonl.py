"""JSON Lines: a line is a document."""

import json

import pytest

from rag.readers import ReadResult, read_bytes
from rag.types import Block, ReadFailure
from tests.files import make_jsonl


def read(*lines: str) -> ReadResult:
    return read_bytes("\n".join(lines).encode(), "data/x.jsonl")


def test_a_line_is_a_document() -> None:
    record = {
        "id": "n-1",
        "title": "Normans",
        "text": "They  came.\r\n\r\nThey saw. ",
        "metadata": {
            "year": 1066,
            "tags": ["a", 1, True],
            "when": "2026-05-01",
            "none": None,
            "a": {"b": 2.5},
        },
    }
    (document,) = read_bytes(make_jsonl([record]), "x.jsonl").documents
    assert (document.id, document.title, document.text) == ("n-1", "Normans", "They  came.\r\n\r\nThey saw. ")
    assert dict(document.metadata) == {
        "year": 1066,
        "tags": ("a", "1", "true"),
        "when": 1_777_593_600,
        "a.b": 2.5,
        "type": "jsonl",
    }
    assert document.blocks == (Block(0, 11), Block(15, 24))


def test_ids_and_titles_that_are_missing_or_numbers() -> None:
    result = read(
        '{"id": 7, "text": "a"}', '{"_id": "b", "text": "b"}', '{"text": "c"}', '{"title": 5, "text": "d"}'
    )
    assert [(d.id, d.title) for d in result.documents[:2]] == [("7", "7"), ("b", "b")]
    assert [d.title for d in result.documents[2:]] == ["x, line 3", "5"]
    assert len(result.documents[2].id) == 32


def test_other_keys_are_metadata_and_reserved_ones_kept_apart() -> None:
    (document,) = read(
        '{"text": "a", "lang": "en", "n": 1, "metadata": {"n": 2, "title": "T", "page": 3}}'
    ).documents
    assert document.title == "T"
    assert dict(document.metadata) == {"lang": "en", "n": 2, "declared_page": 3, "type": "jsonl"}


@pytest.mark.parametrize(
    ("line", "sentence"),
    [
        ("nope", "The line is not valid JSON: Expecting value at column 1."),
        ("[1]", "The line is not a JSON object."),
        ("{}", 'The object has no "text".'),
        ('{"text": null}', 'The object has no "text".'),
        ('{"text": 5}', '"text" is not a string.'),
        ('{"text": " \\n"}', '"text" is empty.'),
        ('{"text": "a", "id": true}', '"id" is neither a string nor a whole number.'),
        ('{"text": "a", "id": ""}', '"id" is empty.'),
        ('{"text": "a", "title": []}', '"title" is not a string.'),
        ('{"text": "a", "metadata": [1]}', '"metadata" is not an object.'),
        ('{"text": "a", "metadata": {"x": NaN}}', "NaN is not valid JSON."),
        ('{"text": "a", "metadata": {"x": 1e999}}', "The number 1e999 is too large."),
        (
            '{"text": "a", "metadata": {"x": ' + "9" * 5_000 + "}}",
            "The line holds a number that is too long.",
        ),
        ("[" * 100_000, "The line is nested too deeply."),
        (
            '{"text": "a", "metadata": ' + '{"k":' * 30 + "1" + "}" * 31,
            "The metadata is nested more than 20 levels deep.",
        ),
        ('{"id": "first", "text": "again"}', 'The id "first" comes twice; the line was left out.'),
    ],
)
def test_a_wrong_line_is_named_and_the_others_are_read(line: str, sentence: str) -> None:
    result = read('{"id": "first", "text": "a"}', "", line, '{"id": "last", "text": "z"}')
    assert [d.id for d in result.documents] == ["first", "last"]
    assert result.failures == (ReadFailure("data/x.jsonl, line 3", sentence),)


def test_lone_surrogates_are_replaced() -> None:
    (document,) = read(r'{"text": "a\ud800b \ud83c\udf89", "metadata": {"k": "\udfff"}}').documents
    assert (document.text, document.metadata["k"]) == ("a\ufffdb 🎉", "\ufffd")


def test_only_a_line_feed_ends_a_line() -> None:
    (document,) = read_bytes('{"text": "a\u2028b\x85c"}\r\n'.encode(), "x.jsonl").documents
    assert document.text == "a\u2028b\x85c"


@pytest.mark.parametrize(
    ("text", "what"),
    [(json.dumps([{"text": "a"}], indent=1), "array"), ('[\n{"text": "a"},\n{"text": "b"}\n]', "array"),
     (json.dumps({"text": "a"}, indent=1), "value")],
)  # fmt: skip
def test_json_that_is_not_lines_is_named(text: str, what: str) -> None:
    result = read_bytes(text.encode(), "x.jsonl")
    assert result.failures == (
        ReadFailure(
            "x.jsonl", f"The file is one JSON {what}, not JSON Lines: write one object on each line."
        ),
    )
    assert result.documents == ()


def test_long_numbers_stay_exact() -> None:
    (document,) = read('{"text": "a", "metadata": {"n": 12345678901234567890}}').documents
    assert document.metadata["n"] == "12345678901234567890"


def test_strings_and_keys_are_capped() -> None:
    (document,) = read(json.dumps({"text": "a", "metadata": {"k" * 200: "v" * 3_000, " ": 1}})).documents
    assert {key: len(str(value)) for key, value in document.metadata.items() if key != "type"} == {
        "k" * 100: 2_000
    }
