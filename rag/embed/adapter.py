"""What the default model was taught so that it reads a claim and its source together.

To each matrix of the model a product of two narrow ones is added, so that what was learned is a file of a
few megabytes beside this module (as in *LoRA*, Hu and others, 2021, but narrowed after the fit). ``python -m
tests.benchmarks.fit_entailment`` writes it; ``entailment.toml`` says from what, and what it
was worth on sets that it was not fitted on.
"""

from __future__ import annotations

import hashlib
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, get_args

import numpy as np
from numpy.typing import NDArray

from rag.types import Change

PATH = Path(__file__).with_name("entailment.npz")
KINDS: tuple[Change, ...] = get_args(Change)
"""In the order of the head's rows."""


@dataclass(frozen=True, slots=True)
class Head:
    """``second`` ``(384,)`` is added to the tokens of the second text; ``weight`` ``(9, 768)`` and ``bias``
    ``(9,)`` make logits of what was read."""

    second: NDArray[np.float32]
    weight: NDArray[np.float32]
    bias: NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Narrow:
    """A change of a matrix ``(out, in)``, as ``up @ diag(scale) @ down`` of few columns in whole numbers.

    ``up`` ``(out, r)`` and ``down`` ``(r, in)`` int8, ``scale`` ``(r,)``.
    """

    up: NDArray[np.int8]
    scale: NDArray[np.float32]
    down: NDArray[np.int8]

    @classmethod
    def of(cls, change: NDArray[np.float32], rank: int) -> Narrow:
        """The nearest of that rank, by its largest singular values (Eckart and Young, 1936)."""
        left, values, right = np.linalg.svd(change, full_matrices=False)
        left, values, right = left[:, :rank], values[:rank], right[:rank]
        steps, across = np.abs(left).max(0) / 127, np.abs(right).max(1) / 127
        up, down = np.rint(left / steps), np.rint(right / across[:, None])
        return cls(up.astype(np.int8), (values * steps * across).astype(np.float32), down.astype(np.int8))

    def parts(self, name: str) -> dict[str, NDArray[Any]]:
        """As they are written, under names of their own."""
        return {f"{name}.up": self.up, f"{name}.scale": self.scale, f"{name}.down": self.down}

    def matrix(self) -> NDArray[np.float32]:
        return np.asarray((self.up * self.scale) @ self.down.astype(np.float32), np.float32)


@dataclass(frozen=True, slots=True)
class Adapter:
    """What is added to the model's weights, by their names; and the head."""

    changes: Mapping[str, NDArray[np.float32]]
    head: Head

    def merged(self, weights: Mapping[str, NDArray[np.float32]]) -> dict[str, NDArray[np.float32]]:
        """The model's weights with what was learned added."""
        return {**weights, **{name: weights[name] + change for name, change in self.changes.items()}}


def load_adapter(path: Path | None = None) -> Adapter:
    """The one in the package; raises ``OSError`` or ``ValueError`` where it is not whole."""
    try:
        with open(path or PATH, "rb") as raw, np.load(raw, allow_pickle=False) as file:
            parts = {name: file[name] for name in file.files}
    except (EOFError, TypeError, zipfile.BadZipFile) as error:
        raise ValueError(str(error) or type(error).__name__) from None
    try:
        head = Head(*(parts.pop(name).astype(np.float32) for name in ("second", "head", "bias")))
        narrow = {name.removesuffix(".up") for name in parts if name.endswith(".up")}
        changes = {
            name: Narrow(*(parts.pop(f"{name}.{part}") for part in ("up", "scale", "down"))).matrix()
            for name in sorted(narrow)
        }
    except KeyError as error:
        raise ValueError(f"{error} is not in it") from None
    if alone := [name for name in parts if name.endswith((".scale", ".down"))]:
        raise ValueError(f"what belongs to {alone[0]} is not in it")
    changes |= {name: change.astype(np.float32) for name, change in parts.items()}
    return Adapter(changes, head)


def digest() -> str:
    """Twelve hex digits of the file."""
    return hashlib.sha256(PATH.read_bytes()).hexdigest()[:12]
