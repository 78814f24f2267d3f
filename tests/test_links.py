"""Links: unguessable, immutable, with caps, revocable, known from two places."""

from __future__ import annotations

import dataclasses
import re
import sqlite3
import threading
from collections.abc import Sequence
from contextlib import closing, suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from rag.access import check_password
from rag.config import Settings, with_settings
from rag.errors import LinkError, NotFound, PrototypeError, StoreError, UsageError
from rag.link import secret_under, visitor_of
from rag.links import Links
from rag.types import LinkCaps, LinkRow
from tests.fakes import FakeEngine

OURS, THEIRS = "s" * 43, "t" * 43


class Clock:
    def __init__(self) -> None:
        self.now = 1_800_000_000.0

    def __call__(self) -> float:
        return self.now


class Supabase:
    """The table of Supabase, in memory."""

    def __init__(self) -> None:
        self.rows: list[LinkRow] = []
        self.down = False
        self.asked = 0

    def by_token(self, token_hash: str) -> Sequence[LinkRow]:
        self._reach()
        return [row for row in self.rows if row.token_hash == token_hash]

    def all(self) -> Sequence[LinkRow]:
        self._reach()
        return self.rows

    def close(self) -> None:
        pass

    def _reach(self) -> None:
        self.asked += 1
        if self.down:
            raise StoreError("Supabase does not answer.")


@pytest.fixture
def engine(tmp_path: Path) -> FakeEngine:
    return FakeEngine(tmp_path)


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def links(engine: FakeEngine, clock: Clock) -> Links:
    return Links(engine, clock=clock)


def refusal(links: Links, token: str) -> str:
    with pytest.raises(LinkError) as error:
        links.resolve(token, "prototype")
    return str(error.value)


# --- tokens ---------------------------------------------------------------------


def test_a_token_has_256_random_bits_and_is_kept_as_a_hash(links: Links, engine: FakeEngine) -> None:
    tokens = {links.create("wine")[1] for _ in range(50)}
    assert len(tokens) == 50
    assert all(re.fullmatch(r"[A-Za-z0-9_-]{43}", token) for token in tokens)
    stored = b"".join(p.read_bytes() for p in engine.store.path.parent.glob("store.db*"))
    assert not any(token.encode() in stored for token in tokens)


@pytest.mark.parametrize("token", ["", "x", "a" * 43, "../../etc", "é" * 43, "a" * 100_000, "' OR 1=1 --"])
def test_what_was_never_made_opens_nothing(links: Links, token: str) -> None:
    links.create("wine")
    assert refusal(links, token).startswith("This link does not exist")


def test_part_of_a_token_or_its_hash_opens_nothing(links: Links, engine: FakeEngine) -> None:
    _, token = links.create("wine")
    (row,) = engine.store.links.all()
    for wrong in (token[:-1], token + "a", token.swapcase(), row.token_hash, row.link_id, row.id):
        assert "does not exist" in refusal(links, wrong)


# --- terms ----------------------------------------------------------------------


def test_the_settings_are_frozen(links: Links, engine: FakeEngine, monkeypatch: pytest.MonkeyPatch) -> None:
    settings = with_settings(Settings(), {"k": 3, "abstain": "off"})
    _, token = links.create("wine", settings=settings)
    monkeypatch.setattr(
        engine, "prototype", lambda name: replace(_wine(engine), settings=with_settings(Settings(), {"k": 9}))
    )

    asked = links.prototype(links.resolve(token, "prototype"))

    assert (asked.settings.k, asked.settings.abstain) == (3, "off")
    assert asked.settings.generator == "extractive"  # not “auto”: a key that is set later changes nothing


def _wine(engine: FakeEngine) -> Any:
    return FakeEngine.prototype(engine, "wine")


def test_a_key_that_came_later_does_not_change_who_writes(links: Links, engine: FakeEngine) -> None:
    _, token = links.create("wine")
    engine.environment = dataclasses.replace(engine.environment, openai_api_key="sk-later")
    assert links.prototype(links.resolve(token, "prototype")).settings.generator == "extractive"
    _, token = links.create("wine")
    assert links.prototype(links.resolve(token, "prototype")).settings.generator == "openai"


