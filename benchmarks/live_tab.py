"""A tab on a page whose parts ask again by themselves, without the browser: it asks as often as the page wants."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress

import websockets
from streamlit.proto.Element_pb2 import Element
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg
from streamlit.proto.WidgetStates_pb2 import WidgetState

from benchmarks.tab import PATIENCE_SECONDS, Tab

Place = tuple[int, ...]
ENDED = (ForwardMsg.FINISHED_SUCCESSFULLY, ForwardMsg.FINISHED_FRAGMENT_RUN_SUCCESSFULLY)


class LiveTab(Tab):
    """Takes what the server draws whenever it draws it, the whole page or a part."""

    def __init__(self, connection: websockets.ClientConnection, page: str, address: str) -> None:
        super().__init__(connection)
        self.page, self.address = page, address
        self.places: dict[Place, Element] = {}
        self.part_of: dict[Place, str] = {}
        self.fresh: set[Place] = set()
        self.parts: list[str] = []
        self.clocks: dict[str, asyncio.Task[None]] = {}
        self.changed = asyncio.Event()
        self.finished = self.asked = 0
        self.listening = asyncio.create_task(self.listen())
        self.listening.add_done_callback(lambda _: self.changed.set())

    async def listen(self) -> None:
        while True:
            message = await self.message()
            self.hear(message)
            if message.WhichOneof("type") == "script_finished":
                self.end_run(message.script_finished)

    def hear(self, message: ForwardMsg) -> None:
        kind = message.WhichOneof("type")
        if kind == "new_session":
            self.parts, self.fresh = list(message.metadata.run.fragment_ids), set()
            if not self.parts:
                self.stop_clocks()
        elif kind == "auto_rerun":
            self.start_clock(message.auto_rerun.fragment_id, message.auto_rerun.interval)
        else:
            drawn: dict[Place, Element] = {}
            self.take(message, drawn)
            for place, element in drawn.items():
                self.places[place], self.part_of[place] = element, message.delta.fragment_id
                self.fresh.add(place)

    def end_run(self, how: int) -> None:
        """Drop what this run did not draw again, of the page or of the parts that ran; one cut short drops nothing."""
        old = [place for place in self.places if place not in self.fresh] if how in ENDED else []
        for place in old if how == ForwardMsg.FINISHED_SUCCESSFULLY else list(filter(self.ran, old)):
            del self.places[place]
        self.drawn, self.runs = list(self.places.values()), self.runs + 1
        self.values = {name: value for one in self.drawn for name, value in self.value_of(one)}
        self.finished += 1
        self.changed.set()

    def ran(self, place: Place) -> bool:
        return self.part_of[place] in self.parts

    def start_clock(self, part: str, seconds: float) -> None:
        if part not in self.clocks:
            self.clocks[part] = asyncio.create_task(self.tick(part, seconds))

    def stop_clocks(self) -> None:
        for clock in self.clocks.values():
            clock.cancel()
        self.clocks = {}

    async def tick(self, part: str, seconds: float) -> None:
        while True:
            await asyncio.sleep(seconds)
            self.asked += 1
            await self.ask(part=part)

    async def ask(self, *pressed: WidgetState, part: str = "") -> None:
        request = self.back_message(pressed)
        request.rerun_script.page_name = "" if self.script else self.page
        request.rerun_script.fragment_id = part
        await self.connection.send(request.SerializeToString())

    async def until(self, true: Callable[[], bool]) -> None:
        """Wait until what is drawn makes this true."""
        async with asyncio.timeout(PATIENCE_SECONDS):
            while not true():
                if self.listening.done():
                    self.listening.result()
                self.changed.clear()
                await self.changed.wait()

    def button_of(self, ending: str) -> str | None:
        """Return the id of the button whose key ends so, where it can be pressed."""
        buttons = [one.button for one in self.drawn if one.WhichOneof("type") == "button"]
        return next((one.id for one in buttons if ending in one.id and not one.disabled), None)

    async def press(self, ending: str) -> None:
        await self.until(lambda: self.button_of(ending) is not None)
        await self.ask(WidgetState(id=self.button_of(ending), trigger_value=True), part=self.part_at(ending))

    async def set_box(self, place: int) -> None:
        """Tick the box at a place of the page."""
        boxes = [one.checkbox.id for one in self.drawn if one.WhichOneof("type") == "checkbox"]
        runs = self.finished
        self.values[boxes[place]].bool_value = True
        await self.ask(part=self.part_at(boxes[place]))
        await self.until(lambda: self.finished > runs)

    def part_at(self, ending: str) -> str:
        """Return which part of the page a widget stands in, nothing for the page itself."""
        names = {place: getattr(getattr(one, one.WhichOneof("type")), "id", "") for place, one in self.places.items()}
        return next((self.part_of[place] for place, name in names.items() if ending in name), "")

    def says(self, words: str) -> bool:
        return any(words in one.markdown.body for one in self.drawn if one.WhichOneof("type") == "markdown")

    def shows(self, component: str) -> bool:
        parts = (one.bidi_component for one in self.drawn if one.WhichOneof("type") == "bidi_component")
        return any(part.component_name == component for part in parts)


@asynccontextmanager
async def live(port: int, page: str, address: str = "lang=zh") -> AsyncIterator[LiveTab]:
    """Open a tab that goes on listening and asking until it is closed."""
    stream = f"ws://127.0.0.1:{port}/_stcore/stream"
    async with websockets.connect(stream, subprotocols=["streamlit"], max_size=None, proxy=None) as connection:
        tab = LiveTab(connection, page, address)
        await tab.ask()
        try:
            yield tab
        finally:
            tab.stop_clocks()
            tab.listening.cancel()
            with suppress(asyncio.CancelledError, websockets.WebSocketException):
                await tab.listening
