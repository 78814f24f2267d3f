"""Feedback as training data for TRL: KTO from thumbs, DPO from comparisons and corrections.

KTO (``prompt``, ``completion``, ``label``): an answer with a thumb up is desirable, one with a
thumb down is not, and a correction is. DPO (``prompt``, ``chosen``, ``rejected``): of two answers
the preferred one over the other, ties and "neither" left out; and a correction over the answer
that it corrects. Answers that were stopped before their end train nothing, nor does a pair
of equal texts.

The prompt is by default what a model was or would have been given: the instructions, the
passages and the question, in one text; as ``messages`` the same in the conversational form that
TRL applies a chat template to; as ``question`` the question alone. Two answers that were
compared may have had different passages; the prompt has those of the chosen one. Earlier turns
are not in it: the question is the one that stands alone.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import lru_cache
from pathlib import Path
from typing import Any

from rag.errors import UsageError
from rag.export.formats import Counts, Format
from rag.export.source import Source
from rag.export.writing import line, opened
from rag.generators.prompt import Prompt, load_prompt, passages_text
from rag.prototypes import READY_MADE
from rag.types import Answer

Text = str | list[dict[str, str]]


class Prompts:
    """Makes prompts and completions in the form that was asked for."""

    def __init__(self, source: Source) -> None:
        self._form = source.options.prompt
        self._settings = source.settings
        folders = (source.home / "prototypes", READY_MADE)

        @lru_cache(maxsize=64)
        def load(prototype: str, name: str) -> Prompt:
            own = next((root / prototype for root in folders if (root / prototype).is_dir()), None)
            try:
                return load_prompt(name, own)
            except UsageError:  # it is gone: the instructions that come with the program
                return load_prompt()

        self._prompt: Callable[[str, str], Prompt] = load

    def prompt(self, answer: Answer) -> Text:
        question = answer.rewritten or answer.question
        if self._form == "question":
            return question
        settings = self._settings(answer.provenance.settings)
        prompt = self._prompt(answer.provenance.prototype, str(settings.get("prompt") or ""))
        order: Any = settings.get("prompt.order") or "edges"
        user = prompt.fill(passages=passages_text(answer.passages, order), question=question)
        if self._form == "messages":
            return [{"role": "system", "content": prompt.system}, {"role": "user", "content": user}]
        return f"{prompt.system}\n\n{user}\n\n"

    def completion(self, text: str) -> Text:
        return [{"role": "assistant", "content": text}] if self._form == "messages" else text


def write_kto(source: Source, path: Path) -> Counts:
    prompts = Prompts(source)
    counts = {"rows": 0, "desirable": 0, "undesirable": 0, "corrections": 0}
    with opened(path) as file:
        for rated in source.answers():
            answer, feedback = rated.answer, rated.feedback
            if feedback is None:
                continue
            examples = []
            if feedback.rating and answer.text.strip() and not answer.stopped:
                examples.append((answer.text, feedback.rating == "up"))
            if feedback.correction.strip() and feedback.correction != answer.text:
                examples.append((feedback.correction, True))
                counts["corrections"] += 1
            for text, label in examples:
                example = {
                    "prompt": prompts.prompt(answer),
                    "completion": prompts.completion(text),
                    "label": label,
                }
                file.write(line(example))
                counts["rows"] += 1
                counts["desirable" if label else "undesirable"] += 1
    return counts


def write_dpo(source: Source, path: Path) -> Counts:
    prompts = Prompts(source)
    counts = {"rows": 0, "preferences": 0, "corrections": 0, "undecided": 0}
    with opened(path) as file:
        for kind, answer, chosen, rejected in _pairs(source):
            if kind == "undecided":
                counts[kind] += 1
                continue
            if not chosen.strip() or not rejected.strip() or chosen == rejected:
                continue
            pair = {
                "prompt": prompts.prompt(answer),
                "chosen": prompts.completion(chosen),
                "rejected": prompts.completion(rejected),
            }
            file.write(line(pair))
            counts["rows"] += 1
            counts[kind] += 1
    return counts


def _pairs(source: Source) -> Iterator[tuple[str, Answer, str, str]]:
    for preference, left, right in source.preferences():
        if left.stopped or right.stopped or preference.choice not in ("left", "right"):
            yield "undecided", left, "", ""
        elif preference.choice == "left":
            yield "preferences", left, left.text, right.text
        else:
            yield "preferences", right, right.text, left.text
    for rated in source.answers():
        if rated.feedback and rated.feedback.correction and not rated.answer.stopped:
            yield "corrections", rated.answer, rated.feedback.correction, rated.answer.text


KTO = Format("kto", "TRL KTO", "Answers with a thumb, as desirable or not.", ".jsonl", write_kto)
DPO = Format("dpo", "TRL DPO", "Pairs of a chosen and a rejected answer.", ".jsonl", write_dpo)
