"""What a machine is and has, and how busy it is: the head of what is measured on it."""

import os
import platform
import shutil
from pathlib import Path

from rag_core.models.cores import cores

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
TELLING = ("avx", "amx", "fma", "vnni", "asimd", "i8mm", "bf16")
"""What a processor can do for products of matrices."""


def machine() -> str:
    processor = cpu_line("model name") or platform.processor() or platform.machine()
    flags = [flag for flag in cpu_line("flags").split() if flag.startswith(TELLING)]
    return f"{processor}, {cores()} cores, Python {platform.python_version()}\nflags: {' '.join(flags) or 'not known'}"


def cpu_line(name: str) -> str:
    """Return what Linux says of the first core; elsewhere nothing."""
    file = Path("/proc/cpuinfo")
    lines = file.read_text().splitlines() if file.exists() else []
    return next((line.partition(":")[2].strip() for line in lines if line.startswith(name)), "")


def load() -> str:
    """Return how busy the machine is beside this, where that can be known."""
    return f"load before: {os.getloadavg()[0]:.1f}" if hasattr(os, "getloadavg") else ""
