"""XLSX: rows under a header as a catalogue, other sheets as they stand."""

from datetime import UTC, datetime, time, timedelta

import pytest

from rag.readers import CsvOptions, ReadOptions, ReadResult, read_bytes
from rag.types import Block, Document, ReadFailure
from tests.files import make_raw_xlsx, make_xlsx, rezip

WINES = [
    ["name", "region", "price", "added", "in stock", "notes"],
    [
        "Château Rosé",
        "Loire",
        12.5,
        datetime(2026, 5, 1),
        True,
        "Pale and dry, with a long finish of berries.",
    ],
    [
        "Big Red",
        "Napa",
        30,
        datetime(2026, 5, 2, 10, 30),
        False,
        "Dark fruit and oak, for a long evening at home.",
    ],
]


def read(data: bytes, options: CsvOptions | None = None) -> ReadResult:
    return read_bytes(data, "cellar/wines.xlsx", ReadOptions(csv={"wines.xlsx": options} if options else {}))


def documents(data: bytes, options: CsvOptions | None = None) -> list[Document]:
    result = read(data, options)
    assert result.failures == ()
    return list(result.documents)


def test_a_row_is_a_document_that_knows_its_sheet_and_number() -> None:
    rose, red = documents(make_xlsx({"Wines": WINES}))
    assert rose.title == "Château Rosé"
    assert rose.text == (
        "Château Rosé\nRegion: Loire; Price: 12.5; Added: 2026-05-01; In stock: true.\n\n"
        "Pale and dry, with a long finish of berries."
    )
    assert dict(rose.metadata) == {
        "region": "Loire",
        "price": 12.5,
        "added": 1_777_593_600,
        "in stock": True,
        "sheet": "Wines",
        "row": 2,
        "type": "xlsx",
    }
    assert (red.metadata["row"], red.metadata["added"]) == (3, 1_777_717_800)
    assert rose.source == "cellar/wines.xlsx"


def test_it_reads_as_the_same_table_in_csv_does() -> None:
    text = "name,price\nFoo,1\nBar,2.5\n"
    sheet = documents(make_xlsx({"S": [["name", "price"], ["Foo", 1], ["Bar", 2.5]]}))
    table = read_bytes(text.encode(), "wines.csv").documents
    assert [(d.text, d.blocks, d.metadata["price"], d.id) for d in sheet] == [
        (d.text, d.blocks, d.metadata["price"], d.id) for d in table
    ]


def test_what_is_declared_of_the_columns_holds_for_sheets_too() -> None:
    options = CsvOptions(title="region", id="name", metadata=("price",), labels={"price": "Euro"})
    rose, red = documents(make_xlsx({"Wines": WINES}), options)
    assert (rose.id, red.id) == ("Château Rosé", "Big Red")
    assert rose.text.startswith("Loire\nEuro: 12.5.")
    result = read(make_xlsx({"Wines": WINES}), CsvOptions(text=("zzz",)))
    assert result.failures[0].path == "cellar/wines.xlsx, Wines"


def test_where_a_row_stands_is_no_part_of_what_it_is() -> None:
    one = documents(make_xlsx({"S": [["name", "n"], ["x", 1], ["y", 2]]}))
    two = documents(make_xlsx({"Other": [["name", "n"], ["new", 3], ["x", 1], ["y", 2]]}))
    assert [d.id for d in one] == [d.id for d in two[1:]]
    assert [d.metadata["row"] for d in two] == [2, 3, 4]


def test_equal_rows_are_one_document_on_whatever_sheet() -> None:
    rows = [["name", "n"], ["x", 1], ["x", 1]]
    assert len(documents(make_xlsx({"A": rows, "B": rows}))) == 1


def test_a_title_and_remarks_above_the_header_are_a_document_of_their_own() -> None:
    row, above = documents(
        make_xlsx({"Sales": [["Sales 2026"], [], ["All in thousand euros."], ["city", "sum"], ["Rome", 3]]})
    )
    assert (row.text, row.metadata["row"]) == ("Rome\nSum: 3.", 5)
    assert (above.text, above.title) == ("Sales 2026\n\nAll in thousand euros.", "wines, Sales")
    assert dict(above.metadata) == {"sheet": "Sales", "type": "xlsx"}


def test_a_sheet_without_a_header_is_one_document() -> None:
    (document,) = documents(
        make_xlsx({"Notes": [["Read this first."], [1, 2, 3], [4, 5, 6], [], [7, 8], ["The end."]]})
    )
    path = ("Notes",)
    assert document.text == "Read this first.\n\n1 | 2 | 3\n4 | 5 | 6\n\n7 | 8\n\nThe end."
    assert document.blocks == (
        Block(0, 16, "prose", path),
        Block(18, 37, "table", path),
        Block(39, 44, "table", path),
        Block(46, 54, "prose", path),
    )


def test_a_form_is_no_catalogue() -> None:
    (document,) = documents(make_xlsx({"Form": [["Name:", "Ann"], ["City:", "Rome"]]}))
    assert document.text == "Name: | Ann\nCity: | Rome"


def test_columns_without_a_name_are_called_by_their_place() -> None:
    rows = [[None, "name", "n"], [None, "x", 1], [None, "y", 2, None, "see below"]]
    assert documents(make_xlsx({"S": rows}))[1].metadata["column 5"] == "see below"


