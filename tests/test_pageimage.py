"""A page of a PDF as a picture, with a sentence marked where it stands."""

from __future__ import annotations

import io
from pathlib import Path

import pytest
from PIL import Image

from rag.errors import ReadError
from rag.originals import Originals
from rag.pageimage import draw_page, find_letters
from rag.readers import ReadOptions, read_file
from tests.files import make_pdf

FIRST = "The harbour permit costs 24 euros. It is valid for two weeks."
SECOND = (
    "Boats longer than twelve metres need a berth that is booked in advance at the office, and their "
    "skippers show the permit there. Smaller boats moor where there is room."
)


@pytest.fixture
def pdf(tmp_path: Path) -> Path:
    path = tmp_path / "harbour.pdf"
    path.write_bytes(make_pdf([FIRST, SECOND]))
    return path


def yellow(png: bytes) -> list[tuple[int, int]]:
    """The pixels that were marked, as shares of a thousand of width and height."""
    image = Image.open(io.BytesIO(png)).convert("RGB")
    pixels = image.load()
    return [
        (1_000 * x // image.width, 1_000 * y // image.height)
        for y in range(0, image.height, 3)
        for x in range(0, image.width, 3)
        if pixels[x, y] == (255, 226, 90)
    ]


def test_the_sentence_is_marked_where_it_stands(pdf: Path) -> None:
    first = draw_page(pdf, 1, "The harbour permit costs 24 euros.")
    other = draw_page(pdf, 1, "It is valid for two weeks.")

    assert (first.marked, first.pages) == (True, 2)
    width, height = Image.open(io.BytesIO(first.png)).size
    assert 500 < width < 1_000  # the margins of a letter page of 1,000 pixels are cut
    assert height < 200
    left, right = yellow(first.png), yellow(other.png)
    assert left
    assert right
    assert max(x for x, _ in left) < min(x for x, _ in right)  # one line: the one before the other


def test_a_sentence_over_two_lines_is_marked_on_both(pdf: Path) -> None:
    image = draw_page(pdf, 2, SECOND.partition(". ")[0] + ".")

    rows = sorted({y for _, y in yellow(image.png)})
    assert image.marked
    assert rows[-1] - rows[0] > 100


def test_what_the_reader_makes_of_a_page_is_found_on_it(pdf: Path) -> None:
    (document,) = read_file(pdf, "harbour.pdf", ReadOptions()).documents
    for block in document.blocks:
        assert draw_page(pdf, block.page or 0, document.text[block.start : block.end]).marked


def test_a_sentence_that_is_not_there_marks_nothing(pdf: Path) -> None:
    image = draw_page(pdf, 1, "The moon is made of cheese.")

    assert not image.marked
    assert yellow(image.png) == []


@pytest.mark.parametrize(
    ("page", "sentence", "found"),
    [
        ("thepermitcosts24", "permitcosts", (3, 14)),
        ("abc", "", None),
        ("abc", "d", None),
        ("a" * 10 + "thefirsttwentyfourletters", "thefirsttwentyfourlettersandmore", (10, 35)),
        ("thefirsttwentyfour", "thefirsttwentyfourlettersandmore", None),
    ],
)
def test_where_letters_are_found(page: str, sentence: str, found: tuple[int, int] | None) -> None:
    assert find_letters(page, sentence) == found


@pytest.mark.parametrize("page", [0, 3])
def test_a_page_that_there_is_not(pdf: Path, page: int) -> None:
    with pytest.raises(ReadError, match="Ingest it again"):
        draw_page(pdf, page, FIRST)


@pytest.mark.parametrize("content", [b"", b"%PDF-1.7\nnothing", b"not a pdf" * 100])
def test_a_file_that_cannot_be_drawn_says_so(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "broken.pdf"
    path.write_bytes(content)

    with pytest.raises(ReadError, match="cannot be drawn"):
        draw_page(path, 1, FIRST)


def test_an_original_is_found_where_it_was_ingested_from(tmp_path: Path, pdf: Path) -> None:
    folder = tmp_path / "docs"
    (folder / "sub").mkdir(parents=True)
    (folder / "sub" / "a.pdf").write_bytes(b"x")
    originals = Originals(tmp_path / "home", "shelf")
    originals.remember([folder, pdf])
    originals.remember([folder])

    assert originals.places() == [folder, pdf]
    assert originals.find("sub/a.pdf") == folder / "sub" / "a.pdf"
    assert originals.find("harbour.pdf") == pdf
    assert originals.find("a.pdf") is None
    assert Originals(tmp_path / "home", "other").find("harbour.pdf") is None


@pytest.mark.parametrize(
    "source", ["../secret.pdf", "/etc/passwd", "", "a/../../secret.pdf", "link.pdf", "a\0b"]
)
def test_a_source_never_leads_out_of_its_place(tmp_path: Path, source: str) -> None:
    (tmp_path / "secret.pdf").write_bytes(b"x")
    folder = tmp_path / "docs"
    folder.mkdir()
    (folder / "link.pdf").symlink_to(tmp_path / "secret.pdf")
    originals = Originals(tmp_path / "home", "shelf")
    originals.remember([folder])

    assert originals.find(source) is None


def test_a_note_that_is_damaged_is_as_none(tmp_path: Path) -> None:
    (tmp_path / "originals").mkdir()
    (tmp_path / "originals" / "shelf.json").write_text("{broken")

    assert Originals(tmp_path, "shelf").places() == []
