"""The zone that files and folders are dropped on, and how they come to the server.

Streamlit's own uploader sends each file in a request of its own and draws its list anew for
each: 1,000 files took 33 s where indexing them takes about as long. This one puts small
files together into parcels and cuts large ones, keeps the paths of a folder that is
dropped, and tells of files that are too large. A parcel is sent when the one before has
arrived, so a browser never holds more than one of them in memory.

Nothing is handed over before all files of a drop have come, or so many that the next ones
are another upload: a tab that is closed in between loses only what had not come.
"""

from __future__ import annotations

import base64
import secrets
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import partial
from pathlib import PurePosixPath
from typing import IO, TYPE_CHECKING, Any

import streamlit as st

from pages.ui import frame
from pages.ui.library_words import size
from pages.ui.text import cut
from rag.errors import ThumbprintError

if TYPE_CHECKING:
    from rag.librarian import Librarian

_MEMORY = 1_000_000
"""Bytes of a file that are kept in memory while it comes; more go to a temporary file."""
_FILES, _BYTES = 5_000, 500_000_000
"""So much of one drop is one upload; what comes after it is the next."""


@dataclass(slots=True)
class Incoming:
    """What has come of a drop so far. One a session and prototype."""

    id: str = field(default_factory=lambda: secrets.token_hex(8))
    """Tells a browser that lost its session that all has to come again."""
    received: int = 0
    """The number of the last parcel that was taken."""
    files: list[tuple[str, IO[bytes]]] = field(default_factory=list)
    partial: IO[bytes] | None = None
    """The beginning of a large file."""
    sending: bool = False
    """Whether more of the drop is on its way."""
    total: int = 0
    """Bytes of ``files``."""
    told: list[str] = field(default_factory=list)
    """Sentences on files that did not come."""
    count: int = 0
    """Files of this drop."""

    def take(self, parcel: Mapping[str, Any], limit: int, most: int = 1_000_000) -> bool:
        """Take a parcel; whether the files so far should be handed over.

        ``limit`` is the most bytes of one file, ``most`` the most files of one drop.

        One that came before (a browser sends again what was not answered) changes nothing.
        Raises ``ValueError`` where it makes no sense.
        """
        number = int(parcel["number"])
        if number <= self.received:
            return False
        content = base64.b64decode(parcel["content"], validate=True)
        if parcel["first"]:
            self._drop_partial()
            self.count = 0
        at = 0
        for piece in parcel["pieces"]:
            name, state, length = str(piece["name"]), str(piece["state"]), int(piece["length"])
            if state == "large":
                self.told.append(
                    f"“{cut(name, 80)}” was not sent: it has {size(length)}, and the limit is {size(limit)}. "
                    "Split it, or raise THUMBPRINT_MAX_FILE_MB."
                )
                continue
            if state == "unreadable":
                self._drop_partial()
                self.told.append(f"“{cut(name, 80)}” could not be read by the browser. Drop it again.")
                continue
            if self.partial is None:
                self.partial = tempfile.SpooledTemporaryFile(max_size=_MEMORY)  # noqa: SIM115
            self.partial.write(content[at : at + length])
            at += length
            if self.partial.tell() > limit:  # the browser tells of large files; nobody has to believe it
                raise ValueError("a file that is larger than the limit")
            if state == "whole":
                self.count += 1
                if self.count > most:
                    if self.count == most + 1:
                        self.told.append(
                            f"Only the first {most:,} files were taken, which is the limit of one drop. Drop "
                            "the others by themselves, or raise THUMBPRINT_UPLOAD_FILES."
                        )
                    self._drop_partial()
                    continue
                self.total += self.partial.tell()
                self.partial.seek(0)
                self.files.append((name, self.partial))
                self.partial = None
        self.received, self.sending = number, not parcel["last"]
        enough = len(self.files) >= _FILES or self.total >= _BYTES
        return bool(self.files) and (bool(parcel["last"]) or enough)

    def _drop_partial(self) -> None:
        if self.partial is not None:
            self.partial.close()
        self.partial = None

    def hand_over(self) -> list[tuple[str, IO[bytes]]]:
        """The files that have come, under names of their own each."""
        files, self.files, self.total = distinct(self.files), [], 0
        return files


def distinct(files: list[tuple[str, IO[bytes]]]) -> list[tuple[str, IO[bytes]]]:
    """The files with a number behind each name that came before: ``notes (2).md``."""
    taken: set[str] = set()
    named: list[tuple[str, IO[bytes]]] = []
    for name, content in files:
        path, n, free = PurePosixPath(name), 1, name
        while free in taken:
            n += 1
            free = str(path.with_name(f"{path.stem} ({n}){path.suffix}"))
        taken.add(free)
        named.append((free, content))
    return named


def is_sending(name: str) -> bool:
    """Whether files for that prototype are on their way: the zone that sends them must stay on the page."""
    incoming: Incoming | None = st.session_state.get(f"{_key(name)}-incoming")
    return incoming is not None and incoming.sending


def _key(name: str) -> str:
    return f"library-drop-{name}"


