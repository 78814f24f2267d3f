"""What the default model was taught so that it reads a claim and its source together.

*LoRA* (Hu and others, 2021): to each matrix of the model a product of two narrow ones is added, so
that what was learned is a file of a megabyte beside this module. ``python -m
tests.benchmarks.fit_entailment`` writes it; ``entailment.toml`` says from what, and what it
was worth on sets that it was not fitted on.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import get_args

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
class Adapter:
    """``down[name]`` ``(r, in)`` and ``up[name]`` ``(out, r)`` of each matrix, and the head."""

    down: Mapping[str, NDArray[np.float32]]
    up: Mapping[str, NDArray[np.float32]]
    head: Head

    def merged(self, weights: Mapping[str, NDArray[np.float32]]) -> dict[str, NDArray[np.float32]]:
        """The model's weights with what was learned added."""
        return {
            **weights,
            **{f"{n}.weight": weights[f"{n}.weight"] + self.up[n] @ self.down[n] for n in self.down},
        }


def load_adapter(path: Path | None = None) -> Adapter:
    """The one in the package; raises ``OSError`` or ``ValueError`` where it is not whole."""
    with np.load(path or PATH, allow_pickle=False) as file:
        parts = {name: file[name].astype(np.float32) for name in file.files}
    down = {n.removesuffix(".down"): parts[n] for n in parts if n.endswith(".down")}
    up = {n.removesuffix(".up"): parts[n] for n in parts if n.endswith(".up")}
    return Adapter(down, up, Head(parts["second"], parts["head"], parts["bias"]))


def digest() -> str:
    """Twelve hex digits of the file."""
    return hashlib.sha256(PATH.read_bytes()).hexdigest()[:12]
