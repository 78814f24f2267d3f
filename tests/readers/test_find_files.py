"""Files under paths, each known by its source."""

import os
from pathlib import Path

import pytest

from rag.readers import find_files


def make(root: Path, *names: str) -> None:
    for name in names:
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text("x")


def sources(*paths: Path) -> list[str]:
    return [source for _, source in find_files(paths).files]


def test_folders_are_searched_in_order_without_what_is_hidden(tmp_path: Path) -> None:
    make(tmp_path, "b/z.md", "b/a.TXT", "a.txt", ".git/x.md", ".env.txt", "b/.x/y.md")
    assert sources(tmp_path) == ["a.txt", "b/a.TXT", "b/z.md"]


def test_a_file_is_known_by_its_name(tmp_path: Path) -> None:
    make(tmp_path, "deep/down/a.txt", "deep/.hidden.md")
    assert sources(tmp_path / "deep/down/a.txt", tmp_path / "deep/.hidden.md") == ["a.txt", ".hidden.md"]


def test_unknown_types_are_skipped_in_folders_and_refused_when_named(tmp_path: Path) -> None:
    make(tmp_path, "a.txt", "b.exe")
    found = find_files([tmp_path, tmp_path / "b.exe"])
    assert found.skipped == ("b.exe",)
    assert [f.path for f in found.failures] == [str(tmp_path / "b.exe")]
    assert found.failures[0].error.startswith("Files of this type are not read")


def test_a_path_that_is_not_there(tmp_path: Path) -> None:
    (failure,) = find_files([tmp_path / "gone"]).failures
    assert (failure.path, failure.error) == (str(tmp_path / "gone"), "There is no such file or folder.")


def test_two_files_of_one_source(tmp_path: Path) -> None:
    make(tmp_path, "one/a.txt", "two/a.txt")
    found = find_files([tmp_path / "one", tmp_path / "two"])
    assert [path for path, _ in found.files] == [tmp_path / "one/a.txt"]
    (failure,) = found.failures
    assert failure.path == str(tmp_path / "two/a.txt")
    assert failure.error.startswith('Another file is already called "a.txt"')


def test_one_file_named_twice_is_found_once(tmp_path: Path) -> None:
    make(tmp_path, "a.txt")
    found = find_files([tmp_path, tmp_path / "a.txt", tmp_path])
    assert (len(found.files), found.failures) == (1, ())


def test_links_are_followed_to_files_inside_only(tmp_path: Path) -> None:
    make(tmp_path, "out/secret.txt", "in/real.txt", "in/sub/x.txt")
    inside = tmp_path / "in"
    (inside / "alias.txt").symlink_to(inside / "real.txt")
    (inside / "leak.txt").symlink_to(tmp_path / "out/secret.txt")
    (inside / "leaks").symlink_to(tmp_path / "out")
    (inside / "loop").symlink_to(inside)
    (inside / "sub/self.txt").symlink_to(inside / "sub/self.txt")
    found = find_files([inside])
    assert [source for _, source in found.files] == ["alias.txt", "real.txt", "sub/x.txt"]
    assert set(found.skipped) | {f.path for f in found.failures} == {"leak.txt", "leaks", "sub/self.txt"}


def test_a_pipe_is_not_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.txt")
    found = find_files([tmp_path])
    assert (found.files, found.skipped) == ((), ("pipe.txt",))


def test_names_that_are_no_text_are_made_printable(tmp_path: Path) -> None:
    try:
        (tmp_path / os.fsdecode(b"caf\xe9.txt")).write_text("x")
    except OSError:
        pytest.skip("this file system takes only UTF-8 names")
    assert sources(tmp_path) == ["caf\ufffd.txt"]
