"""Who the owner is: passwords, back-off and lock-out, claims and sessions."""

from __future__ import annotations

import threading
from pathlib import Path
from types import SimpleNamespace

import pytest

from pages.ui import resources
from rag import access
from rag.access import (
    LOCK_AFTER,
    LOCK_ALL_AFTER,
    LOCK_SECONDS,
    Owner,
    check_password,
    hash_password,
    is_account,
)
from rag.errors import AccessError, UsageError
from rag.store import Store

PASSWORD = "correct horse"
OURS, THEIRS = "s" * 43, "t" * 43


class Clock:
    def __init__(self) -> None:
        self.now = 1_800_000_000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def cheap(monkeypatch: pytest.MonkeyPatch) -> str:
    """A hash that is quick to check."""
    monkeypatch.setattr(access, "N", 2**10)
    monkeypatch.setattr(access, "P", 1)
    return hash_password(PASSWORD)


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store(tmp_path / "store.db")


@pytest.fixture
def owner(store: Store, cheap: str, clock: Clock) -> Owner:
    return Owner(lambda: store, cheap, 12, clock)


# --- passwords ------------------------------------------------------------------


def test_a_password_is_kept_as_a_salted_hash_at_its_full_cost() -> None:
    first, second = hash_password(PASSWORD), hash_password(PASSWORD)
    assert first.startswith("scrypt:32768:8:3:")
    assert first != second
    assert PASSWORD not in first
    assert check_password(PASSWORD, first)
    assert not check_password("correct horsf", first)


@pytest.mark.parametrize("password", ["", "short", "x" * 1_001])
def test_a_password_of_no_use_is_refused(password: str) -> None:
    with pytest.raises(UsageError, match="8 to 1,000 characters"):
        hash_password(password)


@pytest.mark.parametrize(
    "hashed",
    [
        "",
        PASSWORD,
        "scrypt:32768:8:3:salt",
        "scrypt:1073741824:8:1:c2FsdA:aGFzaA",
        "scrypt:1000:8:1:c2FsdA:aGFzaA",
    ],
)
def test_what_is_no_hash_opens_nothing(hashed: str) -> None:
    assert not access.is_password_hash(hashed) or not check_password(PASSWORD, hashed)
    assert not check_password(hashed, hashed)


# --- back-off and lock-out --------------------------------------------------------


def fail(owner: Owner, address: str = "203.0.113.7") -> str:
    with pytest.raises(AccessError) as error:
        owner.sign_in("wrong password", address, OURS)
    return str(error.value)


def test_failures_wait_longer_and_longer(owner: Owner, clock: Clock) -> None:
    waits = []
    for _ in range(LOCK_AFTER - 1):
        clock.now += owner.guard.wait("owner", "203.0.113.7").seconds
        fail(owner)
        waits.append(owner.guard.wait("owner", "203.0.113.7").seconds)
    assert waits == [0, 0, 1, 2, 4, 8, 16, 32, 64]


def test_a_try_before_its_time_is_not_looked_at(owner: Owner) -> None:
    for _ in range(3):
        fail(owner)
    with pytest.raises(AccessError, match=r"^Wait 1 second before"):
        owner.sign_in(PASSWORD, "203.0.113.7", OURS)


def test_ten_failures_lock_the_address_for_a_quarter_of_an_hour(owner: Owner, clock: Clock) -> None:
    for _ in range(LOCK_AFTER):
        clock.now += owner.guard.wait("owner", "203.0.113.7").seconds
        fail(owner)
    with pytest.raises(AccessError, match="locked for 15 minutes"):
        owner.sign_in(PASSWORD, "203.0.113.7", OURS)
    assert owner.sign_in(PASSWORD, "198.51.100.1", OURS)
    clock.now += LOCK_SECONDS + 1
    assert owner.sign_in(PASSWORD, "203.0.113.7", OURS)


def test_the_lock_outlives_a_restart(owner: Owner, store: Store, cheap: str, clock: Clock) -> None:
    for _ in range(LOCK_AFTER):
        clock.now += owner.guard.wait("owner", "203.0.113.7").seconds
        fail(owner)
    again = Owner(lambda: Store(store.path), cheap, 12, clock)
    assert again.guard.wait("owner", "203.0.113.7").locked


def test_many_addresses_together_are_locked_out_too(owner: Owner) -> None:
    for n in range(LOCK_ALL_AFTER):
        fail(owner, f"203.0.113.{n}")
    assert owner.guard.wait("owner", "198.51.100.1").locked


