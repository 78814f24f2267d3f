"""Imports run one way: vocabulary <- stages <- wiring <- what people see."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent

# Each layer may import itself only where `within` says so, and any layer before it.
LAYERS: list[tuple[set[str], bool]] = [
    ({"types", "errors", "config", "modelnames", "shorten", "dates", "words", "weights", "disk", "meanwhile",
      "unseen", "metrics"}, True),
    ({"prototypes", "filters", "sentences", "abbreviations", "bm25"}, False),
    ({"kept"}, False),
    (
        {
            "readers", "chunk", "embed", "index", "keyword", "retrieve", "generators", "cite", "confidence",
            "rerank", "rewrite", "store", "plan", "listing", "vectors", "journal", "prices",
            "originals", "pageimage",
        },
        False,
    ),
    ({"response", "rewritten"}, False),
    (
        {
            "stored", "facets", "prepare", "rerankers", "versions", "answering", "uploads", "edits",
            "opinion", "access", "limits", "link",
            "topics", "triage", "dashboard",
        },
        False,
    ),
    ({"entries", "remarks"}, False),
    ({"library", "transcript"}, False),
    ({"recall"}, False),
    ({"pull", "supabase_checks", "standing"}, False),
    ({"delivery", "doctor"}, False),
    ({"guess", "live", "staging", "retention", "privacy"}, False),
    ({"catalogue", "ingest"}, False),
    ({"shelf", "jobs"}, False),
    ({"recut", "search"}, False),
    ({"rebuild", "beside", "asking"}, False),
    ({"librarian", "remains"}, False),
    ({"engine"}, False),
    ({"show", "fit", "compare", "export", "links", "insights"}, False),
    ({"commands"}, False),
    ({"cli"}, False),
    ({"__main__"}, False),
]  # fmt: skip
HEAVY = (
    "torch", "sentence_transformers", "transformers", "onnx", "onnxruntime", "tokenizers", "chromadb",
    "openai", "cohere", "supabase", "pypdfium2",
)  # fmt: skip


def module_of(path: Path) -> str:
    """The name of the module or package right under ``rag`` that a file belongs to."""
    return path.relative_to(ROOT / "rag").parts[0].removesuffix(".py")


def imports_of(path: Path) -> set[str]:
    """Every ``rag.x`` that a file imports anywhere, as ``x``."""
    found = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        names = [a.name for a in node.names] if isinstance(node, ast.Import) else []
        if isinstance(node, ast.ImportFrom) and node.module == "rag":
            names = [f"rag.{a.name}" for a in node.names]
        elif isinstance(node, ast.ImportFrom) and node.module:
            names = [node.module]
        found |= {name.split(".")[1] for name in names if name.startswith("rag.")}
    return found


SOURCES = sorted((ROOT / "rag").rglob("*.py"))


def layer_of(module: str) -> int:
    for number, (modules, _) in enumerate(LAYERS):
        if module in modules:
            return number
    raise AssertionError(f"rag/{module} stands in no layer: add it to tests/test_imports.py")


@pytest.mark.parametrize("path", SOURCES, ids=lambda p: str(p.relative_to(ROOT)))
def test_no_import_runs_back(path: Path) -> None:
    if path == ROOT / "rag" / "__init__.py":
        return
    module = module_of(path)
    own = layer_of(module)
    for other in imports_of(path) - {module}:
        theirs = layer_of(other)
        assert theirs < own or (theirs == own and LAYERS[own][1]), f"rag.{module} imports rag.{other}"


@pytest.mark.parametrize("path", SOURCES, ids=lambda p: str(p.relative_to(ROOT)))
def test_the_library_never_imports_streamlit(path: Path) -> None:
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        names = [a.name for a in node.names] if isinstance(node, ast.Import) else []
        if isinstance(node, ast.ImportFrom):
            names = [node.module or ""]
        assert not any(name.split(".")[0] in ("streamlit", "pages", "app") for name in names)


def test_importing_the_engine_loads_nothing_heavy() -> None:
    code = f"import sys, rag.engine, rag.cli; print([m for m in {HEAVY!r} if m in sys.modules])"

    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)

    assert done.stdout.strip() == "[]"
