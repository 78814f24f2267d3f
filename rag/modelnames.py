"""The name of the model that writes, which the environment, the prototype and the reader may each give."""

from __future__ import annotations

from dataclasses import dataclass

_COHERES = ("command", "c4ai")
"""What names of Cohere's models begin with."""


@dataclass(frozen=True, slots=True)
class ModelNames:
    """The models that the environment names, one for each service that writes.

    It is the environment's layer of the setting ``model``. The settings keep it, so that a
    ``generator`` that is set later comes with its own model. ``auto`` is the service that
    ``generator=auto`` comes to, ``written`` the model in ``prototype.toml``.
    """

    openai: str = ""
    cohere: str = ""
    auto: str = ""
    written: str = ""

    def of(self, generator: str) -> str:
        """The model under this generator; empty where none is named."""
        service = self.auto if generator == "auto" else generator
        named = {"openai": self.openai, "cohere": self.cohere}.get(service, "")
        # Under "auto" the model of prototype.toml may be of the service that has no key here.
        foreign = generator == "auto" and service == "cohere" and not self.written.startswith(_COHERES)
        return named or ("" if foreign else self.written)
