"""Where answers and feedback are kept. The local store is :class:`Store`."""

from rag.store.erasing import Erased
from rag.store.rows import new_id
from rag.store.selection import Rated, Selection
from rag.store.sqlite import Store, new_secret

__all__ = ["Erased", "Rated", "Selection", "Store", "new_id", "new_secret"]
