"""CSV and TSV: a row is a document."""

from pathlib import PurePath

import pytest

from rag.readers import CsvOptions, ReadOptions, ReadResult, read_bytes
from rag.types import Block, Document, ReadFailure
from tests.files import make_csv

WINES = make_csv(
    [
        ["name", "wine_region", "price", "grapes", "in_stock", "added", "notes"],
        ["Château Rosé", "Loire", "12.50", "Gamay; Grolleau", "yes", "2026-05-01",
         "Pale and dry, with a long finish of strawberries.\n\nGoes with fish, and with salads in summer."],
        ["Big Red", "Napa", "30", "Merlot; Syrah", "no", "",
         "Dark fruit and oak, for a long evening at the fire with friends."],
    ]
)  # fmt: skip


def read(data: bytes | str, options: CsvOptions | None = None, source: str = "table.csv") -> ReadResult:
    data = data.encode() if isinstance(data, str) else data
    name = PurePath(source).name
    return read_bytes(data, source, ReadOptions(csv={name: options} if options else {}))


def documents(
    data: bytes | str, options: CsvOptions | None = None, source: str = "table.csv"
) -> list[Document]:
    result = read(data, options, source)
    assert result.failures == ()
    return list(result.documents)


def test_the_text_of_a_row_is_title_fields_and_paragraphs() -> None:
    rose, _ = documents(WINES)
    fields = "Wine region: Loire; Price: 12.50; Grapes: Gamay, Grolleau; In stock: yes; Added: 2026-05-01."
    first, second = (
        "Pale and dry, with a long finish of strawberries.",
        "Goes with fish, and with salads in summer.",
    )
    assert rose.title == "Château Rosé"
    assert rose.text == f"Château Rosé\n{fields}\n\n{first}\n\n{second}"
    row = len("Château Rosé\n" + fields)
    path = ("Château Rosé",)
    assert rose.blocks == (
        Block(0, row, "row", path),
        Block(row + 2, row + 2 + len(first), "prose", path),
        Block(row + 4 + len(first), len(rose.text), "prose", path),
    )


def test_metadata_is_typed_by_column_and_absent_where_empty() -> None:
    rose, red = documents(WINES)
    assert dict(rose.metadata) == {
        "wine_region": "Loire",
        "price": 12.5,
        "grapes": ("Gamay", "Grolleau"),
        "in_stock": True,
        "added": 1_777_593_600,
        "type": "csv",
    }
    assert "added" not in red.metadata
    assert red.metadata["price"] == 30.0
    assert isinstance(red.metadata["price"], float)


def test_what_is_declared_wins_over_what_is_guessed() -> None:
    options = CsvOptions(
        text=("wine_region",), metadata=("price", "name"), title="grapes", labels={"price": "Price (EUR)"}
    )
    rose, _ = documents(WINES, options)
    assert rose.text == "Gamay; Grolleau\nPrice (EUR): 12.50; Name: Château Rosé.\n\nLoire"
    assert dict(rose.metadata) == {"price": 12.5, "name": "Château Rosé", "type": "csv"}


@pytest.mark.parametrize("pattern", ["table.csv", "tab*.csv", "cellar/*.csv", "*.csv"])
def test_options_are_found_by_name_or_glob(pattern: str) -> None:
    options = ReadOptions(csv={pattern: CsvOptions(title="b")})
    (document,) = read_bytes(b"a,b\n1,x\n", "cellar/table.csv", options).documents
    assert document.title == "x"


def test_an_unknown_declared_column_is_a_failure_and_the_rest_is_read() -> None:
    result = read("name,a\nx,1\n", CsvOptions(metadata=("a", "zzz")))
    assert result.failures == (
        ReadFailure(
            "table.csv", 'The column "zzz", declared as metadata, does not exist; there are: name, a.'
        ),
    )
    assert dict(result.documents[0].metadata) == {"a": 1, "type": "csv"}


def test_a_declared_id_is_the_identity_and_may_come_once() -> None:
    result = read("sku,name\na1,Foo\na1,Bar\n,Baz\n", CsvOptions(id="sku"))
    assert [(d.id, d.text) for d in result.documents] == [("a1", "Foo")]
    assert result.failures == (
        ReadFailure("table.csv, line 3", 'The id "a1" comes twice; the row was left out.'),
        ReadFailure("table.csv, line 4", "The id is empty; the row was left out."),
    )


