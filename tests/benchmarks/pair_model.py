"""The embedding model as it is taught to read a claim and its source together, on PyTorch.

:mod:`tests.benchmarks.fit_entailment` teaches it; :mod:`rag.embed.pairs` computes the same without PyTorch.
"""

from __future__ import annotations

import ctypes
from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from rag.embed.adapter import KINDS, Adapter, Narrow
from rag.embed.weights import bundled_weights

RANK = 96
"""Largest singular values of each matrix that are kept of what was learned."""
DROPPED, DRAWN = 0.1, 1 << 24
"""Share of the numbers between layers that are set to zero while it is fitted; how many are drawn."""


def keep_memory() -> None:
    """Have GNU's C library keep what tensors give back: to ask the kernel for it again at each step was
    measured to take a third of the time."""
    tell = getattr(ctypes.CDLL(None), "mallopt", None)
    if tell is not None:
        trim, mapped = -1, -4  # M_TRIM_THRESHOLD, M_MMAP_MAX of malloc.h
        tell(trim, 2**31 - 1)
        tell(mapped, 0)


class Dropped(nn.Module):
    """Dropout (Srivastava and others, 2014) by slices of masks that are drawn once: to draw new ones for
    each batch takes longer on a processor than all else."""

    def __init__(self) -> None:
        super().__init__()
        kept = torch.rand(DRAWN) >= DROPPED
        self._masks = kept.to(torch.bfloat16) / (1 - DROPPED)

    def forward(self, rows: torch.Tensor) -> torch.Tensor:
        if not self.training:
            return rows
        at = int(torch.randint(DRAWN - rows.numel(), ()))
        return rows * self._masks[at : at + rows.numel()].view(rows.shape).to(rows.dtype)


class Model(nn.Module):
    """The embedding model, and a head on [CLS] beside the mean of the claim's tokens.

    With what adapters add to both in the mean, where there are any.
    """

    def __init__(self, on: Sequence[Adapter] = ()) -> None:
        super().__init__()
        from transformers import BertModel

        none = {"hidden_dropout_prob": 0.0, "attention_probs_dropout_prob": 0.0}
        self.bert = BertModel.from_pretrained(
            bundled_weights(), add_pooling_layer=False, attn_implementation="eager", **none
        )
        self.bert.embeddings.requires_grad_(False)
        self._before = {name: part.detach().clone() for name, part in self.bert.encoder.named_parameters()}
        size = self.bert.config.hidden_size
        self.second = nn.Parameter(torch.zeros(size))
        self.head = nn.Linear(2 * size, len(KINDS))
        if on:
            nn.init.zeros_(self.head.weight)
            nn.init.zeros_(self.head.bias)
        drop = Dropped()
        for module in list(self.bert.modules()):
            if hasattr(module, "LayerNorm") and isinstance(getattr(module, "dropout", None), nn.Dropout):
                module.dropout = drop
        for one in on:
            self._add(one, 1 / len(on))

    @torch.no_grad()
    def _add(self, one: Adapter, share: float) -> None:
        named = dict(self.bert.named_parameters())
        for name, change in one.changes.items():
            named[name].add_(torch.from_numpy(change), alpha=share)
        for mine, its in (
            (self.second, one.head.second),
            (self.head.weight, one.head.weight),
            (self.head.bias, one.head.bias),
        ):
            mine.add_(torch.from_numpy(its), alpha=share)

    def forward(self, ids: torch.Tensor, second: torch.Tensor, mask: torch.Tensor) -> torch.Tensor:
        words = self.bert.embeddings.word_embeddings(ids) + second.unsqueeze(-1) * self.second
        rows = self.bert(inputs_embeds=words, attention_mask=mask).last_hidden_state
        mine = (mask * (1 - second)).unsqueeze(-1).to(rows.dtype)
        out: torch.Tensor = self.head(torch.cat([rows[:, 0], (rows * mine).sum(1) / mine.sum(1)], -1))
        return out

    def learned(self) -> dict[str, NDArray[Any]]:
        """What :func:`rag.embed.adapter.load_adapter` reads."""
        parts = {"second": self.second, "head": self.head.weight, "bias": self.head.bias}
        made = {name: part.detach().numpy().astype(np.float16) for name, part in parts.items()}
        for name, part in self.bert.encoder.named_parameters():
            change = (part.detach() - self._before[name]).numpy()
            if change.ndim == 2:
                made |= Narrow.of(change, RANK).parts(f"encoder.{name}")
            else:
                made[f"encoder.{name}"] = change.astype(np.float16)
        return made
