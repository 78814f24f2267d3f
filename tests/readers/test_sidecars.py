"""Sidecars: metadata beside files, by their names."""

from pathlib import Path

import pytest

from rag.readers import FoundFiles, ReadOptions, find_files, read_bytes
from rag.types import Metadata, ReadFailure
from tests.files import make_csv, make_jsonl, make_markdown


def folder(root: Path, files: dict[str, bytes | str]) -> FoundFiles:
    for name, data in files.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_bytes(data if isinstance(data, bytes) else data.encode())
    return find_files([root])


def declared(found: FoundFiles) -> dict[str, dict[str, object]]:
    return {source: dict(metadata) for source, metadata in found.declared.items()}


def test_a_sidecar_describes_the_files_beside_it_and_is_none(tmp_path: Path) -> None:
    found = folder(
        tmp_path,
        {
            "metadata.csv": "file,author,published\na.txt,Ann,2026-05-01\nsub/b.md,Bob,\n",
            "a.txt": "x",
            "sub/b.md": "x",
            "c.txt": "x",
        },
    )
    assert [source for _, source in found.files] == ["a.txt", "c.txt", "sub/b.md"]
    assert found.sidecar_failures == ()
    assert declared(found) == {
        "a.txt": {"author": "Ann", "published": 1_777_593_600},
        "sub/b.md": {"author": "Bob"},
    }


@pytest.mark.parametrize("column", ["file", "File name", "FILENAME", "file_name", "source", "name"])
@pytest.mark.parametrize("sidecar", ["metadata.csv", "metadata.jsonl", "Metadata.CSV"])
def test_the_column_of_the_files_may_be_called_so(tmp_path: Path, column: str, sidecar: str) -> None:
    csv = make_csv([["year", column], [2020, "a.txt"]])
    data = csv if sidecar.lower().endswith("csv") else make_jsonl([{"year": 2020, column: "a.txt"}])
    assert declared(folder(tmp_path, {sidecar: data, "a.txt": "x"})) == {"a.txt": {"year": 2020}}


def test_names_are_found_as_people_write_them(tmp_path: Path) -> None:
    lines = "file,n\n./A.TXT,1\nsub\\b.txt,2\ncafe\u0301.txt,3\n"
    found = folder(tmp_path, {"metadata.csv": lines, "a.txt": "x", "sub/b.txt": "x", "caf\u00e9.txt": "x"})
    assert declared(found) == {"a.txt": {"n": 1}, "sub/b.txt": {"n": 2}, "caf\u00e9.txt": {"n": 3}}


def test_lines_that_name_no_file_are_failures_and_the_others_hold(tmp_path: Path) -> None:
    lines = "file,n\ngone.pdf,1\na.txt,2\n../out.txt,3\n/etc/passwd,4\n,5\nphoto.png,6\n"
    found = folder(tmp_path, {"metadata.csv": lines, "a.txt": "x", "photo.png": "x"})
    assert declared(found) == {"a.txt": {"n": 2}}
    assert found.sidecar_failures == (
        ReadFailure(
            "metadata.csv, line 2", 'There is no file "gone.pdf" here; name files relative to this folder.'
        ),
        ReadFailure(
            "metadata.csv, line 4", '"../out.txt" is outside of this folder; name files relative to it.'
        ),
        ReadFailure(
            "metadata.csv, line 5", '"/etc/passwd" is outside of this folder; name files relative to it.'
        ),
        ReadFailure("metadata.csv, line 6", "The line names no file."),
    )


def test_a_column_of_mixed_types_is_text_throughout(tmp_path: Path) -> None:
    lines = "file,year,price,when\na.txt,2020,12.5,2026-05-01\nb.txt,unknown,7,soon\n"
    found = folder(tmp_path, {"metadata.csv": lines, "a.txt": "x", "b.txt": "x"})
    assert declared(found) == {
        "a.txt": {"year": "2020", "price": 12.5, "when": "2026-05-01"},
        "b.txt": {"year": "unknown", "price": 7.0, "when": "soon"},
    }


def test_so_are_the_keys_of_json_lines(tmp_path: Path) -> None:
    records = [
        {"file": "a.txt", "year": 2020, "price": 12.5, "ok": True, "when": "2026-05-01", "tags": ["x", "y"]},
        {"file": "b.txt", "year": "unknown", "price": 7, "ok": "no", "when": "soon", "tags": "z"},
    ]
    found = folder(tmp_path, {"metadata.jsonl": make_jsonl(records), "a.txt": "x", "b.txt": "x"})
    a, b = declared(found).values()
    assert a == {"year": "2020", "price": 12.5, "ok": "true", "when": "2026-05-01", "tags": "x; y"}
    assert b == {"year": "unknown", "price": 7, "ok": "no", "when": "soon", "tags": "z"}


def test_values_of_json_lines_are_flat_and_clean(tmp_path: Path) -> None:
    record = {
        "file": "a.txt",
        "metadata": {"by": {"name": "Ann"}, "tags": ["x", "y"], "none": None},
        "type": "t",
    }
    found = folder(tmp_path, {"metadata.jsonl": make_jsonl([record]), "a.txt": "x"})
    assert declared(found) == {"a.txt": {"by.name": "Ann", "tags": ("x", "y"), "declared_type": "t"}}