def drop_zone(name: str, librarian: Librarian, limit: int, most: int) -> None:
    """Draw the zone; what is dropped on it goes to that prototype's librarian.

    ``limit`` is the most bytes of one file, ``most`` the most files of one drop.
    """
    st.fragment(_zone)(name, librarian, limit, most)


def _zone(name: str, librarian: Librarian, limit: int, most: int) -> None:
    key = _key(name)
    incoming: Incoming = st.session_state.setdefault(f"{key}-incoming", Incoming())
    _component(
        key=key,
        data={
            "id": incoming.id,
            "received": incoming.received,
            "sending": incoming.sending,
            "limit": limit,
            "most": size(limit),
            "again": not incoming.told,
        },
        width="stretch",
        on_parcel_change=partial(_take, key, incoming, librarian, limit, most),
    )
    if st.session_state.pop(f"{key}-done", False):
        st.rerun()  # the whole page: what was handed over is shown above
    for sentence in incoming.told:
        frame.problem(sentence)


def _take(key: str, incoming: Incoming, librarian: Librarian, limit: int, most: int) -> None:
    parcel = st.session_state[key].parcel
    if not isinstance(parcel, Mapping):
        return
    if parcel.get("number") == incoming.received + 1 and parcel.get("first"):
        incoming.told.clear()
    try:
        complete = incoming.take(parcel, limit, most)
    except (KeyError, TypeError, ValueError):
        st.session_state[f"{key}-incoming"] = Incoming(
            told=["These files did not come through. Reload the page and drop them again."]
        )
        return
    except OSError as error:
        why = (
            f"The files cannot be kept for now ({error.strerror}). Make room on the disk and drop them again."
        )
        st.session_state[f"{key}-incoming"] = Incoming(told=[why])
        return
    if complete:
        files = incoming.hand_over()
        try:
            librarian.upload(files)
        except ThumbprintError as error:
            incoming.told.append(str(error))
        finally:
            for _, file in files:
                file.close()
        st.session_state[f"{key}-done"] = True


