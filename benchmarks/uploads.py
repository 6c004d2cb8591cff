"""Have many upload at once: ``python -m benchmarks.uploads [--people 12] [--megabytes 10] [--pages 60]``.

The app runs as it does on a server: everybody has a library of their own. Each opens a tab on Documents and keeps it,
all choose a PDF of their own in the same moment, and each waits until theirs is read. The PDFs are the Chinese sample's
pages again and again, with something in them that makes them as large as is asked.

Printed are how many processes read at the same time, and the largest memory of one; how long each waited for the
document; the server's memory before anybody chose a file, at its highest, when all were read, and when all have gone
and what they left was swept; and what the library's folder holds then.
"""

from __future__ import annotations

import argparse
import asyncio
import io
import os
import tempfile
import time
from contextlib import AsyncExitStack, suppress
from dataclasses import dataclass, field
from pathlib import Path
from urllib.request import ProxyHandler, Request, build_opener

import numpy as np
import psutil
from pypdf import PdfReader, PdfWriter
from streamlit.proto.Alert_pb2 import Alert
from streamlit.proto.BackMsg_pb2 import BackMsg
from streamlit.proto.Common_pb2 import FileUploaderState, FileURLs, UploadedFileInfo
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg
from streamlit.proto.WidgetStates_pb2 import WidgetState

from benchmarks.crowd import SAMPLE, free_port, serve, wait
from benchmarks.live_tab import LiveTab, live
from pages.ui.shell.i18n import texts

LOOK_SECONDS = 0.1
GONE_SECONDS = 200
"""A session that lost its connection is held for 100 seconds at most, its documents for 80 more."""

SAID = texts("zh")
BOUNDARY = "what-stands-in-no-file-74f1"


def pdf(number: int, pages: int, megabytes: float) -> bytes:
    """Return a PDF of so many pages, as large as this, that nobody else has."""
    source, writer = PdfReader(SAMPLE), PdfWriter()
    for page in range(pages):
        writer.add_page(source.pages[page % len(source.pages)])
    writer.add_metadata({"/Subject": str(number)})
    writer.add_attachment("padding.bin", os.urandom(int(megabytes * 2**20)))
    made = io.BytesIO()
    writer.write(made)
    return made.getvalue()


class Uploader:
    """A tab on Documents, and what a browser does when a file is chosen there."""

    def __init__(self, tab: LiveTab, port: int) -> None:
        self.tab, self.site, self.ask = tab, f"http://127.0.0.1:{port}", build_opener(ProxyHandler({})).open
        self.session = ""
        self.places: asyncio.Future[FileURLs] = asyncio.get_running_loop().create_future()
        hear = tab.hear

        def heard(message: ForwardMsg) -> None:
            kind = message.WhichOneof("type")
            if kind == "new_session":
                self.session = message.new_session.initialize.session_id
            elif kind == "file_urls_response" and not self.places.done():
                self.places.set_result(message.file_urls_response.file_urls[0])
            hear(message)

        tab.hear = heard

    async def seated(self) -> None:
        """Wait until the page is drawn."""
        await self.tab.until(lambda: bool(self.field) and self.tab.finished > 0)

    @property
    def field(self) -> str:
        uploaders = [one.file_uploader.id for one in self.tab.drawn if one.WhichOneof("type") == "file_uploader"]
        return next(iter(uploaders), "")

    async def choose(self, name: str, data: bytes) -> None:
        """Send a file, and say to the page that it was chosen."""
        asked = BackMsg()
        asked.file_urls_request.request_id, asked.file_urls_request.session_id = name, self.session
        asked.file_urls_request.file_names.append(name)
        await self.tab.connection.send(asked.SerializeToString())
        place = await self.places
        await asyncio.to_thread(self.put, place, name, data)
        info = UploadedFileInfo(name=name, size=len(data), file_id=place.file_id, file_urls=place)
        chosen = FileUploaderState(uploaded_file_info=[info])
        self.tab.values[self.field] = WidgetState(id=self.field, file_uploader_state_value=chosen)
        await self.tab.ask()

    def put(self, place: FileURLs, name: str, data: bytes) -> None:
        with self.ask(f"{self.site}/_stcore/health", timeout=600) as reply:
            cookie = next((one for key, one in reply.headers.items() if key.lower() == "set-cookie"), "").split(";")[0]
        head = f'--{BOUNDARY}\r\nContent-Disposition: form-data; name="file"; filename="{name}"\r\n'
        body = f"{head}Content-Type: application/pdf\r\n\r\n".encode() + data + f"\r\n--{BOUNDARY}--\r\n".encode()
        headers = {"Content-Type": f"multipart/form-data; boundary={BOUNDARY}", "Cookie": cookie}
        headers["X-Xsrftoken"] = cookie.partition("=")[2]
        self.ask(Request(f"{self.site}{place.upload_url}", body, headers, method="PUT"), timeout=600).close()

    async def read(self) -> bool:
        """Wait until a document is shown; say whether it is, and not that something went wrong."""
        while not self.done:
            await asyncio.sleep(LOOK_SECONDS)
        return self.shown

    @property
    def shown(self) -> bool:
        return any(SAID["documents.ask"] in one.button.label for one in self.tab.drawn if one.HasField("button"))

    @property
    def done(self) -> bool:
        return self.shown or any(one.alert.format == Alert.ERROR or one.HasField("exception") for one in self.tab.drawn)


