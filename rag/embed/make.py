"""Make the ONNX files of the default model in a folder: ``python -m rag.embed.make FOLDER``.

Runs in a process of its own, so that the weights and ``onnx`` never weigh on the one that
answers. Eight-bit products are tried first, then seven-bit ones, and what is kept must
give nearly the vectors of 32-bit floats on this very processor; else the floats are kept.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

import numpy as np

from rag.embed.graph import Weights, graph, word_vectors
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
        hashes = {name: sha256_of(folder / name) for name in FILES}
        manifest = json.dumps({"kind": kind, "cosine": cosine, "files": hashes})
        (folder / MANIFEST).write_text(manifest, encoding="utf-8")
        return


if __name__ == "__main__":
    make(Path(sys.argv[1]))
