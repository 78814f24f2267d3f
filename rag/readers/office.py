"""What the Office formats share: malformed packages, and the properties of a document."""

from __future__ import annotations

import re
from typing import Any

from lxml import etree

from rag.readers.zips import MALFORMED_ZIP

MALFORMED = (
    *MALFORMED_ZIP, etree.LxmlError, SyntaxError, ArithmeticError, AssertionError, AttributeError, TypeError,
)  # fmt: skip
"""What the libraries for Office files, and lxml and zipfile below them, raise on malformed ones.
(``SyntaxError`` is how Python's own XML parser says it.)"""


def core_properties(core: Any) -> dict[object, object]:
    """Title, author, date of the last change, keywords, of python-docx's or python-pptx's object."""
    keywords = [word.strip() for word in re.split(r"[,;]", core.keywords or "")]
    return {"title": core.title, "author": core.author, "modified": core.modified, "keywords": keywords}
