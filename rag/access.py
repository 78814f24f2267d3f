"""Who the owner is: a claim, a password with back-off and lock-out, and sessions that are signed.

Nothing here believes what a client says of itself. A claim and a session belong to the secret
of one browser (256 random bits); of that secret, the store keeps a hash.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import math
import re
import secrets
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from rag.errors import AccessError, UsageError
from rag.store import Store, secret_hash

N, R, P = 2**15, 8, 3
"""Cost of scrypt: 32 MB and about 0.2 s. One of the equivalent settings of the OWASP Password Storage
Cheat Sheet; the one with the least memory of which the time is still short."""

MIN_PASSWORD, MAX_PASSWORD = 8, 1_000
FREE, LOCK_AFTER = 3, 10
"""Failures without a wait, and those after which nobody of that address gets in for a while."""
LOCK_SECONDS = 15 * 60.0
LOCK_ALL_AFTER = 100
"""Failures of all addresses together within :data:`LOCK_SECONDS`: many addresses are cheap."""

_HASH = re.compile(r"scrypt:(\d+):(\d+):(\d+):([A-Za-z0-9_-]+):([A-Za-z0-9_-]+)")
_ONE_AT_A_TIME = threading.Lock()
"""A check takes memory and a core on purpose; a hundred at once must not take a hundred times that."""


# --- passwords ------------------------------------------------------------------


def hash_password(password: str) -> str:
    """The password as ``scrypt:N:r:p:salt:hash``, fit for a secrets file or an environment variable.

    Raises :class:`UsageError` for one that is too short or too long.
    """
    if not MIN_PASSWORD <= len(password) <= MAX_PASSWORD:
        raise UsageError(f"A password has {MIN_PASSWORD} to {MAX_PASSWORD:,} characters. Choose another one.")
    salt = secrets.token_bytes(16)
    return f"scrypt:{N}:{R}:{P}:{_text(salt)}:{_text(_scrypt(password, salt, N, R, P))}"


def is_password_hash(text: str) -> bool:
    """Whether :func:`hash_password` may have made it."""
    match = _HASH.fullmatch(text)
    if match is None:
        return False
    n, r, p = (int(number) for number in match.group(1, 2, 3))
    # Anything larger would let a slip of the pen take the memory of the machine.
    return 2**10 <= n <= 2**20 and n & (n - 1) == 0 and 1 <= r <= 32 and 1 <= p <= 16


def check_password(password: str, hashed: str) -> bool:
    """Whether it is that password; compares in constant time."""
    match = _HASH.fullmatch(hashed)
    if match is None or not is_password_hash(hashed) or len(password) > MAX_PASSWORD:
        return False
    n, r, p = (int(number) for number in match.group(1, 2, 3))
    with _ONE_AT_A_TIME:
        made = _scrypt(password, _bytes(match[4]), n, r, p)
    return hmac.compare_digest(made, _bytes(match[5]))


def _scrypt(password: str, salt: bytes, n: int, r: int, p: int) -> bytes:
    return hashlib.scrypt(
        password.encode("utf-8", "surrogatepass"),
        salt=salt,
        n=n,
        r=r,
        p=p,
        maxmem=128 * n * r * p + 2**20 + 128 * r * n,
        dklen=32,
    )


def _text(value: bytes) -> str:
    return base64.urlsafe_b64encode(value).decode().rstrip("=")


def _bytes(text: str) -> bytes:
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


# --- back-off and lock-out ------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Wait:
    """How many seconds until a password may be tried again, and whether that is the lock-out."""

    seconds: float
    locked: bool


class Guard:
    """Checks passwords, and makes guessing slow. Its counts are in the store: they outlive a restart."""

    def __init__(self, store: Callable[[], Store], clock: Callable[[], float] = time.time) -> None:
        self._store, self._clock = store, clock

    def wait(self, door: str, address: str) -> Wait:
        """What a further try at ``door`` (a name of what is locked) has to wait, from that address."""
        now = self._clock()
        gate = self._store().gate
        since = now - LOCK_SECONDS
        return _longer(
            _wait(*gate.failures(self._who(door, address), since), now),
            _wait_of_all(*gate.failures(self._who(door, None), since), now),
        )

    def check(self, door: str, address: str, password: str, hashed: str) -> None:
        """Returns where the password is right. Raises :class:`AccessError`.

        A try counts as a failure before it is compared, and is taken back when it was right: many
        tries at the same moment gain nothing.
        """
        now, since = self._clock(), self._clock() - LOCK_SECONDS
        one, everyone = self._who(door, address), self._who(door, None)
        with self._store().gate.trying() as tries:
            tries.forget_before(since)
            mine, last = tries.failures(one, since)
            all_, last_of_all = tries.failures(everyone, since)
            wait = _longer(_wait(mine, last, now), _wait_of_all(all_, last_of_all, now))
            if wait.seconds > 0:
                raise AccessError(waiting(wait))
            tries.count(one, mine + 1, now)
            tries.count(everyone, all_ + 1, now)
        if not check_password(password, hashed):
            wait = self.wait(door, address)
            after = f" {waiting(wait)}" if wait.seconds > 0 else ""
            raise AccessError(f"That is not the password.{after}")
        with self._store().gate.trying() as tries:
            tries.clear(one)
            count, last = tries.failures(everyone, since)
            if count > 1:
                tries.count(everyone, count - 1, last)
            else:
                tries.clear(everyone)

    def _who(self, door: str, address: str | None) -> str:
        """Addresses are personal: what is kept is a keyed hash."""
        text = f"{door}\n{'' if address is None else f'of {address}'}"
        key = self._store().gate.signing_key().encode()
        return hmac.new(key, text.encode("utf-8", "replace"), hashlib.sha256).hexdigest()


def _wait(failures: int, last: float, now: float) -> Wait:
    """None for the first few; then 1, 2, 4 ... seconds after the last one; then the lock-out."""
    if failures >= LOCK_AFTER:
        return Wait(max(0.0, last + LOCK_SECONDS - now), True)
    pause = 0.0 if failures < FREE else 2.0 ** (failures - FREE)
    return Wait(max(0.0, last + pause - now), False)


def _wait_of_all(failures: int, last: float, now: float) -> Wait:
    return Wait(max(0.0, last + LOCK_SECONDS - now) if failures >= LOCK_ALL_AFTER else 0.0, True)


def _longer(first: Wait, second: Wait) -> Wait:
    return first if first.seconds >= second.seconds else second


def waiting(wait: Wait) -> str:
    """The wait in a sentence."""
    if wait.locked:
        minutes = math.ceil(wait.seconds / 60)
        return (
            f"Too many wrong passwords: it is locked for {minutes} minute{'' if minutes == 1 else 's'}. "
            "Try again then."
        )
    seconds = math.ceil(wait.seconds)
    return f"Wait {seconds} second{'' if seconds == 1 else 's'} before you try again."


# --- the owner ------------------------------------------------------------------


class Owner:
    """Says whether a browser is the owner's.

    ``password`` is the hash from the secrets; None where there is none. Sessions are signed with a
    key of the installation and the hash together, so that a new password ends all of them. ``ended`` is
    what all that answer for one process share: the sessions that were signed out.
    """

    def __init__(
        self,
        store: Callable[[], Store],
        password: str | None,
        hours: float,
        clock: Callable[[], float] = time.time,
        ended: dict[str, int] | None = None,
    ) -> None:
        self._store, self._clock = store, clock
        self._password, self._hours = password, hours
        self.guard = Guard(store, clock)
        self._ended = {} if ended is None else ended
        """Sessions that were ended before their time, and until when each would have lasted."""

    @property
    def has_password(self) -> bool:
        """Whether there is a password to sign in with."""
        return self._password is not None

    @property
    def is_misspelt(self) -> bool:
        """Whether what stands for the password's hash is none, so that nobody could sign in."""
        return self._password is not None and not is_password_hash(self._password)

    def is_claimed(self) -> bool:
        """Whether a browser has claimed the installation."""
        return self._store().gate.key("owner") is not None

    def has_claimed(self, secret: str) -> bool:
        """Whether it was this browser."""
        kept = self._store().gate.key("owner")
        return kept is not None and hmac.compare_digest(kept, secret_hash(secret))

    def claim(self, secret: str) -> bool:
        """Claim the installation for a browser; whether it is that browser's now. The first one wins."""
        own = secret_hash(secret)
        return hmac.compare_digest(self._store().gate.claim_key("owner", own), own)

    def reset(self) -> bool:
        """Take the claim back, end all sessions and lift lock-outs; whether there was a claim."""
        claimed = self.is_claimed()
        self._store().gate.forget_keys("owner", "signing")
        return claimed

    def sign_in(self, password: str, address: str, secret: str) -> str:
        """A session for that browser. Raises :class:`AccessError`."""
        if self._password is None or self.is_misspelt:
            raise AccessError("There is no password to sign in with. Set THUMBPRINT_OWNER_PASSWORD.")
        self.guard.check("owner", address, password, self._password)
        expires = int(self._clock() + 3600 * self._hours)
        token = f"{expires}.{self._signature(expires, secret)}"
        self._ended.pop(token, None)  # within a second of signing out it is the same one
        return token

    def sign_out(self, token: str, secret: str) -> None:
        """End that session at once, as far as this process goes: the browser may be slow to forget it."""
        if self.has_session(token, secret):
            now = self._clock()
            for over in [one for one, end in list(self._ended.items()) if end <= now]:
                self._ended.pop(over, None)
            self._ended[token] = int(token.partition(".")[0])

    def has_session(self, token: str, secret: str) -> bool:
        """Whether the session is that browser's and has not ended. Compares in constant time."""
        expires, _, signature = token.partition(".")
        if self._password is None or not re.fullmatch(r"[0-9]{1,15}", expires):
            return False
        right = hmac.compare_digest(
            signature.encode("utf-8", "replace"), self._signature(int(expires), secret).encode()
        )
        return right and self._clock() < int(expires) and token not in self._ended

    def _signature(self, expires: int, secret: str) -> str:
        key = f"{self._store().gate.signing_key()}\n{self._password}".encode()
        return hmac.new(key, f"{expires}\n{secret_hash(secret)}".encode(), hashlib.sha256).hexdigest()


def is_account(user: Mapping[str, object], allowed: frozenset[str]) -> bool:
    """Whether an account that signed in by OpenID Connect is on the list.

    An entry with an @ is an e-mail address, which counts only where the provider says that it
    verified it: with some providers a user may write any address into a profile. Any other
    entry is the account's subject (``sub``), letter by letter.
    """
    if user.get("is_logged_in") is not True:
        return False
    email, subject = user.get("email"), user.get("sub")
    if isinstance(email, str) and user.get("email_verified") in (True, "true"):
        addresses = {entry.casefold() for entry in allowed if "@" in entry}
        if email.casefold() in addresses:
            return True
    return isinstance(subject, str) and "@" not in subject and subject in allowed
