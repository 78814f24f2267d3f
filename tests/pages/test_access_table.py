"""Every page and action, for everyone who may come: visitor, link visitor, locked out, expired, owner."""

from __future__ import annotations

import dataclasses
import html
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from page_steps import SECRET, OpenApp, address, ask, keys, run, settle, texts
from streamlit import config
from streamlit.testing.v1 import AppTest

from pages.ui import access, resources
from pages.ui import visit as visits
from rag import access as rag_access
from rag.access import LOCK_AFTER, Owner, hash_password
from rag.config import Limits
from rag.link import Link, secret_under
from rag.links import Links
from rag.types import LinkCaps
from tests.fakes import FakeEngine

ROOT = Path(__file__).parents[2]
PASSWORD = "correct horse"
OTHER = "t" * 43
LAMB = "Which wine goes with lamb?"
OWNED = sorted(
    str(path.relative_to(ROOT))
    for path in (ROOT / "pages").glob("*.py")
    if path.stem not in ("__init__", "shared")
)
Open = Callable[..., AppTest]


class Clock:
    def __init__(self) -> None:
        self.now = 1_800_000_000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def bind() -> Iterator[Callable[[str | None], None]]:
    """``bind("0.0.0.0")`` has the server bound there."""
    before = config.get_option("server.address")
    yield lambda bound: config.set_option("server.address", bound)
    config.set_option("server.address", before)


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def public(bind: Callable[[str], None]) -> None:
    bind("0.0.0.0")


@pytest.fixture
def password(engine: FakeEngine, clock: Clock, monkeypatch: pytest.MonkeyPatch) -> Owner:
    """The owner has a password."""
    monkeypatch.setattr(rag_access, "N", 2**10)
    monkeypatch.setattr(rag_access, "P", 1)
    owner = Owner(lambda: engine.store, hash_password(PASSWORD), 12, clock)
    monkeypatch.setattr(resources, "owner", lambda: owner)
    return owner


@pytest.fixture
def visit(engine: FakeEngine) -> Open:
    """``visit("pages/library.py")`` is a deep link of a browser with that secret."""

    def go(
        page: str = "app.py", *, secret: str = SECRET, session: str = "", user: Any = None, **query: str
    ) -> AppTest:
        at = AppTest.from_file(str(ROOT / "app.py"), default_timeout=20)
        at.session_state["browser-secret"] = secret
        at.session_state["owner-session"] = session
        if user is not None:
            at.user = user
        if page != "app.py":
            at.switch_page(page)
        for name, value in query.items():
            at.query_params[name] = value
        return run(at)

    return go


@pytest.fixture
def untouched(engine: FakeEngine, monkeypatch: pytest.MonkeyPatch) -> None:
    """Fails where anything of the owner's is read: documents, answers, feedback, links, prototypes."""

    def forbidden(*args: Any, **options: Any) -> None:
        raise AssertionError("something of the owner's was read")

    for name in ("prototypes", "prototype", "librarian", "facets", "proposals", "prepare", "ask"):
        monkeypatch.setattr(engine, name, forbidden)
    for part in (engine.store, engine.store.links, engine.store.preferences, engine.store.annotations):
        for name in [n for n in dir(type(part)) if not n.startswith("_")]:
            if callable(getattr(type(part), name)):
                monkeypatch.setattr(part, name, forbidden)
    monkeypatch.setattr(resources.links(), "reports", forbidden)


def says(at: AppTest) -> str:
    told = [texts(at), *(t.value for t in at.title), *(e.value for e in [*at.error, *at.info])]
    return html.unescape("\n".join(told))


def is_locked(at: AppTest) -> bool:
    return "For the owner" in says(at)


def asks_for_a_password(at: AppTest) -> bool:
    return [t.label for t in at.text_input] == ["Password"]


def sign_in(at: AppTest, typed: str) -> AppTest:
    at.text_input[0].set_value(typed)
    next(b for b in at.button if b.label == "Open").click()
    return run(at)


# --- how the server is bound -----------------------------------------------------


@pytest.mark.parametrize("bound", ["localhost", "127.0.0.1", "127.8.8.8", "::1", "[::1]"])
def test_bound_to_this_machine(bind: Callable[[str], None], bound: str) -> None:
    bind(bound)
    assert access.is_loopback()


