"""``streamlit run app.py`` that waits for nobody: who lost the connection is gone within a second or two.

    python -m tests.support.hasty_app OPTION...

How many bytes of uploads it holds in memory stands in a file beside the library folder, see ``held_file``.
"""

from __future__ import annotations

import os
import sys
import time
from pathlib import Path
from threading import Thread

from streamlit import runtime
from streamlit.web import cli

LOOK_SECONDS = 0.2


def held_file(home: Path) -> Path:
    return home.with_name(home.name + ".held")


def tell() -> None:
    file = held_file(Path(os.environ["RERANK_LAB_HOME"]))
    while True:
        time.sleep(LOOK_SECONDS)
        if runtime.exists():
            sessions = runtime.get_instance()._uploaded_file_mgr.file_storage.copy()
            file.write_text(str(sum(len(one.data) for files in sessions.values() for one in files.copy().values())))


if __name__ == "__main__":
    from pages.ui.shell import visits

    visits.LOST_SECONDS, visits.GRACE_SECONDS, visits.SWEEP_SECONDS = 1.0, 2.0, 0.2
    Thread(target=tell, daemon=True).start()
    sys.argv = ["streamlit", "run", "app.py", *sys.argv[1:]]
    cli.main()
