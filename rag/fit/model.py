"""The mathematics: a softmax over the candidates of a question, a logistic curve, and its reliability."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rag.weights import Calibration

Matrix = NDArray[np.float64]
Flags = NDArray[np.bool_]


def fit_softmax(
    signals: Sequence[Matrix], right: Sequence[Flags], penalty: float = 3.0
) -> NDArray[np.float64]:
    """Weights, none negative, under which the right candidates of each question are likeliest.

    ``signals[i]`` has shape ``(candidates, signals)``, ``right[i]`` says which candidates are
    right; a question without a right one, or without a wrong one, teaches nothing and is left
    out. The loss of a question is ``log sum exp(s) - log sum_right exp(s)`` with ``s = signals @
    w`` (conditional logit; several right ones count as one of them being chosen), plus ``penalty
    / 2 * |w|^2`` once. Every signal is better when it is higher, hence no negative weights.
    """
    from scipy.optimize import minimize

    kept = [i for i, flags in enumerate(right) if flags.any() and not flags.all()]
    if not kept:
        raise ValueError("no question has a right candidate and a wrong one")
    width = max(len(right[i]) for i in kept)
    x = np.zeros((len(kept), width, signals[kept[0]].shape[1]))
    among = np.full((2, len(kept), width), -1e9)  # all candidates, and the right ones
    for row, i in enumerate(kept):
        n = len(right[i])
        x[row, :n] = signals[i]
        among[0, row, :n] = 0
        among[1, row, :n] = np.where(right[i], 0, -1e9)

    def loss(w: NDArray[np.float64]) -> tuple[float, NDArray[np.float64]]:
        scores = x @ w + among
        top = scores.max(axis=2, keepdims=True)
        shares = np.exp(scores - top)
        sums = shares.sum(axis=2, keepdims=True)
        logs = (top + np.log(sums))[:, :, 0]
        shares /= sums
        gradient = np.einsum("qc,qcs->s", shares[0] - shares[1], x)
        return float((logs[0] - logs[1]).sum() + penalty / 2 * w @ w), gradient + penalty * w

    start = np.full(x.shape[2], 0.1)
    found: Any = minimize(loss, start, jac=True, method="L-BFGS-B", bounds=[(0, None)] * x.shape[2])
    return np.asarray(found.x, np.float64)


def fit_calibration(cosine: Matrix, coverage: Matrix, there: Flags, threshold: float = 0.5) -> Calibration:
    """Logistic regression by maximum likelihood; all three arrays have shape ``(n,)``."""
    from scipy.optimize import minimize

    x = np.column_stack([cosine, coverage, np.ones(len(cosine))])
    sign = np.where(there, 1.0, -1.0)

    def loss(w: NDArray[np.float64]) -> tuple[float, NDArray[np.float64]]:
        margin = sign * (x @ w)
        gradient = -(x.T @ (sign / (1 + np.exp(np.clip(margin, -500, 500)))))
        return float(np.logaddexp(0, -margin).sum() + 0.005 * w @ w), gradient + 0.01 * w

    bounds = [(0, None), (0, None), (None, None)]
    found: Any = minimize(loss, np.array([1.0, 1.0, 0.0]), jac=True, method="L-BFGS-B", bounds=bounds)
    cosine_weight, coverage_weight, bias = (round(float(value), 3) for value in found.x)
    return Calibration(cosine_weight, coverage_weight, bias, threshold)


def reliability(sure: Matrix, there: Flags, bins: int = 10) -> tuple[float, list[tuple[int, float, float]]]:
    """Expected calibration error over bins of equal mass, and each bin: count, mean confidence, share true.

    The error is ``sum_b n_b / n * |mean confidence - share that is true|`` (Naeini et al., 2015, with
    bins of equal mass).
    """
    order = np.argsort(sure, kind="stable")
    table = [
        (len(part), float(sure[part].mean()), float(there[part].mean()))
        for part in np.array_split(order, bins)
        if len(part)
    ]
    return sum(n * abs(mean - share) for n, mean, share in table) / len(sure), table