def test_another_embedding_model_is_refused_rather_than_used(
    links: Links, engine: FakeEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    link, _ = links.create("wine")
    other = with_settings(Settings(), {"embedding.model": "another/model"})
    monkeypatch.setattr(engine, "prototype", lambda name: replace(_wine(engine), settings=other))
    with pytest.raises(LinkError, match="indexed anew with another model"):
        links.prototype(link)
    assert "another model" in links.reports()[0].problem


def test_an_edited_prompt_is_refused_rather_than_used(
    links: Links, engine: FakeEngine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    prompts = tmp_path / "wine" / "prompts"
    prompts.mkdir(parents=True)
    text = "# system\nAnswer.\n# user\n{passages}\n{history}\n{question}\n"
    (prompts / "own.md").write_text(text, encoding="utf-8")
    prototype = replace(_wine(engine), folder=tmp_path / "wine")
    monkeypatch.setattr(engine, "prototype", lambda name: prototype)
    engine.environment = dataclasses.replace(engine.environment, openai_api_key="sk-x")
    link, _ = links.create(
        "wine", settings=with_settings(Settings(), {"generator": "openai", "prompt": "own"})
    )
    links.prototype(link)
    (prompts / "own.md").write_text(text.replace("Answer.", "Lie."), encoding="utf-8")
    with pytest.raises(LinkError, match="prompt of this link was edited"):
        links.prototype(link)


def test_a_prototype_that_is_gone_names_no_other(
    links: Links, engine: FakeEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    link, _ = links.create("wine")

    def gone(name: str) -> None:
        raise PrototypeError("There is no prototype “wine”. Known: secret-project.")

    monkeypatch.setattr(engine, "prototype", gone)
    with pytest.raises(LinkError) as error:
        links.prototype(link)
    assert "secret-project" not in str(error.value)


def test_a_password_is_kept_as_a_hash(links: Links) -> None:
    link, _ = links.create("wine", password="correct horse")
    assert link.terms.password is not None
    assert check_password("correct horse", link.terms.password)


@pytest.mark.parametrize(
    "terms",
    [
        {"caps": LinkCaps(visitor=0)},
        {"caps": LinkCaps(day=-1)},
        {"caps": LinkCaps(total=0)},
        {"caps": LinkCaps(dollars=-0.5)},
        {"expires": 1.0},
        {"expires": 253_370_764_800.0},  # the first moment of the year 9999
        {"expires": float("nan")},
        {"label": "x" * 101},
        {"password": "short"},
    ],
)
def test_terms_that_make_no_sense_make_no_link(
    links: Links, engine: FakeEngine, terms: dict[str, Any]
) -> None:
    with pytest.raises(UsageError):
        links.create("wine", **terms)
    assert engine.store.links.all() == []


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"filters.where": {"price": {"$foo": 1}}}, "Unknown operator '\\$foo' on 'price'; use one of"),
        ({"embedding.model": "other"}, "leave embedding.model out, or first run python -m rag reindex"),
        ({"generator": "openai"}, "needs OPENAI_API_KEY"),
        ({"generator": "cohere"}, "needs COHERE_API_KEY"),
    ],
)
def test_settings_under_which_no_question_is_answered_make_no_link(
    links: Links, engine: FakeEngine, changes: dict[str, Any], told: str
) -> None:
    with pytest.raises(UsageError, match=told):
        links.create("wine", settings=with_settings(Settings(), changes))
    assert engine.store.links.all() == []


@pytest.mark.parametrize("generator", ["auto", "cohere"])
def test_the_model_of_the_settings_is_frozen(links: Links, engine: FakeEngine, generator: str) -> None:
    engine.environment = dataclasses.replace(engine.environment, cohere_api_key="co-x")
    settings = with_settings(Settings(), {"generator": generator, "model": "command-r7b-12-2024"})

    link, _ = links.create("wine", settings=settings)

    assert (link.settings.generator, link.settings.model) == ("cohere", "command-r7b-12-2024")


# --- the end of a link -------------------------------------------------------------


def test_it_ends_by_its_time(links: Links, clock: Clock) -> None:
    _, token = links.create("wine", expires=clock.now + 3_600)
    links.resolve(token, "prototype")
    clock.now += 3_600
    assert refusal(links, token) == (
        "This link ended on 15 January 2027 at 09:00 UTC. Ask whoever sent it for a new one."
    )


def test_it_ends_by_revoking_and_nothing_is_overwritten(links: Links, engine: FakeEngine) -> None:
    link, token = links.create("wine", label="For Ann")
    links.revoke(link.id)
    links.revoke(link.id)
    assert "taken back" in refusal(links, token)
    rows = engine.store.links.all()
    assert [row.revision for row in rows] == [1, 2]
    assert rows[0].terms == link.terms
    assert [report.state for report in links.reports()] == ["revoked"]


def test_an_unknown_link_cannot_be_revoked(links: Links) -> None:
    with pytest.raises(NotFound, match="links list"):
        links.revoke("nothing")


