"""What an answer by a model cost, from a table of prices that a person can edit.

``rag/prices.toml`` comes with the program; ``prices.toml`` in THUMBPRINT_HOME and in a
prototype's folder win over it, model by model. The prices that come with the program hold for
OpenAI and Cohere themselves; behind another address (``OPENAI_BASE_URL``) only a person's own do.
What no table names has an unknown cost, None, and never 0.
"""

from __future__ import annotations

import logging
import math
import re
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rag.errors import UsageError

SHIPPED = Path(__file__).parent / "prices.toml"
NAME = "prices.toml"
_VERSION = re.compile(r"-(?:\d{4}-\d{2}-\d{2}|\d{4}|\d{8}|latest)$")
_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Price:
    """US dollars per million tokens. ``cached`` is that of input which the service had cached."""

    input: float
    output: float
    cached: float | None = None

    def cost(self, usage: Mapping[str, int]) -> float | None:
        """US dollars of ``input_tokens`` and ``output_tokens``; None where they were not reported."""
        if "input_tokens" not in usage or "output_tokens" not in usage:
            return None
        read, wrote = usage["input_tokens"], usage["output_tokens"]
        cached = min(read, usage.get("cached_tokens", 0)) if self.cached is not None else 0
        return ((read - cached) * self.input + cached * (self.cached or 0) + wrote * self.output) / 1e6


@dataclass(frozen=True, slots=True)
class PriceTable:
    """Prices of one file: by service (``openai``, ``cohere``), then by model."""

    models: Mapping[str, Mapping[str, Price]]

    def of(self, service: str, model: str) -> Price | None:
        """The model's price, or that of the name which its version belongs to."""
        known = self.models.get(service, {})
        return known.get(model) or known.get(_VERSION.sub("", model))


def price_of(service: str, model: str, folders: Sequence[Path], *, own: bool = True) -> Price | None:
    """The price of a model; of ``folders`` the first one that names it counts.

    ``own`` tells that the service is asked at its own address, where the prices that come with the
    program hold. A file that cannot be read is passed over with a warning; :func:`load` says why.
    """
    for path in [folder / NAME for folder in folders] + [SHIPPED]:
        if path == SHIPPED and not own:
            continue
        try:
            found = load(path).of(service, model) if path.is_file() else None
        except UsageError as error:
            _log.warning("%s", error)
            continue
        if found is not None:
            return found
    return None


def troubles(folders: Sequence[Path]) -> list[tuple[Path, str]]:
    """The files of prices that cannot be read, each with what is wrong with it."""
    found: list[tuple[Path, str]] = []
    for path in dict.fromkeys(folder / NAME for folder in folders):
        try:
            if path.is_file():
                load(path)
        except UsageError as error:
            found.append((path, str(error)))
    return found


def load(path: Path) -> PriceTable:
    """One file of prices. Raises :class:`UsageError`, which names the file and the model."""
    try:
        table = tomllib.loads(path.read_text(encoding="utf-8-sig"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError, RecursionError) as error:
        raise UsageError(f"The prices in {path.name} cannot be read ({error}). Mend the file.") from None
    services = {name: rows for name, rows in table.items() if isinstance(rows, Mapping)}
    return PriceTable(
        {
            service: {str(model): _price(path, str(model), row) for model, row in rows.items()}
            for service, rows in services.items()
        }
    )


def _price(path: Path, model: str, row: Any) -> Price:
    values = row if isinstance(row, Mapping) else {}
    numbers = {
        key: float(value)
        for key, value in values.items()
        if isinstance(value, int | float) and not isinstance(value, bool)
    }
    good = all(math.isfinite(n) and n >= 0 for n in numbers.values()) and len(numbers) == len(values)
    if not good or not {"input", "output"} <= numbers.keys() <= {"input", "output", "cached"}:
        raise UsageError(
            f"The price of “{model}” in {path.name} needs “input” and “output” (and may have “cached”), in "
            "dollars per million tokens. Mend the file."
        )
    return Price(numbers["input"], numbers["output"], numbers.get("cached"))


def added(*usages: Mapping[str, int]) -> dict[str, int]:
    """The counts of several calls together."""
    total: dict[str, int] = {}
    for usage in usages:
        for key, count in usage.items():
            total[key] = total.get(key, 0) + count
    return total
