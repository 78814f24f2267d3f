"""What a fit gives, as a table for people and as the file that :mod:`rag.weights` reads."""

from __future__ import annotations

import json
from collections.abc import Mapping

from rag.fit.run import FOLDS, Fitted
from rag.weights import FORMAT

POPULATION = (
    "every answerable question, asked once with its article and once without: half of them can be answered"
)


def as_text(fitted: Fitted) -> str:
    """Figures side by side, in percent, and the reliability of the confidence."""
    lines = [f"{'held-out articles':52} {'hand':>7} {'learned':>7}"]
    lines += [f"{name:52} {value:7.1f} {fitted.learned[name]:7.1f}" for name, value in fitted.hand.items()]
    lines.append(f"Chosen: {fitted.weights.chosen}")
    if fitted.late:
        lines.append(f"{'the same with late interaction':52} {'none':>7} {'late':>7}")
    lines += [f"{name:52} {fitted.learned[name]:7.1f} {value:7.1f}" for name, value in fitted.late.items()]
    for name, refused in fitted.refused.items():
        lines.append(
            f"{name}: refused without the article {100 * refused:.1f} %, answered with it "
            f"{100 * fitted.answered[name]:.1f} %, reliability error {fitted.error_by_set[name]:.3f}"
        )
    lines.append(f"Reliability error {fitted.error:.3f} over {POPULATION}.")
    lines.append(f"{'questions':>10} {'confidence':>11} {'true':>7}")
    lines += [f"{count:10} {mean:11.3f} {share:7.3f}" for count, mean, share in fitted.table]
    return "\n".join(lines)


def as_json(fitted: Fitted) -> Mapping[str, object]:
    """The same for machines, with the weights."""
    calibration = fitted.weights.calibration
    return {
        "chosen": fitted.weights.chosen,
        "signals": dict(fitted.weights.signals),
        "confidence": {
            "cosine": calibration.cosine,
            "coverage": calibration.coverage,
            "bias": calibration.bias,
            "threshold": calibration.threshold,
        },
        "late": dict(fitted.weights.late),
        "held_out": {
            "hand": dict(fitted.hand),
            "learned": dict(fitted.learned),
            "late": dict(fitted.late),
        },
        "reliability": {
            "error": fitted.error,
            "error_by_set": dict(fitted.error_by_set),
            "population": POPULATION,
            "table": [{"questions": n, "confidence": mean, "true": share} for n, mean, share in fitted.table],
            "refused": dict(fitted.refused),
            "answered": dict(fitted.answered),
        },
    }


def as_toml(fitted: Fitted, date: str) -> str:
    """The file. ``date`` is the day of the fit, ``YYYY-MM-DD``."""
    calibration = fitted.weights.calibration
    lines = [
        "# The fitted weights of the signals and of the confidence. Written by:",
        "#     python -m rag fit DATA --out rag/weights.toml",
        "# What the signals are stands in rag/retrieve/signals.py. Figures are those of articles that",
        "# the weights were not fitted on, in percent unless they are called an error.",
        "",
        f"format = {FORMAT}",
        f"chosen = {_text(fitted.weights.chosen)}",
        *_table("signals", fitted.weights.signals),
        *_table("late", fitted.weights.late),
        *_table(
            "confidence",
            {
                "cosine": calibration.cosine,
                "coverage": calibration.coverage,
                "bias": calibration.bias,
                "threshold": calibration.threshold,
            },
        ),
        "",
        "[provenance]",
        f"date = {_text(date)}",
        f"embedding_model = {_text(fitted.model)}",
        f"folds = {FOLDS}",
        'seed = "none: nothing is drawn, articles are dealt out to the folds in order"',
    ]
    for one in fitted.sets:
        articles = len({q.article for q in one.questions})
        lines += [
            "",
            f"[provenance.data.{_key(one.name)}]",
            f"questions = {len(one.questions)}",
            f"articles = {articles}",
            f"sha256 = {_text(one.sha256)}",
        ]
    lines += _table("held_out.hand", fitted.hand)
    lines += _table("held_out.learned", fitted.learned)
    lines += _table("held_out.late", fitted.late)
    lines += ["", "[reliability]", f"population = {_text(POPULATION)}", f"error = {fitted.error:.4f}"]
    lines += [f"{_key(f'error {name}')} = {value:.4f}" for name, value in fitted.error_by_set.items()]
    lines += [f"{_key(f'refused {name}')} = {100 * value:.2f}" for name, value in fitted.refused.items()]
    lines += [f"{_key(f'answered {name}')} = {100 * value:.2f}" for name, value in fitted.answered.items()]
    lines += ["table = [  # questions, mean confidence, share that could be answered"]
    lines += [f"    [{count}, {mean:.3f}, {share:.3f}]," for count, mean, share in fitted.table]
    return "\n".join([*lines, "]", ""])


def _table(name: str, values: Mapping[str, float]) -> list[str]:
    return ["", f"[{name}]", *(f"{_key(key)} = {float(value)!r}" for key, value in values.items())]


def _key(key: str) -> str:
    return key if key.isidentifier() and key.isascii() else _text(key)


def _text(text: str) -> str:
    """JSON's escapes are TOML's."""
    return json.dumps(text, ensure_ascii=False)
