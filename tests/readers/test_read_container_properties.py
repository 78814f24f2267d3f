"""What holds for documents of the readers of slides, sheets, books, mails and archives."""

import random
import zipfile
from collections.abc import Callable
from datetime import date, datetime, time, timedelta
from io import BytesIO

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rag.readers import ReadOptions, read_bytes
from tests.files import (
    Slide,
    make_csv,
    make_eml,
    make_epub,
    make_jsonl,
    make_pdf,
    make_pptx,
    make_xlsx,
    make_zip,
)
from tests.readers.test_read_properties import MARKUP, QUICK, TEXT, XML_TEXT, check

SLOWER = settings(QUICK, max_examples=20)
NAMES = st.sampled_from(["a.txt", "b/c.md", "b/metadata.csv", "metadata.jsonl", "../x.txt", "d.zip", "e.eml"])
CELLS = (
    XML_TEXT
    | st.integers(-(10**12), 10**12)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.booleans()
    | st.none()
    | st.datetimes(datetime(1901, 1, 1), datetime(2200, 1, 1))
    | st.dates(date(1901, 1, 1), date(2200, 1, 1))
    | st.times()
    | st.timedeltas(timedelta(0), timedelta(days=900))
)
SLIDES = st.builds(
    Slide,
    title=st.none() | XML_TEXT,
    items=st.lists(XML_TEXT.map(str.strip), max_size=3),
    text=XML_TEXT,
    table=st.lists(st.lists(XML_TEXT, min_size=2, max_size=2), max_size=2),
    notes=XML_TEXT,
    hidden=st.booleans(),
)
HEADERS = st.text(st.characters(exclude_categories=["Cs", "Cc"]), max_size=40)


@SLOWER
@given(st.lists(SLIDES, max_size=3))
def test_pptx(slides: list[Slide]) -> None:
    result = read_bytes(make_pptx(slides), "a.pptx")
    check(result)
    shown = [n for n, slide in enumerate(slides, 1) if not slide.hidden]
    for document in result.documents:
        pages = [block.page for block in document.blocks]
        assert pages == sorted(page for page in pages if page in shown)


@settings(QUICK, max_examples=30)
@given(st.dictionaries(st.sampled_from("ABC"), st.lists(st.lists(CELLS, max_size=4), max_size=6), min_size=1))
def test_xlsx(sheets: dict[str, list[list[object]]]) -> None:
    try:
        data = make_xlsx(sheets)
    except ValueError:  # a text that no sheet may hold
        return
    result = read_bytes(data, "a.xlsx")
    check(result)
    for document in result.documents:
        assert document.metadata["sheet"] in sheets
        if "row" in document.metadata:
            row = sheets[str(document.metadata["sheet"])][int(str(document.metadata["row"])) - 1]
            assert any(cell not in (None, "") for cell in row)


@SLOWER
@given(
    st.lists(st.tuples(st.none() | XML_TEXT, MARKUP.map("".join)), min_size=1, max_size=3),
    XML_TEXT,
    st.lists(XML_TEXT, max_size=2),
    st.sampled_from(["nav", "ncx", ""]),
)
def test_epub(chapters: list[tuple[str | None, str]], title: str, authors: list[str], contents: str) -> None:
    check(read_bytes(make_epub(chapters, title=title, authors=authors, contents=contents), "a.epub"))


@QUICK
@given(st.none() | TEXT, st.none() | MARKUP.map("".join), HEADERS, HEADERS, st.lists(TEXT, max_size=2))
def test_mail(text: str | None, html: str | None, subject: str, sender: str, attached: list[str]) -> None:
    head = f"Subject: {subject}\r\nFrom: {sender}\r\n".encode()
    body = make_eml(
        text,
        html=html,
        subject="x",
        sender="",
        attachments=[(f"{n}.txt", words.encode()) for n, words in enumerate(attached)],
    )
    result = read_bytes(head + body.partition(b"Subject: x\n")[2], "a.eml")
    check(result)
    assert all(document.source.startswith("a.eml") for document in result.documents)


