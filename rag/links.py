"""Links that cannot be guessed: to a prototype under fixed settings, or to one conversation.

A token is 256 random bits and stands in the address alone: the store keeps its SHA-256, so a
copy of the store opens nothing. A link is never changed; it ends by a revision that revokes
it, or by its time. Of rows that are known from two places (this machine, Supabase) all count,
so a link lives as long as one of them remembers it, and is revoked as soon as one of them says so.
"""

from __future__ import annotations

import hmac
import logging
import re
import secrets
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from typing import Literal, Protocol

from rag.access import hash_password
from rag.config import Settings
from rag.engine import Engine
from rag.errors import LinkError, NotFound, PrototypeError, ThumbprintError, UsageError
from rag.filters import parse
from rag.generators import cohere, openai
from rag.generators.choose import choose, generator_name
from rag.generators.prompt import load_prompt
from rag.link import Link, LinkReport, by_link, check_terms, link_of, refusal
from rag.link import digest as digest_of
from rag.prototypes import Prototype
from rag.remains import given_anew
from rag.store.links import LinkFigures
from rag.types import Answer, LinkCaps, LinkKind, LinkRow, LinkTerms

_log = logging.getLogger(__name__)

TOKEN_BYTES = 32
MAX_OF_CONVERSATION = 20
"""Links to one conversation that are not revoked."""
_TOKEN = re.compile(r"[A-Za-z0-9_-]{43}")
_REMEMBERED = 15.0
"""Seconds for which Supabase's word on a link is taken: a page asks on every click, and a link that is
revoked elsewhere works no longer than that."""
_MOST_REMEMBERED = 1_000


class RemoteLinks(Protocol):
    """The table ``links`` of Supabase, read with the owner's key.

    Raises :class:`ThumbprintError` where it cannot be reached.
    """

    def by_token(self, token_hash: str) -> Sequence[LinkRow]:
        """All revisions of the link of a token."""

    def all(self) -> Sequence[LinkRow]:
        """All revisions of all links."""

    def close(self) -> None:
        """Close the connection. It is opened again when it is needed."""


