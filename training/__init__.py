"""How the bundled models are made: run the modules in the order the README beside this file gives."""

import rag_core  # noqa: F401  it keeps onnxruntime from reporting to its maker