def test_tries_at_the_same_moment_gain_nothing(owner: Owner) -> None:
    looked: list[str] = []

    def one() -> None:
        try:
            owner.sign_in("wrong password", "203.0.113.7", OURS)
        except AccessError as error:
            looked.append(str(error))

    threads = [threading.Thread(target=one) for _ in range(30)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sum("not the password" in text for text in looked) == 3


def test_a_right_password_forgets_the_failures_before_it(owner: Owner) -> None:
    fail(owner)
    fail(owner)
    owner.sign_in(PASSWORD, "203.0.113.7", OURS)
    fail(owner)
    assert owner.guard.wait("owner", "203.0.113.7").seconds == 0


def test_one_door_does_not_lock_another(owner: Owner, cheap: str, clock: Clock) -> None:
    for _ in range(LOCK_AFTER):
        clock.now += owner.guard.wait("link 1", "203.0.113.7").seconds
        with pytest.raises(AccessError):
            owner.guard.check("link 1", "203.0.113.7", "wrong password", cheap)
    owner.guard.check("link 2", "203.0.113.7", PASSWORD, cheap)


def test_no_address_is_kept(owner: Owner, store: Store) -> None:
    fail(owner)
    stored = b"".join(path.read_bytes() for path in store.path.parent.iterdir())
    assert b"203.0.113.7" not in stored
    assert b"wrong password" not in stored


# --- claims and sessions ------------------------------------------------------------


def test_the_first_browser_claims_and_no_other(owner: Owner, store: Store) -> None:
    assert not owner.is_claimed()
    assert owner.claim(OURS)
    assert not owner.claim(THEIRS)
    assert owner.has_claimed(OURS)
    assert not owner.has_claimed(THEIRS)
    assert OURS.encode() not in store.path.read_bytes()


def test_of_browsers_that_claim_together_one_wins(store: Store, cheap: str) -> None:
    won: list[str] = []
    barrier = threading.Barrier(8)

    def one(secret: str) -> None:
        owner = Owner(lambda: store, cheap, 12)
        barrier.wait()
        if owner.claim(secret):
            won.append(secret)

    threads = [threading.Thread(target=one, args=(str(n) * 43,)) for n in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(won) == 1


def test_a_reset_takes_the_claim_and_the_sessions_back(owner: Owner) -> None:
    owner.claim(OURS)
    token = owner.sign_in(PASSWORD, "local", THEIRS)
    assert owner.reset()
    assert not owner.has_claimed(OURS)
    assert not owner.has_session(token, THEIRS)
    assert not owner.reset()
    assert owner.claim(THEIRS)


def test_a_session_is_of_one_browser_and_ends(owner: Owner, clock: Clock) -> None:
    token = owner.sign_in(PASSWORD, "local", OURS)
    assert owner.has_session(token, OURS)
    assert not owner.has_session(token, THEIRS)
    clock.now += 12 * 3_600
    assert not owner.has_session(token, OURS)


def test_signing_out_ends_the_session_at_once(owner: Owner) -> None:
    token = owner.sign_in(PASSWORD, "local", OURS)
    owner.sign_out(token, THEIRS)  # nobody else can
    assert owner.has_session(token, OURS)

    owner.sign_out(token, OURS)

    assert not owner.has_session(token, OURS)
    assert owner.has_session(owner.sign_in(PASSWORD, "local", OURS), OURS)  # within the same second, too


def test_who_asks_next_knows_what_was_signed_out(
    store: Store, cheap: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    environment = SimpleNamespace(owner_password=cheap, owner_hours=12)
    monkeypatch.setattr(resources, "engine", lambda: SimpleNamespace(store=store, environment=environment))
    token = resources.owner().sign_in(PASSWORD, "local", OURS)
    assert resources.owner().has_session(token, OURS)

    resources.owner().sign_out(token, OURS)  # each run of a page makes its own

    assert not resources.owner().has_session(token, OURS)


def test_a_session_that_was_written_to_is_none(owner: Owner) -> None:
    expires, _, signature = owner.sign_in(PASSWORD, "local", OURS).partition(".")
    later = str(int(expires) + 1)
    for forged in (f"{later}.{signature}", f"{expires}.{'0' * 64}", f"{expires}.", signature, "", ".", "é.é"):
        assert not owner.has_session(forged, OURS)


def test_another_password_ends_all_sessions(owner: Owner, store: Store, clock: Clock) -> None:
    token = owner.sign_in(PASSWORD, "local", OURS)
    changed = Owner(lambda: store, hash_password(PASSWORD), 12, clock)
    assert not changed.has_session(token, OURS)


@pytest.mark.parametrize("hashed", [None, PASSWORD])
def test_without_a_hash_nobody_signs_in(store: Store, hashed: str | None) -> None:
    with pytest.raises(AccessError, match="no password to sign in with"):
        Owner(lambda: store, hashed, 12).sign_in(PASSWORD, "local", OURS)


# --- accounts -------------------------------------------------------------------------

ALLOWED = frozenset({"Ann@example.org", "auth0|42"})


@pytest.mark.parametrize(
    ("user", "expected"),
    [
        ({"is_logged_in": True, "email": "ann@EXAMPLE.org", "email_verified": True}, True),
        ({"is_logged_in": True, "sub": "auth0|42"}, True),
        ({"is_logged_in": False, "email": "ann@example.org", "email_verified": True}, False),
        ({"email": "ann@example.org", "email_verified": True}, False),
        ({"is_logged_in": True, "email": "ann@example.org"}, False),
        ({"is_logged_in": True, "email": "ann@example.org", "email_verified": False}, False),
        ({"is_logged_in": True, "email": "bob@example.org", "email_verified": True}, False),
        ({"is_logged_in": True, "sub": "AUTH0|42"}, False),
        ({"is_logged_in": True, "sub": "ann@example.org"}, False),
        ({"is_logged_in": True, "sub": ""}, False),
        ({"is_logged_in": "True", "sub": "auth0|42"}, False),
        ({}, False),
    ],
)
def test_accounts_on_the_list(user: dict[str, object], expected: bool) -> None:
    assert is_account(user, ALLOWED) is expected
    assert not is_account(user, frozenset())