@pytest.mark.parametrize("bound", [None, "", "0.0.0.0", "::", "192.168.1.2", "example.org", "unix:///tmp/x"])
def test_bound_elsewhere(bind: Callable[[str | None], None], bound: str | None) -> None:
    bind(bound)
    assert not access.is_loopback()


@pytest.mark.parametrize(
    ("option", "value"),
    [
        ("browser.serverAddress", "example.org"),
        ("server.enableCORS", False),
        ("server.corsAllowedOrigins", ["https://example.org"]),
    ],
)
def test_behind_a_proxy_what_it_is_bound_to_says_nothing(option: str, value: Any) -> None:
    before = config.get_option(option)
    try:
        config.set_option(option, value)
        assert not access.is_loopback()
    finally:
        config.set_option(option, before)


@pytest.mark.parametrize(
    "headers",
    [
        {"Host": "example.org"},
        {"Host": "thumbprint.ngrok.app:443"},
        {"Host": "localhost:8501", "X-Forwarded-For": "127.0.0.1"},
        {"Host": "127.0.0.1", "Forwarded": "for=127.0.0.1"},
    ],
)
def test_a_header_speaks_against_a_browser_and_never_for_it(
    monkeypatch: pytest.MonkeyPatch, headers: dict[str, str]
) -> None:
    monkeypatch.setattr(access.st, "context", type("Context", (), {"headers": headers}))
    assert not access._came_directly()


