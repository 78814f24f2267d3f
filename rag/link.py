"""A link as a value: what it is now, what its caps leave, what may be told of it."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Literal

from rag.config import Settings, with_settings
from rag.errors import UsageError
from rag.store.gate import LinkUse
from rag.store.links import LinkFigures
from rag.types import LinkCaps, LinkKind, LinkRow, LinkTerms

MAX_LABEL = 100
_LATEST = 253_370_764_800
"""9999-01-01T00:00:00Z in Unix seconds. Calendars end a year later, whatever the reader's zone."""
State = Literal["active", "expired", "revoked"]


@dataclass(frozen=True, slots=True)
class Link:
    """A link as it stands now: its terms are those of its first revision, whatever came later."""

    id: str
    kind: LinkKind
    prototype: str
    terms: LinkTerms
    created: float
    revoked: float | None
    kept: Literal["supabase", "machine"]
    """Whether Supabase has it, so that it outlives this disk."""

    def state(self, now: float) -> State:
        """Whether it opens at that time, in Unix seconds."""
        if self.revoked is not None:
            return "revoked"
        expires = self.terms.expires
        return "expired" if expires is not None and now >= expires else "active"

    @property
    def settings(self) -> Settings:
        """The frozen settings; a setting that came with a later version has its default.

        Raises :class:`UsageError` where this version does not know one of them.
        """
        return with_settings(Settings(), self.terms.settings)


@dataclass(frozen=True, slots=True)
class LinkReport:
    """A link for its owner: what came of it, and whether the documents are still those of its making."""

    link: Link
    state: State
    figures: LinkFigures
    visitors: int
    index_version: str
    """Of now; empty where the prototype has no index or is gone."""
    problem: str = ""
    """Why visitors are refused although the link is active."""

    @property
    def index_differs(self) -> bool:
        """Whether the index, or that of any answer, is another one than when the link was made."""
        made = self.link.terms.index_version
        return any(v and v != made for v in (self.index_version, *self.figures.index_versions))


def visitor_of(link_id: str, secret: str) -> str:
    """What a visitor of a link is counted as: it tells nothing of the browser or of other links."""
    return hashlib.sha256(f"visitor\n{link_id}\n{secret}".encode("utf-8", "surrogatepass")).hexdigest()


def secret_under(link_id: str, secret: str) -> str:
    """The secret of a browser's conversations under a link, so that they open there and nowhere else."""
    made = hashlib.sha256(f"secret\n{link_id}\n{secret}".encode("utf-8", "surrogatepass"))
    return f"link-{made.hexdigest()}"


def refusal(caps: LinkCaps, used: LinkUse) -> str:
    """Why no further question is admitted; empty where one is."""
    if caps.total is not None and used.total.questions >= caps.total:
        return f"All {caps.total:,} questions of this link were asked. Ask whoever sent it for a new one."
    if caps.visitor is not None and used.visitor >= caps.visitor:
        return f"You have asked the {caps.visitor:,} questions that this link allows each visitor."
    if caps.day is not None and used.today >= caps.day:
        return f"The {caps.day:,} questions of this link for today were asked. It goes on at midnight UTC."
    return ""


def check_terms(caps: LinkCaps, expires: float | None, now: float, label: str) -> None:
    """Raises :class:`UsageError` for terms that make no sense."""
    for count in (caps.visitor, caps.day, caps.total):
        if count is not None and not 1 <= count <= 1_000_000_000:
            raise UsageError("A cap on questions is a whole number from 1.")
    if caps.dollars is not None and not 0 <= caps.dollars <= 1_000_000:
        raise UsageError("A budget is a number of dollars from 0.")
    if expires is not None and expires <= now:
        raise UsageError("The link would have ended already. Choose a time that is still to come.")
    if expires is not None and not expires < _LATEST:
        raise UsageError(
            "A link ends in the year 9998 at the latest. For one that never ends, leave --expires out."
        )
    if len(label) > MAX_LABEL:
        raise UsageError(f"A label has at most {MAX_LABEL} characters.")


def link_of(local: Sequence[LinkRow], remote: Sequence[LinkRow]) -> Link:
    """One link of all its known revisions: the first one's terms, and the first word that revokes it."""
    rows = sorted((*local, *remote), key=lambda row: row.revision)
    revoked = [row.terms.revoked for row in rows if row.terms.revoked is not None]
    first = rows[0]
    return Link(
        id=first.link_id,
        kind=first.kind,
        prototype=first.prototype,
        terms=replace(first.terms, revoked=None),
        created=first.created if first.revision == 1 else min(row.created for row in rows),
        revoked=min(revoked) if revoked else None,
        kept="supabase" if remote else "machine",
    )


def by_link(local: Iterable[LinkRow], remote: Iterable[LinkRow]) -> list[Link]:
    """Every link that is known from here or there."""
    rows: dict[str, tuple[list[LinkRow], list[LinkRow]]] = {}
    for place, known in enumerate((local, remote)):
        for row in known:
            rows.setdefault(row.link_id, ([], []))[place].append(row)
    return [link_of(here, there) for here, there in rows.values()]


def digest(token: str) -> str:
    """What is kept of a token."""
    return hashlib.sha256(token.encode("utf-8", "surrogatepass")).hexdigest()


def terms_json(terms: LinkTerms) -> Mapping[str, object]:
    """What may be told of a link's terms: everything but the hash of its password."""
    caps = terms.caps
    return {
        "label": terms.label,
        "expires": terms.expires,
        "password": terms.password is not None,
        "caps": {"visitor": caps.visitor, "day": caps.day, "total": caps.total, "dollars": caps.dollars},
        "settings": dict(terms.settings),
        "fingerprint": terms.fingerprint,
        "index_version": terms.index_version,
    }
