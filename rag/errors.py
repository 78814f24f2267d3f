"""The errors that Thumbprint raises, each fit to be shown to a person.

    ThumbprintError
    ├── UsageError            wrong arguments or settings (exit code 2)
    │   └── FilterError       a metadata filter that means nothing
    ├── PrototypeError        a prototype that is unknown or does not load
    ├── ReadError             a file that could not be read
    ├── ModelError            an embedding model that could not be loaded or run
    ├── IndexingError          the index is missing, damaged or of another model
    ├── RerankError           a re-ranker that could not be loaded or reached; the question goes on
    ├── GenerationError       no answer could be written
    ├── StoreError            a record could not be written or read
    ├── NotFound              no document, answer or conversation of that id
    ├── AccessError           who asks may not, or not yet
    │   └── LinkError         a link that is unknown, revoked, expired, locked or used up
    └── LimitError            too much at once: wait, or ask less

The text of each says what happened and what to do. None holds a key, and none is
raised from a message of a remote server without being cut to one line first.
"""

from __future__ import annotations


class ThumbprintError(Exception):
    """Anything that went wrong in a way that a person can act on."""


class UsageError(ThumbprintError):
    """The call itself was wrong: an argument, a setting, a combination of the two."""


class FilterError(UsageError):
    """A metadata filter that is not of the language, or compares what cannot be compared."""


class PrototypeError(ThumbprintError):
    """A prototype that does not exist, or whose ``prototype.toml`` does not load."""


class ReadError(ThumbprintError):
    """A file that could not be read: empty, too large, damaged, encrypted, mislabelled."""


class ModelError(ThumbprintError):
    """An embedding model that could not be loaded or run."""


class IndexingError(ThumbprintError):
    """The index is missing, damaged, held by another process, or of another model."""


class RerankError(ThumbprintError):
    """A re-ranker that could not be loaded or reached. The question is answered without it."""


class GenerationError(ThumbprintError):
    """A generator could not write an answer.

    ``charged`` tells whether the service may ask money for the call all the same; it surely does not
    where it was not reached, or turned the call away.
    """

    def __init__(self, message: str, *, charged: bool = True) -> None:
        super().__init__(message)
        self.charged = charged


class StoreError(ThumbprintError):
    """A record could not be written or read."""


class NotFound(ThumbprintError):
    """Nothing of that id."""


class AccessError(ThumbprintError):
    """Who asks may not do this, or has to wait before trying a password again."""


class LinkError(AccessError):
    """A link that is unknown, revoked, expired, locked by a password, or used up."""


class LimitError(ThumbprintError):
    """More than a limit allows; the text says which one and when it goes on."""