def test_columns_called_as_what_is_found_are_kept_apart() -> None:
    (document,) = documents(make_xlsx({"S": [["name", "row", "sheet"], ["x", 7, "A4"]]}))
    assert dict(document.metadata) == {
        "declared_row": 7,
        "declared_sheet": "A4",
        "sheet": "S",
        "row": 2,
        "type": "xlsx",
    }


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0.1 + 0.2, "0.3"),
        (1e20, "1e+20"),
        (2.0, "2"),
        (123_456_789, "123456789"),
        (True, "true"),
        (time(10, 30), "10:30:00"),
        (timedelta(hours=36, minutes=1), "36:01:00"),
        (datetime(2026, 5, 1, 10, 0, 1), "2026-05-01 10:00:01"),
        ("  so _x000D_\n", "so"),
        ("#N/A", ""),
    ],
)
def test_values_read_as_a_person_would_write_them(value: object, text: str) -> None:
    (document,) = documents(make_xlsx({"S": [["name", "value"], ["x", value]]}))
    assert document.text == (f"x\nValue: {text}." if text else "x")


def test_dates_of_a_column_are_numbers_and_of_a_mixed_one_text() -> None:
    moment = datetime(2026, 5, 1, tzinfo=UTC).replace(tzinfo=None)
    rows = [["name", "a", "b"], ["x", moment, moment], ["y", moment, "soon"]]
    x, y = documents(make_xlsx({"S": rows}))
    assert (x.metadata["a"], x.metadata["b"], y.metadata["b"]) == (1_777_593_600, "2026-05-01", "soon")


def cell(place: str, text: str) -> str:
    return f'<c r="{place}" t="inlineStr"><is><t>{text}</t></is></c>'


HEADER = f'<row r="1">{cell("A1", "name")}{cell("B1", "sum")}</row>'


def test_formulas_give_what_was_last_calculated() -> None:
    rows = f'{HEADER}<row r="2">{cell("A2", "x")}<c r="B2"><f>1+1</f><v>2</v></c></row>'
    (document,) = documents(make_raw_xlsx(rows))
    assert document.metadata["sum"] == 2


def test_formulas_that_were_never_calculated_are_said() -> None:
    result = read(make_xlsx({"S": [["name", "sum"], ["x", "=1+1"]]}))
    assert [d.text for d in result.documents] == ["x"]
    assert [f.error for f in result.failures] == [
        "1 formula was saved without results. Open the workbook in a spreadsheet program and save it."
    ]


def test_hidden_sheets_are_left_out() -> None:
    rows = [["name", "n"], ["x", 1]]
    hidden = make_xlsx({"Lists": [["name", "n"], ["y", 2]], "S": rows}, hidden=["Lists"])
    assert [d.title for d in documents(hidden)] == ["x"]


def test_nothing_in_it_is_said() -> None:
    assert [f.error for f in read(make_xlsx({"S": []})).failures] == ["The Excel workbook has no text in it."]


def test_of_a_damaged_sheet_the_rows_before_are_read_and_the_other_sheets() -> None:
    data = make_xlsx({"Good": [["name", "n"], ["x", 1]], "Bad": []})
    xml = (
        "<worksheet xmlns='http://schemas.openxmlformats.org/spreadsheetml/2006/main'><sheetData>"
        + "".join(
            f"<row r='{n}'>{cell(f'A{n}', f'wine {n}')}{cell(f'B{n}', f'b{n}')}</row>"
            for n in range(1, 5_000)
        )
    )
    result = read(rezip(data, {"xl/worksheets/sheet2.xml": xml.encode()}))
    assert result.documents[0].title == "x"
    assert result.documents[-1].title == "wine 4999"
    assert result.failures == (
        ReadFailure("cellar/wines.xlsx, Bad", "The sheet is damaged and could not be read from row 5000 on."),
    )


def test_without_formats_dates_are_numbers_and_it_is_said() -> None:
    data = rezip(make_xlsx({"S": [["name", "when"], ["x", datetime(2026, 5, 1)]]}), {"xl/styles.xml": b"<no"})
    result = read(data)
    assert result.documents[0].metadata["when"] == 46_143
    assert [f.error for f in result.failures] == [
        "The formats of its cells are damaged, so its dates were read as numbers."
    ]


def test_a_text_that_many_cells_share_does_not_multiply_without_bound() -> None:
    rows = "".join(f'<row r="{n}"><c r="A{n}" t="s"><v>0</v></c></row>' for n in range(1, 3_001))
    data = make_raw_xlsx(rows, strings=["many words " * 1_000])
    result = read_bytes(data, "a.xlsx", ReadOptions(max_bytes=1_000_000))
    assert sum(len(d.text) for d in result.documents) < 1_100_000
    assert result.failures == (
        ReadFailure(
            "a.xlsx",
            "It has more than 200,000 rows, or too much text; the rest was not read. Split it.",
        ),
    )


def test_values_scattered_over_a_sheet_do_not_fill_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("rag.readers.sheets._MAX_CELLS", 50)
    rows = [["name", "n"], *([*[None] * n, f"x{n}", "y"] for n in range(10))]
    (document,) = documents(make_xlsx({"S": rows}))
    assert document.text.startswith("name | n\nx0 | y\nx1 | y")


def test_rows_beyond_the_most_are_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("rag.readers.xlsx.MAX_ROWS", 3)
    result = read(make_xlsx({"S": [["name", "n"], *([f"x{n}", n] for n in range(5))]}))
    assert [d.title for d in result.documents] == ["x0", "x1"]
    assert result.failures[0].error.startswith("It has more than 3 rows")


def test_a_bomb_is_refused_by_what_it_unpacks_to() -> None:
    data = rezip(make_xlsx({"S": [["x"]]}), {"xl/worksheets/sheet1.xml": b" " * 3_000_000})
    (failure,) = read_bytes(data, "a.xlsx", ReadOptions(max_bytes=1_000_000)).failures
    assert failure.error.startswith("The Excel workbook unpacks to 3,")
