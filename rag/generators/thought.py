"""What a model thought before it wrote, where a server leaves that in the text, taken out of it.

Models that reason open their reply with ``<think>…</think>``. A server that is set up for them puts
it elsewhere; others (llama.cpp, Ollama and vLLM without a parser for it) send it as text.
"""

from __future__ import annotations

_OPEN, _CLOSE = "<think>", "</think>"


def without_thought(text: str) -> str:
    """``text`` from where it is written for a reader; nothing of it where the thought never ends."""
    thought = Thought()
    return thought.feed(text) + thought.end()


class Thought:
    """Takes what a text opens with out of it, while it comes in pieces; any split gives the same."""

    def __init__(self) -> None:
        self._held = ""
        """What may open a thought, or close it, once more has come."""
        self._inside = False
        self._over = False
        """Whether what is written for the reader has begun."""
        self._taken = 0
        """Characters that were taken out."""

    def feed(self, piece: str) -> str:
        """What is not thought of the next piece."""
        if self._over:
            return piece
        self._held += piece
        while True:
            if self._inside and not self._closes():
                return ""
            begun = self._held.lstrip()
            if not begun.startswith(_OPEN):
                break
            self._take(len(self._held) - len(begun) + len(_OPEN))
            self._inside = True
        if _OPEN.startswith(begun):
            return ""  # it may still open one
        self._over = True
        return self.end()

    def end(self) -> str:
        """What was held back."""
        held, self._held = self._held, ""
        return "" if self._inside else held

    def place(self, at: int) -> int:
        """Where a place of the text as it came is in the text that was given out."""
        return max(0, at - self._taken)

    def _closes(self) -> bool:
        """Whether the thought ends in what came; all of it but what may close it is forgotten."""
        at = self._held.find(_CLOSE)
        self._take(max(0, len(self._held) - len(_CLOSE) + 1) if at < 0 else at + len(_CLOSE))
        self._inside = at < 0
        return at >= 0

    def _take(self, characters: int) -> None:
        self._held = self._held[characters:]
        self._taken += characters
