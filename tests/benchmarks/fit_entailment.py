"""Teach the embedding model to read a claim and its source together, and say what that is worth.

    python -m tests.benchmarks.fit_entailment DATA [--out FOLDER] [--hold NAME ...] [--epochs N]

It is fitted on the labelled pairs under ``tests/claims`` but those of ``UNSEEN`` and ``held``,
and on some that :mod:`tests.benchmarks.derived` makes of ``DATA/squad``. What is printed is of ``held``,
of the sets of ``--hold``, on which ``tests.benchmarks.fit_read`` sets the thresholds afterwards, and
of ``DATA/xquad``: none was fitted on. ``--out`` (``rag/embed`` in the project) gets the adapter and
its provenance. On two cores with AMX an epoch takes some twelve minutes.

All layers are fitted, the vectors of words and places stay; beside the binary loss (does the claim
follow?), that of what was changed counts half. What was learned of each matrix is then cut to its
largest ``RANK`` singular values, which keeps nearly all that it is worth in a file of a few megabytes:
fitting narrow matrices from the start (LoRA) was measured to learn less in the same time.

Sets by one author teach that author's manner, too. In those of ``MANNERED`` a claim with a negation word is
mostly true, and a model taught with them alone passes a false "does not" readily: most of those
claims are left out. In ``denied_*`` and ``quantified_*`` such words stand as often in false claims as in
true ones.
"""

from __future__ import annotations

import argparse
import datetime
import hashlib
import math
import random
import re
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn
from torch.nn import functional

from rag.cite.evidence import MOST, evidence, parts
from rag.cite.signals import coverage
from rag.embed.adapter import KINDS, Narrow
from rag.embed.pairs import MOST_CLAIM, MOST_SOURCE
from rag.embed.weights import bundled_weights
from rag.sentences import sentences
from tests.benchmarks.derived import pairs
from tests.benchmarks.labelled import SETS, rows

UNSEEN, HELD = ("kept", "fresh", "last", "audit", "audit2"), "held"
RANK, RATE, BATCH = 96, 2e-4, 32
MANNER = re.compile(r"\b(?:not?|never|none|nobody|nothing|neither|nor|without|cannot|nowhere)\b|n't\b", re.I)
MANNERED = re.compile(r"dev\d?|business|comparisons|encyclopedia|events|history|household|nature|offices|"
    "permissions|products|reports|rules|science|services")  # fmt: skip
LEFT_OUT = 0.75
"""Share of the true claims with a word of ``MANNER``, of the sets of ``MANNERED``."""
FROM_SQUAD, FROM_XQUAD = 1_000, 1_200
PART, SHORTENED = 300, 0.3
"""Characters of a source of fewer sentences, and how often it is read instead."""
NAMED = {kind: n for n, kind in enumerate(KINDS)} | {"opposite": 5, "unrelated near": 8}


@dataclass(frozen=True, slots=True)
class Pair:
    of: str
    kind: str
    denies: bool
    """Whether a word of ``MANNER`` is in the claim."""
    claim: list[int]
    """Token ids with [CLS] and [SEP]."""
    source: list[int]
    """Token ids with [SEP] at the end."""
    part: list[int]
    """The same of fewer sentences, those nearest to the claim."""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("data", type=Path)
    parser.add_argument("--out", type=Path)
    parser.add_argument("--hold", nargs="*", default=["business", "dev7"])
    parser.add_argument("--epochs", type=int, default=4)
    parser.add_argument("--seed", type=int, default=1)
    args = parser.parse_args()
    draw = random.Random(args.seed)
    torch.manual_seed(args.seed)
    read = Reader()
    found: dict[str, list[Pair]] = {}
    for path in sorted(SETS.rglob("*.jsonl")):
        if path.stem not in UNSEEN:
            found[path.stem] = read.pairs(path.stem, rows(path))
    for name, most in (("squad", FROM_SQUAD), ("xquad", FROM_XQUAD)):
        made = [(p.kind, p.claim, p.source) for p in pairs(args.data / name)]
        draw.shuffle(made)
        found[name] = read.pairs(name, made[:most])
    held = [HELD, "xquad", *args.hold]
    fitted = [pair for of, some in found.items() if of not in held for pair in some]
    fitted = [pair for pair in fitted if not mannered(pair) or draw.random() >= LEFT_OUT]
    fitted += elsewhere([p for p in fitted if p.kind == "true"], draw)
    print(f"{len(fitted):,} pairs are fitted on", flush=True)
    model = Model()
    for epoch, said in enumerate(fit(model, fitted, args.epochs, draw), start=1):
        print(f"epoch {epoch}: {said}", flush=True)
        last = epoch == args.epochs
        shares = {of: judged(model, found[of]) for of in held if of in found and (last or of == HELD)}
        for of, of_kind in shares.items():
            line = "  ".join(f"{kind} {share:.3f}" for kind, share in of_kind.items())
            print(f"  {of}: {line}", flush=True)
        if args.out:
            np.savez(args.out / "entailment.npz", **model.learned())
            (args.out / "entailment.toml").write_text(as_toml(args, found, held, shares), encoding="utf-8")


