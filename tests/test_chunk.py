"""Documents to sections and chunks; a token is a word here."""

from __future__ import annotations

import itertools
import time
from collections.abc import Sequence

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rag.chunk import MAX_SECTION_CHARS, Chunking, split, window
from rag.errors import UsageError
from rag.sentences import MAX_CHARS
from rag.types import Block, BlockKind, Chunk, Document, Section

SMALL = Chunking(section_tokens=20, max_chunk_tokens=10)


def words(texts: Sequence[str]) -> list[int]:
    return [len(text.split()) for text in texts]


def document(
    *parts: tuple[BlockKind | None, str, tuple[str, ...]] | str, page: int | None = None
) -> Document:
    """A document of the parts given; those without a kind stand between blocks."""
    text, blocks = "", []
    for part in parts:
        kind, body, path = (None, part, ()) if isinstance(part, str) else part
        if kind is not None:
            blocks.append(Block(len(text), len(text) + len(body), kind, path, page))
        text += body
    return Document("d", text, "d.md", "D", blocks=tuple(blocks))


def texts(chunks: Sequence[Chunk]) -> list[str]:
    return [chunk.text for chunk in chunks]


def section_texts(document: Document, chunks: Sequence[Chunk]) -> list[str]:
    return [document.text[s.start : s.end] for s in dict.fromkeys(chunk.section for chunk in chunks)]


def check_tiling(document: Document, lead: str, chunks: Sequence[Chunk]) -> None:
    text = document.text
    assert lead + "".join(chunk.text + chunk.gap for chunk in chunks) == text
    at = 0
    for n, chunk in enumerate(chunks):
        assert chunk.n == n
        assert at <= chunk.start < chunk.end <= len(text)
        assert chunk.text == text[chunk.start : chunk.end]
        at = chunk.end
    sections = list(dict.fromkeys(chunk.section for chunk in chunks))
    assert [chunk.section for chunk in chunks] == sorted(
        (chunk.section for chunk in chunks), key=lambda section: section.start
    )
    for before, after in itertools.pairwise(sections):
        assert before.end <= after.start
    for section in sections:
        inside = [chunk for chunk in chunks if chunk.section == section]
        assert section.start <= inside[0].start
        assert section.end == inside[-1].end


def test_a_document_without_blocks_is_one_paragraph() -> None:
    doc = Document("d", " The cellar is quite cold. It holds many old bottles.\n", "d.txt", "D")
    section = Section(1, 53)
    assert split(doc, words) == (
        " ",
        [
            Chunk("d", 0, 1, 26, "The cellar is quite cold.", " ", section),
            Chunk("d", 1, 27, 53, "It holds many old bottles.", "\n", section),
        ],
    )


@pytest.mark.parametrize("text", ["", " \n\n ", "* * *\n\n-----\n"])
def test_a_document_without_words_has_no_chunks(text: str) -> None:
    assert split(Document("d", text, "d.txt", "D"), words) == (text, [])


def test_a_heading_opens_its_section_and_is_no_chunk() -> None:
    doc = document(
        ("heading", "# Storage", ("Storage",)), "\n\n", ("prose", "Bottles lie on their sides.", ("Storage",))
    )
    lead, chunks = split(doc, words)
    assert lead == "# Storage\n\n"
    assert texts(chunks) == ["Bottles lie on their sides."]
    assert chunks[0].section == Section(0, 38, ("Storage",))


def test_headings_without_text_between_open_the_section_together() -> None:
    doc = document(
        ("heading", "# Wine\n", ("Wine",)),
        ("heading", "## Storage\n", ("Wine", "Storage")),
        ("prose", "Bottles lie on their sides.", ("Wine", "Storage")),
    )
    _, chunks = split(doc, words)
    assert section_texts(doc, chunks) == [doc.text]


def test_a_heading_under_which_nothing_stands_is_a_chunk() -> None:
    doc = document(
        ("heading", "# To be written\n", ("To be written",)),
        ("heading", "# Storage\n", ("Storage",)),
        ("prose", "Bottles lie on their sides.\n", ("Storage",)),
        ("heading", "# Index\n", ("Index",)),
    )
    _, chunks = split(doc, words)
    assert [(chunk.kind, chunk.text) for chunk in chunks] == [
        ("heading", "# To be written"),
        ("prose", "Bottles lie on their sides."),
        ("heading", "# Index"),
    ]
    assert chunks[0].section.path == ("To be written",)


def test_a_heading_that_is_in_no_path_is_a_chunk() -> None:
    doc = document(("heading", "Storage\n", ()), ("prose", "Bottles lie on their sides.", ()))
    assert texts(split(doc, words)[1]) == ["Storage", "Bottles lie on their sides."]


