"""Where an answer went wrong: every outcome, on a small library that is really searched."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest

from rag.config import with_settings
from rag.engine import Engine
from rag.insights import Insights, Report
from rag.store import Query
from rag.triage import RULES, Found, triage
from rag.types import Answer, Feedback, Finding, Passage, Relevant
from tests.conftest import write_files

QUIET: Report = lambda _what, _done, _total: None  # noqa: E731
TOPICS = "Roses Tulips Lilies Daisies Orchids Poppies Violets Peonies Irises Dahlias".split()
FILES = {
    f"{name.lower()}.md": f"# {name}\n\n{name} need water in the garden daily. {name} bloom in month {n}.\n"
    for n, name in enumerate(TOPICS)
} | {"frost.md": "# Frost\n\nDahlias die in frost. Dig the tubers up in October and keep them dry.\n"}


@pytest.fixture
def garden(engine: Engine, tmp_path: Path) -> Engine:
    engine.ingest("garden", [write_files(tmp_path / "garden", FILES)])
    return engine


Ask = Callable[..., Answer]


@pytest.fixture
def ask(garden: Engine) -> Ask:
    """``ask("...", k=1, abstain="off")``: what the engine answers under these settings."""

    def asked(question: str, where: Any = None, **settings: Any) -> Answer:
        own = with_settings(garden.prototype("garden").settings, {"abstain": "off", **settings})
        return garden.ask("garden", question, settings=own, where=where).answer

    return asked


def find(engine: Engine, answer: Answer, **said: Any) -> Finding:
    """What the work behind the page finds of a thumb down."""
    engine.store.add_feedback(answer.id, "down", **said)
    assert Insights(engine).triage(QUIET) == 1
    return engine.store.findings.of([answer.id])[answer.id]


def named(engine: Engine, source: str, words: str) -> Relevant:
    """The passage of a document that holds the words, as a reader names it."""
    prototype = engine.prototype("garden")
    (record,) = [r for r in engine.records(prototype).values() if r.source == source]
    chunks = engine.library(prototype).index.document_chunks(record.id)
    (chunk,) = [c for c in chunks if words in c.text]
    return Relevant(record.id, chunk.start, chunk.end, source, chunk.text)


WATER = "How often do flowers in the garden need water?"


def test_named_and_not_read_but_found_further_down_is_ranked_low(garden: Engine, ask: Ask) -> None:
    answer = ask(WATER, k=1)
    read = answer.passages[0].source
    other = next(source for source in FILES if source not in (read, "frost.md"))
    found = find(garden, answer, passage=named(garden, other, "need water"))
    assert (found.failure, found.basis) == ("ranked-low", "label")
    assert "the answer read 1." in found.why


def test_named_in_the_library_and_nowhere_in_the_search_is_not_retrieved(garden: Engine, ask: Ask) -> None:
    answer = ask(WATER, where={"type": "txt"}, k=1)
    found = find(garden, answer, passage=named(garden, "frost.md", "Dig the tubers"))
    assert (found.failure, found.basis) == ("not-retrieved", "label")


def test_named_and_deleted_since_is_not_in_the_corpus(garden: Engine, ask: Ask) -> None:
    answer, passage = ask(WATER, k=1), named(garden, "frost.md", "Dig the tubers")
    garden.delete_document("garden", passage.document_id)
    found = find(garden, answer, passage=passage)
    assert (found.failure, found.basis) == ("not-in-corpus", "label")


def test_named_in_the_context_and_not_cited_is_not_used(garden: Engine, ask: Ask) -> None:
    answer = ask("When do roses bloom?", k=5)
    cited = {citation.passage for citation in answer.citations}
    place = next(n for n in range(5) if n not in cited)
    passage = answer.passages[place]
    label = Relevant(passage.document_id, passage.start, passage.end, passage.source, passage.text, place)
    found = find(garden, answer, passage=label)
    assert (found.failure, found.basis) == ("not-used", "label")
    assert f"as number {place + 1}" in found.why


def test_named_in_the_context_of_a_refusal_is_not_used(garden: Engine, ask: Ask) -> None:
    answer = ask("When do roses bloom?", abstain=1.0)
    assert answer.abstained
    found = find(garden, answer, passage=named(garden, "roses.md", "bloom"))
    assert (found.failure, found.basis) == ("not-used", "label")
    assert "refused all the same" in found.why


def test_named_and_cited_with_a_report_is_a_wrong_citation_and_without_one_not_clear(
    garden: Engine, ask: Ask
) -> None:
    answer = ask("When do roses bloom?")
    passage = answer.passages[answer.citations[0].passage]
    label = Relevant(passage.document_id, passage.start, passage.end)
    assert find(garden, answer, passage=label, reported=[1]).failure == "bad-citation"
    assert find(garden, answer, passage=label).failure is None


def test_a_correction_in_the_context_is_not_used(garden: Engine, ask: Ask) -> None:
    answer = ask("What do dahlias need in winter?", k=11)
    found = find(garden, answer, correction="Dig the tubers up in October and keep them dry.")
    assert (found.failure, found.basis) == ("not-used", "correction")


def test_a_correction_further_down_the_search_is_ranked_low(garden: Engine, ask: Ask) -> None:
    answer = ask(WATER, k=1)
    bloom = next(n for n, name in enumerate(TOPICS) if name.lower() not in answer.passages[0].source)
    found = find(garden, answer, correction=f"{TOPICS[bloom]} bloom in month {bloom}.")
    assert (found.failure, found.basis) == ("ranked-low", "correction")


def test_a_correction_that_only_a_search_for_itself_finds_is_not_retrieved(
    garden: Engine, ask: Ask, tmp_path: Path
) -> None:
    crowd = {
        f"{n}.md": f"# Bed {n}\n\nHow often do flowers in garden {n} need water? Daily.\n" for n in range(60)
    }
    garden.ingest("garden", [write_files(tmp_path / "crowd", crowd)])
    found = find(garden, ask(WATER), correction="Dig the tubers up in October and keep them dry.")
    assert (found.failure, found.basis) == ("not-retrieved", "correction")
    assert "one for the question does not" in found.why


def test_a_correction_that_the_filter_left_out_is_not_retrieved(garden: Engine, ask: Ask) -> None:
    answer = ask(WATER, where={"type": "txt"})
    found = find(garden, answer, correction="Dig the tubers up in October and keep them dry.")
    assert (found.failure, found.basis) == ("not-retrieved", "correction")
    assert "the filter left it out" in found.why


def test_a_correction_that_nothing_holds_is_not_in_the_corpus(garden: Engine, ask: Ask) -> None:
    found = find(garden, ask(WATER), correction="Cacti want none for the whole of Lent.")
    assert (found.failure, found.basis) == ("not-in-corpus", "correction")


def test_a_correction_that_says_the_documents_are_silent_means_it_should_have_refused(
    garden: Engine, ask: Ask
) -> None:
    found = find(garden, ask("Who won the cup?"), correction="The documents do not say.")
    assert (found.failure, found.basis) == ("should-refuse", "correction")


@pytest.mark.parametrize(
    ("said", "failure", "basis"),
    [
        ({"reported": [1]}, "bad-citation", "report"),
        ({"reasons": ["bad-citation"]}, "bad-citation", "report"),
        ({"reasons": ["not-in-sources"]}, "should-refuse", "reason"),
        ({"reasons": ["unsafe"]}, "should-refuse", "reason"),
        ({"reasons": ["out-of-date"]}, "not-in-corpus", "reason"),
    ],
)
def test_reports_and_reasons_are_believed(
    garden: Engine, ask: Ask, said: Any, failure: str, basis: str
) -> None:
    found = find(garden, ask("When do roses bloom?"), **said)
    assert (found.failure, found.basis) == (failure, basis)


def test_a_refusal_without_a_word_is_guessed_to_lack_a_document(garden: Engine, ask: Ask) -> None:
    found = find(garden, ask("Who won the cup of nations?", abstain=1.0))
    assert (found.failure, found.basis) == ("not-in-corpus", "guess")


def test_a_refusal_under_a_filter_that_leaves_the_answer_out_is_not_retrieved(
    garden: Engine, ask: Ask
) -> None:
    answer = ask("Roses bloom in month 0", where={"type": "txt"})
    assert answer.abstained
    found = find(garden, answer)
    assert (found.failure, found.basis) == ("not-retrieved", "guess")


def test_an_answer_though_nothing_is_near_should_have_been_a_refusal(garden: Engine, ask: Ask) -> None:
    found = find(garden, ask("Did Brazil win every cup that Pelé played for?"))
    assert (found.failure, found.basis) == ("should-refuse", "guess")


def test_statements_that_their_citations_do_not_support_are_a_wrong_citation(
    garden: Engine, ask: Ask
) -> None:
    answer = ask("Roses bloom in month 0", k=2)
    doubtful = replace(answer, id="d" * 32, citations=(replace(answer.citations[0], verdict="unsupported"),))
    garden.store.save_answer(doubtful)
    found = find(garden, doubtful)
    assert (found.failure, found.basis) == ("bad-citation", "guess")


@dataclass(frozen=True)
class Looked:
    """A library in which late interaction puts one passage first, whatever is asked."""

    first: Passage

    def search(self, question: str, *, own: bool, filtered: bool = True, late: bool = False) -> Found:
        return Found((self.first,), sure=True)

    def supports(self, source: str, claim: str) -> bool:
        return False

    def holds(self, document_id: str) -> bool:
        return True


def test_without_a_word_another_scorer_is_asked_which_passage_is_best(ask: Ask) -> None:
    answer = ask("When do roses bloom?", k=3)
    cited = answer.citations[0].passage
    other = next(n for n in range(3) if n not in {c.passage for c in answer.citations})
    outside = replace(answer.passages[cited], document_id="elsewhere")
    down = Feedback(answer.id, 1, "down")

    def guessed(first: Passage) -> str | None:
        found = triage(answer, down, Looked(first))
        assert found.basis == "guess"
        return found.failure

    assert guessed(outside) == "ranked-low"
    assert guessed(answer.passages[other]) == "not-used"
    assert guessed(answer.passages[cited]) is None


def test_new_feedback_is_looked_at_again_and_what_is_done_is_left(garden: Engine, ask: Ask) -> None:
    answer = ask("When do roses bloom?")
    find(garden, answer, reasons=["unsafe"])
    assert Insights(garden).triage(QUIET) == 0
    assert find(garden, answer, reported=[1]).failure == "bad-citation"
    garden.store.add_feedback(answer.id, "up")
    assert garden.store.findings.waiting(RULES) == 0
    assert garden.store.digest.failures(Query()) == {}


def test_an_answer_of_a_prototype_that_is_gone_is_not_clear(garden: Engine, ask: Ask) -> None:
    answer = ask("When do roses bloom?")
    elsewhere = replace(answer, id="e" * 32, provenance=replace(answer.provenance, prototype="gone"))
    garden.store.save_answer(elsewhere)
    found = find(garden, elsewhere)
    assert found.failure is None
    assert "“gone” does not load" in found.why