def test_the_inner_sidecar_wins_over_the_outer_one(tmp_path: Path) -> None:
    found = folder(
        tmp_path,
        {
            "metadata.csv": "file,a,b\nsub/x.txt,1,1\n",
            "sub/metadata.csv": "file,b,c\nx.txt,2,2\n",
            "sub/x.txt": "x",
        },
    )
    assert declared(found) == {"sub/x.txt": {"a": 1, "b": 2, "c": 2}}


def test_lines_that_are_broken_cost_themselves_only(tmp_path: Path) -> None:
    found = folder(tmp_path, {"metadata.csv": "file,n\na.txt,1\nb.txt,2,3,4\n", "a.txt": "x", "b.txt": "x"})
    assert declared(found) == {"a.txt": {"n": 1}}
    assert [f.path for f in found.sidecar_failures] == ["metadata.csv, line 3"]
    (tmp_path / "metadata.csv").unlink()
    found = folder(tmp_path, {"metadata.jsonl": '{"file": "a.txt", "n": 1}\n{"file":\n[1]\n'})
    assert declared(found) == {"a.txt": {"n": 1}}
    assert [f.path for f in found.sidecar_failures] == ["metadata.jsonl, line 2", "metadata.jsonl, line 3"]


@pytest.mark.parametrize("data", [b"", b"\x00\x01\x02binary", b"\x80\x81\xfe" * 50])
def test_a_sidecar_that_cannot_be_read_costs_no_file(tmp_path: Path, data: bytes) -> None:
    found = folder(tmp_path, {"metadata.csv": data, "a.txt": "x"})
    assert [source for _, source in found.files] == ["a.txt"]
    assert [f.path for f in found.sidecar_failures] == ["metadata.csv"]


def test_one_that_is_too_large_is_refused_unread(tmp_path: Path) -> None:
    folder(tmp_path, {"metadata.csv": "file,n\na.txt,1\n", "a.txt": "x"})
    (failure,) = find_files([tmp_path], max_bytes=10).sidecar_failures
    assert (failure.path, failure.error[:21]) == ("metadata.csv", "The file has 15 bytes")


def test_a_table_of_that_name_that_names_no_file_is_a_document(tmp_path: Path) -> None:
    found = folder(tmp_path / "one", {"metadata.csv": "title,artist\nx,y\n"})
    assert ([source for _, source in found.files], found.sidecar_failures) == (["metadata.csv"], ())
    found = folder(tmp_path / "two", {"metadata.csv": "name,price\nFoo,1\n", "a.txt": "x"})
    assert [source for _, source in found.files] == ["a.txt", "metadata.csv"]


def test_one_without_a_column_for_files_says_so_where_there_are_some(tmp_path: Path) -> None:
    found = folder(tmp_path, {"metadata.csv": "document,year\na.txt,2020\n", "a.txt": "x"})
    assert [source for _, source in found.files] == ["a.txt"]
    assert [f.error[:75] for f in found.sidecar_failures] == [
        "No column of it is called file, filename, source or name, so it describes n"
    ]


def test_files_that_are_named_one_by_one_are_described_as_in_their_folder(tmp_path: Path) -> None:
    folder(tmp_path, {"metadata.csv": "file,n\na.txt,1\nb.txt,2\ngone.txt,3\n", "a.txt": "x", "b.txt": "x"})
    one = find_files([tmp_path / "a.txt"])
    assert (declared(one), one.sidecar_failures) == ({"a.txt": {"n": 1}}, ())
    every = find_files([tmp_path / "a.txt", tmp_path / "b.txt", tmp_path / "metadata.csv"])
    assert [source for _, source in every.files] == ["a.txt", "b.txt"]
    assert [f.path for f in every.sidecar_failures] == ["metadata.csv, line 4"]


def read(declared: Metadata, data: bytes, source: str) -> list[tuple[str, str, dict[str, object]]]:
    found = read_bytes(data, source, ReadOptions(declared=declared))
    return [(d.id, d.title, dict(d.metadata)) for d in found.documents]


def test_the_sidecar_wins_over_the_file_and_gives_a_title() -> None:
    data = make_markdown("Text.", title="Own", topic="own", kept=1)
    ((_, title, metadata),) = read({"title": "Given", "topic": "given"}, data, "a.md")
    assert title == "Given"
    assert metadata == {"topic": "given", "kept": 1, "type": "markdown"}


def test_rows_keep_their_titles_and_the_ids_that_the_file_gives() -> None:
    data = b'{"id": "a", "title": "A", "text": "x"}\n{"id": "b", "title": "B", "text": "y"}\n'
    assert read({"title": "Both", "year": 2020}, data, "a.jsonl") == [
        ("a", "A", {"year": 2020, "declared_title": "Both", "type": "jsonl"}),
        ("b", "B", {"year": 2020, "declared_title": "Both", "type": "jsonl"}),
    ]


def test_what_is_declared_is_part_of_the_identity() -> None:
    ids = {read({"year": year} if year else {}, b"Same words.", "a.txt")[0][0] for year in (0, 1, 2, 1)}
    assert len(ids) == 3
