"""Text on one line, cut at a word."""

from __future__ import annotations


def shortened(text: str, limit: int = 0) -> str:
    """``text`` on one line; beyond ``limit`` characters (0: no limit) cut at a word, with an ellipsis."""
    text = " ".join(text.split())
    if not limit or len(text) <= limit:
        return text
    head = text[:limit]
    return head[: head.rfind(" ")].rstrip() + "…" if " " in head[limit // 2 :] else head + "…"
