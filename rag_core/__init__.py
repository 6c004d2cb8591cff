"""See what reranking does to a vector search: read ``lab.py`` first."""

import os

__version__ = "0.2.0"

# onnxruntime for Linux reports to its maker unless this is set before it is imported.
os.environ.setdefault("ORT_DISABLE_TELEMETRY", "1")