def test_sections_end_at_headings_and_pages() -> None:
    text = "One bottle is open now. Two bottles are open now. Three of them are open now."
    doc = Document(
        "d",
        text,
        "d.pdf",
        "D",
        blocks=(Block(0, 24, page=1), Block(24, 49, page=2), Block(50, 77, path=("Three",), page=2)),
    )
    _, chunks = split(doc, words)
    assert [(chunk.section.page, chunk.section.path) for chunk in chunks] == [
        (1, ()),
        (2, ()),
        (2, ("Three",)),
    ]


def test_short_paragraphs_gather_into_one_section() -> None:
    doc = document(*[("prose", f"Bottle number {n} is still full.\n\n", ()) for n in range(3)])
    _, chunks = split(doc, words, SMALL)
    assert len(chunks) == 3
    assert section_texts(doc, chunks) == [doc.text.strip()]


def test_a_text_just_over_a_section_is_cut_in_the_middle() -> None:
    sentence = "Here are exactly seven words in total. "
    doc = document(("prose", sentence * 4, ()))  # 28 tokens; greedily 14 + 14, unevenly 14 + 7 + 7
    _, chunks = split(doc, words, SMALL)
    assert [words([text])[0] for text in section_texts(doc, chunks)] == [14, 14]


def test_a_section_rather_ends_with_a_paragraph() -> None:
    doc = document(
        ("prose", "Here are five words only. Here are five words again.\n\n", ()),
        ("prose", "Five more words stand here. Five last words stand here. And five come after them.", ()),
    )
    _, chunks = split(doc, words, SMALL)
    assert section_texts(doc, chunks) == doc.text.split("\n\n")


def test_a_catalogue_row_is_one_chunk_and_its_notes_share_the_section() -> None:
    row = "Château Lune 2015\nCountry: France; Variety: Merlot; Price: 24; Rating: 91"
    doc = document(("row", row, ()), "\n\n", ("prose", "A deep and quiet red wine.", ()))
    _, chunks = split(doc, words, SMALL)
    assert texts(chunks) == [row, "A deep and quiet red wine."]
    assert section_texts(doc, chunks) == [doc.text]


def test_a_table_line_is_a_chunk_and_its_rule_is_not() -> None:
    table = "| Wine | Price |\n|------|:-----:|\n| Lune | 24 |\n| Sole | 19 |"
    _lead, chunks = split(document(("table", table, ())), words)
    assert texts(chunks) == ["| Wine | Price |", "| Lune | 24 |", "| Sole | 19 |"]
    assert chunks[0].gap == "\n|------|:-----:|\n"


def test_a_list_item_is_a_chunk_and_a_long_one_its_sentences() -> None:
    items = "- red\n- white wine of the Loire\n  and the Rhône\n1. Open the old bottle. Pour the young wine."
    _, chunks = split(document(("list", items, ())), words)
    assert texts(chunks) == [
        "- red",
        "- white wine of the Loire\n  and the Rhône",
        "1. Open the old bottle.",
        "Pour the young wine.",
    ]


def test_code_is_cut_between_lines_and_rather_where_one_is_blank() -> None:
    code = "```python\ndef a():\n    x = 1\n    return x\n\ndef b():\n    y = 2\n    return y\n```\n"
    _, chunks = split(document(("code", code, ())), words, SMALL)
    assert texts(chunks) == ["def a():\n    x = 1\n    return x", "def b():\n    y = 2\n    return y"]


def test_a_sentence_over_the_limit_is_cut_at_its_clauses() -> None:
    text = "The bottles lie on their sides, the corks stay wet inside, and the wine keeps for many years."
    _, chunks = split(document(("prose", text, ())), words, SMALL)
    assert texts(chunks) == [
        "The bottles lie on their sides,",
        "the corks stay wet inside,",
        "and the wine keeps for many years.",
    ]


def test_tokens_are_counted_in_one_call() -> None:
    calls = []

    def count(batch: Sequence[str]) -> list[int]:
        calls.append(len(batch))
        return words(batch)

    split(document(*[("prose", f"Bottle number {n} is still full.\n\n", ()) for n in range(50)]), count)
    assert calls == [50]


def test_the_window_is_the_neighbours_of_the_same_section() -> None:
    first, second = Section(0, 4), Section(4, 8)
    chunks = [Chunk("d", n, n, n + 1, "x", "", first if n < 4 else second) for n in range(8)]
    assert [window(chunks, n) for n in range(8)] == [
        *((0, 2), (0, 3), (1, 4), (2, 4)),
        *((4, 6), (4, 7), (5, 8), (6, 8)),
    ]
    assert window(chunks, 2, each_side=2) == (0, 4)
    assert window(chunks, 2, each_side=0) == (2, 3)


