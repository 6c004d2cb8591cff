"""What a light install leaves out, and the command that brings it."""

from __future__ import annotations

from dataclasses import dataclass
from importlib.util import find_spec

from rag_core import place


@dataclass(frozen=True, slots=True)
class Extra:
    """Packages for one thing more: ``name`` is the extra of the package, ``file`` the requirements of a checkout."""

    name: str
    file: str
    packages: tuple[str, ...]

    def is_installed(self) -> bool:
        """Say whether all of it is here."""
        return all(find_spec(package) is not None for package in self.packages)

    @property
    def command(self) -> str:
        """What brings it here: by the package's extra where pip put the app, else by the checkout's file."""
        return f'pip install "rerank-lab[{self.name}]"' if place.is_installed() else f"pip install -r {self.file}"


MODELS = Extra("models", "requirements.txt", ("sentence_transformers", "torch"))
MAP = Extra("map", "requirements.txt", ("umap",))
OCR = Extra("ocr", "requirements-ocr.txt", ("rapidocr",))
SERVE = Extra("serve", "deploy/requirements.txt", ("ray",))