class Links:
    """Makes, resolves and revokes links. One serves all threads of a process."""

    def __init__(
        self,
        engine: Engine,
        remote: RemoteLinks | None = None,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._engine, self._remote, self._clock = engine, remote, clock
        self._lock = threading.Lock()
        self._seen: dict[str, tuple[float, Sequence[LinkRow]]] = {}
        self._away_until = 0.0
        """While Supabase does not answer, not every click waits for it anew."""

    @classmethod
    def of(cls, engine: Engine) -> Links:
        """With Supabase where the owner's key is there."""
        environment = engine.environment
        url, key = environment.supabase_url, environment.supabase_secret_key
        if not url or not key:
            return cls(engine)
        from rag.store.remote_links import RemoteLinks as Table

        return cls(engine, Table(url, key))

    def close(self) -> None:
        """Close the connection to Supabase, where there is one."""
        if self._remote is not None:
            self._remote.close()

    @property
    def kept_in(self) -> Literal["supabase", "machine"]:
        """Where links are resolved."""
        return "supabase" if self._remote is not None else "machine"

    # --- making ---------------------------------------------------------------

    def create(
        self,
        prototype: str,
        *,
        label: str = "",
        expires: float | None = None,
        password: str | None = None,
        caps: LinkCaps | None = None,
        settings: Settings | None = None,
    ) -> tuple[Link, str]:
        """A link to a prototype as it is set now, and its token, which is never told again.

        ``settings`` are frozen in the place of the prototype's own. Raises :class:`UsageError` for
        terms that make no sense, or under which no question could be answered;
        :class:`PrototypeError` where there is no such prototype.
        """
        caps = caps or LinkCaps()
        check_terms(caps, expires, self._clock(), label)
        found = self._engine.prototype(prototype)
        frozen = self._frozen(settings or found.settings)
        self._check_asking(frozen, found)
        terms = LinkTerms(
            label=" ".join(label.split()),
            settings=frozen.values,
            fingerprint=frozen.fingerprint,
            prompt_version=_prompt_version(frozen, found),
            index_version=self._engine.index_version(prototype),
            expires=expires,
            password=None if password is None else hash_password(password),
            caps=caps,
        )
        return self._make("prototype", found.name, terms)

    def share(self, conversation_id: str, secret: str) -> tuple[Link, str]:
        """A link to a conversation with the answers that it has now, made by who holds its secret.

        Raises :class:`NotFound` for a conversation of another browser, :class:`UsageError` for one
        without answers or with very many links.
        """
        conversation = self._engine.store.conversation(conversation_id, secret)
        answers = [a.id for a, _ in self._engine.store.conversation_answers(conversation_id, secret)]
        if not answers:
            raise UsageError("There is nothing to share yet. Ask something first.")
        if len(self.shared(conversation_id, secret)) >= MAX_OF_CONVERSATION:
            raise UsageError("This conversation has very many links already. Take some of them back first.")
        terms = LinkTerms(conversation=conversation.id, answers=tuple(answers))
        return self._make("conversation", conversation.prototype, terms)

    def _make(self, kind: LinkKind, prototype: str, terms: LinkTerms) -> tuple[Link, str]:
        token = secrets.token_urlsafe(TOKEN_BYTES)
        row = self._engine.store.links.make(kind, digest_of(token), prototype, terms)
        return link_of([row], ()), token

    def _frozen(self, settings: Settings) -> Settings:
        """The settings with nothing left open that a key or a variable would decide later."""
        environment = self._engine.environment
        generator = generator_name(settings, environment)
        model = settings.model if generator != "extractive" else ""
        if generator == "cohere" and not model:
            model = cohere.DEFAULT_MODEL
        elif generator == "openai" and not model and not environment.openai_base_url:
            model = openai.DEFAULT_MODEL
        return replace(settings, generator=generator, model=model)

    def _check_asking(self, settings: Settings, found: Prototype) -> None:
        """Raises :class:`UsageError` where every question under these settings would fail."""
        parse(settings.where)
        choose(settings, self._engine.environment, found.folder)
        indexed = found.settings.embedding_model
        if settings.embedding_model != indexed:
            raise UsageError(
                f"“{found.name}” is indexed with {indexed}, and its questions must be embedded by the same: "
                "leave embedding.model out, or first run python -m rag reindex --prototype "
                f"{found.name} --set embedding.model={settings.embedding_model}."
            )

    # --- resolving ------------------------------------------------------------

    def resolve(self, token: str, kind: LinkKind) -> Link:
        """The link of a token. Raises :class:`LinkError` where it does not exist, or has ended."""
        rows: Sequence[LinkRow] = ()
        remote: Sequence[LinkRow] = ()
        if _TOKEN.fullmatch(token):
            digest = digest_of(token)
            rows = self._engine.store.links.by_token(digest)
            remote = self._remote_rows(digest, known=bool(rows))
        # Looked up in an index, which takes no constant time; what leaks is about a SHA-256 of
        # 256 random bits, from which no guess can be improved.
        rows = [row for row in rows if hmac.compare_digest(row.token_hash, digest_of(token))]
        if not rows and not remote:
            raise LinkError(
                "This link does not exist. Check that the whole address was copied, or ask whoever sent it."
            )
        link = link_of(rows, remote)
        if link.kind != kind:
            raise LinkError("This link belongs to another page. Open its address as it was sent.")
        match link.state(self._clock()):
            case "revoked":
                raise LinkError("This link was taken back. Ask whoever sent it for a new one.")
            case "expired":
                when = datetime.fromtimestamp(link.terms.expires or 0.0, UTC)
                raise LinkError(
                    f"This link ended on {when:%d %B %Y at %H:%M} UTC. Ask whoever sent it for a new one."
                )
        return link

    def _remote_rows(self, digest: str, *, known: bool) -> Sequence[LinkRow]:
        if self._remote is None:
            return ()
        now = self._clock()
        with self._lock:
            seen = self._seen.get(digest)
        if seen is not None and 0 <= now - seen[0] < _REMEMBERED:
            return seen[1]
        rows: tuple[LinkRow, ...] | None = None
        if now >= self._away_until:
            try:
                rows = tuple(self._remote.by_token(digest))
            except ThumbprintError as error:
                _log.warning("Supabase did not say what it knows of a link: %s", error)
                self._away_until = now + _REMEMBERED
        if rows is None:
            if known:
                return ()  # this machine knows it; what was revoked here is
            raise LinkError("This link cannot be looked up just now. Try again in a minute.")
        with self._lock:
            if len(self._seen) >= _MOST_REMEMBERED:
                self._seen.clear()
            self._seen[digest] = (now, rows)
        return rows

    def prototype(self, link: Link) -> Prototype:
        """The prototype under the frozen settings. Raises :class:`LinkError` where it cannot be asked so."""
        problem = self._problem(link)
        if problem:
            raise LinkError(problem)
        return replace(self._engine.prototype(link.prototype), settings=link.settings)

    def _problem(self, link: Link) -> str:
        ask = "Ask whoever sent this link for a new one."
        if link.created < given_anew(self._engine.store, link.prototype):
            return f"What this link leads to is not here any more. {ask}"
        try:
            settings = link.settings
        except UsageError:
            return f"This link was made by another version of Thumbprint. {ask}"
        try:
            found = self._engine.prototype(link.prototype)
        except PrototypeError:  # its text names the other prototypes
            return f"What this link leads to is not here any more. {ask}"
        if settings.embedding_model != found.settings.embedding_model:
            return f"The documents were indexed anew with another model since. {ask}"
        try:
            if _prompt_version(settings, found) != link.terms.prompt_version:
                return f"The prompt of this link was edited since. {ask}"
        except UsageError:
            return f"The prompt of this link is gone. {ask}"
        return ""

    # --- conversations --------------------------------------------------------

    def conversation(self, link: Link) -> list[Answer]:
        """What a link to a conversation shows. Raises :class:`LinkError` where it was erased."""
        answers = self._engine.store.links.shared(link.terms.conversation or "", link.terms.answers)
        if not answers:
            raise LinkError("This conversation is not here any more.")
        return answers

    def shared(self, conversation_id: str, secret: str) -> list[Link]:
        """The links to a conversation that are not revoked, for its author. Raises :class:`NotFound`."""
        self._engine.store.conversation(conversation_id, secret)
        links = by_link(self._engine.store.links.of_conversation(conversation_id), ())
        return [link for link in links if link.revoked is None]

    def stop_sharing(self, conversation_id: str, secret: str) -> int:
        """Take back every link to a conversation, for its author; how many. Raises :class:`NotFound`."""
        links = self.shared(conversation_id, secret)
        for link in links:
            self.revoke(link.id)
        return len(links)

    # --- the owner ------------------------------------------------------------

    def reports(self, prototype: str | None = None) -> list[LinkReport]:
        """All links with what came of them, the newest first. A remote that fails is passed over.

        Raises what the store raises.
        """
        remote: Sequence[LinkRow] = ()
        if self._remote is not None:
            try:
                remote = self._remote.all()
            except ThumbprintError as error:
                _log.warning("Supabase did not list its links: %s", error)
        store = self._engine.store
        figures, visitors = store.links.figures(), store.gate.visitors()
        now = self._clock()
        versions: dict[str, str] = {}
        found = []
        for link in by_link(store.links.all(), remote):
            if prototype is not None and link.prototype != prototype:
                continue
            state = link.state(now)
            if link.prototype not in versions:
                versions[link.prototype] = self._version(link.prototype)
            found.append(
                LinkReport(
                    link=link,
                    state=state,
                    figures=figures.get(link.id, LinkFigures()),
                    visitors=visitors.get(link.id, 0),
                    index_version=versions[link.prototype],
                    problem=self._problem(link) if state == "active" and link.kind == "prototype" else "",
                )
            )
        return sorted(found, key=lambda report: -report.link.created)

    def _version(self, prototype: str) -> str:
        try:
            return self._engine.index_version(prototype, ready=False)
        except ThumbprintError:
            return ""

    def revoke(self, link_id: str) -> Link:
        """Take a link back, for good. Raises :class:`NotFound`."""
        rows = [row for row in self._engine.store.links.all() if row.link_id == link_id]
        if not rows and self._remote is not None:
            rows = [row for row in self._remote.all() if row.link_id == link_id]
        if not rows:
            raise NotFound("There is no link of that id. “python -m rag links list” shows them.")
        revoked = self._engine.store.links.revoke(rows[-1])
        with self._lock:
            self._seen.pop(revoked.token_hash, None)
        return link_of([*rows, revoked], ())

    # --- asking under a link ----------------------------------------------------

    def admit(self, link: Link, visitor: str) -> str:
        """Count one question of a visitor against the caps; the id of the use, to settle or give back.

        Raises :class:`LinkError` where a cap is reached. The counts are in the store of this
        machine, so they hold across its processes and restarts.
        """
        now = self._clock()
        with self._engine.store.gate.using() as uses:
            used = uses.of_link(link.id, visitor, now)
            refused = refusal(link.terms.caps, used)
            if refused:
                raise LinkError(refused)
            return uses.add(link.id, visitor, 0.0, now)

    def left(self, link: Link, visitor: str) -> int | None:
        """How many questions this visitor may still ask today; None where there is no cap."""
        used = self._engine.store.gate.link_use(link.id, visitor, self._clock())
        caps = link.terms.caps
        pairs = ((caps.visitor, used.visitor), (caps.day, used.today), (caps.total, used.total.questions))
        rest = [cap - count for cap, count in pairs if cap is not None]
        return max(0, min(rest)) if rest else None


def _prompt_version(settings: Settings, prototype: Prototype) -> str:
    return (
        "" if settings.generator == "extractive" else load_prompt(settings.prompt, prototype.folder).version
    )