@QUICK
@given(st.lists(st.tuples(NAMES, TEXT.map(str.encode)), max_size=6))
def test_zip(members: list[tuple[str, bytes]]) -> None:
    result = read_bytes(make_zip(members), "a.zip")
    check(result)
    assert all(document.source.startswith("a.zip/") for document in result.documents)
    assert not any(".." in document.source for document in result.documents)


@QUICK
@given(
    st.dictionaries(st.text(max_size=8), st.text(max_size=20) | st.integers() | st.booleans(), max_size=3),
    st.sampled_from(
        [
            ("a.txt", b"Some words."),
            ("a.csv", make_csv([["name", "n"], ["x", 1], ["y", 2]])),
            ("a.jsonl", make_jsonl([{"id": "i", "text": "x"}, {"text": "y"}])),
            ("a.zip", make_zip({"a.txt": b"x", "b.txt": b"y"})),
        ]
    ),
)
def test_sidecars_change_metadata_and_no_text(declared: dict[str, object], file: tuple[str, bytes]) -> None:
    source, data = file
    plain = read_bytes(data, source)
    described = read_bytes(data, source, ReadOptions(declared=declared))
    check(described)
    assert [(d.text, d.blocks, d.source) for d in described.documents] == [
        (d.text, d.blocks, d.source) for d in plain.documents
    ]
    assert len({d.id for d in described.documents}) == len(plain.documents)
    kept = {key: value for key, value in declared.items() if key != "title"}
    assert all(kept.items() <= dict(d.metadata).items() for d in described.documents)


def _slides() -> bytes:
    return make_pptx([Slide("A", ["x", " y"], text="t", table=[["a", "b"]], notes="n", picture=True)])


def _sheets() -> bytes:
    rows = [["name", "price", "when"], ["x", 1.5, datetime(2026, 5, 1)], ["y", 2, time(10)]]
    return make_xlsx({"S": rows, "T": [["note"], ["=1+1"], ["a", "b"]]})


def _mail() -> bytes:
    attachments = [("a.pdf", make_pdf(["x"])), ("b.eml", make_eml("x")), ("c.zip", make_zip({"a.txt": b"x"}))]
    return make_eml("Hello", html="<p>Hello</p>", subject="Größe", attachments=attachments)


def _book() -> bytes:
    return make_epub([("One", "<h1>x</h1><p>y</p>"), ("Two", "<p>z</p>")], parts={"P": [0], "Q": [1]})


def _archive() -> bytes:
    return make_zip({"a.txt": b"words", "b/metadata.csv": b"file,n\na.md,1\n", "b/a.md": b"# T\n\nx"})


@pytest.mark.parametrize(
    ("make", "source"),
    [
        (_slides, "a.pptx"),
        (_sheets, "a.xlsx"),
        (_book, "a.epub"),
        (_mail, "a.eml"),
        (_archive, "a.zip"),
    ],
)
@pytest.mark.parametrize("seed", [pytest.param(n, marks=[pytest.mark.fuzz] if n else []) for n in range(20)])
def test_damage_anywhere_is_a_sentence(make: Callable[[], bytes], source: str, seed: int) -> None:
    """Bytes of the file changed, and of a member of it, so that the damage is not only to the archive."""
    chance = random.Random(seed)
    data = make()
    for _ in range(40):
        damaged = _damage(data, chance)
        if data.startswith(b"PK") and chance.random() < 0.7:
            with zipfile.ZipFile(BytesIO(data)) as archive:
                members = {name: archive.read(name) for name in archive.namelist()}
            name = chance.choice(sorted(members))
            damaged = make_zip({**members, name: _damage(members[name], chance)})
        check(read_bytes(damaged, source))


def _damage(data: bytes, chance: random.Random) -> bytes:
    changed = bytearray(data)
    for _ in range(chance.randint(1, 5)):
        at = chance.randrange(len(changed) + 1)
        what = chance.random()
        if what < 0.6:
            changed[at : at + 1] = bytes([chance.randrange(256)])
        elif what < 0.8:
            del changed[at : at + chance.randint(1, 30)]
        elif what < 0.9:
            changed[at:at] = changed[: chance.randint(1, 30)]
        else:
            del changed[at:]
    return bytes(changed)
