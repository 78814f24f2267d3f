"""Small files that would grow: what reading them costs, measured in a process of its own."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from tests.files import Slide, make_epub, make_pptx, make_raw_xlsx, make_zip, rezip

ROOT = Path(__file__).resolve().parent.parent.parent

MEASURE = """
import json, resource, sys, time
from pathlib import Path
from rag.readers import read_bytes

path, warm = Path(sys.argv[1]), Path(sys.argv[2])
data = path.read_bytes()
read_bytes(warm.read_bytes(), warm.name)  # the parsers are loaded, and their memory counted before
before, started = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss, time.process_time()
result = read_bytes(data, path.name)
after = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
unit = 1_000_000 if sys.platform == "darwin" else 1_000
print(json.dumps({
    "seconds": time.process_time() - started,
    "megabytes": (after - before) / unit,
    "documents": len(result.documents),
    "errors": [failure.error for failure in result.failures],
}))
"""


def cost(tmp_path: Path, name: str, data: bytes, warm: bytes) -> dict[str, object]:
    """Processor seconds, memory beyond that of reading ``warm``, and what was read."""
    (tmp_path / name).write_bytes(data)
    (tmp_path / f"warm-{name}").write_bytes(warm)
    done = subprocess.run(
        [sys.executable, "-c", MEASURE, str(tmp_path / name), str(tmp_path / f"warm-{name}")],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    found: dict[str, object] = json.loads(done.stdout)
    return found


NAMED = '<c r="A1" t="inlineStr"><is><t>name</t></is></c><c r="B1" t="inlineStr"><is><t>n</t></is></c>'
VALUES = '<c r="A2" t="inlineStr"><is><t>x</t></is></c><c r="B2"><v>1</v></c>'
FIRST = f'<row r="1">{NAMED}</row><row r="2">{VALUES}</row>'


@pytest.mark.parametrize("dimension", ['<dimension ref="A1:XFD1048576"/>', ""])
def test_a_sheet_that_claims_to_be_huge_costs_nothing(tmp_path: Path, dimension: str) -> None:
    last = '<row r="1048576"><c r="XFD1048576" t="inlineStr"><is><t>the corner</t></is></c></row>'
    data = make_raw_xlsx(FIRST + last, before=dimension)
    found = cost(tmp_path, "a.xlsx", data, make_raw_xlsx(FIRST))
    assert (found["documents"], found["errors"]) == (2, [])
    assert found["seconds"] < 0.5
    assert found["megabytes"] < 10


@pytest.mark.slow
@pytest.mark.parametrize("dimension", ['<dimension ref="A1:XFD1048576"/>', ""])
def test_a_million_empty_rows_are_bounded_in_time_and_memory(tmp_path: Path, dimension: str) -> None:
    empty = "".join(f'<row r="{n}" s="1" customFormat="1" ht="15"/>' for n in range(3, 1_048_577))
    data = make_raw_xlsx(FIRST + empty, before=dimension)
    found = cost(tmp_path, "a.xlsx", data, make_raw_xlsx(FIRST))
    assert (found["documents"], found["errors"]) == (1, [])
    assert found["seconds"] < 15
    assert found["megabytes"] < 50


@pytest.mark.slow
def test_a_million_rows_of_formatted_empty_cells_are_too(tmp_path: Path) -> None:
    empty = "".join(f'<row r="{n}"><c r="A{n}" s="1"/><c r="C{n}" s="1"/></row>' for n in range(3, 1_000_003))
    found = cost(tmp_path, "a.xlsx", make_raw_xlsx(FIRST + empty), make_raw_xlsx(FIRST))
    assert (found["documents"], found["errors"]) == (1, [])
    assert found["seconds"] < 40
    assert found["megabytes"] < 50


def test_an_archive_of_bombs_unpacks_none_of_them(tmp_path: Path) -> None:
    bombs = {f"{n}.txt": b"0" * 40_000_000 for n in range(5)}
    found = cost(tmp_path, "a.zip", make_zip({**bombs, "good.txt": b"good"}), make_zip({"a.txt": b"x"}))
    assert (found["documents"], len(found["errors"])) == (1, 5)  # type: ignore[arg-type]
    assert found["seconds"] < 0.5
    assert found["megabytes"] < 5


@pytest.mark.parametrize(
    ("name", "warm", "member"),
    [
        ("a.pptx", make_pptx([Slide("x")]), "ppt/slides/slide1.xml"),
        ("a.xlsx", make_raw_xlsx(FIRST), "xl/worksheets/sheet1.xml"),
        ("a.epub", make_epub([("One", "<p>x</p>")]), "OEBPS/chapter0.xhtml"),
    ],
)
def test_a_document_that_is_a_bomb_is_not_unpacked(
    tmp_path: Path, name: str, warm: bytes, member: str
) -> None:
    found = cost(tmp_path, name, rezip(warm, {member: b" " * 110_000_000}), warm)
    assert found["documents"] == 0
    assert found["seconds"] < 0.5
    assert found["megabytes"] < 5
