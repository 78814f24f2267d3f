"""A second opinion on a doubted claim, by the model that writes.

Stands between the checker and the generators, which know nothing of each other. The model is
asked twice, the second time with source and claim, and the two verdicts, in the other order:
models favour what comes first, or last (Zheng et al. 2023, "Judging LLM-as-a-Judge"). Only what it
says both times counts. What rules found wrong is not asked about, and costs nothing.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any, Protocol

from rag.cite import Judgement
from rag.errors import GenerationError
from rag.generators.prompt import Prompt, load_prompt, visible

Judge = Callable[[str, str], Judgement]

log = logging.getLogger(__name__)

DOUBTS = frozenset({"meaning", "quantifier"})
"""Reasons that leave open whether a claim is wrong: ``unsaid`` and what rules name does not."""
MOST_ASKED = 8
"""Doubted claims of one answer that the model is asked about, twice each: what bounds the cost."""
_FAR = 0.02
"""Score up to which a source is about something else: nobody needs to be asked."""
_VERDICTS = ("supported", "unsupported")


class Completes(Protocol):
    """A generator that answers a short prompt as a whole, in the shape that a schema gives."""

    def complete(
        self, prompt: Prompt, values: Mapping[str, str], *, schema: Mapping[str, Any] | None = None
    ) -> str: ...


def seconded(judge: Judge, model: Completes) -> Judge:
    """``judge``, and the model where that doubts; for one answer.

    Where the model fails, contradicts itself or says something else, the verdict of ``judge``
    stands, and after a failure the model is not asked again.
    """
    asked: dict[tuple[str, str], bool] = {}
    failed = False

    def judged(claim: str, source: str) -> Judgement:
        nonlocal failed
        found = judge(claim, source)
        doubted = found.verdict == "unsupported" and set(found.reasons) <= DOUBTS and found.score > _FAR
        if not doubted:
            return found
        pair = (claim, source)
        if pair not in asked:
            if failed or len(asked) >= MOST_ASKED:
                return found
            try:
                asked[pair] = all(
                    _says(model, claim, source, turned) == "supported" for turned in (False, True)
                )
            except GenerationError as error:
                failed = True
                log.warning("A doubted claim was not shown to the model: %s", error)
                return found
        return replace(found, verdict="supported", reasons=()) if asked[pair] else found

    return judged


def _says(model: Completes, claim: str, source: str, turned: bool) -> str | None:
    """What the model says of the pair; None where that is no verdict."""
    parts = [f"<source>\n{_data(source)}\n</source>", f"<claim>\n{_data(claim)}\n</claim>"]
    verdicts = list(_VERDICTS)
    if turned:
        parts.reverse()
        verdicts.reverse()
    schema = {
        "type": "object",
        "properties": {"verdict": {"type": "string", "enum": verdicts}},
        "required": ["verdict"],
        "additionalProperties": False,
    }
    question = f'Is the claim "{verdicts[0]}" or "{verdicts[1]}" by the source?'
    values = {"first": parts[0], "second": parts[1], "question": question}
    reply = model.complete(load_prompt("judge-1"), values, schema=schema)
    try:
        said = json.loads(reply[reply.find("{") : reply.rfind("}") + 1])["verdict"]
    except (ValueError, KeyError, TypeError):
        return None
    return said if said in _VERDICTS else None


def _data(text: str) -> str:
    """Untrusted text that cannot close the tag it stands in."""
    return visible(text).replace("</", "‹/")
