"""A claim and its source through the model that was taught to read them together."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from rag.embed.adapter import Head
from rag.embed.session import Session

PAIRS = ("model.onnx", "head.npz", "reference.npy")
"""The graph, what is made of its output, and the logits that 32-bit floats gave for ``PAIR``."""
PAIR = ("Nobody under twelve pays.", "Children under 12 ride free; everyone else pays 3 euros a day.")
MOST_CLAIM, MOST_SOURCE = 128, 200
"""Tokens that are read at most of a claim and of a source: who calls chooses what matters of longer ones,
and this only bounds what a row of odd characters costs."""
NEAR = 0.75
"""Most that a logit in whole numbers may differ from that of 32-bit floats; kinds are some 5 apart."""


class Pairs:
    """One session, any number of threads."""

    def __init__(self, folder: Path, words: Path, threads: int = 1) -> None:
        """``folder`` holds ``PAIRS`` (the last is not needed), ``words`` the default model's word vectors."""
        self._session = Session(folder, words, threads)
        # "[SEP]" in a document is text, and no border between the two.
        self._session.tokenizer.encode_special_tokens = True
        with np.load(folder / PAIRS[1], allow_pickle=False) as file:
            self._head = Head(file["second"], file["weight"], file["bias"])

    def logits(self, claim: str, source: str) -> NDArray[np.float32]:
        """``[CLS] claim [SEP] source [SEP]``, and the head on [CLS] beside the mean of the claim's tokens."""
        encode = self._session.tokenizer.encode
        first, second = encode(claim).ids, encode(source, add_special_tokens=False).ids
        if len(first) > MOST_CLAIM:
            first = [*first[: MOST_CLAIM - 1], first[-1]]
        ids = [*first, *second[:MOST_SOURCE], first[-1]]
        added = np.zeros((len(ids), len(self._head.second)), np.float32)
        added[len(first) :] = self._head.second
        rows = self._session.run(ids, added)
        seen = np.concatenate([rows[0], rows[: len(first)].mean(axis=0)])
        return np.asarray(self._head.weight @ seen + self._head.bias, np.float32)


def near(model: Pairs, folder: Path) -> bool:
    """Whether the model gives nearly the logits that 32-bit floats gave when it was made."""
    difference = np.abs(model.logits(*PAIR) - np.load(folder / PAIRS[2])).max()
    return bool(difference <= NEAR)  # a difference that is no number is not near
