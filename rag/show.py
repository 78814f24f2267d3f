"""What the command line prints: the stable JSON, the same for people, a progress bar."""

from __future__ import annotations

import sys
import unicodedata
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

from rag.config import Settings
from rag.remarks import marked, notes
from rag.search import Search
from rag.types import (
    Answer,
    Chunk,
    Citation,
    CitationQuality,
    Claim,
    DocumentRecord,
    IngestProgress,
    IngestResult,
    Passage,
    Proposed,
)


def ingest_json(result: IngestResult) -> dict[str, Any]:
    return {
        "prototype": result.prototype,
        "files": result.files,
        "added": result.added,
        "unchanged": result.unchanged,
        "replaced": result.replaced,
        "removed": result.removed,
        "failed": [{"path": f.path, "error": f.error} for f in result.failed],
        "documents": result.documents,
        "sections": result.sections,
        "chunks": result.chunks,
        "seconds": _seconds(result.seconds),
        "skipped": list(result.skipped),
    }


def ingest_text(result: IngestResult) -> str:
    lines = [
        f"{result.files} files: {result.added} documents added, {result.unchanged} unchanged, "
        f"{result.replaced} replaced, {result.removed} removed, in {result.seconds['total']:.1f} s.",
        f"“{result.prototype}” now has {result.documents} documents, {result.sections} sections, "
        f"{result.chunks} chunks.",
    ]
    lines.extend(f"Not read: {f.path}: {f.error}" for f in result.failed)
    if result.skipped:
        shown = ", ".join(result.skipped[:5]) + (", …" if len(result.skipped) > 5 else "")
        lines.append(f"Passed over, for no reader handles them: {len(result.skipped)} ({shown}).")
    return "\n".join(lines)


def reindex_json(result: IngestResult, settings: Settings, index_version: str) -> dict[str, Any]:
    return {
        "prototype": result.prototype,
        "documents": result.documents,
        "sections": result.sections,
        "chunks": result.chunks,
        "embedding_model": settings.embedding_model,
        "section_tokens": settings.section_tokens,
        "index_version": index_version,
        "seconds": _seconds(result.seconds),
    }


def reindex_text(result: IngestResult, settings: Settings) -> str:
    return (
        f"“{result.prototype}” is indexed anew with {settings.embedding_model} and sections of at most "
        f"{settings.section_tokens} tokens: {result.documents} documents, {result.sections} sections, "
        f"{result.chunks} chunks, in {result.seconds['total']:.1f} s."
    )


def record_json(record: DocumentRecord) -> dict[str, Any]:
    return {
        "document_id": record.id,
        "source": record.source,
        "title": record.title,
        "metadata": _metadata(record.metadata),
        "sections": record.sections,
        "chunks": record.chunks,
    }


def document_json(record: DocumentRecord, chunks: Sequence[Chunk], text: str) -> dict[str, Any]:
    sections = dict.fromkeys(chunk.section for chunk in chunks)
    return {
        "document_id": record.id,
        "source": record.source,
        "title": record.title,
        "text": text,
        "metadata": _metadata(record.metadata),
        "sections": [{"start": s.start, "end": s.end, "path": list(s.path)} for s in sections],
    }


def passage_json(rank: int, passage: Passage) -> dict[str, Any]:
    return {
        "rank": rank,
        "document_id": passage.document_id,
        "source": passage.source,
        "title": passage.title,
        "start": passage.start,
        "end": passage.end,
        "text": passage.text,
        "score": passage.score,
        "scorer": passage.scorer,
        "metadata": _metadata(passage.metadata),
        "page": passage.page,
        "section": list(passage.path),
    }


def search_json(found: Search) -> dict[str, Any]:
    return {
        "id": found.id,
        "question": found.question,
        "rewritten": found.rewritten,
        "confidence": found.confidence,
        "passages": [passage_json(n, p) for n, p in enumerate(found.passages, 1)],
        "seconds": _seconds(found.seconds),
        "notices": list(found.notices),
        "proposed": _proposed_json(found.proposed),
    }


def search_text(found: Search) -> str:
    parts = [_passage_text(n, p) for n, p in enumerate(found.passages, 1)] or ["Nothing found."]
    parts.extend(notes(found.notices))
    return "\n\n".join(parts)


def ask_json(result: tuple[str | None, Answer]) -> dict[str, Any]:
    line_id, answer = result
    return {
        "id": line_id or answer.id,
        "question": answer.question,
        "rewritten": answer.rewritten,
        "answer_id": answer.id,
        "text": answer.text,
        "abstained": answer.abstained,
        "confidence": answer.confidence,
        "citations": [_citation_json(c) for c in answer.citations],
        "passages": [passage_json(n, p) for n, p in enumerate(answer.passages, 1)],
        "generator": answer.generator,
        "model": answer.model,
        "usage": dict(answer.usage),
        "cost": answer.cost,
        "seconds": _seconds(answer.seconds),
        "notices": list(answer.notices),
        "proposed": _proposed_json(answer.proposed),
        "claims": [_claim_json(c) for c in answer.claims],
        "quality": _quality_json(answer.quality),
    }