class Reader:
    """Claims and sources to token ids, a long source cut as :mod:`rag.cite.signals` cuts it."""

    def __init__(self) -> None:
        from rag.embed.session import load_tokenizer

        self._tokenizer: Any = load_tokenizer()

    def pairs(self, of: str, some: Any) -> list[Pair]:
        return [self.pair(of, *row) for row in some if row[0] in NAMED]

    def pair(self, of: str, kind: str, claim: str, source: str) -> Pair:
        spans = parts(source, sentences(source))
        worth = [coverage(claim, source[a:b]) for a, b in spans]
        encode = self._tokenizer.encode
        first = encode(claim).ids
        if len(first) > MOST_CLAIM:
            first = [*first[: MOST_CLAIM - 1], first[-1]]
        whole, part = (
            [
                *encode(evidence(source, spans, worth, most), add_special_tokens=False).ids[:MOST_SOURCE],
                first[-1],
            ]
            for most in (MOST, PART)
        )
        return Pair(of, kind, MANNER.search(claim) is not None, first, whole, part)


def mannered(pair: Pair) -> bool:
    """Whether it is one of those that only teach the manner of their authors."""
    return pair.denies and pair.kind == "true" and MANNERED.fullmatch(pair.of) is not None


def elsewhere(true: Sequence[Pair], draw: random.Random) -> Iterator[Pair]:
    """One true claim in ten beside the source of another pair of its set: it does not follow there."""
    by_set: dict[str, list[Pair]] = {}
    for pair in true:
        by_set.setdefault(pair.of, []).append(pair)
    for some in by_set.values():
        for pair in draw.sample(some, len(some) // 10):
            other = draw.choice(some)
            if other.source != pair.source:
                yield replace(pair, kind="unrelated", source=other.source, part=other.part)


class Model(nn.Module):
    """The embedding model, and a head on [CLS] beside the mean of the claim's tokens."""

    def __init__(self) -> None:
        super().__init__()
        from transformers import BertModel

        # There is no dropout: on a processor it takes longer than all else.
        none = {"hidden_dropout_prob": 0.0, "attention_probs_dropout_prob": 0.0}
        self.bert = BertModel.from_pretrained(
            bundled_weights(), add_pooling_layer=False, attn_implementation="eager", **none
        )
        self.bert.embeddings.requires_grad_(False)
        self._before = {name: part.detach().clone() for name, part in self.bert.encoder.named_parameters()}
        size = self.bert.config.hidden_size
        self.second = nn.Parameter(torch.zeros(size))
        self.head = nn.Linear(2 * size, len(KINDS))

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


def fit(model: Model, fitted: Sequence[Pair], epochs: int, draw: random.Random) -> Iterator[str]:
    """Fit it; after each epoch its loss and how long it took."""
    learned = [p for p in model.parameters() if p.requires_grad]
    optimiser = torch.optim.AdamW(learned, lr=RATE, weight_decay=0.0)
    steps = epochs * math.ceil(len(fitted) / BATCH)
    warm = 0.06 * steps
    rate = torch.optim.lr_scheduler.LambdaLR(
        optimiser, lambda n: min(1, (n + 1) / warm) * max(0.02, 1 - n / steps)
    )
    started = time.monotonic()
    for _ in range(epochs):
        model.train()
        total = 0.0
        for batch in batches(fitted, draw):
            kinds = torch.tensor([NAMED[pair.kind] for pair in batch])
            with torch.autocast("cpu", torch.bfloat16):
                out = model(*tensors(batch))
            log = functional.log_softmax(out.float(), -1)
            follows = torch.where(kinds == 0, log[:, 0], torch.logsumexp(log[:, 1:], -1))
            changed = functional.cross_entropy(out.float(), kinds, label_smoothing=0.05)
            loss = -follows.mean() + 0.5 * changed
            optimiser.zero_grad()
            loss.backward()
            nn.utils.clip_grad_norm_(learned, 1.0)
            optimiser.step()
            rate.step()
            total += loss.item() * len(batch)
        yield f"loss {total / len(fitted):.3f}, {time.monotonic() - started:.0f} s"


def batches(some: Sequence[Pair], draw: random.Random) -> Iterator[list[Pair]]:
    """All in random order, each batch of about one length."""
    order = draw.sample(list(some), len(some))
    # Three in ten with fewer sentences: what is left of a source must not be learned by heart.
    order = [replace(pair, source=pair.part) if draw.random() < SHORTENED else pair for pair in order]
    made = []
    for start in range(0, len(order), 16 * BATCH):
        part = sorted(order[start : start + 16 * BATCH], key=_length)
        made += [part[at : at + BATCH] for at in range(0, len(part), BATCH)]
    draw.shuffle(made)
    yield from made


def _length(pair: Pair) -> int:
    return len(pair.claim) + len(pair.source)


def tensors(batch: Sequence[Pair]) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """Token ids, which belong to the source, and which are there at all; each ``(n, longest)``."""
    shape = len(batch), max(map(_length, batch))
    ids, second, mask = (torch.zeros(shape, dtype=torch.long) for _ in range(3))
    for row, pair in enumerate(batch):
        end = _length(pair)
        ids[row, :end] = torch.tensor([*pair.claim, *pair.source])
        second[row, len(pair.claim) : end] = 1
        mask[row, :end] = 1
    return ids, second, mask


def judged(model: Model, some: Sequence[Pair]) -> dict[str, float]:
    """Share of each kind that is taken for changed, and the AUROC of true claims against unrelated ones."""
    model.eval()
    follows: dict[str, list[float]] = {}
    order = sorted(some, key=_length)
    with torch.no_grad():
        for at in range(0, len(order), 64):
            part = order[at : at + 64]
            for pair, p in zip(part, torch.softmax(model(*tensors(part)), -1)[:, 0].tolist(), strict=True):
                follows.setdefault(pair.kind, []).append(p)
    shares = {kind: float(np.mean(np.array(p) < 0.5)) for kind, p in sorted(follows.items())}
    for kind in ("unrelated", "unrelated near"):
        if kind in follows:
            against = np.array(follows["true"])[:, None] > np.array(follows[kind])[None]
            shares[f"auroc {kind}"] = float(against.mean())
    return shares


def as_toml(
    args: argparse.Namespace,
    found: dict[str, list[Pair]],
    held: Sequence[str],
    shares: dict[str, dict[str, float]],
) -> str:
    lines = [
        "# Where entailment.npz beside this file is from, and what it is worth. Written by:",
        "#     python -m tests.benchmarks.fit_entailment DATA --out rag/embed",
        "# The shares are of claims that are taken for changed at a probability of one half, on sets that",
        "# it was not fitted on.",
        "",
        f'date = "{datetime.date.today()}"',
        f"rank = {RANK}",
        f"epochs = {args.epochs}",
        f"seed = {args.seed}",
    ]
    for name, some in found.items():
        lines += ["", f"[{'held_out' if name in held else 'fitted_on'}.{name}]", f"pairs = {len(some)}"]
        path = next(SETS.rglob(f"{name}.jsonl"), None)
        if path is not None:
            lines.append(f'sha256 = "{hashlib.sha256(path.read_bytes()).hexdigest()}"')
        lines += [f'"{kind}" = {share:.3f}' for kind, share in shares.get(name, {}).items()]
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    main()
