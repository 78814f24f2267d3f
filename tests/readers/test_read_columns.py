"""The kind of a column is one for all its cells."""

import pytest

from rag.readers.columns import label, profile
from rag.types import MetaValue


def values(*cells: str) -> tuple[str, list[MetaValue | None]]:
    column = profile(0, "x", cells)
    return column.kind, [column.convert(cell) for cell in cells if cell]


@pytest.mark.parametrize(
    ("cells", "kind", "expected"),
    [
        (("1", "-2", "", "+3"), "number", [1, -2, 3]),
        (("1", "2.5"), "number", [1.0, 2.5]),
        (("1", "n/a", "3"), "number", [1, None, 3]),
        (("1", "x"), "string", ["1", "x"]),
        (("2015", "NV"), "string", ["2015", "NV"]),
        (("007", "12"), "string", ["007", "12"]),
        (("12345678901234567890",), "string", ["12345678901234567890"]),
        (("$1,234", "$5"), "number", [1234, 5]),
        (("$1", "€2"), "string", ["$1", "€2"]),
        (("1,234", "12.50"), "number", [1234.0, 12.5]),
        (("1,234", "567"), "string", ["1,234", "567"]),
        (("12,50", "1.234,00"), "number", [12.5, 1234.0]),
        (("1 234,5 €", "2 €"), "number", [1234.5, 2.0]),
        (("13.5%", "2 %"), "number", [13.5, 2.0]),
        (("yes", "No", "TRUE"), "boolean", [True, False, True]),
        (("yes", "maybe"), "string", ["yes", "maybe"]),
        (("2026-05-01", "1970-01-01T00:00:10Z"), "date", [1_777_593_600, 10]),
        (("2026-05-01", "soon"), "string", ["2026-05-01", "soon"]),
        (("a; b; a", "c;d", "e"), "list", [("a", "b"), ("c", "d"), ("e",)]),
        (("a|b", "c"), "string", ["a|b", "c"]),
        (("None", "All"), "string", ["None", "All"]),
    ],
)
def test_kinds(cells: tuple[str, ...], kind: str, expected: list[MetaValue | None]) -> None:
    assert values(*cells) == (kind, expected)


def test_whole_numbers_stay_whole() -> None:
    assert [type(value) for value in values("1", "2")[1]] == [int, int]
    assert [type(value) for value in values("1", "2.0")[1]] == [float, float]


@pytest.mark.parametrize(
    ("name", "shown"),
    [("alcohol_pct", "Alcohol pct"), ("wineRegion", "Wine region"), ("ABV", "ABV"), ("e-mail", "E mail"),
     ("Unit Price", "Unit price"), ("price", "Price"), ("EU_code", "EU code"), ("größe", "Größe")],
)  # fmt: skip
def test_names_become_labels(name: str, shown: str) -> None:
    assert label(name, {}) == shown


def test_a_declared_label_wins() -> None:
    assert label("price", {"price": "Price (EUR)"}) == "Price (EUR)"