def ask_text(result: tuple[str | None, Answer]) -> str:
    _, answer = result
    parts = [marked(answer.text, answer.claims)]
    if answer.proposed:
        kept = all(p.applied for p in answer.proposed)
        filtered = "; ".join(p.label for p in answer.proposed)
        parts.insert(0, f"Filtered: {filtered}" if kept else f"Nothing matches {filtered}; left out.")
    if answer.abstained and answer.passages:
        parts.append("The nearest passages:")
        parts.extend(_passage_text(n, p) for n, p in enumerate(answer.passages[:3], 1))
    for citation in sorted(answer.citations, key=lambda c: c.number):
        passage = answer.passages[citation.passage]
        parts.append(f"[{citation.number}] {_place(passage)} ({citation.source}, {citation.verdict})")
    parts.extend(notes(answer.notices, answer.claims, stopped=answer.stopped))
    parts.append(
        f"Confidence {answer.confidence:.2f}. Rate it: python -m rag feedback add {answer.id} --rating up"
    )
    return "\n\n".join(parts)


def _proposed_json(proposed: Sequence[Proposed]) -> list[dict[str, Any]]:
    return [{"label": p.label, "where": dict(p.where), "applied": p.applied} for p in proposed]


def _citation_json(citation: Citation) -> dict[str, Any]:
    return {
        "number": citation.number,
        "document_id": citation.document_id,
        "source": citation.source,
        "start": citation.start,
        "end": citation.end,
        "quote": citation.quote,
        "verdict": citation.verdict,
    }


def _claim_json(claim: Claim) -> dict[str, Any]:
    return {
        "start": claim.start,
        "end": claim.end,
        "verdict": claim.verdict,
        "score": claim.score,
        "reasons": list(claim.reasons),
        "cited": [n + 1 for n in claim.cited],  # ranks of passages
        "attributed": claim.attributed,
    }


def _quality_json(quality: CitationQuality | None) -> dict[str, Any] | None:
    if quality is None:
        return None
    return {"recall": quality.recall, "precision": quality.precision, "unknown": quality.unknown}


def _passage_text(rank: int, passage: Passage) -> str:
    found = f"{passage.source}, {passage.scorer} {passage.score:.2f}"
    return f"{rank}. {_place(passage)} ({found})\n{passage.text}"


def _place(passage: Passage) -> str:
    return " > ".join((passage.title, *passage.path)) + (f", page {passage.page}" if passage.page else "")


def _metadata(metadata: Mapping[str, Any]) -> dict[str, Any]:
    return {key: list(value) if isinstance(value, tuple) else value for key, value in metadata.items()}


def _seconds(seconds: Mapping[str, float]) -> dict[str, float]:
    return {name: round(value, 6) for name, value in seconds.items()}


def printable(text: str) -> str:
    """Text for a terminal: what a document says must not move its cursor or name its window."""
    lines = text.replace("\r\n", "\n")
    return "".join(c if c in "\n\t" or unicodedata.category(c) != "Cc" else "�" for c in lines)


@contextmanager
def terminal_progress(*, quiet: bool) -> Iterator[Callable[[IngestProgress], None]]:
    """A progress bar on stderr: the share done, files, chunks, and the time left."""
    if quiet:
        yield lambda _: None
        return
    from tqdm import tqdm

    bar: Any = None

    def report(progress: IngestProgress) -> None:
        nonlocal bar
        if progress.stage == "waiting" and progress.seconds > 1 and bar is None:
            print("Another process is writing to the library; waiting for it.", file=sys.stderr)
        if progress.files_total == 0 or progress.stage == "waiting":
            return
        if bar is None:
            layout = "{percentage:3.0f}%|{bar}| {desc}"
            bar = tqdm(total=1.0, bar_format=layout, file=sys.stderr, disable=None)
        left = "" if progress.seconds_left is None else f", {progress.seconds_left:.0f} s left"
        bar.n = progress.share
        bar.set_description_str(
            f"{progress.files_done} of {progress.files_total} files, {progress.chunks_done} chunks{left}"
        )

    try:
        yield report
    finally:
        if bar is not None:
            bar.close()


def steps(*, quiet: bool) -> Callable[[str, int, int], None]:
    """A line on a terminal's stderr that says what is being done, how many are done, and of how many."""
    if quiet or not sys.stderr.isatty():
        return lambda _what, _done, _total: None

    def report(what: str, done: int, total: int) -> None:
        end = "\n" if done >= total > 0 else ""
        print(f"\r\x1b[K{printable(what)}: {done:,} of {total:,}", end=end, file=sys.stderr, flush=True)

    return report
