"""Where answers and feedback are kept. The local store is :class:`Store`."""

from rag.store.digest import Breakdown, By, Kind, Order, Outcome, Query, Row, Tally
from rag.store.erasing import Erased
from rag.store.rows import new_id
from rag.store.selection import Rated, Selection
from rag.store.sqlite import Store, new_secret, secret_hash
from rag.store.topics import Topic

__all__ = [
    "Breakdown",
    "By",
    "Erased",
    "Kind",
    "Order",
    "Outcome",
    "Query",
    "Rated",
    "Row",
    "Selection",
    "Store",
    "Tally",
    "Topic",
    "new_id",
    "new_secret",
    "secret_hash",
]