_HTML = """
<section>
  <svg viewBox="0 0 24 24" aria-hidden="true">
    <path d="M12 16V5m0 0L7.5 9.5M12 5l4.5 4.5M5 15v3a2 2 0 0 0 2 2h10a2 2 0 0 0 2-2v-3" />
  </svg>
  <p role="status"></p>
  <div>
    <button type="button" id="files">Choose files</button>
    <button type="button" id="folder">Choose a folder</button>
  </div>
  <small></small>
  <progress max="1" value="0" hidden></progress>
  <input type="file" id="pick-files" multiple hidden aria-label="Files" />
  <input type="file" id="pick-folder" webkitdirectory hidden aria-label="Folder" />
</section>
"""
_CSS = """
section {
  box-sizing: border-box; width: 100%;
  display: flex; flex-direction: column; align-items: center; gap: 0.6rem; padding: 1.6rem 1rem;
  text-align: center; font-family: inherit; color: var(--st-text-color);
  border: 1.5px dashed color-mix(in srgb, var(--st-text-color) 30%, transparent); border-radius: 0.8rem;
  background: var(--st-secondary-background-color); transition: border-color 0.15s;
}
section.over { border-color: var(--st-primary-color); border-style: solid; }
svg { width: 2rem; height: 2rem; fill: none; stroke: var(--st-primary-color); stroke-width: 1.6;
  stroke-linecap: round; stroke-linejoin: round; }
p { margin: 0; font-size: 1rem; font-weight: 600; overflow-wrap: anywhere; }
section > div { display: flex; flex-wrap: wrap; justify-content: center; gap: 0.5rem; }
small { font-size: 0.8rem; color: var(--st-gray-text-color); }
button {
  min-height: 2.5rem; padding: 0 0.9rem; font: inherit; font-size: 0.9rem; color: var(--st-text-color);
  background: var(--st-background-color); border: 1px solid var(--st-border-color); border-radius: 0.6rem;
  cursor: pointer;
}
button:hover:not(:disabled) { color: var(--st-primary-color); border-color: var(--st-primary-color); }
button:focus-visible { outline: 2px solid var(--st-primary-color); outline-offset: 1px; }
button:disabled { opacity: 0.5; cursor: default; }
progress { width: min(24rem, 90%); height: 0.4rem; accent-color: var(--st-primary-color); }
[hidden] { display: none; }
"""
_SCRIPT = """
const PARCEL = 3 * 1024 * 1024; // bytes of content in one message
const MOST = 500; // files in one message
const kept = new WeakMap();

// Everything below a dropped folder, under its path.
const walk = async (entry, at, found) => {
  if (entry.isFile) {
    const file = await new Promise((done) => entry.file(done, () => done(null)));
    found.push({ name: at + entry.name, file });
  } else if (entry.isDirectory) {
    const reader = entry.createReader();
    for (;;) {
      const some = await new Promise((done) => reader.readEntries(done, () => done([])));
      if (!some.length) return;
      for (const inner of some) await walk(inner, at + entry.name + "/", found);
    }
  }
};
const dropped = async (transfer) => {
  const found = [];
  const entries = [...transfer.items].map((item) => item.webkitGetAsEntry && item.webkitGetAsEntry());
  if (entries.some((entry) => entry)) {
    for (const entry of entries) if (entry) await walk(entry, "", found);
  } else {
    for (const file of transfer.files) found.push({ name: file.name, file });
  }
  return found;
};
const hidden = (name) => name.includes("/") && name.split("/").some((part) => part.startsWith("."));
const encoded = (blob) => new Promise((done, fail) => {
  const reader = new FileReader();
  reader.onload = () => done(reader.result.slice(reader.result.indexOf(",") + 1));
  reader.onerror = () => fail(reader.error);
  reader.readAsDataURL(blob);
});

// The next message: whole small files, or a slice of a large one.
const next = async (state, limit) => {
  const pieces = [], slices = [];
  let room = PARCEL;
  const first = state.at === 0 && state.offset === 0;
  while (state.at < state.queue.length && room > 0 && pieces.length < MOST) {
    const { name, file } = state.queue[state.at];
    if (!file || file.size > limit) {
      pieces.push({ name, state: file ? "large" : "unreadable", length: file ? file.size : 0 });
      state.at += 1;
      continue;
    }
    const slice = file.slice(state.offset, state.offset + room);
    slices.push(slice);
    room -= slice.size;
    state.offset += slice.size;
    const whole = state.offset >= file.size;
    pieces.push({ name, state: whole ? "whole" : "part", length: slice.size });
    if (whole) { state.at += 1; state.offset = 0; }
  }
  return { first, pieces, slices, last: state.at >= state.queue.length };
};
// One file that is gone or may not be read must not lose the others of its message.
const packed = async (pieces, slices) => {
  try {
    return await encoded(new Blob(slices));
  } catch {
    const good = [];
    let n = 0;
    for (const piece of pieces) {
      if (piece.state !== "whole" && piece.state !== "part") continue;
      const slice = slices[n++];
      try {
        await slice.arrayBuffer();
        good.push(slice);
      } catch {
        piece.state = "unreadable";
        piece.length = 0;
      }
    }
    return await encoded(new Blob(good));
  }
};

export default function ({ data, setTriggerValue, parentElement }) {
  const find = (selector) => parentElement.querySelector(selector);
  const zone = find("section"), words = find("p"), bar = find("progress");
  let state = kept.get(parentElement);
  if (!state) {
    state = { id: data.id, queue: [], at: 0, offset: 0, sent: data.received, busy: false };
    kept.set(parentElement, state);
    if (data.sending) {
      // The page was left in the middle: the rest is gone, what came whole is handed over.
      state.sent += 1;
      state.busy = true;
      setTriggerValue("parcel", { number: state.sent, first: true, last: true, pieces: [], content: "" });
    }
  }
  if (state.id !== data.id) {
    // Another session, or one that could make nothing of what was sent.
    Object.assign(state, { id: data.id, at: 0, offset: 0, sent: data.received, busy: false });
    if (data.again === false) state.queue = [];
  }
  const draw = () => {
    const count = state.queue.length;
    words.textContent = count
      ? `Sending ${state.at.toLocaleString("en")} of ${count.toLocaleString("en")} files…`
      : "Drop files or a folder here";
    bar.hidden = !count;
    bar.value = count ? state.at / count : 0;
    for (const button of parentElement.querySelectorAll("button")) button.disabled = count > 0;
    find("small").textContent = `Up to ${data.most} each`;
  };
  const pump = async () => {
    if (state.busy || !state.queue.length) return;
    state.busy = true;
    const parcel = await next(state, data.limit);
    const content = await packed(parcel.pieces, parcel.slices);
    state.sent += 1;
    const { first, pieces, last } = parcel;
    setTriggerValue("parcel", { number: state.sent, first, last, pieces, content });
    draw();
  };
  const add = (found) => {
    const files = found.filter(({ name }) => !hidden(name));
    if (!files.length) return;
    state.queue.push(...files);
    draw();
    pump();
  };
  if (state.busy && data.received >= state.sent) {
    state.busy = false;
    if (state.at >= state.queue.length) { state.queue = []; state.at = 0; state.offset = 0; }
  }
  for (const kind of ["files", "folder"]) {
    const input = find(`#pick-${kind}`);
    find(`#${kind}`).onclick = () => input.click();
    input.onchange = () => {
      add([...input.files].map((file) => ({ name: file.webkitRelativePath || file.name, file })));
      input.value = "";
    };
  }
  zone.ondragover = (event) => { event.preventDefault(); zone.classList.add("over"); };
  zone.ondragleave = () => zone.classList.remove("over");
  zone.ondrop = async (event) => {
    event.preventDefault();
    zone.classList.remove("over");
    add(await dropped(event.dataTransfer));
  };
  draw();
  pump();
}
"""
_component = st.components.v2.component("thumbprint_drop", html=_HTML, css=_CSS, js=_SCRIPT)
