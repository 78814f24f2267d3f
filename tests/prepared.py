"""The prepared files of a model, changed as on another machine: whole, and of other numbers."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np

from rag.embed.cache import sha256_of


def refer_to(folder: Path, reference: Any) -> None:
    """Put other reference numbers into a folder, and their hash into its manifest."""
    np.save(folder / "reference.npy", reference)
    manifest = json.loads((folder / "manifest.json").read_text(encoding="utf-8"))
    manifest["files"]["reference.npy"] = sha256_of(folder / "reference.npy")
    (folder / "manifest.json").write_text(json.dumps(manifest), encoding="utf-8")
