"""The default model on ONNX Runtime: one session, any number of threads.

A text is always run by itself, on one thread; many texts run side by side, one a core. So
nothing is padded and no thread waits for another, which on two cores is faster than any
batch that was tried, and the vector of a text never depends on what it is embedded with:
int8 rounds what comes in by the largest number of the run. See tests/benchmarks/embed.py.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rag.embed.pooling import unit
from rag.embed.weights import DEFAULT_TOKENS, bundled_folder
from rag.types import Vectors

FILES = ("model.onnx", "words.npy", "reference.npy")
MANIFEST = "manifest.json"

SAMPLE: Sequence[str] = (
    "How do I ask for a refund?",
    "The night train leaves Vienna at ten, and reaches Venice at eight in the morning.",
    "Quinta da Pedra 2019, Portugal, 14 €: dark fruit, firm tannins; with lamb or stew.",
    "In 1648 the treaty ended a war of thirty years. Who had begun it, and why, is told in the second "
    "part of this chapter; what it cost the towns along the river is told in the third.",
    "¿Cuándo vence el contrato de alquiler?",
    "def area(radius):\n    return 3.14159 * radius ** 2",
    "honey",
    "Article 12(3): the period referred to in paragraph 1 shall begin on the date of receipt, save where "
    "the applicant has been given notice under Article 9.",
)
"""Short and long, prose and rows, in which rounding is judged against 32-bit floats."""


class Session:
    """Token ids to token vectors. Safe to share between threads."""

    def __init__(self, folder: Path, words: Path | None = None, threads: int = 1) -> None:
        """``folder`` holds ``model.onnx``, and ``words`` or else the same one ``words.npy``; raises what
        ONNX Runtime and NumPy raise.

        ``threads`` are those of one run: one where many texts wait, more where one is waited for.
        """
        import onnxruntime

        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads, options.inter_op_num_threads = threads, 1
        options.log_severity_level = 3
        # The graph is written as it should run; the optimiser would fuse what is slower fused.
        options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_DISABLE_ALL
        model = str(folder / FILES[0])
        self._session: Any = onnxruntime.InferenceSession(model, options, providers=["CPUExecutionProvider"])
        self._words: NDArray[np.float32] = np.load(str((words or folder) / FILES[1]), mmap_mode="r")
        self.tokenizer = load_tokenizer()

    def run(self, ids: Sequence[int], added: NDArray[np.float32] | None = None) -> NDArray[np.float32]:
        """A row for each token, special ones included: shape ``(t, 384)``.

        ``added``, of that shape too, is added to what the tokens are looked up as.
        """
        words = self._words[ids] if added is None else self._words[ids] + added
        (vectors,) = self._session.run(None, {"words": words[None]})
        rows: NDArray[np.float32] = vectors[0]
        return rows

    def mean(self, text: str) -> NDArray[np.float32]:
        """A whole text, cut at the window, by the plain mean of its tokens: shape ``(384,)``, unit length."""
        ids: list[int] = self.tokenizer.encode(text).ids
        if len(ids) > DEFAULT_TOKENS:
            ids = [*ids[: DEFAULT_TOKENS - 1], ids[-1]]
        row: NDArray[np.float32] = unit(self.run(ids).mean(axis=0, keepdims=True))[0]
        return row

    def means(self, texts: Sequence[str]) -> Vectors:
        """One row a text: shape ``(n, 384)``."""
        return np.stack([self.mean(text) for text in texts])


def agreement(session: Session, reference: Vectors, texts: Sequence[str]) -> float:
    """The least cosine of the session's vectors with those of 32-bit floats."""
    return float((session.means(texts) * reference[: len(texts)]).sum(axis=1).min())


def load_tokenizer() -> Any:
    """The packaged one, which pads and truncates at 128 until it is told otherwise."""
    from tokenizers import Tokenizer

    tokenizer = Tokenizer.from_file(str(bundled_folder() / "tokenizer.json"))
    tokenizer.no_padding()
    tokenizer.no_truncation()
    return tokenizer