def test_an_address_is_taken_from_proxies_of_ones_own_only(
    engine: FakeEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    headers = {"X-Forwarded-For": "1.1.1.1, 203.0.113.7"}
    context = type("Context", (), {"headers": headers, "ip_address": "10.0.0.1"})
    monkeypatch.setattr(access.st, "context", context)
    assert access.client_address() == "10.0.0.1"
    engine.environment = dataclasses.replace(engine.environment, proxies=1)
    assert access.client_address() == "203.0.113.7"
    headers["X-Forwarded-For"] = "nonsense"
    assert access.client_address() == "10.0.0.1"


# --- the owner's pages -----------------------------------------------------------------


def test_every_page_but_the_chat_and_a_shared_conversation_is_the_owners() -> None:
    assert "pages/library.py" in OWNED
    assert "pages/links.py" in OWNED
    for page in OWNED:
        calls = re.findall(r"open_page\((.*?)\)\n", (ROOT / page).read_text("utf-8"), re.DOTALL)
        assert len(calls) == 1, page
        assert "owner=True" in calls[0], f"{page} opens for everyone"


@pytest.mark.parametrize("page", OWNED)
def test_a_public_server_without_a_password_says_how_to_unlock(
    page: str, visit: Open, public: None, untouched: None
) -> None:
    at = visit(page)
    assert is_locked(at)
    assert not at.text_input
    assert "python -m rag owner hash" in says(at) + "".join(c.value for c in at.code)
    assert "owner reset" not in "".join(c.value for c in at.code)


@pytest.mark.parametrize("page", ["pages/library.py", "pages/links.py"])
def test_a_public_server_asks_for_the_password(
    page: str, visit: Open, public: None, password: Owner, untouched: None
) -> None:
    at = visit(page)
    assert is_locked(at)
    assert asks_for_a_password(at)


def test_no_deep_link_goes_round_the_guard(
    visit: Open, public: None, password: Owner, untouched: None
) -> None:
    for query in ({"document": "w001"}, {"prototype": "wine"}, {"link": "x"}, {"conversation": "x"}):
        assert is_locked(visit("pages/library.py", **query))


@pytest.mark.parametrize("page", ["pages/library.py", "pages/links.py"])
def test_the_first_browser_of_this_machine_claims_and_others_do_not(
    page: str, visit: Open, engine: FakeEngine
) -> None:
    assert not is_locked(visit(page))
    assert not is_locked(visit(page))
    other = visit(page, secret=OTHER)
    assert is_locked(other)
    assert "Another browser claimed" in says(other)
    assert "python -m rag owner reset" in "".join(c.value for c in other.code)


def test_the_chat_claims_nothing(visit: Open) -> None:
    visit()
    assert not resources.owner().is_claimed()


def test_a_claim_counts_on_this_machine_only(visit: Open, bind: Callable[[str], None]) -> None:
    visit("pages/library.py")
    bind("0.0.0.0")
    assert is_locked(visit("pages/library.py"))


def test_a_browser_that_has_not_kept_its_secret_does_not_claim(engine: FakeEngine, untouched: None) -> None:
    at = AppTest.from_file(str(ROOT / "app.py"), default_timeout=20)
    at.session_state["browser-secret"] = at.session_state["browser-offer"] = SECRET
    at.switch_page("pages/library.py")
    run(at)
    assert not at.title
    assert not resources.owner().is_claimed()


def test_a_reset_lets_the_next_browser_claim(visit: Open) -> None:
    visit("pages/library.py")
    resources.owner().reset()
    assert not is_locked(visit("pages/library.py", secret=OTHER))
    assert is_locked(visit("pages/library.py"))


@pytest.mark.parametrize("page", ["pages/library.py", "pages/links.py"])
def test_the_password_opens_and_signing_out_closes(
    page: str, visit: Open, public: None, password: Owner
) -> None:
    at = sign_in(visit(page), PASSWORD)
    assert not is_locked(at)
    session = at.session_state["owner-session"]
    assert not is_locked(visit(page, session=session))
    assert is_locked(visit(page, session=session, secret=OTHER))
    at.button("sign-out").click()
    assert is_locked(run(at))


def test_a_wrong_password_opens_nothing(visit: Open, public: None, password: Owner, untouched: None) -> None:
    at = sign_in(visit("pages/library.py"), "wrong password")
    assert is_locked(at)
    assert "That is not the password." in says(at)
    assert at.session_state["typed-owner"] == ""


def test_locked_out(visit: Open, public: None, password: Owner, clock: Clock, monkeypatch: Any) -> None:
    monkeypatch.setattr(access, "client_address", lambda: "203.0.113.7")
    at = visit("pages/library.py")
    for _ in range(LOCK_AFTER):
        clock.now += password.guard.wait("owner", "203.0.113.7").seconds
        at = sign_in(at, "wrong password")
    assert "locked for 15 minutes" in says(at)
    assert not at.text_input
    assert is_locked(visit("pages/links.py"))
    assert visit().chat_input  # the chat goes on


@pytest.mark.parametrize("page", ["pages/library.py", "pages/links.py"])
def test_an_expired_session_is_none(
    page: str, visit: Open, public: None, password: Owner, clock: Clock
) -> None:
    session = password.sign_in(PASSWORD, "x", SECRET)
    assert not is_locked(visit(page, session=session))
    clock.now += 12 * 3_600
    assert is_locked(visit(page, session=session))


def test_what_stands_open_when_the_session_ends_does_nothing_more(
    visit: Open, public: None, password: Owner, clock: Clock, engine: FakeEngine
) -> None:
    link, _ = resources.links().create("wine")
    at = visit("pages/links.py", session=password.sign_in(PASSWORD, "x", SECRET))
    at.session_state["links-revoke"] = link.id
    run(at)
    clock.now += 12 * 3_600
    at.button("revoke-sure").click()
    run(at)
    assert is_locked(at)
    assert resources.links().reports()[0].state == "active"


def test_a_callback_of_a_page_that_stands_open_is_checked(
    visit: Open, public: None, password: Owner, clock: Clock, engine: FakeEngine
) -> None:
    at = visit("pages/links.py", session=password.sign_in(PASSWORD, "x", SECRET))
    clock.now += 12 * 3_600
    next(b for b in at.button if b.label == "Make the link").click()
    run(at)
    assert is_locked(at)
    assert engine.store.links.all() == []


@pytest.mark.parametrize(
    ("user", "opens"),
    [
        ({"is_logged_in": True, "email": "ann@example.org", "email_verified": True}, True),
        ({"is_logged_in": True, "email": "bob@example.org", "email_verified": True}, False),
        ({"is_logged_in": True, "email": "ann@example.org", "email_verified": False}, False),
        ({"is_logged_in": False}, False),
    ],
)
def test_accounts(
    user: dict[str, Any], opens: bool, visit: Open, public: None, engine: FakeEngine, monkeypatch: Any
) -> None:
    engine.environment = dataclasses.replace(
        engine.environment, owner_accounts=frozenset({"ann@example.org"})
    )
    at = visit("pages/library.py", user=user)
    assert is_locked(at)  # without a provider in the secrets, what calls itself an account is none
    monkeypatch.setattr(access, "_has_provider", lambda: True)
    at = visit("pages/library.py", user=user)
    assert is_locked(at) is not opens
    if not opens:
        assert [b.label for b in at.button][-1] in ("Sign in", "Use another account")


# --- the chat ------------------------------------------------------------------------


def test_a_visitor_of_a_public_server_has_the_chat_and_no_menu(visit: Open, public: None) -> None:
    at = ask(visit(), LAMB)
    assert len(at.chat_message) == 2
    assert menu(at) == ["For the owner"]


def test_the_owner_has_the_menu(visit: Open, public: None, password: Owner) -> None:
    assert "Library" in menu(visit(session=password.sign_in(PASSWORD, "x", SECRET)))


def menu(at: AppTest) -> list[str]:
    return [element.proto.label for element in at.sidebar if element.type == "page_link"]


def test_a_chat_for_links_only_asks_others_for_the_password(
    visit: Open, public: None, password: Owner, engine: FakeEngine, untouched: None
) -> None:
    engine.environment = dataclasses.replace(engine.environment, chat="links")
    at = visit()
    assert is_locked(at)
    assert not at.chat_input


def test_a_chat_for_links_only_opens_for_links_and_the_owner(
    visit: Open, public: None, password: Owner, engine: FakeEngine
) -> None:
    engine.environment = dataclasses.replace(engine.environment, chat="links")
    _, token = resources.links().create("wine")
    assert ask(visit(link=token), LAMB).chat_message
    assert ask(visit(session=password.sign_in(PASSWORD, "x", SECRET)), LAMB).chat_message


# --- a visit by link -------------------------------------------------------------------


def test_a_link_visitor_has_the_chat_and_nothing_else(visit: Open, public: None) -> None:
    _, token = resources.links().create("handbook")
    at = visit(link=token, prototype="wine")
    assert menu(at) == []
    assert not at.button_group  # no choice of a prototype
    assert "Handbook" in at.title[0].value
    assert "wine" not in address(at, "prototype")
    assert is_locked(visit("pages/library.py", link=token))


def test_the_owner_sees_what_a_visitor_sees(visit: Open) -> None:
    visit("pages/library.py")
    _, token = resources.links().create("handbook")
    assert menu(visit(link=token)) == []


def test_answers_are_made_and_kept_under_the_link(visit: Open, engine: FakeEngine) -> None:
    link, token = resources.links().create("wine")
    at = ask(visit(link=token), LAMB)
    (stored,) = engine.store.links.figures().items()
    assert (stored[0], stored[1].answers) == (link.id, 1)
    assert engine.asked[-1]["settings"].values == link.terms.settings
    at.button(next(k for k in keys(at) if k.startswith("regenerate-"))).click()
    settle(at)
    assert engine.asked[-1]["settings"].values == link.terms.settings


def test_conversations_are_those_of_this_browser_under_this_link(visit: Open) -> None:
    _, first = resources.links().create("wine")
    _, second = resources.links().create("wine")
    at = ask(visit(link=first), LAMB)
    conversation = address(at, "conversation")
    assert visit(link=first, conversation=conversation).chat_message
    assert not visit(link=second, conversation=conversation).chat_message
    assert not visit(conversation=conversation).chat_message
    assert not visit(link=first, conversation=conversation, secret=OTHER).chat_message
    assert not [k for k in keys(visit()) if k.startswith("open-")]
    own = address(ask(visit(), LAMB), "conversation")
    assert not visit(link=first, conversation=own).chat_message


@pytest.mark.parametrize("ended", ["unknown", "revoked", "expired", "conversation"])
def test_a_link_that_has_ended_opens_nothing(
    ended: str, visit: Open, engine: FakeEngine, monkeypatch: Any
) -> None:
    clock = Clock()
    links = Links(engine, clock=clock)
    monkeypatch.setattr(resources, "links", lambda: links)
    link, token = links.create("wine", expires=clock.now + 60)
    if ended == "unknown":
        token = "x" * 43
    elif ended == "revoked":
        links.revoke(link.id)
    elif ended == "expired":
        clock.now += 61
    else:
        _, token = links.share(address(ask(visit(), LAMB), "conversation"), SECRET)
    at = visit(link=token)
    assert "This link does not open" in says(at)
    assert not at.chat_input
    assert menu(at) == []


@pytest.mark.parametrize("ended", ["revoked", "expired"])
def test_a_link_that_ends_while_it_is_open_answers_nothing_more(
    ended: str, visit: Open, engine: FakeEngine, monkeypatch: Any
) -> None:
    clock = Clock()
    links = Links(engine, clock=clock)
    monkeypatch.setattr(resources, "links", lambda: links)
    link, token = links.create("wine", expires=clock.now + 60)
    at = ask(visit(link=token), LAMB)
    if ended == "revoked":
        links.revoke(link.id)
    else:
        clock.now += 61
    asked = len(engine.asked)
    at.chat_input[0].set_value("And with stew?")
    run(at)
    assert len(engine.asked) == asked
    assert "This link does not open" in says(at)


def test_a_link_with_a_password(visit: Open, password: Owner, engine: FakeEngine) -> None:
    _, token = resources.links().create("wine", password="open sesame", label="For Ann")
    at = visit(link=token)
    assert not at.chat_input
    assert "Wine" not in says(at)
    at = sign_in(at, "close sesame")
    assert "not the password" in says(at)
    at = sign_in(at, "open sesame")
    assert at.chat_input
    assert visit(link=token).chat_input  # this browser is remembered
    assert not visit(link=token, secret=OTHER).chat_input


def test_a_cap_is_told_and_the_question_kept(visit: Open, engine: FakeEngine) -> None:
    _, token = resources.links().create("wine", caps=LinkCaps(visitor=1))
    at = visit(link=token)
    assert "1 question left" in texts(at)
    at = ask(at, LAMB)
    at.chat_input[0].set_value("And with stew?")
    run(at)
    assert "allows each visitor" in at.error[0].value
    assert at.chat_input[0].proto.value == "And with stew?"
    assert len(engine.asked) == 1


def test_a_question_that_failed_does_not_count(visit: Open, engine: FakeEngine) -> None:
    _, token = resources.links().create("wine", caps=LinkCaps(visitor=1))
    at = ask(visit(link=token), "break it")
    assert at.error
    at = ask(visit(link=token), LAMB)
    assert len(at.chat_message) == 2


def test_no_sharing_further_from_a_link(visit: Open, engine: FakeEngine) -> None:
    _, token = resources.links().create("wine")
    at = ask(visit(link=token), LAMB)
    at.session_state["conversation-dialog"] = "Share"
    run(at)
    assert "share-make" not in keys(at)
    assert "not shared further" in texts(at)


def rated_down(at: AppTest) -> AppTest:
    at.feedback[0].set_value(0)
    return run(at)


def look_for(at: AppTest, words: str) -> AppTest:
    next(t for t in at.text_input if str(t.key).startswith("lookup-")).set_value(words)
    return run(at)


@pytest.fixture
def stays(monkeypatch: pytest.MonkeyPatch) -> None:
    """The page keeps its visit: what runs are its fragments, without its first lines."""
    opened: list[Any] = []
    found = visits.current

    def current() -> Any:
        if not opened:
            opened.append(found())
        return opened[0]

    monkeypatch.setattr(visits, "current", current)


def test_a_search_for_the_right_passage_counts_by_the_minute_and_against_no_cap(
    visit: Open, engine: FakeEngine
) -> None:
    engine.environment = dataclasses.replace(engine.environment, limits=Limits(questions_per_minute=3))
    _, token = resources.links().create("wine", caps=LinkCaps(total=1))
    at = rated_down(ask(visit(link=token), LAMB))

    for words in ("spain", "france"):
        assert not look_for(at, words).error
    look_for(at, "germany")

    assert engine.searched == ["spain", "france"]
    assert "3 questions a minute is the limit of this browser" in says(at)


def test_a_search_is_no_longer_than_a_question(visit: Open, engine: FakeEngine) -> None:
    engine.environment = dataclasses.replace(engine.environment, limits=Limits(question_characters=30))
    at = look_for(rated_down(ask(visit(), LAMB)), "stew " * 10)
    assert "the limit is 30. Shorten it." in says(at)
    assert engine.searched == []


def test_under_a_link_that_has_ended_nothing_more_is_searched_rated_or_drawn(
    visit: Open, engine: FakeEngine, stays: None
) -> None:
    link, token = resources.links().create("wine")
    at = rated_down(ask(visit(link=token), LAMB))
    (answer,) = (a for a, _ in engine.store.conversation_answers(address(at, "conversation"), secret(link)))
    resources.links().revoke(link.id)

    look_for(at, "spain")
    assert engine.searched == []
    assert "The search failed. This link was taken back. Ask whoever sent it for a new one." in says(at)

    at.feedback[0].set_value(1)
    run(at)
    assert "The rating was not saved. This link was taken back." in says(at)
    assert [given.rating for given in engine.store.feedback_history(answer.id)] == ["down"]

    at.session_state[f"evidence-{answer.id}"] = 1
    at.session_state[f"page-{answer.id}-1"] = True
    run(at)
    assert engine.drawn == []
    assert "This link was taken back." in says(at)


def test_a_link_that_goes_on_has_its_pages_drawn(visit: Open, engine: FakeEngine, stays: None) -> None:
    link, token = resources.links().create("wine")
    at = ask(visit(link=token), LAMB)
    (answer,) = (a for a, _ in engine.store.conversation_answers(address(at, "conversation"), secret(link)))

    at.session_state[f"evidence-{answer.id}"] = 1
    at.session_state[f"page-{answer.id}-1"] = True
    run(at)

    assert [page for _, page, _ in engine.drawn] == [3]


def secret(link: Link) -> str:
    """Of the conversations of this browser under the link."""
    return secret_under(link.id, SECRET)


# --- limits ---------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("limits", "question", "told"),
    [
        (Limits(questions_per_minute=1), "stew?", "1 question a minute is the limit of this browser"),
        (Limits(address_per_minute=1), "stew?", "1 question a minute is the limit of your network address"),
        (Limits(question_characters=30), "stew? " * 10, "limit is 30. Shorten it."),
    ],
)
def test_limits_of_everyone(
    limits: Limits, question: str, told: str, open_app: OpenApp, engine: FakeEngine, monkeypatch: Any
) -> None:
    monkeypatch.setattr(access, "client_address", lambda: "203.0.113.7")
    engine.environment = dataclasses.replace(engine.environment, limits=limits)
    at = ask(open_app(), LAMB)
    at.chat_input[0].set_value(question)
    run(at)
    assert told in says(at)
    assert len(engine.asked) == 1


