"""Every passage and citation is the document's text from its start to its end, for every reader."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from rag import show
from rag.config import Environment, Settings, with_settings
from rag.engine import Engine
from tests.conftest import write_files
from tests.fakes import FakeEmbedder
from tests.files import make_csv, make_docx, make_html, make_jsonl, make_markdown, make_pdf

WORDS = st.sampled_from(
    "bee Honey queen train tea 3.5 e.g. Dr. 1,000 café naïve 🐝 蜂蜜。 שלום \u200f C++ “quoted” — …".split()
)
SENTENCE = st.builds(
    lambda words, stop: " ".join(words) + stop,
    st.lists(WORDS, min_size=1, max_size=12),
    st.sampled_from(".!?。:"),
)
PARAGRAPH = st.builds(
    lambda sentences, gap: gap.join(sentences),
    st.lists(SENTENCE, min_size=1, max_size=8),
    st.sampled_from([" ", "  ", "\n", " \t"]),
)
PARAGRAPHS = st.lists(PARAGRAPH, min_size=1, max_size=6)
WILD = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=40)


def text(paragraphs: list[str], wild: str) -> bytes:
    return f"{wild}\r\n\r\n".join(paragraphs).encode() + wild.encode()


def markdown(paragraphs: list[str], wild: str) -> bytes:
    parts = [f"{'#' * (n % 3 + 1)} Part {n}\n\n{p}\n\n- one\n- {p}\n\n" for n, p in enumerate(paragraphs)]
    return make_markdown(
        "".join(parts) + f"\n```\n{wild}\n```\n| a | b |\n|---|---|\n| bee | {paragraphs[0]} |\n"
    )


def html(paragraphs: list[str], wild: str) -> bytes:
    body = "".join(f"<h2>Part {n}</h2><p>{p}</p><ul><li>{p}</li></ul>" for n, p in enumerate(paragraphs))
    return make_html(f"<main>{body}<pre>{wild.replace('<', '&lt;').replace('&', '&amp;')}</pre></main>")


def pdf(paragraphs: list[str], wild: str) -> bytes:
    return make_pdf(paragraphs)


def docx(paragraphs: list[str], wild: str) -> bytes:
    blocks: list[object] = [("Heading 1", "Bees")]
    blocks += [("Normal", p) for p in paragraphs]
    return make_docx([*blocks, [["a", "b"], ["bee", paragraphs[0]]]])  # type: ignore[list-item]


def csv(paragraphs: list[str], wild: str) -> bytes:
    rows = [[f"Row {n}", p, n, wild.replace("\r", " ")] for n, p in enumerate(paragraphs)]
    return make_csv([["name", "notes", "price", "more"], *rows])


def jsonl(paragraphs: list[str], wild: str) -> bytes:
    return make_jsonl([{"id": f"i:{n}", "text": f"{wild}{p}\n\n{p}"} for n, p in enumerate(paragraphs)])


MAKERS = {
    "a.txt": text,
    "a.md": markdown,
    "a.html": html,
    "a.pdf": pdf,
    "a.docx": docx,
    "a.csv": csv,
    "a.jsonl": jsonl,
}


@pytest.mark.parametrize("name", MAKERS)
@settings(max_examples=8, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(paragraphs=PARAGRAPHS, wild=WILD, question=SENTENCE, budget=st.integers(1, 200))
def test_passages_and_citations_stand_where_they_say(
    tmp_path_factory: pytest.TempPathFactory,
    name: str,
    paragraphs: list[str],
    wild: str,
    question: str,
    budget: int,
) -> None:
    base = tmp_path_factory.mktemp("offsets")
    engine = Engine(Environment(home=base / "home"), load_model=FakeEmbedder)
    result = engine.ingest("shelf", [write_files(base, {name: MAKERS[name](paragraphs, wild)}) / name])
    if not result.documents:
        assert result.failed  # no words at all in it
        return
    texts = shown(engine)
    for changes in ({"k": 5}, {"budget": budget}):
        answer = engine.ask(
            "shelf", question, settings=with_settings(Settings(), {**changes, "abstain": "off"})
        ).answer

        assert answer.passages
        for passage in answer.passages:
            whole = texts[passage.document_id]
            assert whole[passage.start : passage.end] == passage.text
            end = passage.context_start + len(passage.context)
            assert whole[passage.context_start : end] == passage.context
        assert answer.citations
        for citation in answer.citations:
            assert texts[citation.document_id][citation.start : citation.end] == citation.quote
            assert citation.verdict == "verbatim"


def shown(engine: Engine) -> dict[str, str]:
    """The text of every document, as ``documents show`` prints it."""
    prototype = engine.prototype("shelf")
    index = engine.library(prototype).index
    texts = {}
    for record in engine.records(prototype).values():
        chunks = index.document_chunks(record.id)
        value = json.loads(json.dumps(show.document_json(record, chunks, index.document_text(record.id))))
        assert all(0 <= s["start"] < s["end"] <= len(value["text"]) for s in value["sections"])
        texts[record.id] = value["text"]
    return texts


@pytest.mark.parametrize("name", ["a.txt", "a.md"])
def test_text_is_the_file_unchanged(engine: Engine, tmp_path: Path, name: str) -> None:
    raw = "\ufeff---\r\ntitle: x\r\n---\r\n# Bees 🐝\r\n\r\nThey fly.\r\n\tAnd\u2028dance. \r\n\r\n\r\n"
    write_files(tmp_path, {name: raw})

    engine.ingest("shelf", [tmp_path / name])

    assert list(shown(engine).values()) == [raw]
