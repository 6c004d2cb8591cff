"""Write a script that repeats a comparison without the app, and the file of chunks that it reads.

Everything that came from outside stands in a script as a literal of Python: nothing of it can end its string.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING

from rag_core.datatypes import Chunk, Comparison, FirstStage, Move
from rag_core.models import catalog, parts
from rag_core.models.catalog import ST, Line
from rag_core.models.parts import Cut
from rag_core.sharing.replay import public_name

if TYPE_CHECKING:
    from jinja2 import Template

TEMPLATES = Path(__file__).parent / "templates"
FORMS: Mapping[str, str] = {
    "chroma": "Chroma",
    "langchain": "LangChain",
    "llamaindex": "LlamaIndex",
}
"""What each template is called."""

CHUNKS = "rerank-lab-chunks.json"
COSINE = {"hnsw": {"space": "cosine", "ef_search": 300}}
WITH_ONNX, ALONE = '"sentence-transformers[onnx]==5.7.0"', "sentence-transformers"
"""What loads the bundled models, and what loads all others: later ones have no ONNX backend yet."""


class Code(str):
    """What may stand in a script as it is."""

    __slots__ = ()


def literal(value: object) -> str:
    """Return a value as Python writes it; in a text nothing ends its string, and what cannot be seen is escaped."""
    if isinstance(value, Code):
        return value
    if isinstance(value, str):
        return f'"{value}"' if value.isprintable() and not {'"', "\\"} & set(value) else repr(value)
    if isinstance(value, Mapping):
        return f"{{{', '.join(f'{literal(key)}: {literal(entry)}' for key, entry in value.items())}}}"
    if isinstance(value, Sequence):
        return f"[{', '.join(map(literal, value))}]"
    return repr(value)


@dataclass(frozen=True, slots=True)
class Model:
    """A model as scripts load it; ``place`` is its folder or its id."""

    line: Line
    place: str

    @property
    def options(self) -> dict[str, object]:
        """Return what loading it wants besides its place."""
        return {"backend": "onnx"} if self.line.kind == "onnx" else {}

    @property
    def arguments(self) -> Code:
        """Return its place and options as arguments."""
        return _arguments(self.place, self.options)

    @property
    def with_logits(self) -> dict[str, object]:
        """Return its options as a cross-encoder that gives logits; a sigmoid makes equals of high ones."""
        return {**self.options, "activation_fn": Code("Identity()")}

    @property
    def instructed(self) -> Code:
        """Return them as arguments of an embedder that is told its prefixes."""
        line = self.line
        instructions = {"query_instruction": line.query_prefix, "text_instruction": line.text_prefix}
        said = {name: prefix for name, prefix in instructions.items() if prefix}
        return _arguments(self.place, {"device": "cpu", **said, **self.options})

    @property
    def read_text(self) -> Code:
        """Return what the embedder reads of a row."""
        return _prefixed(self.line.text_prefix, 'row["text"]')

    @property
    def read_query(self) -> Code:
        """Return what it reads of a question."""
        return _prefixed(self.line.query_prefix, "text")

    @property
    def text_options(self) -> dict[str, object]:
        """Return how it encodes texts."""
        return _encoding(self.line.text_prefix)

    @property
    def query_options(self) -> dict[str, object]:
        """Return how it encodes questions."""
        return _encoding(self.line.query_prefix)


def _arguments(place: str, options: Mapping[str, object]) -> Code:
    return Code(", ".join([literal(place), *(f"{name}={literal(value)}" for name, value in options.items())]))


def _prefixed(prefix: str, name: str) -> Code:
    return Code(f"{literal(prefix)} + {name}" if prefix else name)


def _encoding(prefix: str) -> dict[str, object]:
    return {**({"prompt": prefix} if prefix else {}), "normalize_embeddings": True}


def model(lines: Sequence[Line], model_id: str) -> Model:
    """Return a model as scripts load it; a visitor of a server is told none of its folders."""
    line = next((line for line in lines if line.id == model_id), Line(model_id, ST, (), 0, ""))
    if line.kind == "onnx":
        return Model(line, f"data/models/{line.id}" if catalog.is_visitor() else str(line.folder))
    return Model(line, public_name(line.id) if catalog.is_visitor() else line.id)


def can_be_copied(comparison: Comparison) -> bool:
    """Say whether a script can repeat a comparison: its cross-encoder runs on the reader's own machine."""
    return not catalog.leaves(catalog.RERANKERS, comparison.settings.reranker)


