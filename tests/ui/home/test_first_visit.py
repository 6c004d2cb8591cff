"""What the first visitor of a process waits for."""

from __future__ import annotations

import psutil
import pytest

from benchmarks.crowd import free_port, serve, wait
from benchmarks.live_tab import live
from benchmarks.tab import play
from pages.ui.shell.i18n import texts

pytestmark = [pytest.mark.slow, pytest.mark.skipif(not psutil.LINUX, reason="what a process has loaded is not known")]


async def see_home(port: int) -> None:
    async with live(port, "") as tab:
        await tab.until(lambda: tab.shows("orders") and tab.says(texts("zh")["home.line_3"]) and tab.finished > 0)


def test_home_is_drawn_without_pandas(tmp_path):
    """Loading it and pyarrow takes as long as all else that home needs."""
    port = free_port()
    app = serve(tmp_path, port)
    try:
        wait(port)
        play(see_home(port))
        loaded = {
            part.path.partition("site-packages/")[2].split("/")[0] for part in psutil.Process(app.pid).memory_maps()
        }
    finally:
        app.terminate()
        app.wait(30)
    assert "numpy" in loaded and not {"pandas", "pyarrow"} & loaded
