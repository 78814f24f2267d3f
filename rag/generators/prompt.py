"""Prompts: files with a name, a version, and places for the passages and the question.

A prompt is a Markdown file with a ``# system`` and a ``# user`` part. Those that come with
the program are in ``rag/generators/prompts``; a prototype's own are in its folder
``prompts/``, and win. The version of an answer names the file and hashes its text, so that an
edited prompt never passes for the one before.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from rag.errors import UsageError
from rag.types import Passage, Turn
from rag.unseen import without_unseen

FOLDER = Path(__file__).parent / "prompts"
DEFAULT = "cited-1"
MAX_HISTORY = 6_000
"""Characters of earlier turns in a prompt, about 1,500 tokens; the oldest are cut first."""

Order = Literal["edges", "rank", "reverse"]

_NAME = re.compile(r"[a-z0-9][a-z0-9-]{0,63}")
_PARTS = re.compile(r"\A# system\n(.*?)\n# user\n(.*)\Z", re.DOTALL)
_TAG = re.compile(
    r"<(?=\s*/?\s*(?:passages?|question|system|assistant|user|human|instructions?|documents?|tool_\w+|think|"
    r"(?:start|end)_of_\w+|(?:bos|eos|pad|unk|mask)(?:_token)?|s)\b)|<(?=[|｜]|<SYS)|"
    r"\[(?=/?(?:INST|SYSTEM_PROMPT|TOOL_\w+|AVAILABLE_TOOLS)\])",
    re.IGNORECASE,
)
"""What opens a tag of ours, or a token of the templates that local servers put prompts into."""


@dataclass(frozen=True, slots=True)
class Prompt:
    """``system`` and ``user`` texts; ``version`` is the file's name and six digits of its hash."""

    name: str
    version: str
    system: str
    user: str

    def fill(self, **values: str) -> str:
        """The user part with each ``{name}`` replaced, once, by its value."""
        pattern = re.compile("|".join(re.escape(f"{{{name}}}") for name in values))
        return pattern.sub(lambda m: values[m[0][1:-1]], self.user)


def load_prompt(name: str = "", folder: Path | None = None) -> Prompt:
    """The prompt of that name; ``folder`` is a prototype's own, which is looked into first.

    Raises :class:`UsageError` where there is none, or it lacks a part or a place.
    """
    name = name or DEFAULT
    places = [place for place in (folder / "prompts" if folder else None, FOLDER) if place]
    known = sorted({p.stem for place in places if place.is_dir() for p in place.glob("*.md")})
    path = next(
        (p / f"{name}.md" for p in places if _NAME.fullmatch(name) and (p / f"{name}.md").is_file()), None
    )
    if path is None:
        raise UsageError(f"There is no prompt “{name}”. The prompts are: {', '.join(known)}.")
    text = path.read_text(encoding="utf-8", errors="replace").replace("\r\n", "\n")
    parts = _PARTS.fullmatch(text)
    if parts is None or "{question}" not in parts[2]:
        raise UsageError(
            f"The prompt “{name}” needs a “# system” part and a “# user” part that holds "
            "{question}. Mend its file."
        )
    digest = hashlib.sha256(text.encode()).hexdigest()[:6]
    return Prompt(name, f"{name}-{digest}", parts[1].strip(), parts[2].strip())


def visible(text: str) -> str:
    """The text without characters that are not seen; tags of ours in it are disarmed."""
    return _TAG.sub("‹", without_unseen(text))


def ordered(passages: Sequence[Passage], order: Order) -> list[tuple[int, Passage]]:
    """Passages with their numbers (from 1, best first), as they stand in the prompt.

    ``edges`` puts the best first, the second best last, and so on inwards: models use what
    stands at the edges of a long context best (Liu et al. 2023, "Lost in the Middle").
    """
    ranked = list(enumerate(passages, 1))
    if order == "reverse":
        return ranked[::-1]
    return ranked if order == "rank" else ranked[::2] + ranked[1::2][::-1]


def passages_text(passages: Sequence[Passage], order: Order) -> str:
    """The passages as delimited data."""
    return "\n\n".join(
        f'<passage number="{number}" from="{visible(_place(passage))}">\n{visible(passage.text)}\n</passage>'
        for number, passage in ordered(passages, order)
    )


def _place(passage: Passage) -> str:
    place = " › ".join(dict.fromkeys((passage.title or passage.source, *passage.path)))
    return re.sub(r"[\"<>\s]+", " ", place)[:200]


def history_within(history: Sequence[Turn], budget: int = MAX_HISTORY) -> list[Turn]:
    """The newest turns that fit ``budget`` characters, oldest first, as :func:`visible` shows them.

    Of the newest there is as much as fits, of its question first: a follow-up leans on it, and means
    nothing without. A quarter is left to the answer, which it may lean on too. An answer may quote
    documents, and a file of questions may bring anything as what was said.
    """
    kept: list[Turn] = []
    for turn in reversed(history):
        question, text = visible(turn.question), visible(turn.text)
        if budget <= 0 or (kept and budget < len(question) + len(text)):
            break
        question = question[: budget - min(len(text), budget // 4)]
        kept.append(Turn(question, text[: budget - len(question)]))
        budget -= len(question) + len(text)
    return kept[::-1]