def searches(comparison: Comparison, whole: bool) -> bool:
    """Say whether a script repeats the search too, in the whole document or in its candidates alone.

    It does where vectors of an embedder on this machine found everything. Of candidates that were fused and then
    reranked in part the others are missing, so that the fusion would be another.
    """
    how, in_part = comparison.settings, len(comparison.moves) < comparison.found
    by_vectors = how.first_stage == FirstStage.VECTOR and not catalog.leaves(catalog.EMBEDDERS, how.embedder)
    return by_vectors and (whole or not (comparison.expansions and in_part))


def script(form: str, comparison: Comparison, count: int | None = None) -> str:
    """Write a script; ``count`` is how many chunks the whole document has, None where only the candidates are here."""
    how, searched = comparison.settings, searches(comparison, count is not None)
    embedder, reranker = model(catalog.EMBEDDERS, how.embedder), model(catalog.RERANKERS, how.reranker)
    wordings = [expansion.text for expansion in comparison.expansions] if searched else []
    bundled = "onnx" in {reranker.line.kind, *([embedder.line.kind] if searched else [])}
    in_part = len(comparison.moves) < comparison.found
    return _template(form).render(
        transformers=Code(WITH_ONNX if bundled else ALONE),
        bundled=bundled,
        file=Code(CHUNKS),
        beside=Code(_beside(comparison, searched, count)),
        searched=searched,
        question=comparison.query,
        wordings=wordings,
        queries=Code("[QUESTION, *OTHER_WORDINGS]" if wordings else "[QUESTION]"),
        depth=how.depth,
        keep=comparison.cutoff,
        cosine=COSINE,
        embedder=embedder,
        reranker=reranker,
        cut=Code(f"[:{len(comparison.moves)}]  # so many were scored" if in_part else ""),
    )


def _beside(comparison: Comparison, searched: bool, count: int | None) -> str:
    return f"all {count} chunks" if searched and count else f"the {len(comparison.moves)} candidates"


@lru_cache
def _template(form: str) -> Template:
    from jinja2 import Environment, FileSystemLoader, StrictUndefined

    environment = Environment(
        loader=FileSystemLoader(TEMPLATES),
        finalize=literal,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
        autoescape=False,  # no page: ``literal`` quotes everything
    )
    environment.filters.update(code=Code, literal=lambda text: Code(literal(str(text))))
    return environment.get_template(f"{form}.py.j2")


def chunks_file(comparison: Comparison, chunks: Sequence[Chunk] | None = None, cut: Cut | None = None) -> bytes:
    """Write the chunks that the script reads: all of the document where they are given and searched, or the candidates.

    ``cut`` says what the cross-encoder reads of each; without it a candidate has the part that scored best alone.
    """
    searched = searches(comparison, chunks is not None)
    held = chunks if chunks is not None and searched else comparison.before.chunks
    moves = {move.chunk.id: move for move in comparison.moves}
    read = cut([(comparison.query, chunk.passage) for chunk in held]) if cut else [_best(moves[c.id]) for c in held]
    rows = [_row(chunk, some) for chunk, some in zip(held, read, strict=True)]
    return ("[\n" + ",\n".join(json.dumps(row, ensure_ascii=False) for row in rows) + "\n]\n").encode()


def _row(chunk: Chunk, read: Sequence[str]) -> dict[str, object]:
    named = {"document": chunk.title} if chunk.title else {}
    return {"id": chunk.id, **named, "page": chunk.page, "text": chunk.passage, "parts": list(read)}


def _best(move: Move) -> list[str]:
    chunk, part = move.chunk, move.part
    if part is None:
        return [chunk.passage]
    before = len(chunk.passage) - len(chunk.text)
    return parts.read(chunk.passage, [(part.start + before, part.end + before)])
