"""What a command prints: tables, rankings, warnings, and how far the work is."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable, Sequence
from dataclasses import asdict

from rag_core.datatypes import Chunk, Comparison, Document, Move, Progress, Ranking
from rag_core.measuring import runs
from rag_core.measuring.questions import Questions
from rag_core.measuring.runs import Matched, RunFile
from rag_core.models import catalog, selftest
from rag_core.reading.language import KNOWN, name_of

PAGES_WIDTH = 24


def as_json(comparison: Comparison) -> str:
    """Return a comparison as a JSON object: both rankings with their scores, and the seconds of each step."""
    fields = {
        "question": comparison.query,
        "chunks": comparison.available,
        "vector": _rows(comparison.before),
        "reranked": [
            {**row, "before": move.before, "move": move.delta, **_best_part(move)}
            for row, move in zip(_rows(comparison.reranked), comparison.moves, strict=True)
        ],
        "scale": comparison.scale,
        "seconds": dict(comparison.timings),
    }
    return json.dumps(fields, ensure_ascii=False, indent=2)


def _rows(ranking: Ranking) -> list[dict[str, object]]:
    return [
        {"rank": rank, **_placed(hit.chunk), **_head(hit.chunk), "text": hit.chunk.text, "score": hit.score}
        for rank, hit in enumerate(ranking.hits, start=1)
    ]


def _placed(chunk: Chunk) -> dict[str, object]:
    """Return where a chunk stands; all its pages where its words stand on several."""
    document = {"document": chunk.title} if chunk.title else {}
    return {**document, "page": chunk.page, **({"pages": list(chunk.pages)} if len(chunk.pages) > 1 else {})}


def _head(chunk: Chunk) -> dict[str, object]:
    """Return the head of the table that a chunk begins in, where it stands earlier on the page."""
    return {"head": chunk.head} if chunk.head else {}


def _best_part(move: Move) -> dict[str, object]:
    return {"part": {**asdict(move.part), "text": move.part.words(move.chunk.text)}} if move.part else {}


def as_text(comparison: Comparison) -> str:
    """Return a comparison as text, each ranking one line a chunk."""
    title = f"{comparison.order} ranking"
    chunks = comparison.before.chunks
    before = [f"{rank:>4}        {_where(chunk)} {one_line(chunk.text)}" for rank, chunk in enumerate(chunks, start=1)]
    after = [
        f"{move.after:>4} {_arrow(move.delta):>6} {_where(move.chunk)} {scored_text(move)}" for move in comparison.moves
    ]
    scored = f", {len(before)} scored" if len(before) < comparison.found else ""
    return "\n".join(
        [
            f"{comparison.available} chunks, {comparison.found} candidates{scored}",
            "",
            title,
            *before,
            "",
            "cross-encoder ranking",
            *after,
        ]
    )


def _where(chunk: Chunk) -> str:
    pages = one_line(", ".join(map(str, chunk.pages)), PAGES_WIDTH)
    return f"{one_line(chunk.title)} p. {pages:<4}" if chunk.title else f"p. {pages:<4}"


def scored_text(move: Move) -> str:
    """Return the text that was scored: of a chunk in parts the best one, and of how many."""
    if move.part is None:
        return one_line(move.chunk.text)
    return f"[best of {move.part.of} parts] {one_line(move.part.words(move.chunk.text))}"


def _arrow(delta: int) -> str:
    return f"▲{delta}" if delta > 0 else f"▼{-delta}" if delta < 0 else "="


def as_table(columns: list[str], rows: list[list[object]]) -> list[str]:
    """Set a table in columns of equal width; numbers stand to the right."""
    cells = [columns, *([f"{cell:.3f}" if isinstance(cell, float) else str(cell) for cell in row] for row in rows)]
    widths = [max(len(row[i]) for row in cells) for i in range(len(columns))]
    return ["  ".join(_aligned(row, widths)) for row in cells]


def _aligned(row: list[str], widths: list[int]) -> list[str]:
    return [row[0].ljust(widths[0]), *(cell.rjust(width) for cell, width in zip(row[1:], widths[1:], strict=True))]


def one_line(text: object, width: int = 80) -> str:
    """Return a text on one line of at most ``width`` characters, without those that control a terminal."""
    line = " ".join("".join(c if c.isprintable() else " " for c in str(text)).split())
    return line if len(line) <= width else line[: width - 1] + "…"


def counting(what: str) -> Progress:
    """Return a progress callback that counts on a terminal."""

    def show(done: int, total: int) -> None:
        if sys.stderr.isatty():
            sys.stderr.write(f"\r{what} {done} of {total}" + ("\n" if done == total else ""))

    return show


def warn(test: selftest.SelfTest, language: str) -> None:
    """Warn on standard error where the self-test says that a ranking means little in a language."""
    if language not in test.languages:
        cases = len(selftest.CASES[language])
        sys.stderr.write(
            f"warning: {test.model} scored the answer higher in {test.right[language]} of {cases} trials in the "
            f"document's language, {language}; its ranking means little here\n"
        )
    elif language in test.leaning:
        sys.stderr.write(
            f"warning: {test.model} scored a long text above the short one that answers, in the document's language, "
            f"{language}; where chunks are long its ranking may follow their length\n"
        )


def tell_contents(pages: Sequence[int]) -> None:
    """Say on standard error on how many pages a list of contents is left out of the candidates."""
    if pages:
        sys.stderr.write(f"contents on {len(pages)} page{'s' * (len(pages) > 1)} left out of the candidates\n")


WHYS = {
    runs.QUESTION: "its question is not in the set",
    runs.BLANK: "it has no text",
    runs.SHORT: "its text is too short to be found, and no chunk",
    runs.TEXT: "its words are on no page",
    runs.CHUNK: "its id is no chunk's",
    runs.CUT: "its id is a chunk's of another cut",
}
NOTES = {
    runs.SEVERAL: "texts that stand for several chunks",
    runs.REPEATED: "lines that repeat what has a place, left out",
    runs.TIES: "lines that share a rank, by score, then as they come",
    runs.GAPS: "questions whose ranks have gaps, which close up",
    runs.FROM_ZERO: "questions whose ranks begin at 0",
    runs.SCORES: "questions whose scores do not follow the ranks, which count",
}
UNMATCHED_SHOWN = 5


def tell_run(name: str, file: RunFile, matched: Matched) -> None:
    """Say on standard error what another system's ranking was taken for, and what of it was not matched."""
    lines, asked = len(file.entries), matched.questions + len(matched.missing)
    said = [f"{len(matched.places)} of {lines} lines matched, {matched.questions} of {asked} questions"]
    said += [file.source.form, *([file.source.encoding] if file.source.encoding else [])]
    said += [f"columns not used: {one_line(', '.join(file.source.unread))}"] if file.source.unread else []
    said += [f"{what}: {matched.notes[note]}" for note, what in NOTES.items() if matched.notes[note]]
    sys.stderr.write(f"ranking {one_line(name)}: {'; '.join(said)}\n")
    for entry, why in matched.unmatched[:UNMATCHED_SHOWN]:
        sys.stderr.write(f"  line {entry.line} is left out, {WHYS[why]}: {one_line(entry.text)}\n")
    if len(matched.unmatched) > UNMATCHED_SHOWN:
        sys.stderr.write(f"  and {len(matched.unmatched) - UNMATCHED_SHOWN} more; --output writes them all\n")


