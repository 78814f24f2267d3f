"""Links in generated text: to cited documents of this library, or text."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from pathlib import Path

import pytest

from pages.ui.answer import answer_markdown
from pages.ui.cited_links import linked, targets
from tests.fakes import FakeEngine

DOCUMENTS = {"fees/2026.md": "d 1", "https://harbour.example/fees": "d 1", "a b.md": "d2"}
HERE = "library?prototype=harbour&document=d%201"


def drawn(text: str) -> str:
    return answer_markdown(text, [], (), partial(linked, prototype="harbour", documents=DOCUMENTS))


@pytest.mark.parametrize(
    ("text", "markdown"),
    [
        ("See [the fees](fees/2026.md).", f"See [the fees]({HERE})&#46;"),
        ("[fees](https://harbour.example/fees)", f"[fees]({HERE})"),
        ("[b](a%20b.md)", "[b](library?prototype=harbour&document=d2)"),
        ("[b](<a b.md>)", "[b](library?prototype=harbour&document=d2)"),
        ("[*a* <b> :red\\](fees/2026.md)", f"[&#42;a&#42; &#60;b&#62; &#58;:small[]red&#92;]({HERE})"),
    ],
)
def test_a_link_to_a_cited_document_leads_to_its_page(text: str, markdown: str) -> None:
    assert drawn(text) == markdown


@pytest.mark.parametrize(
    "text",
    [
        "[fees](https://evil.example/fees)",
        "[fees](https://harbour.example/fees?q=secret)",
        "[fees](javascript:alert(1))",
        "[fees](//evil.example)",
        "[fees](FEES/2026.md)",
        "![fees](fees/2026.md)",
        "![fees](https://harbour.example/fees)",
        "\\[fees](fees/2026.md)",
        "[[fees](fees/2026.md",
        "[ ](fees/2026.md)",
        '[fees](fees/2026.md "title")',
        "[fees][1]\n\n[1]: fees/2026.md",
        "<a href='fees/2026.md'>fees</a>",
    ],
)
def test_everything_else_stays_text(text: str) -> None:
    assert drawn(text) == answer_markdown(text, [])


def test_what_a_document_is_called_cannot_leave_the_address() -> None:
    evil = partial(
        linked, prototype="x", documents={"a.md": "//evil.example)](http://evil.example/&document=b"}
    )

    assert answer_markdown("[a](a.md)", [], (), evil) == (
        "[a](library?prototype=x&document="
        "%2F%2Fevil.example%29%5D%28http%3A%2F%2Fevil.example%2F%26document%3Db)"
    )


def test_only_what_is_cited_is_linked_and_what_is_one_document(tmp_path: Path) -> None:
    response = FakeEngine(tmp_path).ask("wine", "Which red goes with lamb?")
    list(response)
    answer = response.answer
    one = replace(answer, citations=answer.citations[:1])
    named = [replace(p, metadata={"url": f"https://wine.example/{p.document_id}"}) for p in answer.passages]

    assert len({c.source for c in answer.citations}) == 1  # rows of one table
    assert targets(answer) == {}
    assert targets(one) == {one.citations[0].source: one.citations[0].document_id}
    assert targets(replace(answer, passages=tuple(named))) == {
        f"https://wine.example/{c.document_id}": c.document_id for c in answer.citations
    }
    assert targets(replace(answer, citations=())) == {}
    assert targets(replace(answer, passages=())) == {}