def test_every_revision_is_queued_for_delivery(links: Links, engine: FakeEngine) -> None:
    link, _ = links.create("wine")
    links.revoke(link.id)
    with closing(sqlite3.connect(engine.store.path)) as connection:
        queued = connection.execute("SELECT kind, row_id, thread FROM outbox ORDER BY n").fetchall()
    assert queued == [("link", row.id, link.id) for row in engine.store.links.all()]


def test_a_link_is_of_one_kind(links: Links) -> None:
    _, token = links.create("wine")
    with pytest.raises(LinkError, match="another page"):
        links.resolve(token, "conversation")


# --- caps ----------------------------------------------------------------------


def test_caps_of_a_visitor_a_day_and_in_all(links: Links, clock: Clock) -> None:
    link, _ = links.create("wine", caps=LinkCaps(visitor=2, day=3, total=4))
    assert links.left(link, "ann") == 2
    links.admit(link, "ann")
    links.admit(link, "ann")
    with pytest.raises(LinkError, match="the 2 questions that this link allows each visitor"):
        links.admit(link, "ann")
    links.admit(link, "bob")
    with pytest.raises(LinkError, match="midnight UTC"):
        links.admit(link, "bob")
    clock.now += 86_400
    assert links.left(link, "eve") == 1
    links.admit(link, "eve")
    with pytest.raises(LinkError, match="All 4 questions"):
        links.admit(link, "dan")


def test_what_came_to_nothing_is_given_back(links: Links, engine: FakeEngine) -> None:
    link, _ = links.create("wine", caps=LinkCaps(total=1))
    engine.store.gate.give_back(links.admit(link, "ann"))
    links.admit(link, "ann")


