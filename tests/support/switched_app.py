"""``streamlit run app.py`` for many tests: each line on standard input is the library folder from then on.

    python -m tests.support.switched_app REPLIES OPTION...

A byte on the file descriptor REPLIES says that it is. The models stay, as they do for a server's visitors.
"""

from __future__ import annotations

import os
import signal
import sys
import traceback
from threading import Thread

from streamlit.web import cli


def follow(replies: int) -> None:
    try:
        for line in sys.stdin:
            from tests.support import caches  # not while the app starts: both would import Streamlit at once

            os.environ["RERANK_LAB_HOME"] = line.rstrip("\n")
            caches.forget()
            os.write(replies, b".")
        os.kill(os.getpid(), signal.SIGTERM)  # whoever gave the orders is gone, however they went
    except Exception:  # a test that waits for the reply is told by the end of the app
        traceback.print_exc()
        os._exit(1)


if __name__ == "__main__":
    Thread(target=follow, args=[int(sys.argv[1])], daemon=True).start()
    sys.argv = ["streamlit", "run", "app.py", *sys.argv[2:]]
    cli.main()
