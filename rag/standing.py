"""How delivery to Supabase stands, in sentences: for the page and for the command line."""

from __future__ import annotations

from dataclasses import dataclass

from rag.store.outbox import Waiting


@dataclass(frozen=True, slots=True)
class Standing:
    """How delivery stands, for a person to look at."""

    configured: bool
    """Whether there is a project to deliver to."""
    owner: bool
    """Whether the owner's key is here, which links and erasures take."""
    waiting: Waiting

    @property
    def sentences(self) -> tuple[str, ...]:
        """What there is to say, the most important first."""
        if not self.configured:
            return ("Saved here. No Supabase project is set up to deliver to.",)
        waiting = self.waiting
        said = []
        if waiting.rows:
            said.append(f"Saved here, {waiting.rows:,} waiting for Supabase.")
        else:
            said.append("Saved here and in Supabase.")
        if waiting.problem:
            said.append(waiting.problem)
        for count, what in ((waiting.links, "link"), (waiting.erasures, "erasure")):
            if count and not self.owner:
                said.append(
                    f"{count:,} {what}{'' if count == 1 else 's'} can be carried out in Supabase only with "
                    "the owner's key: set SUPABASE_SECRET_KEY where this runs."
                )
            elif count:
                said.append(f"{count:,} {what}{'' if count == 1 else 's'} waiting for Supabase.")
        if waiting.refused:
            said.append(f"{waiting.refused:,} set aside: Supabase does not take them as they are.")
        return tuple(said)
