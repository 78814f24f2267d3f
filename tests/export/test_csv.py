"""Cells that no spreadsheet runs, and that come back as they were."""

from __future__ import annotations

import csv
import io

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rag.export.csv import cell


@pytest.mark.parametrize(
    ("value", "written"),
    [
        ('=HYPERLINK("http://x")', '\'=HYPERLINK("http://x")'),
        ("+1", "'+1"),
        ("-1 is cold", "'-1 is cold"),
        ("@SUM(A1)", "'@SUM(A1)"),
        ("\t=1", "'\t=1"),
        ("\r=1", "'\r=1"),
        ("＝1", "'＝1"),
        ("'quoted'", "''quoted'"),
        ("1+1=2", "1+1=2"),
        ("a\x00b\x1b", "a�b�"),
        (-0.5, -0.5),
        (True, "true"),
        (None, ""),
        (["=1"], '["=1"]'),
        ({"a": "é"}, '{"a": "é"}'),
    ],
)
def test_a_cell(value: object, written: object) -> None:
    assert cell(value) == written


@given(st.text(st.characters(exclude_categories=["Cs", "Cc"]) | st.sampled_from("=+-@\t\r\n'\",")))
def test_no_text_begins_a_formula_and_one_apostrophe_brings_it_back(text: str) -> None:
    file = io.StringIO(newline="")
    csv.writer(file).writerow([cell(text), "end"])
    file.seek(0)
    read, end = next(csv.reader(file))

    assert end == "end"
    assert not read.startswith(("=", "+", "-", "@", "\t", "\r"))
    assert (read[1:] if read.startswith("'") else read) == text.replace("\x7f", "�")
