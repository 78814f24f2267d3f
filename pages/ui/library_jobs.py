"""What goes on in the background, and what went on lately: how far, which files, what failed and why.

The work belongs to the server's process. A page that is opened while something runs looks
at it a few times a second; one that is closed changes nothing.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import streamlit as st

from pages.ui import frame
from pages.ui.library_words import counted, duration
from pages.ui.text import one_line
from rag.errors import ThumbprintError

if TYPE_CHECKING:
    from rag.jobs import FileState, Job, JobFile
    from rag.librarian import Librarian

_LOOK = 0.5
"""Seconds between two looks at what runs."""
_ENDED = 3
"""Of those that have ended, so many reports are shown."""
_FILES = 10
"""Files on a page of the list."""
_STATES: dict[FileState, tuple[str, str]] = {
    "running": ("Reading", ":blue[:material/progress_activity:]"),
    "failed": ("Failed", ":red[:material/error:]"),
    "skipped": ("Passed over", ":orange[:material/block:]"),
    "waiting": ("Waiting", ":gray[:material/schedule:]"),
    "done": ("Added", ":green[:material/check_circle:]"),
    "unchanged": ("Unchanged", ":gray[:material/check:]"),
}
"""In the order in which a list shows them: what wants to be seen comes first."""
_ICONS = {
    "waiting": ":gray[:material/schedule:]",
    "running": ":blue[:material/progress_activity:]",
    "done": ":green[:material/check_circle:]",
    "failed": ":red[:material/error:]",
    "cancelled": ":gray[:material/cancel:]",
    "interrupted": ":orange[:material/warning:]",
}


def draw(librarian: Librarian, *, reports: bool) -> None:
    """The jobs, newest first; while one goes on, they are looked at again by themselves.

    ``reports``: those that have ended are shown as well.
    """
    jobs = librarian.jobs()
    active = any(job.active for job in jobs)
    if active or (jobs and reports):
        watched = st.fragment(_watch, run_every=_LOOK if active else None, key="library-jobs")
        watched(librarian, active, reports)


def _watch(librarian: Librarian, active: bool, reports: bool) -> None:
    jobs = [job for job in librarian.jobs() if job.active or reports]
    if active != any(job.active for job in jobs):
        st.rerun()  # the whole page: lists and totals have changed, or there is something to look at again
    recent = [job for job in jobs if job.active]
    recent += [job for job in jobs if not job.active][:_ENDED]
    with st.container(gap="small", key="library-jobs-list"):
        for job in recent:
            _card(librarian, job)
        if len(jobs) > len(recent):
            st.button(
                f"Dismiss {counted(len(jobs) - len(recent), 'older report')}",
                key="library-jobs-dismiss",
                type="tertiary",
                on_click=_dismiss_all,
                args=(librarian, [job.id for job in jobs if job not in recent]),
            )


def _card(librarian: Librarian, job: Job) -> None:
    with st.container(border=True, gap="xsmall", key=f"job-{job.id}"):
        with st.container(horizontal=True, vertical_alignment="center", gap="xsmall"):
            st.markdown(f"{_ICONS[job.state]} **{_title(job)}**", width="stretch")
            _buttons(librarian, job)
        if job.active:
            st.progress(_share(job), f":small[{_how_far(job)}]")
        else:
            st.markdown(f":small[{_outcome(job)}]")
        if job.error:
            frame.problem(job.error)
        if job.files:
            _files(job)


def _buttons(librarian: Librarian, job: Job) -> None:
    if job.active:
        _button(librarian, job, "cancel", "Stop", ":material/stop_circle:")
        return
    if job.state != "done" or job.counts.get("failed"):
        _button(librarian, job, "retry", "Retry" if job.state == "done" else "Go on", ":material/refresh:")
    _button(librarian, job, "dismiss", "Dismiss", ":material/close:")


def _button(librarian: Librarian, job: Job, action: str, label: str, symbol: str) -> None:
    if st.button(
        label,
        key=f"{action}-{job.id}",
        icon=symbol,
        type="tertiary",
        on_click=_act,
        args=(librarian, action, job.id),
    ):
        st.rerun()  # the click ran this fragment alone


def _act(librarian: Librarian, action: str, job_id: str) -> None:
    try:
        {"cancel": librarian.cancel, "retry": librarian.retry, "dismiss": librarian.dismiss}[action](job_id)
    except ThumbprintError as error:
        frame.remember_problem(str(error))


def _dismiss_all(librarian: Librarian, job_ids: list[str]) -> None:
    for job_id in job_ids:
        _act(librarian, "dismiss", job_id)


# --- in words ---------------------------------------------------------------


def _title(job: Job) -> str:
    return f"Upload of {one_line(job.title, 80)}" if job.kind == "upload" else one_line(job.title, 120)


def _share(job: Job) -> float:
    if job.progress is not None:
        return min(max(job.progress.share, 0.0), 1.0)
    return _through(job) / len(job.files) if job.files else 0.0


def _through(job: Job) -> int:
    """Files that are dealt with, one way or the other."""
    return len(job.files) - job.counts.get("waiting", 0) - job.counts.get("running", 0)


def _how_far(job: Job) -> str:
    """One line on how far it is: ``312 of 1,000 files · 3 failed · about 20 s left``."""
    now = job.progress
    if job.state == "waiting":
        return "Waiting for other work on this library to end"
    if now is None:
        return "Beginning"
    parts = []
    if job.files:
        parts.append(f"**{_through(job):,}** of {counted(len(job.files), 'file')}")
    elif now.files_total:
        parts.append(f"**{now.files_done:,}** of {counted(now.files_total, 'document')}")
    if now.stage == "loading":
        parts.append("loading the language model")
    elif not parts:
        parts.append(f"{now.share:.0%} done")
    if job.counts.get("failed"):
        parts.append(f":red[{job.counts['failed']:,} failed]")
    if now.seconds_left is not None:
        parts.append(f"about {duration(now.seconds_left)} left")
    if job.kind == "reindex":
        parts.append("answers go on from the old index meanwhile")
    return " · ".join(parts)


def _outcome(job: Job) -> str:
    parts = []
    if job.state == "interrupted":
        parts.append("The server was stopped before this was done. Nothing is lost: go on")
    elif job.state == "cancelled":
        parts.append("Stopped. What was indexed by then is kept")
    counts = {state: job.counts.get(state, 0) for state in _STATES}
    for state, (word, _) in _STATES.items():
        if counts[state]:
            text = f"{counts[state]:,} {word.lower()}"
            parts.append(f":red[{text}]" if state == "failed" else text)
    if job.state == "done" and not job.files:
        parts.append("Done")
    if job.ended:
        parts.append(f"took {duration(job.ended - job.started)}")
    return " · ".join(parts) or "Not done"


# --- file by file -----------------------------------------------------------


def _files(job: Job) -> None:
    failed = bool(job.counts.get("failed") or job.counts.get("skipped"))
    present: list[str] = [state for state in _STATES if job.counts.get(state)]
    with st.expander("File by file", expanded=failed or job.active, key=f"files-{job.id}", type="compact"):
        chosen: str | None = None
        if len(present) > 1:
            key = f"states-{job.id}-{job.active}"
            if not job.active and job.counts.get("failed"):
                st.session_state.setdefault(key, "failed")
            chosen = st.pills(
                "Show",
                present,
                key=key,
                format_func=lambda state: f"{_STATES[state][0]} :gray[{job.counts.get(state, 0):,}]",
                label_visibility="collapsed",
            )
        files = listed(job, chosen)
        pages = max(1, math.ceil(len(files) / _FILES))
        key = f"page-{job.id}"
        if st.session_state.get(key, 1) > pages:
            st.session_state[key] = pages
        first = (st.session_state.get(key, 1) - 1) * _FILES
        st.markdown("\\\n".join(_line(file) for file in files[first : first + _FILES]))
        if pages > 1:
            st.pagination(pages, key=key, max_visible_pages=5)


def listed(job: Job, state: str | None) -> list[JobFile]:
    """The files of a job in the order of the list; only those in that state, where one is given."""
    order = {name: n for n, name in enumerate(_STATES)}
    found = [file for file in job.files if state in (None, file.state)]
    return sorted(found, key=lambda file: order[file.state])


def _line(file: JobFile) -> str:
    words = [one_line(file.name, 90)]
    if file.message:
        words.append(f":gray[{one_line(file.message, 400)}]")
    elif file.documents > 1:
        words.append(f":gray[{counted(file.documents, 'document')}]")
    return f"{_STATES[file.state][1]} {'  '.join(words)}"
