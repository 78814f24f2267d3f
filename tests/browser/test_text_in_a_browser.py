"""A browser shows exactly the text that went through ``plain``: nothing becomes markup."""

from __future__ import annotations

import json
import random
from collections.abc import Callable
from pathlib import Path

import pytest
from browser_steps import HERE, serving
from playwright.sync_api import BrowserContext, expect

from pages.ui.text import shown

pytestmark = pytest.mark.browser

KNOWN = [
    "<img src=x onerror=alert(1)>",
    "![x](http://127.0.0.1:9/leak)",
    "[a](javascript:alert(1))",
    "$$x^2$$",
    "$a$ costs $5",
    ":red[x] :material/home: :material_home: :streamlit: :smile: :+1:",
    "a -> b <- c <-> d -- e",
    "https://example.com/x?a=b www.example.com me@example.com mailto:me@example.com HTTP://x.y WWW.x.y",
    "1. one\n2. two\n\n- a\n\n\n# head\n> quote",
    "| a | b |\n|---|---|\n| 1 | 2 |",
    "    code\n\tmore\n```\nx\n```",
    "&amp; &lt; &#38; &nbsp;",
    "[^1]: foo [x]: http://y",
    "~~strike~~ **b** _i_ `c` <b>",
    "Setext\n===\nfoo\n---",
    "אבג def 日本語。テスト 😀 👩\u200d👩\u200d👧",
    "\x00\x01\x7f\x85\u2028z",
    "\ufeffbom",
    "x\\\ny\\",
    "::: warning\n::leaf[x]",
    "<!-- c --> <https://a.b> -- -> => www. --",
    "- ",
    "+",
    "1)",
    "12:30:45 ::x::",
    "\\$x$ \\(x\\) \\[y\\]",
]
PARTS = [
    *"ab1 !\"#$%&'()*+,-./:;<=>?@[\\]^_`{|}~\n\té字", "  ", "http://", "www.", "@x.yz", ":red[", "](", "![",
    ":material/home:", ":smile:", "->", "--", "**", "$$", "&lt;", "<b>", "\\\n",
]  # fmt: skip
FORBIDDEN = "a, img, h1, h2, ul, ol, table, code, pre, em, strong, del, hr, blockquote, .katex, [role=img]"


def lines(text: str) -> str:
    """White space as a reader sees it: none at line ends, runs of it alike."""
    return "\n".join(" ".join(line.split()) for line in text.replace("\u00a0", " ").split("\n")).strip("\n")


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_what_is_drawn_is_what_was_written(
    tmp_path: Path, new_context: Callable[..., BrowserContext], seed: int
) -> None:
    pick = random.Random(seed)
    texts = KNOWN + ["".join(pick.choices(PARTS, k=pick.randint(1, 40))) for _ in range(300)]
    texts = [text for text in texts if text.strip()]
    (tmp_path / "texts.json").write_text(json.dumps(texts), encoding="utf-8")
    with serving(HERE / "serve_text.py", tmp_path) as address:
        page = new_context().new_page()
        requested: list[str] = []
        page.on("request", lambda request: requested.append(request.url))
        page.goto(address)
        expect(page.get_by_text("the end", exact=True)).to_be_visible()
        drawn = page.get_by_test_id("stMarkdownContainer")
        expect(drawn).to_have_count(2 * len(texts))
        found = drawn.evaluate_all("all => all.map(element => element.innerText)")
        assert page.locator("[data-testid=stMarkdownContainer]").locator(FORBIDDEN).count() == 0
    for n, text in enumerate(texts):
        for got in found[2 * n : 2 * n + 2]:
            assert lines(got) == lines(shown(text))
    assert [url for url in requested if not url.startswith((address, "data:", "blob:"))] == []