@dataclass
class Watched:
    """What the server and its readers take, looked at ten times a second."""

    server: psutil.Process
    at_once: int = 0
    reader: float = 0
    highest: float = 0
    seen: set[int] = field(default_factory=set)

    def look(self) -> None:
        readers = [one for one in self.server.children(recursive=True) if is_reader(one)]
        self.at_once = max(self.at_once, len(readers))
        self.seen.update(one.pid for one in readers)
        self.reader = max([self.reader, *map(megabytes, readers)])
        self.highest = max(self.highest, megabytes(self.server))

    async def keep_looking(self) -> None:
        while True:
            self.look()
            await asyncio.sleep(LOOK_SECONDS)


def is_reader(process: psutil.Process) -> bool:
    with suppress(psutil.Error):
        return "rag_core.reading.sandbox" in process.cmdline()
    return False


def megabytes(process: psutil.Process) -> float:
    with suppress(psutil.Error):
        return process.memory_info().rss / 2**20
    return 0


async def play(port: int, arguments: argparse.Namespace, watched: Watched) -> tuple[list[float], int]:
    """Have everybody choose a file; return how long each took, and how many were not read."""
    async with AsyncExitStack() as stack:
        people = [
            Uploader(await stack.enter_async_context(live(port, "documents")), port) for _ in range(arguments.people)
        ]
        await asyncio.gather(*(one.seated() for one in people))
        files = [pdf(number, arguments.pages, arguments.megabytes) for number in range(arguments.people)]
        print(f"server memory: {megabytes(watched.server):.0f} MB before", flush=True)
        looking = asyncio.create_task(watched.keep_looking())
        took = await asyncio.gather(*(one_of(who, n, files[n], arguments.wait) for n, who in enumerate(people)))
        looking.cancel()
        print(f"{watched.highest:.0f} MB at its highest, {megabytes(watched.server):.0f} MB when all are read")
    done = [seconds for seconds in took if seconds is not None]
    return done, len(took) - len(done)


async def one_of(who: Uploader, number: int, data: bytes, seconds: float) -> float | None:
    start = time.monotonic()
    with suppress(TimeoutError):
        async with asyncio.timeout(seconds):
            await who.choose(f"{number}.pdf", data)
            return time.monotonic() - start if await who.read() else None
    return None


def held(home: Path) -> float:
    return sum(file.stat().st_size for file in home.rglob("*") if file.is_file()) / 2**20


def main() -> None:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.uploads", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--people", type=int, default=12)
    parser.add_argument("--megabytes", type=float, default=10)
    parser.add_argument("--pages", type=int, default=60)
    parser.add_argument("--wait", type=float, default=600, help="seconds until a document that is not shown has failed")
    parser.add_argument("--stay", action="store_true", help="do not wait until what they left is swept")
    arguments = parser.parse_args()
    os.environ["RERANK_LAB_LIBRARY"] = "private"
    with tempfile.TemporaryDirectory() as folder:
        home, port = Path(folder), free_port()
        server = serve(home, port)
        try:
            wait(port)
            watched = Watched(psutil.Process(server.pid))
            done, failed = asyncio.run(play(port, arguments, watched))
            print(f"{arguments.people} people, PDFs of {arguments.megabytes:g} MB and {arguments.pages} pages")
            print(f"{watched.at_once} readers at once, {watched.reader:.0f} MB the largest; {failed} not read")
            if done:
                print(f"read after {np.median(done):.1f} s (median), {max(done):.1f} s the last")
            if not arguments.stay:
                print(f"the folder holds {held(home):.0f} MB", flush=True)
                time.sleep(GONE_SECONDS)
                print(f"{megabytes(watched.server):.0f} MB when all have gone; the folder holds {held(home):.1f} MB")
        finally:
            server.terminate()
            server.wait(30)


if __name__ == "__main__":
    main()
