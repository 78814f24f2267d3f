"""Files and folders that appear whole or not at all.

A folder takes the place of an earlier export alone, and is told by a mark in it: it holds the files
that the mark names, unchanged, and nothing else. Any other folder is somebody's work, were its
files called the same.
"""

from __future__ import annotations

import hashlib
import json
import os
import secrets
import shutil
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path, PurePosixPath
from typing import IO, Any

from rag.errors import UsageError
from rag.export.formats import Format

_LONG_AGO = (1980, 1, 1, 0, 0, 0)
"""The time of every member of an archive: an export depends on nothing but what it holds."""
MARK = ".thumbprint-export"
"""The file by which a folder is known for an export. Hidden and of no kind: some tools read every
``.json`` and ``.jsonl`` of a folder for documents."""


def line(value: Any) -> str:
    """A JSON value as a line of JSON Lines."""
    return json.dumps(value, ensure_ascii=False, allow_nan=False, separators=(",", ":")) + "\n"


def opened(path: Path) -> IO[str]:
    """A new text file in UTF-8 whose line ends are written as they are given."""
    path.parent.mkdir(parents=True, exist_ok=True)
    return open(path, "x", encoding="utf-8", newline="")


@contextmanager
def replacing(out: Path, form: Format) -> Iterator[Path]:
    """A path beside ``out`` to write to; it becomes ``out`` when the block ends well.

    Until then what is there stays, and a block that fails leaves nothing behind. A format that
    is a folder becomes a ZIP file where ``out`` ends in ``.zip``. A link stays one: what it leads
    to is replaced. Raises UsageError for a path that is taken by something else than an earlier export.
    """
    check(out, form)  # before links are followed: that of a pipe leads to a name which is no path
    out = _behind_links(out)
    out.parent.mkdir(parents=True, exist_ok=True)
    made = out.with_name(f".{out.name[:80]}.{os.getpid()}-{secrets.token_hex(4)}.part")
    packed = made.with_name(made.name + ".zip")
    try:
        yield made
        if zips(out, form):
            pack(made, packed)
            _settle(packed, out)
        elif made.is_dir():
            (made / MARK).write_text(_mark(made, form), encoding="utf-8")
            for file in made.rglob("*"):
                if file.is_file():
                    _sync(file)
            check(out, form)  # again: in the meantime somebody may have put something there
            _swap(made, out)
        else:
            _settle(made, out)
    finally:
        _remove(made)
        _remove(packed)


def zips(out: Path, form: Format) -> bool:
    """Whether the files of a folder go into an archive."""
    return not form.suffix and out.suffix.lower() == ".zip"


def check(out: Path, form: Format) -> None:
    """Raises UsageError where ``out`` cannot take an export of that format."""
    if not out.name:
        raise UsageError("--out takes the path of a new file or folder.")
    if out.exists() and not (out.is_file() or out.is_dir()):
        # The export would take its place: a machine without /dev/null is a broken one.
        raise UsageError(f"{out} is neither a file nor a folder. Name a new file.")
    single = bool(form.suffix) or zips(out, form)
    if single and out.is_dir():
        raise UsageError(
            f"{out} is a folder; {form.title} is one file. Name the file: {out / 'feedback'}{form.suffix}."
        )
    if not single and out.exists() and not (out.is_dir() and _replaceable(out, form)):
        raise UsageError(
            f"{out} holds something else than an earlier {form.title} export as it was written, which would "
            "be lost. Name a new folder."
        )


def pack(folder: Path, into: Path) -> None:
    """The files of a folder, or one file, as a ZIP archive that depends on their content alone."""
    files = sorted(p for p in folder.rglob("*") if p.is_file()) if folder.is_dir() else [folder]
    with zipfile.ZipFile(into, "x", zipfile.ZIP_DEFLATED, compresslevel=6) as archive:
        for file in files:
            name = file.relative_to(folder).as_posix() if folder.is_dir() else file.name
            member = zipfile.ZipInfo(name, _LONG_AGO)
            member.compress_type = zipfile.ZIP_DEFLATED
            member.external_attr = 0o644 << 16
            with file.open("rb") as source, archive.open(member, "w", force_zip64=True) as target:
                shutil.copyfileobj(source, target, 1 << 20)


def size(path: Path) -> int:
    """Bytes of a file, or of all files of a folder."""
    files = path.rglob("*") if path.is_dir() else [path]
    return sum(file.stat().st_size for file in files if file.is_file())


def _replaceable(folder: Path, form: Format) -> bool:
    """Whether nothing is lost with a folder: it is empty, or an export of that format, untouched."""
    if not any(folder.iterdir()):
        return True
    files = {MARK, *form.parts}
    folders = {str(parent) for part in form.parts for parent in PurePosixPath(part).parents} - {"."}
    for path in folder.rglob("*"):  # ends at the first stranger: the folder may be a whole disk
        if path.relative_to(folder).as_posix() not in files | folders:
            return False
    if not all((folder / file).is_file() for file in files):
        return False
    return (folder / MARK).read_text(encoding="utf-8", errors="replace") == _mark(folder, form)


def _mark(folder: Path, form: Format) -> str:
    """What is written into the mark of an export: its format, and the SHA-256 of each of its files."""
    digests = {}
    for part in form.parts:
        with (folder / part).open("rb") as file:
            digests[part] = hashlib.file_digest(file, "sha256").hexdigest()
    return line({"format": form.name, "files": digests})


def _behind_links(out: Path) -> Path:
    try:
        return out.resolve()
    except (OSError, RuntimeError):  # links in a circle
        raise UsageError(f"{out} is a link that leads nowhere. Name a new file.") from None


def _settle(made: Path, out: Path) -> None:
    _sync(made)
    made.replace(out)


def _swap(made: Path, out: Path) -> None:
    """Put a folder in the place of an earlier one; no call of the system does so in one step."""
    old = made.with_name(made.name + ".old")
    if out.exists():
        out.rename(old)
    try:
        made.rename(out)
    except BaseException:
        if old.exists():
            old.rename(out)
        raise
    _remove(old)


def _sync(file: Path) -> None:
    with file.open("rb") as opened_file:
        os.fsync(opened_file.fileno())


def _remove(path: Path) -> None:
    if path.is_dir():
        shutil.rmtree(path, ignore_errors=True)
    else:
        path.unlink(missing_ok=True)