def test_ragged_rows_are_named_and_the_others_read() -> None:
    result = read("name,a\nx,1\ny,2,3,4\nz\nw,5,,\n\n,\nv,6\n")
    assert [d.title for d in result.documents] == ["x", "w", "v"]
    assert result.failures == (
        ReadFailure(
            "table.csv, line 3", "The row has 4 cells, but the first row has 2 cells; it was left out."
        ),
        ReadFailure(
            "table.csv, line 4", "The row has 1 cell, but the first row has 2 cells; it was left out."
        ),
    )


@pytest.mark.parametrize("broken", ['y,"open', '"open,2'])
def test_a_quote_that_is_not_closed_costs_its_line_only(broken: str) -> None:
    result = read(f"name,a\nx,1\n{broken}\nz,3\nw,4\n")
    assert [d.title for d in result.documents] == ["x", "z", "w"]
    assert [(f.path, f.error[:13]) for f in result.failures] == [("table.csv, line 3", "A quoted cell")]


def test_lines_are_counted_through_quoted_breaks() -> None:
    result = read('name,a\n"x\ny",1\nz\n')
    assert result.failures[0].path == "table.csv, line 4"
    assert result.documents[0].title == "x y"


def test_without_a_header_columns_are_numbered() -> None:
    alice, _ = documents("Alice,30,Paris\nBob,25,London\n")
    assert alice.text == "Alice\nColumn 2: 30; Column 3: Paris."
    assert dict(alice.metadata) == {"column 2": 30, "column 3": "Paris", "type": "csv"}


@pytest.mark.parametrize(
    "text",
    [
        "Alice,Paris\nBob,Paris\nCarol,Paris\n",
        "Alice,2026-05-01\nBob,2026-05-02\n",
        f"Alice,{'x ' * 60}\nBob,y\n",
    ],
)
def test_a_first_row_like_the_others_is_no_header(text: str) -> None:
    assert documents(text)[0].title == "Alice"


def test_years_may_name_columns() -> None:
    assert dict(documents("land,2019,2020\nSpain,1,2\n")[0].metadata) == {"2019": 1, "2020": 2, "type": "csv"}


def test_names_that_come_again_are_numbered_and_reserved_ones_kept_apart() -> None:
    (document,) = documents("x,x,,source\n1,2,3,s\n")
    assert dict(document.metadata) == {
        "x": 1,
        "x (2)": 2,
        "column 3": 3,
        "declared_source": "s",
        "type": "csv",
    }


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
def test_the_delimiter_is_found(delimiter: str) -> None:
    data = make_csv([["name", "says"], ["x", "a, b; c"], ["y", "d"]], delimiter)
    assert [d.text for d in documents(data)] == ["x\nSays: a, b; c.", "y\nSays: d."]


def test_tabs_and_the_line_that_spreadsheets_put_first() -> None:
    assert documents("name\ta\nx, y; z\t1\n", source="t.tsv")[0].title == "x, y; z"
    assert documents("\ufeffsep=;\r\nname;a\r\nx;1\r\n")[0].text == "x\nA: 1."


def test_a_column_alone_is_text() -> None:
    first, _ = documents("says\nHello there.\nGood bye.\n")
    assert (first.text, first.title) == ("Hello there.", "table, line 2")


def test_question_and_answer() -> None:
    (document,) = documents(
        "question,answer\nWhy?,Because the reasons are too many to be listed in this place.\n"
    )
    assert document.text == "Why?\n\nBecause the reasons are too many to be listed in this place."


def test_equal_rows_are_one_document() -> None:
    assert len(documents("name,a\nx,1\nx,1\n")) == 1


def test_a_header_alone_and_a_wide_cell() -> None:
    assert read("a,b\n").failures[0].error == "The table has a header, but no rows under it."
    assert len(documents("name,text\nx," + "word " * 200_000 + "\n")[0].text) > 999_000


def test_many_broken_rows_are_summed_up() -> None:
    result = read("a,b\n" + "1\n" * 150)
    assert len(result.failures) == 101
    assert result.failures[-1] == ReadFailure("table.csv", "50 more lines could not be read.")


def test_long_text_is_text_however_often_it_comes() -> None:
    text = (
        "The same long description stands in every row of this table, "
        + "as shops have it for all sizes, " * 2
    )
    (document, *_) = documents("name,about\n" + "".join(f'x{n},"{text}"\n' for n in range(9)))
    assert document.text == f"x0\n\n{text.strip()}"