# --- a shared conversation --------------------------------------------------------------


def test_a_shared_conversation_is_read_only_and_names_nobody(visit: Open, public: None) -> None:
    at = ask(visit(), LAMB)
    conversation = address(at, "conversation")
    _, token = resources.links().share(conversation, SECRET)

    at = visit("pages/shared.py", secret=OTHER, link=token)

    assert [m.name for m in at.chat_message] == ["user", "assistant"]
    assert not at.chat_input
    assert menu(at) == []
    assert [b.key for b in at.button] == []
    assert "badge[1]" in texts(at)
    answer = resources.engine().store.conversation_answers(conversation, SECRET)[0][0]
    drawn = "".join(str(element.proto) for element in at.main)
    for hidden in (SECRET, conversation, answer.id):
        assert hidden not in drawn


@pytest.mark.parametrize("token", ["", "x" * 43])
def test_no_conversation_without_its_link(token: str, visit: Open, untouched: None, monkeypatch: Any) -> None:
    monkeypatch.setattr(resources.engine().store.links, "by_token", lambda digest: [])
    assert "This link does not open" in says(visit("pages/shared.py", link=token))


def test_sharing_and_taking_back(visit: Open, engine: FakeEngine) -> None:
    at = ask(visit(), LAMB)
    at.session_state["conversation-dialog"] = "Share"
    run(at)
    at.button("share-make").click()
    at.session_state["conversation-dialog"] = "Share"
    run(at)
    token = at.code[0].value.partition("link=")[2]
    assert "/shared?" in at.code[0].value
    assert visit("pages/shared.py", secret=OTHER, link=token).chat_message
    at.session_state["conversation-dialog"] = "Share"
    at.button("share-stop").click()
    run(at)
    assert "was taken back" in says(visit("pages/shared.py", secret=OTHER, link=token))
