"""The default model as an ONNX graph, written from its weights without PyTorch.

A tracer would need PyTorch (ten seconds and half a gigabyte) to find out what is known:
all-MiniLM-L6-v2 is a BERT of six layers (Devlin et al., 2019). Written by hand it takes
ONNX Runtime's fused operators at once, needs no padding mask, and is made in a second.

The table of word vectors, half of the weights, stays outside: a text needs a few hundred
of its 30,522 rows, which are read from a mapped file (:mod:`rag.embed.session`).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

Weights = Mapping[str, NDArray[np.float32]]

LAYERS, HEADS, SIZE = 6, 12, 384
_EPSILON = 1e-12
_FUSED = "com.microsoft"
"""The domain of ONNX Runtime's own operators."""


def word_vectors(weights: Weights) -> NDArray[np.float32]:
    """The table that a text's token ids are looked up in: shape ``(30522, 384)``."""
    return weights["embeddings.word_embeddings.weight"]


def graph(weights: Weights, bits: int | None) -> bytes:
    """A serialised model: ``words (1, t, 384) -> tokens (1, t, 384)``.

    With ``bits`` of 8 or 7 every matrix product multiplies whole numbers: weights are
    rounded once, symmetrically for each output, and what comes in is rounded as it comes.
    Seven bits are for processors that add such products in 16 bits and would overflow.
    ``None`` keeps 32-bit floats.
    """
    from onnx import TensorProto, helper

    build = _Builder(weights, bits)
    last = build.layers()
    values = [
        helper.make_tensor_value_info(name, TensorProto.FLOAT, [1, "t", SIZE]) for name in ("words", last)
    ]
    made = helper.make_graph(build.nodes, "all-MiniLM-L6-v2", values[:1], values[1:], build.constants)
    opsets = [helper.make_opsetid("", 21), helper.make_opsetid(_FUSED, 1)]
    model: bytes = helper.make_model(made, opset_imports=opsets, ir_version=10).SerializeToString()
    return model


class _Builder:
    """Nodes and constants, in the order that the model computes them."""

    def __init__(self, weights: Weights, bits: int | None) -> None:
        self.nodes: list[Any] = []
        self._constants: dict[str, Any] = {}
        self._weights = weights
        self._bits = bits

    @property
    def constants(self) -> list[Any]:
        return list(self._constants.values())

    def layers(self) -> str:
        """Add all of it; the name of the last value."""
        weights = self._weights
        places = weights["embeddings.position_embeddings.weight"]
        # The second sentence of BERT's pairs is never there: its marker is that of the first.
        places = places + weights["embeddings.token_type_embeddings.weight"][0]
        length = self._node("Shape", ["words"], "length", start=1, end=2)
        zero = self._constant("zero", np.array([0]))
        at = self._node("Slice", [self._constant("places", places), zero, length], "at")
        x = self._node("Add", ["words", at], "placed")
        norm = self._norm("embeddings.LayerNorm")
        x = self._node("LayerNormalization", [x, *norm], "embedded", axis=-1, epsilon=_EPSILON)
        for layer in range(LAYERS):
            x = self._layer(x, f"encoder.layer.{layer}")
        return x

    def _layer(self, x: str, name: str) -> str:
        """Attention and the two dense products, each added to what came in and normalised."""
        heads = [f"{name}.attention.self.{part}" for part in ("query", "key", "value")]
        together = self._apart(
            x, f"{name}.heads", lambda x, row: self._linear(x, heads, f"{name}.heads{row}")
        )
        parts = [f"{name}.{part}" for part in ("query", "key", "value")]
        self._node("Split", [together], *parts, axis=-1, num_outputs=3)
        seen = self._node("MultiHeadAttention", parts, f"{name}.seen", domain=_FUSED, num_heads=HEADS)
        seen = self._linear(seen, [f"{name}.attention.output.dense"], f"{name}.attended")
        x = self._add_and_norm(x, seen, f"{name}.attention.output.LayerNorm")

        def feed_forward(x: str, row: str) -> str:
            wide = self._linear(x, [f"{name}.intermediate.dense"], f"{name}.wide{row}")
            wide = self._node("Gelu", [wide], f"{name}.gelu{row}", domain=_FUSED)
            return self._linear(wide, [f"{name}.output.dense"], f"{name}.narrow{row}")

        return self._add_and_norm(
            x, self._apart(x, f"{name}.narrow", feed_forward), f"{name}.output.LayerNorm"
        )

    def _apart(self, x: str, name: str, block: Callable[[str, str], str]) -> str:
        """The first token by itself and the others together, where numbers are rounded.

        What comes in is rounded in steps of its largest number, and those of [CLS] are three to
        six times as large as any other token's: among them, the others would keep a fraction
        of the steps (cosine with 32-bit floats 0.994 instead of 0.998).
        """
        if self._bits is None:
            return block(x, "")
        one, end = self._constant("one", np.array([1])), self._constant("end", np.array([2**31]))
        zero = self._constant("zero", np.array([0]))
        first = self._node("Slice", [x, zero, one, one], f"{name}.first.in")
        rest = self._node("Slice", [x, one, end, one], f"{name}.rest.in")
        return self._node("Concat", [block(first, ".first"), block(rest, ".rest")], name, axis=1)

    def _linear(self, x: str, sources: list[str], name: str) -> str:
        """``x @ W.T + b``, the weights of several products side by side."""
        matrix = np.concatenate([self._weights[f"{s}.weight"] for s in sources]).T
        bias = np.concatenate([self._weights[f"{s}.bias"] for s in sources])
        label = " ".join(sources)  # of constants that two products may share
        added = self._constant(f"{label}.bias", bias)
        if self._bits is None:
            product = self._node("MatMul", [x, self._constant(f"{label}.weight", matrix)], f"{name}.product")
            return self._node("Add", [product, added], name)
        rounded, scale = quantized(matrix, self._bits)
        constants = [
            self._constant(f"{label}.weight", rounded),
            self._constant(f"{label}.scale", scale),
            self._constant(f"{label}.zero", np.zeros(scale.shape, np.int8)),
            added,
        ]
        return self._node("DynamicQuantizeMatMul", [x, *constants], name, domain=_FUSED)

    def _add_and_norm(self, x: str, y: str, name: str) -> str:
        # Two operators: the one that fuses them (SkipLayerNormalization) takes four times as long.
        total = self._node("Add", [x, y], f"{name}.sum")
        return self._node("LayerNormalization", [total, *self._norm(name)], name, axis=-1, epsilon=_EPSILON)

    def _norm(self, name: str) -> list[str]:
        return [self._constant(f"{name}.{p}", self._weights[f"{name}.{p}"]) for p in ("weight", "bias")]

    def _constant(self, name: str, value: NDArray[Any]) -> str:
        from onnx import numpy_helper

        if name not in self._constants:
            self._constants[name] = numpy_helper.from_array(np.ascontiguousarray(value), name)
        return name

    def _node(self, kind: str, inputs: list[str], *outputs: str, **attributes: Any) -> str:
        from onnx import helper

        self.nodes.append(helper.make_node(kind, inputs, list(outputs), name=outputs[0], **attributes))
        return outputs[0]


def quantized(matrix: NDArray[np.float32], bits: int) -> tuple[NDArray[np.int8], NDArray[np.float32]]:
    """``matrix`` ``(in, out)`` as whole numbers and one scale for each column; zero stays zero."""
    top = 2 ** (bits - 1) - 1
    scale = np.maximum(np.abs(matrix).max(axis=0), 1e-12) / top
    return np.rint(matrix / scale).astype(np.int8), scale.astype(np.float32)
