"""Make the ONNX files of the default model in a folder: ``python -m rag.embed.make FOLDER [WORDS]``.

With ``WORDS``, a folder made before, those of the model that reads a claim with its source.

Runs in a process of its own, so that the weights and ``onnx`` never weigh on the one that
answers. Eight-bit products are tried first, then seven-bit ones, and what is kept must
give nearly the vectors of 32-bit floats on this very processor; else the floats are kept.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from rag.embed.adapter import load_adapter
from rag.embed.graph import Weights, graph, word_vectors
from rag.embed.pairs import PAIR, PAIRS, Pairs, near
from rag.embed.session import FILES, MANIFEST, SAMPLE, Session, agreement
from rag.embed.weights import bundled_weights, sha256_of

KINDS = {"int8": 8, "int7": 7, "fp32": None}
"""In order of preference: the name, and the bits of the weights."""

FLOOR = 0.99
"""Least cosine, over the sample, of a text's vector with that of 32-bit floats."""


def make(folder: Path) -> None:
    """Write graph, word vectors, reference vectors and manifest into an empty folder."""
    from safetensors.numpy import load_file

    weights: Weights = load_file(bundled_weights() / "model.safetensors")
    model, words, reference = (folder / name for name in FILES)
    np.save(words, word_vectors(weights))
    model.write_bytes(graph(weights, None))
    np.save(reference, Session(folder).means(SAMPLE))
    for kind, bits in KINDS.items():
        model.write_bytes(graph(weights, bits))
        cosine = agreement(Session(folder), np.load(reference), SAMPLE)
        if cosine < FLOOR:
            continue
        _sign(folder, FILES, {"kind": kind, "cosine": cosine})
        return


def make_pairs(folder: Path, words: Path) -> None:
    """Write graph, head, reference logits and manifest of the other model; ``words`` has the word vectors."""
    from safetensors.numpy import load_file

    learned = load_adapter()
    weights: Weights = learned.merged(load_file(bundled_weights() / "model.safetensors"))
    model, head, reference = (folder / name for name in PAIRS)
    np.savez(head, second=learned.head.second, weight=learned.head.weight, bias=learned.head.bias)
    model.write_bytes(graph(weights, None))
    np.save(reference, Pairs(folder, words).logits(*PAIR))
    for kind, bits in KINDS.items():
        model.write_bytes(graph(weights, bits))
        if near(Pairs(folder, words), folder):
            _sign(folder, PAIRS, {"kind": kind})
            return


def _sign(folder: Path, files: Sequence[str], facts: dict[str, object]) -> None:
    hashes = {name: sha256_of(folder / name) for name in files}
    (folder / MANIFEST).write_text(json.dumps({**facts, "files": hashes}), encoding="utf-8")


if __name__ == "__main__":
    if len(sys.argv) > 2:
        make_pairs(Path(sys.argv[1]), Path(sys.argv[2]))
    else:
        make(Path(sys.argv[1]))