def test_a_chunking_of_nothing_is_refused() -> None:
    with pytest.raises(UsageError, match="at least one token"):
        Chunking(section_tokens=0)


# --- properties -------------------------------------------------------------

KINDS: list[BlockKind] = ["heading", "prose", "list", "table", "code", "row"]
PIECES = st.sampled_from(
    [
        *(
            "word ",
            "The ",
            "Mr. ",
            ". ",
            "? ",
            "\n",
            "\n\n",
            "\r\n",
            "- ",
            "1. ",
            "| ",
            "|---|",
            "```\n",
            "x" * 90,
        ),
        *("    ", "; ", ", ", ": ", "。", "\u0301", "\u200d", "\U0001f468", r"\n", "\f", "\u2028", "“", ") "),
    ]
)
BODIES = st.one_of(st.text(max_size=80), st.lists(PIECES, max_size=60).map("".join))


@st.composite
def documents(draw: st.DrawFn) -> Document:
    text, blocks, path = "", [], ()
    for _ in range(draw(st.integers(0, 8))):
        text += draw(st.sampled_from(["", "\n", "\n\n", "between "]))
        body, kind = draw(BODIES), draw(st.sampled_from(KINDS))
        if kind == "heading":
            path = (*path[: draw(st.integers(0, 2))], body.strip() or "empty")
        page = draw(st.sampled_from([None, None, 1, 2]))
        blocks.append(
            Block(len(text), len(text) + len(body), kind, draw(st.sampled_from([path, path, ()])), page)
        )
        text += body
    return Document("d", text + draw(st.sampled_from(["", "\n", " end"])), "d.md", "D", blocks=tuple(blocks))


@settings(max_examples=300, deadline=None)
@given(documents(), st.sampled_from([Chunking(), SMALL, Chunking(section_tokens=3, max_chunk_tokens=2)]))
def test_chunks_tile_their_document_within_the_bounds(doc: Document, options: Chunking) -> None:
    lead, chunks = split(doc, words, options)
    check_tiling(doc, lead, chunks)
    for chunk in chunks:
        limit = options.section_tokens if chunk.kind == "row" else options.max_chunk_tokens
        assert words([chunk.text])[0] <= limit
        assert len(chunk.text) <= (MAX_SECTION_CHARS if chunk.kind == "row" else MAX_CHARS)
    for text in section_texts(doc, chunks):
        assert words([text])[0] <= options.section_tokens
        assert len(text) <= MAX_SECTION_CHARS


@settings(max_examples=150, deadline=None)
@given(documents())
def test_every_word_of_a_block_is_in_a_chunk_or_in_the_path(doc: Document) -> None:
    _, chunks = split(doc, words)
    for block in doc.blocks:
        if block.kind not in ("prose", "list", "row"):
            continue
        kept = "".join(c.text for c in chunks if block.start <= c.start < block.end)
        body = doc.text[block.start : block.end]
        assert [c for c in kept if c.isalpha() and c not in "nr"] == [
            c for c in body if c.isalpha() and c not in "nr"
        ]


@settings(max_examples=100, deadline=None)
@given(st.text(max_size=300), st.integers(1, 7))
def test_any_counter_is_obeyed(text: str, limit: int) -> None:
    def characters(batch: Sequence[str]) -> list[int]:
        return [len(item.replace(" ", "")) for item in batch]

    doc = Document("d", text, "d.txt", "D")
    lead, chunks = split(doc, characters, Chunking(limit, limit))
    check_tiling(doc, lead, chunks)
    assert all(tokens <= limit for tokens in characters(texts(chunks)))


UNITS = [
    ".",
    "a",
    "(",
    " ",
    ". ",
    "a. ",
    "a\n",
    "- a\n",
    "\r\n",
    "}, {'",
    "| ",
    "。",
    "a, ",
    "\u0301",
    "x" * 70 + " ",
]


@pytest.mark.parametrize("kind", ["prose", "list", "table", "code", "row", "heading"])
def test_a_huge_block_is_chunked(kind: BlockKind) -> None:
    for unit in UNITS:
        doc = document((kind, unit * (30_000 // len(unit)), ()))
        lead, chunks = split(doc, words)
        assert lead + "".join(chunk.text + chunk.gap for chunk in chunks) == doc.text


@pytest.mark.slow
@pytest.mark.parametrize("unit", UNITS)
def test_time_grows_with_the_length(unit: str) -> None:
    def seconds(length: int) -> float:
        doc = Document("d", unit * (length // len(unit)), "d.txt", "D")
        started = time.perf_counter()
        split(doc, words)
        return time.perf_counter() - started

    assert seconds(1_000_000) < 12 * seconds(250_000) + 0.2