def tell_understood(questions: Questions, of: str = "") -> None:
    """Say on standard error what a file of questions was taken for."""
    source = questions.source
    said = [f"{len(questions.questions)} questions, {len(questions.judgments)} judgments", source.form]
    said += [source.encoding] if source.encoding else []
    said += [f"columns separated by {source.separator!r}"] if source.separator else []
    said += [f"sheet {one_line(source.sheet)}"] if source.sheet else []
    counts = {"rows filled with blank cells": source.filled, "rows cut within a text, joined": source.joined}
    said += [f"{what}: {count}" for what, count in counts.items() if count]
    said += [f"columns not used: {one_line(', '.join(source.unread))}"] if source.unread else []
    sys.stderr.write(f"{of}understood: {'; '.join(said)}\n")


def tell_foreign(documents: Iterable[Document], embedder: str, rerankers: Sequence[str]) -> None:
    """Warn on standard error where a document is in a language that a model was not made for."""
    codes = dict.fromkeys(name_of(*(page.text for page in document.pages)) for document in documents)
    asked = [(catalog.EMBEDDERS, embedder), *((catalog.RERANKERS, reranker) for reranker in rerankers)]
    foreign = [code for code in codes if code not in KNOWN]
    strangers = {model for lines, model in asked if not all(catalog.speaks(lines, model, code) for code in foreign)}
    if strangers:
        embeds, reranks = map(catalog.multilingual, (catalog.EMBEDDERS, catalog.RERANKERS))
        sys.stderr.write(
            f"warning: the document is in a language ({', '.join(foreign)}) that these models were not made for: "
            f"{', '.join(sorted(strangers))}; choose models for many languages, such as {embeds} and {reranks}\n"
        )
