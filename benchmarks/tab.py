"""A tab of a browser on the compare page, without the browser: it says to the app what a browser says.

Only the session is played; a browser also fetches the files of the page, once.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Callable, Coroutine, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from typing import TypeVar
from urllib.parse import parse_qs

import websockets
from google.protobuf.message import Message
from streamlit.proto.Alert_pb2 import Alert
from streamlit.proto.BackMsg_pb2 import BackMsg
from streamlit.proto.Common_pb2 import DoubleArray, StringArray
from streamlit.proto.Element_pb2 import Element
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg
from streamlit.proto.WidgetStates_pb2 import WidgetState

from pages.ui.shell.i18n import texts

T = TypeVar("T")

PATIENCE_SECONDS = 60
"""After so many seconds in which the app says nothing a reader gives up; who is told that they wait goes on waiting."""

RUNS_HELD = 2
"""A browser forgets a large message that this many runs of the page did not use."""

STALE = texts("zh")["compare.stale"]


def typed(widget: Message) -> dict[str, object]:
    return {"string_value": widget.value if widget.set_value else widget.default}


def chosen(widget: Message) -> dict[str, object]:
    """Return the option of a select box or of radio buttons; there may be none."""
    if widget.set_value:
        return {"string_value": widget.raw_value} if widget.HasField("raw_value") else {}
    return {"string_value": widget.options[widget.default]} if widget.HasField("default") else {}


def chosen_of_group(widget: Message) -> dict[str, object]:
    names = widget.raw_values if widget.set_value else [widget.options[place].content for place in widget.default]
    return {"string_array_value": StringArray(data=names)}


def ticked(widget: Message) -> dict[str, object]:
    return {"bool_value": widget.value if widget.set_value else widget.default}


def slid(widget: Message) -> dict[str, object]:
    return {"double_array_value": DoubleArray(data=widget.value if widget.set_value else widget.default)}


VALUES: dict[str, Callable[[Message], dict[str, object]]] = {
    "text_input": typed,
    "text_area": typed,
    "selectbox": chosen,
    "radio": chosen,
    "button_group": chosen_of_group,
    "checkbox": ticked,
    "slider": slid,
}
"""What a browser says of each widget of the compare page that nobody has touched."""


class Tab:
    """One websocket session: the address, the values of the widgets, and what is drawn."""

    def __init__(self, connection: websockets.ClientConnection) -> None:
        self.connection, self.address, self.script = connection, "lang=zh", ""
        self.values: dict[str, WidgetState] = {}
        self.held: dict[str, tuple[int, Element]] = {}
        self.drawn: list[Element] = []
        self.runs = self.received = 0

    async def compare(self, question: str) -> bool:
        """Type a question, press the button, wait for the finished page; say whether its comparison is on it."""
        field = next((value for name, value in self.values.items() if name.endswith("-question")), None)
        if field is None or self.button is None:
            return False
        repeated, before = field.string_value == question, self.orders
        field.string_value = question
        await self.run(WidgetState(id=self.button, trigger_value=True))
        asked = parse_qs(self.address).get("q") == [question]
        return asked and len(self.orders) == 2 and (repeated or self.orders != before) and not self.troubled

    @property
    def button(self) -> str | None:
        """Return the id of the button that compares."""
        buttons = [one.button.id for one in self.drawn if one.WhichOneof("type") == "button"]
        return next((one for one in buttons if one.endswith("-compare")), None)

    @property
    def orders(self) -> list[object]:
        """Return what stands in the tables of both orders."""
        parts = [one.bidi_component for one in self.drawn if one.WhichOneof("type") == "bidi_component"]
        tables = [json.loads(one.json) for one in parts if one.component_name == "orders"]
        return [side for [both] in tables for side in both["sides"]]

    @property
    def troubled(self) -> bool:
        """Say whether an error, a bar, or the note that the result is an old one is drawn."""
        return any(
            one.WhichOneof("type") in ("exception", "progress")
            or one.alert.format == Alert.ERROR
            or one.markdown.body == STALE
            for one in self.drawn
        )

    async def run(self, *pressed: WidgetState) -> None:
        """Have the page run, and take what it draws until it has run to its end."""
        await self.connection.send(self.request(pressed))
        places: dict[tuple[int, ...], Element] = {}
        while not finished(message := await asyncio.wait_for(self.message(), PATIENCE_SECONDS)):
            self.take(message, places)
        self.drawn, self.runs = list(places.values()), self.runs + 1
        self.held = {name: kept for name, kept in self.held.items() if self.runs - kept[0] <= RUNS_HELD}
        self.values = {name: value for one in self.drawn for name, value in self.value_of(one)}

    async def message(self) -> ForwardMsg:
        data = await self.connection.recv()
        self.received += len(data)
        return ForwardMsg.FromString(data)

    def request(self, pressed: Sequence[WidgetState]) -> bytes:
        return self.back_message(pressed).SerializeToString()

    def back_message(self, pressed: Sequence[WidgetState]) -> BackMsg:
        request = BackMsg()
        rerun = request.rerun_script
        rerun.query_string, rerun.page_script_hash = self.address, self.script
        rerun.page_name = "" if self.script else "compare"
        rerun.widget_states.widgets.extend([*self.values.values(), *pressed])
        rerun.cached_message_hashes.extend(self.held)
        context = rerun.context_info
        context.timezone, context.timezone_offset, context.locale = "Asia/Shanghai", -480, "zh-CN"
        return request

    def take(self, message: ForwardMsg, places: dict[tuple[int, ...], Element]) -> None:
        """Take what a message says; of an element that is held, the server sends the hash alone."""
        kind = message.WhichOneof("type")
        if kind == "new_session":
            places.clear()
        elif kind == "navigation":
            self.script = message.navigation.page_script_hash
        elif kind == "page_info_changed":
            self.address = message.page_info_changed.query_string
        elif kind == "ref_hash":
            element = self.held[message.ref_hash][1]
            self.held[message.ref_hash] = self.runs, element
            places[tuple(message.metadata.delta_path)] = element
        elif message.delta.WhichOneof("type") == "new_element":
            element = message.delta.new_element
            places[tuple(message.metadata.delta_path)] = element
            if message.metadata.cacheable:
                self.held[message.hash] = self.runs, element

    def value_of(self, element: Element) -> list[tuple[str, WidgetState]]:
        """Return the value of a widget under its id: the one it had, unless the app sets it; none of anything else."""
        kind = element.WhichOneof("type")
        if kind not in VALUES:
            return []
        widget = getattr(element, kind)
        known = None if widget.set_value else self.values.get(widget.id)
        value = known or WidgetState(id=widget.id, **VALUES[kind](widget))
        widget.set_value = False  # what the app sets, it sets once: until it draws anew, what the reader does counts
        return [(widget.id, value)]


def finished(message: ForwardMsg) -> bool:
    """Say whether the whole page has run to its end: not a part of it, and not for another run to begin."""
    done = message.WhichOneof("type") == "script_finished"
    return done and message.script_finished == ForwardMsg.FINISHED_SUCCESSFULLY


@asynccontextmanager
async def opened(port: int) -> AsyncIterator[Tab]:
    """Open a tab, and wait until the page is drawn."""
    address = f"ws://127.0.0.1:{port}/_stcore/stream"
    async with websockets.connect(address, subprotocols=["streamlit"], max_size=None, proxy=None) as connection:
        tab = Tab(connection)
        await tab.run()
        yield tab


def play(work: Coroutine[None, None, T]) -> T:
    """Run what tabs do to its end, in a thread of its own: the caller's may have an event loop at work."""
    with ThreadPoolExecutor(1) as thread:
        return thread.submit(asyncio.run, work).result()
