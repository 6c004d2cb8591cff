"""The last one who leaves: nobody comes after them whose leaving would have Streamlit end their session."""

from __future__ import annotations

import asyncio
import time
from typing import TYPE_CHECKING

import pytest
from hasty_app import held_file
from running_app import running_app
from screens import SMALL

from benchmarks.live_tab import live
from benchmarks.tab import play
from benchmarks.uploads import Uploader
from rag_core.keeping.library import Library

pytestmark = pytest.mark.slow

if TYPE_CHECKING:
    from pathlib import Path

STAY_SECONDS, MOST_SECONDS = 4, 60


def test_what_the_last_visitor_uploaded_goes_from_disk_and_from_memory(tmp_path):
    home = tmp_path / "home"
    program = ["tests.support.hasty_app"]
    with running_app(home, {"RERANK_LAB_LIBRARY": "private"}, program) as address:
        play(upload_and_leave(int(address.rpartition(":")[2]), home))
        end = time.monotonic() + MOST_SECONDS
        while (uploaded(home) or held(home)) and time.monotonic() < end:
            time.sleep(0.2)
        assert uploaded(home) == []
        assert held(home) == 0


async def upload_and_leave(port: int, home: Path) -> None:
    """Upload a document, stay for longer than a lost session lasts, and close the page."""
    async with live(port, "documents") as tab:
        reader = Uploader(tab, port)
        await reader.seated()
        await reader.choose("small.pdf", SMALL)
        assert await reader.read()
        await asyncio.sleep(STAY_SECONDS)
        assert len(uploaded(home)) == 1, "whoever is there keeps their document"
        assert held(home) == len(SMALL)


def uploaded(home: Path) -> list[str]:
    """Return the ids of all documents of visitors."""
    return Library(home / "library.sqlite").documents.left_behind(0, time.time() + 1)


def held(home: Path) -> int:
    return int(held_file(home).read_text() or -1)
