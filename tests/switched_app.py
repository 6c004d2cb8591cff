"""``streamlit run app.py`` for many tests: each line on standard input is the library folder from then on.

    python -m tests.switched_app REPLIES OPTION...

A byte on the file descriptor REPLIES says that it is. The models stay, as they do for a server's visitors.
"""

from __future__ import annotations

import os
import sys
import traceback
from threading import Thread

from streamlit.runtime.caching.cache_utils import CachedFunc
from streamlit.web import cli

KEPT = ("shared_embedder", "loaded_reranker", "tested", "stay")
"""The models; and what only a session itself can clear, which is there for visitors of a server alone."""


def follow(replies: int) -> None:
    try:
        for line in sys.stdin:
            os.environ["RERANK_LAB_HOME"] = line.rstrip("\n")
            forget()
            os.write(replies, b".")
    except Exception:  # a test that waits for the reply is told by the end of the app
        traceback.print_exc()
        os._exit(1)


def forget() -> None:
    """Clear every cache but those; the library among them is closed on the way."""
    from pages.ui import cached

    for name, function in vars(cached).items():
        if isinstance(function, CachedFunc) and name not in KEPT:
            function.clear()


if __name__ == "__main__":
    Thread(target=follow, args=[int(sys.argv[1])], daemon=True).start()
    sys.argv = ["streamlit", "run", "app.py", *sys.argv[2:]]
    cli.main()
