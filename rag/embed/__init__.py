"""Texts to vectors: ``(n, d)`` float32, unit rows.

The default model runs on ONNX Runtime, in whole numbers where that gives nearly the same
vectors, and without PyTorch; sentence-transformers runs every other model, and any on a
GPU. The vectors of both mix: of one text they point nearly the same way, so a change of
the backend changes no index, which only notes who wrote it last.
"""

from __future__ import annotations

import importlib.util
import logging
import os
from collections.abc import Callable, Mapping
from importlib import metadata
from pathlib import Path
from typing import TYPE_CHECKING

from rag.config import DEFAULT_MODEL, Embedding, Environment
from rag.embed.pooling import NEIGHBOUR_WEIGHT
from rag.embed.remote import PREFIXES, CohereEmbedder, OpenAIEmbedder
from rag.embed.sentence_transformer import SentenceTransformerEmbedder
from rag.embed.weights import known_dimensions
from rag.errors import ModelError, UsageError

if TYPE_CHECKING:
    from rag.types import Change, Embedder

__all__ = [
    "NEIGHBOUR_WEIGHT",
    "SentenceTransformerEmbedder",
    "known_dimensions",
    "load_embedder",
    "load_entailment",
]

log = logging.getLogger(__name__)


def load_embedder(wanted: Embedding, environment: Environment) -> Embedder:
    """The embedder of some settings; the environment has the keys, and where the default model is kept.

    Raises :class:`ModelError` where it cannot be loaded, :class:`UsageError` for a backend
    that does not run the model.
    """
    plain = wanted.model == DEFAULT_MODEL and not wanted.query_prompt and not wanted.document_prompt
    if wanted.backend == "onnx" and not plain:
        raise UsageError(
            f"embedding.backend=onnx runs {DEFAULT_MODEL}, without prompts. Set it to auto for another model."
        )
    if wanted.model.startswith(PREFIXES):
        return _remote(wanted, environment)
    reason = ""
    if wanted.backend == "onnx" or (wanted.backend == "auto" and plain and not has_gpu()):
        from rag.embed.onnx_embedder import OnnxEmbedder

        try:
            return OnnxEmbedder(environment.models or environment.home / "models")
        except ModelError as error:
            if wanted.backend == "onnx":
                raise ModelError(
                    f"The embedding model could not be prepared for ONNX Runtime ({error}) Run: pip install "
                    "-r requirements.txt, or set embedding.backend to torch."
                ) from error
            reason = str(error)
            log.warning("ONNX Runtime cannot be used, PyTorch is: %s", reason)
    made = SentenceTransformerEmbedder(
        wanted.model, query_prompt=wanted.query_prompt, document_prompt=wanted.document_prompt
    )
    if reason:
        made.backend = f"PyTorch, as ONNX Runtime cannot be used ({reason})"
    return made


def _remote(wanted: Embedding, environment: Environment) -> Embedder:
    if wanted.model.startswith("cohere:"):
        return CohereEmbedder(wanted, key=environment.cohere_api_key, base_url=environment.cohere_base_url)
    return OpenAIEmbedder(wanted, key=environment.openai_api_key, base_url=environment.openai_base_url)


def load_entailment(environment: Environment) -> Callable[[str, str], Mapping[Change, float] | None]:
    """What reads a claim and its source together, whatever the embedding model is: it is small, and comes
    with the default one. It is loaded with the first claim; None for each where it cannot be, or fails."""
    from rag.embed.entailment import Entailment

    model = Entailment.of(environment)
    told = ""

    def entails(claim: str, source: str) -> Mapping[Change, float] | None:
        nonlocal told
        try:
            found = model(claim, source)
        except ModelError as error:
            if str(error) != told:
                told = str(error)
                log.warning(
                    "Claims are checked by their words, for want of the model that reads them: %s", error
                )
            return None
        told = ""
        return found

    return entails


def has_gpu() -> bool:
    """Whether PyTorch would find a CUDA or ROCm GPU; found out without importing it, which takes seconds."""
    if os.environ.get("CUDA_VISIBLE_DEVICES") in ("", "-1") or not importlib.util.find_spec("torch"):
        return False
    try:
        if metadata.version("torch").endswith("+cpu"):
            return False
    except metadata.PackageNotFoundError:
        pass  # built by hand, and perhaps for a GPU
    return any(Path(device).exists() for device in ("/dev/nvidia0", "/dev/kfd", "/dev/dxg"))
