"""Where answers and feedback are kept. The local store is :class:`Store`."""

from rag.store.sqlite import Erased, Store, new_id, new_secret

__all__ = ["Erased", "Store", "new_id", "new_secret"]