def test_questions_at_the_same_moment_do_not_slip_through(links: Links) -> None:
    link, _ = links.create("wine", caps=LinkCaps(total=5))
    admitted: list[str] = []

    def one() -> None:
        with suppress(LinkError):
            admitted.append(links.admit(link, "ann"))

    threads = [threading.Thread(target=one) for _ in range(20)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(admitted) == 5


def test_one_link_does_not_use_up_another(links: Links) -> None:
    first, _ = links.create("wine", caps=LinkCaps(total=1))
    second, _ = links.create("wine", caps=LinkCaps(total=1))
    links.admit(first, "ann")
    links.admit(second, "ann")


def test_a_browser_has_another_name_and_secret_under_every_link() -> None:
    assert len({visitor_of("a", OURS), visitor_of("b", OURS), visitor_of("a", THEIRS), OURS}) == 4
    assert len({secret_under("a", OURS), secret_under("b", OURS), secret_under("a", THEIRS), OURS}) == 4
    assert visitor_of("a", OURS) not in secret_under("a", OURS)


# --- what came of it ----------------------------------------------------------------


def test_its_own_figures(links: Links, engine: FakeEngine) -> None:
    link, _ = links.create("wine")
    other, _ = links.create("wine")
    store = engine.store
    for n, visitor in enumerate(("ann", "ann", "bob")):
        links.admit(link, visitor)
        response = engine.ask("wine", f"Which wine goes with lamb? {n}", link=link.id)
        list(response)
        store.add_feedback(response.answer.id, "down")
        store.add_feedback(response.answer.id, "up" if n else None)
    list(engine.ask("wine", "Which wine goes with lamb?"))

    by_id = {report.link.id: report for report in links.reports("wine")}

    mine, others = by_id[link.id], by_id[other.id]
    assert (mine.figures.answers, mine.figures.up, mine.figures.down, mine.visitors) == (3, 2, 0, 2)
    assert (others.figures.answers, others.visitors) == (0, 0)
    assert links.reports("handbook") == []


def test_the_index_may_change_and_the_owner_sees_it(links: Links, engine: FakeEngine) -> None:
    _, token = links.create("wine")
    assert not links.reports()[0].index_differs
    engine.version = "2e4"
    (report,) = links.reports()
    assert report.index_differs
    assert (report.link.terms.index_version, report.index_version) == ("1d3", "2e4")
    links.prototype(links.resolve(token, "prototype"))


def test_the_index_of_an_answer_differs(links: Links, engine: FakeEngine) -> None:
    links.create("wine")
    engine.version = "2e4"
    later, _ = links.create("wine")
    list(engine.ask("wine", "lamb", link=later.id))  # the fake answers from 1d3
    by_id = {report.link.id: report for report in links.reports()}
    assert by_id[later.id].figures.index_versions == ("1d3",)
    assert by_id[later.id].index_differs


# --- Supabase --------------------------------------------------------------------


def test_a_link_lives_through_a_wiped_disk(engine: FakeEngine, tmp_path: Path, clock: Clock) -> None:
    remote = Supabase()
    link, token = Links(engine, remote, clock).create("wine", label="For Ann")
    remote.rows = engine.store.links.all()  # delivered

    elsewhere = Links(FakeEngine(tmp_path / "new"), remote, clock)

    found = elsewhere.resolve(token, "prototype")
    assert (found.id, found.terms.label, found.kept) == (link.id, "For Ann", "supabase")
    assert elsewhere.kept_in == "supabase"
    assert [report.link.id for report in elsewhere.reports()] == [link.id]


def test_it_works_before_it_was_delivered(engine: FakeEngine, clock: Clock) -> None:
    links = Links(engine, Supabase(), clock)
    _, token = links.create("wine")
    assert links.resolve(token, "prototype").kept == "machine"


def test_revoked_on_one_replica_is_revoked_on_all(engine: FakeEngine, tmp_path: Path, clock: Clock) -> None:
    remote = Supabase()
    here, there = Links(engine, remote, clock), Links(FakeEngine(tmp_path / "other"), remote, clock)
    link, token = here.create("wine")
    remote.rows = engine.store.links.all()
    there.resolve(token, "prototype")
    here.revoke(link.id)
    remote.rows = engine.store.links.all()
    assert "taken back" in refusal(here, token)  # at once
    clock.now += 15
    assert "taken back" in refusal(there, token)


def test_a_replica_revokes_what_it_did_not_make(engine: FakeEngine, tmp_path: Path, clock: Clock) -> None:
    remote, other = Supabase(), FakeEngine(tmp_path / "other")
    link, token = Links(engine, remote, clock).create("wine")
    remote.rows = engine.store.links.all()
    there = Links(other, remote, clock)
    there.revoke(link.id)
    assert "taken back" in refusal(there, token)
    assert other.store.links.all()[0].revision == 2


def test_when_supabase_is_away(engine: FakeEngine, tmp_path: Path, clock: Clock) -> None:
    remote = Supabase()
    links = Links(engine, remote, clock)
    _, token = links.create("wine")
    remote.down = True
    assert links.resolve(token, "prototype").kept == "machine"
    assert len(links.reports()) == 1
    elsewhere = Links(FakeEngine(tmp_path / "other"), remote, clock)
    assert "cannot be looked up just now" in refusal(elsewhere, token)


def test_a_page_that_is_drawn_often_does_not_ask_each_time(engine: FakeEngine, clock: Clock) -> None:
    remote = Supabase()
    links = Links(engine, remote, clock)
    _, token = links.create("wine")
    for _ in range(20):
        links.resolve(token, "prototype")
    assert remote.asked == 1


# --- conversations ---------------------------------------------------------------


def talk(engine: FakeEngine, *questions: str) -> str:
    conversation = engine.store.start_conversation(OURS, "wine", "Lamb")
    for question in questions:
        list(engine.ask("wine", question, conversation_id=conversation.id))
    return conversation.id


def test_a_conversation_is_shared_as_it_was(links: Links, engine: FakeEngine) -> None:
    conversation = talk(engine, "lamb?", "stew?")
    _, token = links.share(conversation, OURS)
    list(engine.ask("wine", "my private matter", conversation_id=conversation))

    shown = links.conversation(links.resolve(token, "conversation"))

    assert [answer.question for answer in shown] == ["lamb?", "stew?"]
    assert shown[0].citations


def test_only_its_author_shares_and_takes_back(links: Links, engine: FakeEngine) -> None:
    conversation = talk(engine, "lamb?")
    with pytest.raises(NotFound):
        links.share(conversation, THEIRS)
    _, token = links.share(conversation, OURS)
    for forbidden in (links.shared, links.stop_sharing):
        with pytest.raises(NotFound):
            forbidden(conversation, THEIRS)
    assert links.stop_sharing(conversation, OURS) == 1
    with pytest.raises(LinkError, match="taken back"):
        links.resolve(token, "conversation")
    assert links.shared(conversation, OURS) == []


def test_an_erased_conversation_is_not_shown(links: Links, engine: FakeEngine) -> None:
    conversation = talk(engine, "lamb?")
    link, _ = links.share(conversation, OURS)
    engine.store.delete_conversation(conversation, OURS)
    with pytest.raises(LinkError, match="not here any more"):
        links.conversation(link)


def test_there_must_be_something_to_share(links: Links, engine: FakeEngine) -> None:
    with pytest.raises(UsageError, match="nothing to share"):
        links.share(talk(engine), OURS)


def test_a_conversation_does_not_have_links_without_end(links: Links, engine: FakeEngine) -> None:
    conversation = talk(engine, "lamb?")
    for _ in range(20):
        links.share(conversation, OURS)
    with pytest.raises(UsageError, match="very many links"):
        links.share(conversation, OURS)
