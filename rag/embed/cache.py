"""Where the ONNX files of the default model are kept, and how they come to be there.

Made once on the machine, in a child process, under a name that says from what: the hash of
the weights, this recipe and the packages. A folder appears complete or not at all; one that
is damaged, or gives other vectors on this processor than where it was made, is made again.
"""

from __future__ import annotations

import json
import logging
import os
import platform
import shutil
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
from filelock import FileLock

from rag.embed.adapter import digest
from rag.embed.pairs import PAIRS, Pairs, near
from rag.embed.session import FILES, MANIFEST, SAMPLE, Session, agreement
from rag.embed.weights import DEFAULT_SHA256, sha256_of
from rag.errors import ModelError

T = TypeVar("T")

log = logging.getLogger(__name__)

RECIPE = 1
"""Grows when :mod:`rag.embed.graph` or :mod:`rag.embed.make` gives another file."""

_PATIENCE = 300.0
"""Seconds until a child that makes the files is given up; it takes about two."""

_THREADS = min(2, os.cpu_count() or 1)
"""Of a run that reads a claim and its source: somebody waits for it, and little else is computed then."""

_SLACK = 0.01
"""How far the cosine of a sample may fall below what it was when the files were made."""


@dataclass(frozen=True, slots=True)
class Prepared:
    """A session, what its products are made of (``int8``, ``int7``, ``fp32``), and how near it
    came to 32-bit floats: the least cosine over the sample."""

    session: Session
    kind: str
    cosine: float


def prepared(models: Path) -> Prepared:
    """The session of the default model, its files made under ``models`` if they are not there.

    Raises :class:`ModelError` where packages are missing or the files cannot be made.
    """
    return _made(models, _name, _open)


def prepared_pairs(models: Path) -> Pairs:
    """The model that reads a claim and its source together, as :func:`prepared`: in a folder of its own, so
    that what is wrong with it costs nothing else. The word vectors are those of the other."""
    prepared(models)

    def opened(folder: Path) -> Pairs | None:
        return _open_pairs(folder, models / _name())

    return _made(models, lambda: f"{_name()}-pairs-{digest()}", opened, [models / _name()])


def _made(
    models: Path,
    named: Callable[[], str],
    opened: Callable[[Path], T | None],
    more: Sequence[Path] = (),
) -> T:
    """What ``opened`` gives of the folder, which is made, of ``more``, where that is None."""
    try:
        name = named()
        models.mkdir(parents=True, exist_ok=True)
        found = opened(models / name)
        if found is None:
            with FileLock(models / f"{name}.lock", timeout=2 * _PATIENCE):
                found = opened(models / name)  # another process may have made it meanwhile
                if found is None:
                    _make(models / name, *more)
                    found = opened(models / name)
    except metadata.PackageNotFoundError as error:
        raise ModelError(f"The package {error.name} is not installed.") from None
    except Exception as error:
        # The disk, the child, a package that does not load, or ONNX Runtime, whose errors are
        # plain exceptions: PyTorch is there for all of them.
        raise ModelError(_line(str(error)) or type(error).__name__) from error
    if found is None:
        raise ModelError("The files that were made for it could not be used.")
    return found


def _name() -> str:
    """Of the folder: everything that shapes what is in it."""
    packages = [f"{name}{metadata.version(name)}" for name in ("onnx", "onnxruntime")]
    parts = ["all-MiniLM-L6-v2", DEFAULT_SHA256[:12], f"r{RECIPE}", *packages, platform.machine() or "any"]
    return "-".join(parts)


def _open(folder: Path) -> Prepared | None:
    """What the folder holds, or None where it is missing, damaged or wrong on this machine."""
    manifest = _whole(folder, FILES, "cosine")
    if manifest is None:
        return None
    kind, cosine = str(manifest["kind"]), float(manifest["cosine"])
    session = Session(folder)
    # The first text is a warm-up as well. Another processor may round in another way.
    if agreement(session, np.load(folder / FILES[2]), SAMPLE[:1]) < cosine - _SLACK:
        log.warning("The prepared embedding model in %s was made elsewhere; it is made again.", folder)
        return None
    return Prepared(session, kind, cosine)


def _open_pairs(folder: Path, words: Path) -> Pairs | None:
    if _whole(folder, PAIRS) is None:
        return None
    model = Pairs(folder, words, _THREADS)
    if not near(model, folder):
        log.warning("The prepared model in %s was made elsewhere; it is made again.", folder)
        return None
    return model


def _whole(folder: Path, names: Sequence[str], *numbers: str) -> Mapping[str, Any] | None:
    """The manifest, where all files are there as they were made; it must give these numbers too."""
    try:
        manifest = json.loads((folder / MANIFEST).read_text(encoding="utf-8"))
        files = dict(manifest["files"])
        str(manifest["kind"])
        for number in numbers:
            float(manifest[number])
    except FileNotFoundError:
        return None
    except (OSError, ValueError, TypeError, KeyError):
        manifest, files = {}, {}
    if sorted(files) != sorted(names) or any(sha256_of(folder / f) != sha256 for f, sha256 in files.items()):
        log.warning("The prepared model in %s is damaged; it is made again.", folder)
        return None
    return dict(manifest)


def _make(folder: Path, *more: Path) -> None:
    """Fill the folder by a child process; raises ``SubprocessError`` with the child's last line."""
    part = folder.with_name(f"{folder.name}.part")  # there is one maker: the lock is held
    shutil.rmtree(part, ignore_errors=True)
    part.mkdir()
    root = str(Path(__file__).resolve().parents[2])
    env = {**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, [root, os.environ.get("PYTHONPATH")]))}
    done = subprocess.run(
        [sys.executable, "-m", "rag.embed.make", str(part), *map(str, more)],
        env=env,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        timeout=_PATIENCE,
        check=False,
    )
    if done.returncode != 0:
        shutil.rmtree(part, ignore_errors=True)
        raise subprocess.SubprocessError(_line(done.stderr.decode(errors="replace")))
    shutil.rmtree(folder, ignore_errors=True)
    os.replace(part, folder)


def _line(text: str) -> str:
    return (text.strip().splitlines() or [""])[-1][:200]
