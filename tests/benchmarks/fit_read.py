"""Fit what the checker makes of the model that reads claim and source together, and of its rules.

    python -m tests.benchmarks.fit_read [--out rag/cite/read.toml]

It is fitted on sets under ``tests/claims`` that the model was not taught with: those held out
(``held_out`` in ``rag/embed/entailment.toml``) and those of ``BY``, each left out once to say what the
curve is worth on a set that it has not seen. It is a logistic curve by maximum likelihood: of each set the
true claims weigh as much as the changed ones, of these each kind as much as another, and the sets of
``BY``, whose authors wrote as a chatbot does, ``NATURAL`` times as much. (Weights found by trying one after
the other what notices most were measured to notice a tenth fewer negations of a set left out.)
Below the threshold lie ``DOUBTED`` of the true claims of the sets of ``BY``, each set counting alike, and
``SURE`` of them below where one counts as surely unsaid.
"""

from __future__ import annotations

import argparse
import datetime
import tomllib
from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from rag.cite.signals import READ, read
from rag.config import Embedding, Environment
from rag.embed import load_embedder
from rag.embed.adapter import PATH
from rag.embed.entailment import Entailment
from rag.sentences import sentences
from rag.types import Vectors
from tests.benchmarks.fit_claims import logistic
from tests.benchmarks.labelled import SETS, rows

DOUBTED, SURE = 0.065, 0.015
BY = ("held", "fresh", "last", "audit", "audit2", "audit3", "audit4")
"""Sets that the model was not taught with either, by people who wrote as a chatbot does."""
NATURAL = 3
PENALTY = 1e-3
"""On the squares of the weights, of which that of the reading is the only one that may be positive."""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--out", type=Path)
    args = parser.parse_args()
    unseen = tomllib.loads(PATH.with_suffix(".toml").read_text(encoding="utf-8"))["held_out"]
    unseen = [*unseen, *(name for name in BY if name not in unseen)]
    sets = {name: next(SETS.rglob(f"{name}.jsonl"), None) for name in unseen}
    found = {name: signals(path) for name, path in sets.items() if path is not None}
    fitted = list(found)
    report = {}
    for name in found:
        others = {other: found[other] for other in fitted if other != name}
        report[name] = shares(found[name], *curve(others))
        print(f"{name}: " + "  ".join(f"{kind} {share:.3f}" for kind, share in report[name].items()))
    weights, threshold, sure = curve(found)
    lines = [
        "# What the checker makes of the model that reads a claim with its source, and of rules. Written by:",
        "#     python -m tests.benchmarks.fit_read --out rag/cite/read.toml",
        "# What the signals are stands in rag/cite/signals.py. The shares are of claims that are doubted, on",
        "# sets that neither the model nor the curve has seen.",
        "",
        "[curve]",
        *(f"{name} = {value + 0.0:.3f}" for name, value in zip((*READ, "bias"), weights, strict=True)),
        f"threshold = {threshold:.4f}",
        f"sure = {sure:.4f}",
        "",
        "[provenance]",
        f'date = "{datetime.date.today()}"',
        "sets = [" + ", ".join(f'"{name}"' for name in fitted) + "]",
    ]
    for name, of in report.items():
        lines += ["", f"[held_out.{name}]", *(f'"{kind}" = {share:.3f}' for kind, share in of.items())]
    if args.out:
        args.out.write_text("\n".join(lines) + "\n", encoding="utf-8")
    else:
        print("\n".join(lines[5:15]))


Found = tuple[NDArray[np.str_], NDArray[np.float64]]
"""Kinds ``(n,)`` and signals ``(n, len(READ))``."""


def signals(path: Path) -> Found:
    environment = Environment.load()
    embedder = load_embedder(Embedding(), environment)
    entails = Entailment.of(environment)  # which raises where it fails
    one = lru_cache(maxsize=50_000)(lambda text: embedder.embed_texts([text]))

    def embed(texts: list[str]) -> Vectors:
        return np.vstack([one(text) for text in texts])

    kinds, found = [], []
    for kind, claim, source in rows(path):
        compared = read(claim, source, sentences(source), embed, entails)
        if compared is not None:
            kinds.append(kind)
            found.append([compared.signals[name] for name in READ])
    return np.array(kinds), np.array(found)


def curve(sets: Mapping[str, Found]) -> tuple[NDArray[np.float64], float, float]:
    """Weights with a bias at the end, and the two thresholds."""
    kinds, x = np.concatenate([k for k, _ in sets.values()]), np.vstack([f for _, f in sets.values()])
    counts = np.concatenate([counted(of) * (NATURAL if name in BY else 1) for name, (of, _) in sets.items()])
    turned = np.where(np.array(READ) == READ[0], -1.0, 1.0)  # so that no weight is positive
    fitted = logistic(x * turned, kinds == "true", counts, -1, PENALTY)
    fitted[:-1] *= turned
    told = [probability(fitted, sets[name][1][sets[name][0] == "true"]) for name in BY if name in sets]
    threshold, sure = (float(np.mean([np.quantile(p, share) for p in told])) for share in (DOUBTED, SURE))
    return fitted, threshold, sure


def counted(kinds: NDArray[np.str_]) -> NDArray[np.float64]:
    """What each claim of a set counts: true ones a half in all, each kind of the others alike."""
    changed = set(kinds.tolist()) - {"true"}
    shares = {"true": 0.5} | dict.fromkeys(changed, 0.5 / max(1, len(changed)))
    return np.array([shares[kind] / (kinds == kind).sum() for kind in kinds.tolist()])


def probability(weights: NDArray[np.float64], x: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.asarray(1 / (1 + np.exp(-(x @ weights[:-1] + weights[-1]))), np.float64)


def shares(found: Found, weights: NDArray[np.float64], threshold: float, sure: float) -> dict[str, float]:
    """Share of each kind that is doubted, and the AUROC of true claims against unrelated ones."""
    kinds, x = found
    p = probability(weights, x)
    of = {kind: float((p[kinds == kind] < threshold).mean()) for kind in sorted(set(kinds.tolist()))}
    if "unrelated" in of:
        against = p[kinds == "true"][:, None] > p[kinds == "unrelated"][None]
        of["auroc unrelated"] = float(against.mean())
    return of


if __name__ == "__main__":
    main()
