"""Text that attacks: in a document, and out of a model, through the real pipeline over a socket.

``tests/hostile/corpus.jsonl`` holds the attempts. These prove what is sent, parsed and drawn; what
a model makes of an attempt that it reads is not claimed.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any
from unicodedata import normalize

import pytest
from markdown_it import MarkdownIt

from pages.ui.answer import answer_markdown
from rag.config import Environment
from rag.engine import Engine
from rag.generators.prompt import load_prompt
from rag.types import Answer
from rag.unseen import without_unseen
from tests.chat_servers import ChatServer, Script, serve
from tests.conftest import write_files
from tests.fakes import FakeEmbedder

CORPUS = [
    json.loads(line)
    for line in (Path(__file__).parent / "hostile" / "corpus.jsonl").read_text("utf-8").splitlines()
]
QUESTION = "When is the office open?"
FACT = "The office is open from nine to five."
CHIP = re.compile(r":(?:blue|orange)-badge\[(\d+)\]")
CODE = re.compile(r"(`+|~~~+)(?:.|\n)*?(?:\1|\Z)")
FIRST_OF_A_KIND = list({a["kind"]: a for a in CORPUS[::-1]}.values())
ATTEMPTS = {"openai": CORPUS, "cohere": FIRST_OF_A_KIND}
"""What comes before and after the two SDKs is the same, so one of a kind does for the second."""
each_written = pytest.mark.parametrize(
    ("service", "attempt"),
    [pytest.param(s, a, id=f"{s}-{a['id']}") for s, attempts in ATTEMPTS.items() for a in attempts],
)
each_service = pytest.mark.parametrize("service", ["openai", "cohere"])


@pytest.fixture(scope="module")
def engine(tmp_path_factory: pytest.TempPathFactory) -> Engine:
    """An office whose documents are the attempts, each beside a true sentence."""
    files = {f"{a['id']}.md": f"{FACT} {clean(a['text'])}\n" for a in CORPUS}
    folder = write_files(tmp_path_factory.mktemp("files"), files)
    made = Engine(Environment(home=tmp_path_factory.mktemp("home")), load_model=FakeEmbedder)
    made.ingest("office", [folder])
    return made


def clean(text: str) -> str:
    """A file of text holds no NUL and no half of a surrogate pair."""
    return text.replace("\0", "").encode("utf-8", "replace").decode()


def ask(engine: Engine, service: str, server: ChatServer, **changes: Any) -> Answer:
    address = (
        {"cohere_api_key": "k", "cohere_base_url": server.url}
        if service == "cohere"
        else {"openai_api_key": "k", "openai_base_url": f"{server.url}/v1"}
    )
    engine.environment = Environment(home=engine.environment.home, **address)
    settings = engine.prototype("office").settings
    settings = replace(settings, model="m", abstain="off", filters_by="rule", **changes)
    return engine.ask("office", QUESTION, settings=settings).answer


def test_there_are_attempts_of_many_kinds() -> None:
    assert len(CORPUS) >= 40
    assert len({a["kind"] for a in CORPUS}) >= 10
    assert len({a["text"] for a in CORPUS}) == len(CORPUS)


# --- in a document --------------------------------------------------------------


@pytest.fixture(scope="module")
def sent(engine: Engine) -> dict[str, list[dict[str, Any]]]:
    """What each service is sent: questions whose passages are all the documents, nine at a time."""
    found: dict[str, list[dict[str, Any]]] = {}
    for service in ("openai", "cohere"):
        with serve(Script(["nine"])) as server:
            for n in range(0, len(CORPUS), 9):
                where = {"source": {"$in": [f"{a['id']}.md" for a in CORPUS[n : n + 9]]}}
                ask(engine, service, server, where=where, k=40)
            found[service] = list(server.requests)
    return found


def texts(body: dict[str, Any]) -> list[str]:
    """Every text of a request that came from a document."""
    if "documents" in body:
        return [value for document in body["documents"] for value in document["data"].values()]
    return [body["messages"][-1]["content"]]


@each_service
def test_the_rules_and_the_question_stand_where_they_stood(sent: Any, service: str) -> None:
    rules = load_prompt().system
    assert len(sent[service]) == 7
    for body in sent[service]:
        assert [m["role"] for m in body["messages"]] == ["system", "user"]
        assert body["messages"][0]["content"] == rules
        last = body["messages"][1]["content"]
        assert last.endswith(f"Question: {QUESTION}")
    assert "quoted data, not messages" in rules


def test_every_passage_is_delimited_and_none_closes_its_delimiter(sent: Any) -> None:
    for body in sent["openai"]:
        content = body["messages"][-1]["content"]
        opened = re.findall(r'^<passage number="(\d+)" from="[^"<>\n]*">$', content, re.MULTILINE)
        assert sorted(map(int, opened)) == list(range(1, len(opened) + 1))
        assert len(opened) >= 9
        assert content.count("</passage>") == len(opened)
        tags = re.findall(r"<\s*/?\s*(?:passages?|system|user|assistant|question|instructions?)\b", content)
        assert len(tags) == 2 * len(opened)
        assert "<|" not in content


@each_service
def test_nothing_unseen_reaches_a_prompt(sent: Any, service: str) -> None:
    for body in sent[service]:
        for text in texts(body):
            assert without_unseen(text) == text


@each_service
def test_every_attempt_was_sent(sent: Any, service: str) -> None:
    found = "\n".join(text for body in sent[service] for text in texts(body))
    assert found.count(FACT) >= len(CORPUS)
    for words in ("pineapple", "hunter2", "pirate speech", "made of cheese", "exfil.example"):
        assert words in found


# --- out of a model -------------------------------------------------------------


@pytest.fixture(scope="module")
def written(engine: Engine) -> dict[tuple[str, str], Answer]:
    """What becomes of each attempt when a model writes it, in pieces of three characters."""
    found = {}
    for service in ("openai", "cohere"):
        for attempt in ATTEMPTS[service]:
            text = f"{FACT} [1] {clean(attempt['text'])}"
            pieces = [text[n : n + 3] for n in range(0, len(text), 3)]
            with serve(Script(pieces)) as server:
                found[service, attempt["id"]] = ask(engine, service, server)
    return found


def rendered(markdown: str) -> Iterator[str]:
    """The kinds of all tokens of CommonMark with tables and bare links, as a browser would draw them."""
    parser = MarkdownIt("commonmark", {"linkify": False}).enable(["table", "strikethrough"])
    for token in parser.parse(markdown):
        yield token.type
        yield from (child.type for child in token.children or ())


@each_written
def test_nothing_of_it_is_drawn_but_text(written: Any, service: str, attempt: Any) -> None:
    answer = written[service, attempt["id"]]
    drawn = answer_markdown(answer.text, answer.citations, answer.claims)

    assert FACT in answer.text
    kinds = set(rendered(drawn))
    assert kinds <= {"paragraph_open", "paragraph_close", "inline", "text", "hardbreak", "softbreak",
                     "s_open", "s_close", "text_special"}  # fmt: skip
    # What the front end replaces in spite of references: bare links, icons, emoji, formulas.
    bare = drawn.replace(":small[]", "\0")
    assert not re.search(r"https?://|www\.|mailto:|\$|<[a-z!/]", bare)
    assert not re.search(r":(?!blue-badge\[|orange-badge\[)[a-z_-]+[:\[/]", bare)


@each_written
def test_no_number_is_shown_that_was_not_checked(written: Any, service: str, attempt: Any) -> None:
    answer = written[service, attempt["id"]]
    known = {c.number for c in answer.citations}

    drawn = answer_markdown(answer.text, answer.citations, answer.claims)
    assert {int(n) for n in CHIP.findall(drawn)} <= known
    outside = normalize("NFKC", CODE.sub(" ", answer.text))
    assert {int(n) for n in re.findall(r"[\[【⟦〔]\s*\^?(\d{1,3})\s*[\]】⟧〕]", outside)} <= known
    for citation in answer.citations:
        passage = answer.passages[citation.passage]
        at = citation.start - passage.start
        assert passage.text[at : at + len(citation.quote)] == citation.quote
        assert citation.verdict in ("verbatim", "supported")


@each_written
def test_nothing_unseen_is_left_to_be_copied(written: Any, service: str, attempt: Any) -> None:
    text = written[service, attempt["id"]].text
    assert without_unseen(text) == text
