"""Plain text: unchanged, paragraphs as blocks."""

from rag.readers import read_bytes
from rag.types import Block, Document


def read(text: str, source: str = "notes.txt") -> Document:
    (document,) = read_bytes(text.encode(), source).documents
    return document


def shown(document: Document) -> list[tuple[str, tuple[str, ...], str]]:
    return [(b.kind, b.path, document.text[b.start : b.end]) for b in document.blocks]


def test_paragraphs_are_blocks_and_the_text_is_unchanged() -> None:
    document = read("\ufeffOne\r\nstill one\r\n\r\n  Two \n")
    assert document.text == "\ufeffOne\r\nstill one\r\n\r\n  Two \n"
    assert document.blocks == (Block(1, 15), Block(21, 24))
    assert (document.title, dict(document.metadata)) == ("notes", {"type": "text"})


def test_bullets_make_a_list() -> None:
    assert shown(read("Buy:\n\n- milk\n- eggs\n")) == [("prose", (), "Buy:"), ("list", (), "- milk\n- eggs")]


def test_a_line_over_a_rule_is_a_heading() -> None:
    assert shown(read("Guide\n=====\n\nText.\n\nSetup\n-----\nMore.\n")) == [
        ("heading", ("Guide",), "Guide"),
        ("prose", ("Guide",), "Text."),
        ("heading", ("Guide", "Setup"), "Setup"),
        ("prose", ("Guide", "Setup"), "More."),
    ]


def test_a_rule_of_another_length_is_no_underline() -> None:
    assert shown(read("Text\n----------\nmore\n")) == [("prose", (), "Text\n----------\nmore")]


def test_wiki_headings_stand_alone_on_their_lines() -> None:
    text = " = Cat = \n The cat is an animal . \n = = Diet = = \n It eats fish . \n"
    assert shown(read(text)) == [
        ("heading", ("Cat",), "Cat"),
        ("prose", ("Cat",), "The cat is an animal ."),
        ("heading", ("Cat", "Diet"), "Diet"),
        ("prose", ("Cat", "Diet"), "It eats fish ."),
    ]


def test_lines_too_wide_to_be_wrapped_are_paragraphs() -> None:
    first, second = "one " * 60, "two " * 60
    assert shown(read(f"{first}\n{second}")) == [("prose", (), first.strip()), ("prose", (), second.strip())]


def test_every_line_of_a_log_is_a_block() -> None:
    assert shown(read("10:00 start\n10:01 stop\n", "a.log")) == [
        ("prose", (), "10:00 start"),
        ("prose", (), "10:01 stop"),
    ]


def test_a_million_characters_on_one_line_are_one_block() -> None:
    (block,) = read("word " * 200_000).blocks
    assert (block.start, block.end) == (0, 999_999)


def test_millions_of_lines_stay_a_bounded_number_of_blocks() -> None:
    document = read("a\n\n" * 300_000)
    assert 100_000 < len(document.blocks) < 101_000
    assert document.blocks[-1].end == 3 * 299_999 + 1
