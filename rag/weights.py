"""The fitted weights: a small file beside this module, written by ``python -m rag fit``.

It holds the weight of each signal of a sentence, the calibration of the confidence, and where
both come from. ``fusion = auto`` uses what the file says was chosen: ``learned`` where the
fitted weights beat the hand weights on articles that they were not fitted on.
"""

from __future__ import annotations

import math
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any, Literal

from rag.errors import ModelError

PATH = Path(__file__).with_name("weights.toml")
FORMAT = 1

SIGNALS = ("window", "cosine", "bm25", "length", "near", "section", "pairs", "date", "figure", "name")
"""What is known of a sentence, in order; explained in :func:`rag.retrieve.signals.signals`."""


LATE = ("fused", "section", "sentence", "best")
"""What late interaction weighs of a sentence, in order: its score by the weights above, and the
MaxSim of its section, its own, and that of the best sentence of its passage."""


@dataclass(frozen=True, slots=True)
class Calibration:
    """Two signals to a probability, and the probability from which questions are answered."""

    cosine: float
    coverage: float
    bias: float
    threshold: float = 0.5


@dataclass(frozen=True, slots=True)
class Weights:
    """What each of :data:`SIGNALS` counts, and the calibration that belongs to their order.

    ``late`` is what each of :data:`LATE` counts where late interaction re-ranks.
    """

    signals: Mapping[str, float]
    calibration: Calibration
    chosen: Literal["learned", "hand"] = "learned"
    late: Mapping[str, float] = field(default_factory=dict)


def load(path: Path = PATH) -> Weights:
    """Read and check a file; raises :class:`ModelError` for one that is missing, damaged or foreign."""
    try:
        table = tomllib.loads(path.read_text(encoding="utf-8"))
        return _checked(table)
    except FileNotFoundError:
        why = "it is missing"
    except (OSError, ValueError, TypeError, KeyError) as error:  # bad TOML and bad UTF-8 are ValueErrors
        why = f"no “{error.args[0]}”" if isinstance(error, KeyError) else str(error).splitlines()[0][:200]
    raise ModelError(
        f"The fitted weights in {path.name} cannot be used ({why}). Take the file from the project again, "
        "fit it with “python -m rag fit”, or set fusion=hand."
    )


def _checked(table: Mapping[str, Any]) -> Weights:
    if table["format"] != FORMAT:
        raise ValueError(f"format {table['format']!r} instead of {FORMAT}")
    if table["chosen"] not in ("learned", "hand"):
        raise ValueError(f"“chosen” is {table['chosen']!r}")
    given, confidence, late = table["signals"], table["confidence"], table["late"]
    if set(given) != set(SIGNALS):
        raise ValueError(f"the signals are not {', '.join(SIGNALS)}")
    if set(late) != set(LATE):
        raise ValueError(f"the weights of late interaction are not {', '.join(LATE)}")
    values = {name: _number(f"signals.{name}", given[name], 0.0, 100.0) for name in SIGNALS}
    return Weights(
        signals=values,
        calibration=Calibration(
            cosine=_number("confidence.cosine", confidence["cosine"], 0.0, 1000.0),
            coverage=_number("confidence.coverage", confidence["coverage"], 0.0, 1000.0),
            bias=_number("confidence.bias", confidence["bias"], -1000.0, 1000.0),
            threshold=_number("confidence.threshold", confidence["threshold"], 0.0, 1.0),
        ),
        chosen=table["chosen"],
        late={name: _number(f"late.{name}", late[name], 0.0, 100.0) for name in LATE},
    )


def _number(name: str, value: Any, low: float, high: float) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        raise ValueError(f"“{name}” is not a number")
    if not low <= value <= high:
        raise ValueError(f"“{name}” is not between {low:g} and {high:g}")
    return float(value)


@cache
def _packaged() -> Weights | ModelError:
    try:
        return load()
    except ModelError as error:
        return error


def in_force(fusion: str) -> Weights | None:
    """The fitted weights under a ``fusion`` setting; None means the hand weights.

    ``auto`` falls back to the hand weights where the file cannot be used; ``learned`` raises
    :class:`ModelError` there.
    """
    if fusion == "hand":
        return None
    found = _packaged()
    if isinstance(found, Weights):
        return found if fusion == "learned" or found.chosen == "learned" else None
    if fusion == "learned":
        raise found
    return None
