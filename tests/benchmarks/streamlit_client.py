"""A browser's side of Streamlit's protocol: protobuf over a websocket, without a browser.

Fifty Chromiums do not fit two cores, and what is measured is the server. Like the front end, a
client sends the state of its widgets with each run, answers each automatic rerun that a fragment
asks for, and keeps what is on the page by its place.
"""

from __future__ import annotations

import asyncio
import contextlib
import re
import secrets
import time
from collections.abc import Callable

import websockets
from streamlit.proto.BackMsg_pb2 import BackMsg
from streamlit.proto.Element_pb2 import Element
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg
from streamlit.proto.WidgetStates_pb2 import WidgetState

_REGENERATE = re.compile(r"regenerate-([0-9a-f]{32})$")


class Client:
    """One browser with one tab. Use it as an asynchronous context manager."""

    def __init__(self, address: str, page: str = "", query: str = "", secret: str = "") -> None:
        """``page`` is the name of one in the address, ``query`` what stands behind its question mark."""
        self.secret = secret or secrets.token_urlsafe(32)
        self.elements: dict[tuple[int, ...], tuple[Element, str]] = {}
        """What is on the page, by place: the element, and the fragment that drew it."""
        self.failures: list[str] = []
        self.query = query
        self._name = page
        self._address = address.replace("http", "ws", 1) + "/_stcore/stream"
        self._kept: dict[str, WidgetState] = {}
        self._page = ""
        self._timers: dict[str, asyncio.Task[None]] = {}
        self._changed = asyncio.Event()
        self._runs = 0
        self._saved = 0
        """How often the page said that a rating is saved: the next run may take the words away again."""
        self._told = 0
        """How often it told of an error."""

    async def __aenter__(self) -> Client:
        self._socket = await websockets.connect(
            self._address,
            subprotocols=["streamlit"],
            additional_headers={"Cookie": f"thumbprint={self.secret}"},
            max_size=None,
            ping_interval=None,
        )
        self._reader = asyncio.create_task(self._read())
        await self._send()
        return self

    async def __aexit__(self, *error: object) -> None:
        self._stop_timers()
        self._reader.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await self._reader
        await self._socket.close()

    # --- what a reader does ------------------------------------------------------

    async def ask(self, question: str, patience: float) -> tuple[str, float]:
        """Send a question and wait for the whole answer on the page: its id (empty where it was refused),
        and the seconds that took."""
        before = self.answers()
        state = WidgetState(id=self._widget("chat_input"))
        state.chat_input_value.data = question
        begun = time.perf_counter()
        runs, told = self._runs, self._told
        await self._send(state)

        def has_come() -> bool:
            return bool(self.answers() - before) or (self._runs > runs and self._told > told)

        await self._until(has_come, patience)
        took = time.perf_counter() - begun
        come = self.answers() - before
        return (come.pop() if come else ""), took

    async def rate(self, answer_id: str, up: bool, patience: float) -> None:
        """Click a thumb, and wait until the page says that it is saved."""
        key = f"thumbs-{answer_id}"
        widget, fragment = next(
            (element.feedback.id, fragment)
            for element, fragment in self.elements.values()
            if element.WhichOneof("type") == "feedback" and element.feedback.id.endswith(key)
        )
        state = WidgetState(id=widget, string_value="1" if up else "0")
        self._kept[widget] = state
        saved = self._saved
        await self._send(fragment=fragment)
        await self._until(lambda: self._saved > saved, patience)

    async def begin_anew(self, patience: float) -> None:
        """Leave the conversation."""
        button = next(
            element.button.id
            for element, _ in self.elements.values()
            if element.WhichOneof("type") == "button" and element.button.id.endswith("new-conversation")
        )
        await self._send(WidgetState(id=button, trigger_value=True))
        await self._until(lambda: not self.answers(), patience)

    async def open(self, patience: float) -> None:
        """Wait until the page is ready to be asked."""
        await self._until(lambda: self._widget("chat_input", required=False) != "", patience)

    async def settled(self, patience: float) -> None:
        """Wait until the page was drawn once."""
        await self._until(lambda: self._runs > 0, patience)

    # --- what is on the page -------------------------------------------------------

    def answers(self) -> set[str]:
        """Ids of the answers that can be written anew: only the newest one can."""
        found = set()
        for element, _ in self.elements.values():
            if element.WhichOneof("type") == "button":
                match = _REGENERATE.search(element.button.id)
                if match:
                    found.add(match[1])
        return found

    def markdown(self) -> list[str]:
        """The Markdown on the page."""
        return [e.markdown.body for e, _ in self.elements.values() if e.WhichOneof("type") == "markdown"]

    def errors(self) -> list[str]:
        """Errors that are told on the page."""
        return [e.alert.body for e, _ in self.elements.values() if e.WhichOneof("type") == "alert"]

    def _widget(self, kind: str, *, required: bool = True) -> str:
        for element, _ in self.elements.values():
            if element.WhichOneof("type") == kind:
                return str(getattr(element, kind).id)
        if required:
            raise AssertionError(f"there is no {kind} on the page")
        return ""

    # --- the protocol -------------------------------------------------------------

    async def _send(self, *changed: WidgetState, fragment: str = "", automatic: bool = False) -> None:
        message = BackMsg()
        run = message.rerun_script
        run.query_string = self.query
        if self._page:
            run.page_script_hash = self._page
        else:
            run.page_name = self._name
        run.fragment_id = fragment
        run.is_auto_rerun = automatic
        run.widget_states.widgets.extend([*self._kept.values(), *changed])
        await self._socket.send(message.SerializeToString())

    async def _read(self) -> None:
        try:
            async for data in self._socket:
                self.take(ForwardMsg.FromString(data))
                self._changed.set()
        except Exception as error:
            self.failures.append(f"the connection ended: {error!r}")
            self._changed.set()

    def take(self, message: ForwardMsg) -> None:
        """What came from the server."""
        kind = message.WhichOneof("type")
        if kind == "new_session":
            self._page = message.new_session.page_script_hash
            if not message.metadata.run.fragment_ids:
                self._stop_timers()
                self._fresh: set[tuple[int, ...]] = set()
        elif kind == "delta":
            place = tuple(message.metadata.delta_path)
            self._fresh.add(place)
            below = [other for other in self.elements if other[: len(place)] == place]
            if message.delta.WhichOneof("type") == "new_element":
                element = message.delta.new_element
                self.elements[place] = (element, message.delta.fragment_id)
                if element.WhichOneof("type") == "markdown" and "Saved" in element.markdown.body:
                    self._saved += 1
                self._told += element.WhichOneof("type") == "alert"
                if element.WhichOneof("type") == "exception":
                    self.failures.append(f"an exception on the page: {element.exception.message[:200]}")
            elif message.delta.WhichOneof("type") == "add_block":
                for other in below:
                    if other not in self._fresh:
                        del self.elements[other]
        elif kind == "page_info_changed":
            self.query = message.page_info_changed.query_string
        elif kind == "auto_rerun":
            self._start_timer(message.auto_rerun.fragment_id, message.auto_rerun.interval)
        elif kind == "stop_auto_rerun":
            self._stop_timers(*message.stop_auto_rerun.fragment_ids)
        elif kind == "script_finished":
            if message.script_finished == ForwardMsg.FINISHED_SUCCESSFULLY:
                self._runs += 1
                for place in [p for p in self.elements if p not in self._fresh]:
                    del self.elements[place]  # of the run before, and not drawn again
            elif message.script_finished == ForwardMsg.FINISHED_WITH_COMPILE_ERROR:
                self.failures.append("the script does not compile")

    def _start_timer(self, fragment: str, seconds: float) -> None:
        async def tick() -> None:
            while True:
                await asyncio.sleep(seconds)
                await self._send(fragment=fragment, automatic=True)

        if fragment not in self._timers:
            self._timers[fragment] = asyncio.create_task(tick())

    def _stop_timers(self, *fragments: str) -> None:
        for fragment in fragments or tuple(self._timers):
            timer = self._timers.pop(fragment, None)
            if timer is not None:
                timer.cancel()

    async def _until(self, condition: Callable[[], bool], patience: float) -> None:
        deadline = time.monotonic() + patience
        while not condition():
            if self.failures:
                raise AssertionError(self.failures[0])
            rest = deadline - time.monotonic()
            if rest <= 0:
                raise AssertionError(f"nothing came within {patience:g} s")
            self._changed.clear()
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._changed.wait(), min(rest, 1))
