"""Writing small files so that nobody ever sees half of one."""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from filelock import Timeout

from rag.errors import IndexingError


def replace_file(path: Path, text: str) -> None:
    """Write a file so that a reader, or a crash, sees the old one or the new one whole."""
    temporary = path.with_name(f"{path.name}.{os.getpid()}.{threading.get_ident()}")
    with disk():
        path.parent.mkdir(parents=True, exist_ok=True)
        with open(temporary, "w", encoding="utf-8") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(path)


@contextmanager
def disk() -> Iterator[None]:
    """Turn a refusal of the disk into a sentence."""
    try:
        yield
    except Timeout:  # of a lock: an OSError too, and no refusal
        raise
    except OSError as error:
        raise IndexingError(
            f"The library's folder cannot be written ({error.strerror or error}). Check THUMBPRINT_HOME, its "
            "permissions and the free space."
        ) from error
