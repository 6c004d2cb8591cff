"""Damage what is kept: ``python -m benchmarks.damage library|chroma [--damages 60] [--seed 7]``.

A library holds both samples, one cut in two ways, with embeddings, scores, questions, judgments and a history, and
Chroma's folder their indexes, one so large that its vector files are written. Each time a copy of it is damaged: the
``library.sqlite``, or Chroma's database and one of its other files by turns. The file loses all its bytes, or those
behind some place; one bit of it is flipped; a page of 4,096 bytes is zeroed; up to 2,000 bytes are overwritten. Then a
process of its own, which a damaged index could end, looks at everything that a reader can see. Printed is, damage by
damage, what it saw, and at last how often:

- as before: everything is as it was; made again: it is, after something was made anew, which the log says
- named: what is damaged is named as damaged, and everything else is as it was
- refused: the library is named as damaged and is not opened; it is mended then, as the error says, and how many of its
  documents are found as before is said
- misnamed: the error speaks of something else; UNTYPED: an error that the program does not know, or the process ended
- SILENT: something else is shown than before; EMPTY: an empty library is shown

The last four are wrong, before and after mending, and the exit code says so.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import logging
import multiprocessing
import random
import shutil
import subprocess
import sys
import tempfile
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from multiprocessing.connection import Connection
from pathlib import Path

import chromadb  # noqa: F401  # so that no child has to import it
import numpy as np

from benchmarks.kills import KEPT, ROOT, WORKS, Work, add
from rag_core.datatypes import ChunkSettings, Judgment, Progress, Settings, Span
from rag_core.errors import RerankLabError
from rag_core.keeping.chroma_folder import DATABASE
from rag_core.keeping.embeddings import Scores
from rag_core.keeping.mend import mend
from rag_core.lab import Lab
from rag_core.models.embed import load_embedder
from rag_core.search.opened import Opened

FILLED = (KEPT, *WORKS[1:])
"""Both samples, and both as one document in more chunks than the 1,000 after which Chroma writes its vector files."""

QUESTIONS = ("财政收入增长了多少？", "How many people work for the company?")
EMBEDDED, CUTS = "questions.npy", "cuts.json"
DEPTH, WEIGHTS = 20, "some weights"
PAGE, LONGEST = 4096, 2000
NAMED = {"library_damaged", "document_damaged"}
WRONG = ("misnamed", "UNTYPED", "SILENT", "EMPTY")

View = dict[str, str]
"""What a reader sees, by what it is: a digest of it, or the error that stands in its place."""


def emptied(data: bytes, _: random.Random) -> bytes:
    return b""


def cut_off(data: bytes, rng: random.Random) -> bytes:
    return data[: rng.randrange(len(data))]


def flipped(data: bytes, rng: random.Random) -> bytes:
    place = rng.randrange(len(data))
    return data[:place] + bytes([data[place] ^ 1 << rng.randrange(8)]) + data[place + 1 :]


def page_zeroed(data: bytes, rng: random.Random) -> bytes:
    return _put(data, rng.randrange(len(data) // PAGE + 1) * PAGE, bytes(PAGE))


def overwritten(data: bytes, rng: random.Random) -> bytes:
    return _put(data, rng.randrange(len(data)), rng.randbytes(rng.randint(1, LONGEST)))


def _put(data: bytes, place: int, other: bytes) -> bytes:
    return (data[:place] + other)[: len(data)] + data[place + len(other) :]


DAMAGES: tuple[Callable[[bytes, random.Random], bytes], ...] = (emptied, cut_off, flipped, page_zeroed, overwritten)


def fill(home: Path, works: Sequence[Work] = FILLED) -> None:
    """Put into a library everything that one can hold, and beside it the questions, embedded."""
    lab, embedder, cuts = Lab(home), load_embedder(Settings().embedder), {}
    for work in works:
        doc_id = add(lab, work)
        cuts[doc_id] = work.how.key
        ids = [chunk.id for chunk in lab.open(doc_id, Settings(chunks=work.how), embedder).chunks]
        for number, question in enumerate(QUESTIONS):
            scores = {doc_id: Scores(_scored(ids, number), 0.5)}
            lab.embeddings.save_scores(work.how.key, WEIGHTS, question, scores)
            lab.judge(doc_id, [Judgment(question, Span(1, number, "words that answer"), 2, "Ann")])
        lab.history.add(doc_id, QUESTIONS[0], "2026-11-25T08:00:00+00:00", json.dumps({"ids": ids}))
    cuts[lab.library.collect("shelf", list(cuts)[:1]).id] = works[0].how.key
    lab.close()
    np.save(home / EMBEDDED, embedder.embed_queries(QUESTIONS))
    (home / CUTS).write_text(json.dumps({"embedder": embedder.id, "cuts": cuts}))


class Lazy:
    """The bundled embedder, which is loaded only where something has to be embedded anew."""

    def __init__(self, home: Path) -> None:
        self.id, self.vectors = json.loads((home / CUTS).read_text())["embedder"], np.load(home / EMBEDDED)

    def embed_queries(self, queries: Sequence[str]) -> np.ndarray:
        return self.vectors[[QUESTIONS.index(query) for query in queries]]

    def embed_texts(self, texts: Sequence[str], progress: Progress | None = None) -> np.ndarray:
        return load_embedder(Settings().embedder).embed_texts(texts, progress)


def look(home: Path) -> View:
    """Look at everything in a library that a reader can see."""
    embedder, warned, cuts = Lazy(home), _Warned(), json.loads((home / CUTS).read_text())["cuts"]
    logging.getLogger("rag_core").addHandler(warned)
    view: View = {}
    lab = _tried(view, "open", lambda: Lab(home))
    if isinstance(lab, Lab):
        for what, see in _sights(lab, cuts, embedder):
            _tried(view, what, see)
        lab.close()
    return view | {"warned": "yes" if warned.any else ""}


class _Warned(logging.Handler):
    any = False

    def emit(self, _: logging.LogRecord) -> None:
        self.any = True


def _sights(lab: Lab, cuts: dict[str, str], embedder: Lazy) -> Iterator[tuple[str, Callable[[], object]]]:
    """Yield what can be seen, by name."""
    hows = {work.how.key: work.how for work in FILLED}
    yield "titles", lab.documents.titles
    for doc_id, key in cuts.items():
        for what, see in _of_document(lab, doc_id, hows[key], embedder).items():
            yield f"{doc_id} {what}", see


def _of_document(lab: Lab, doc_id: str, how: ChunkSettings, embedder: Lazy) -> dict[str, Callable[[], object]]:
    return {
        "document": lambda: lab.documents.load(doc_id),
        "readings": lambda: lab.documents.readings(doc_id),
        "file": lambda: lab.documents.file(doc_id),
        "questions": lambda: lab.judgments.questions(doc_id),
        "judgments": lambda: lab.judgments.load(doc_id),
        "history": lambda: _history(lab, doc_id),
        "search": lambda: _searched(lab.open(doc_id, Settings(chunks=how), embedder)),
        "scores": lambda: _scores(lab, doc_id, how),
    }


def _history(lab: Lab, doc_id: str) -> list[object]:
    return [(entry, lab.history.load(doc_id, entry.number)) for entry in lab.history.entries(doc_id)]


def _searched(opened: Opened) -> list[object]:
    """Return what is found, by the index and without it: both must be what the stored texts and vectors give."""
    found = [
        (hit.chunk, hit.chunk.text, hit.score)
        for ranking in opened.first_stage(QUESTIONS, DEPTH)
        for hit in ranking.hits
    ]
    exact = [[hit.chunk.id for hit in opened.whole(question).hits[:DEPTH]] for question in QUESTIONS]
    return [found, exact, opened.index.vectors.tobytes()]


def _scores(lab: Lab, doc_id: str, how: ChunkSettings) -> list[dict[str, float]]:
    """Return scores as a comparison gets them: what is not kept is scored anew, here by the rule of ``fill``."""
    ids = [chunk.id for chunk in lab.cut(doc_id, how)]
    kept = [dict(lab.embeddings.scores([doc_id], how.key, WEIGHTS, question).by_chunk) for question in QUESTIONS]
    return [row or _scored(ids, number) for number, row in enumerate(kept)]


def _scored(ids: list[str], number: int) -> dict[str, float]:
    return {chunk_id: -number - place / 7 for place, chunk_id in enumerate(ids[:DEPTH])}


def _tried(view: View, what: str, see: Callable[[], object]) -> object:
    """See something, and note it or the error; return it."""
    try:
        seen = see()
    except RerankLabError as error:
        view[what] = f"error {error.code}"
    except Exception as error:
        view[what] = f"UNTYPED {type(error).__name__}: {error}"
    else:
        view[what] = "" if isinstance(seen, Lab) else _digest(seen)
        return seen
    return None


def _digest(seen: object) -> str:
    return hashlib.sha256(repr(seen).encode()).hexdigest()


def looked(home: Path) -> View:
    """Look in a process of its own, which a damaged index could end."""
    parent, child = multiprocessing.Pipe()
    process = multiprocessing.get_context("fork").Process(target=_look_and_tell, args=(child, home))
    process.start()
    child.close()
    try:
        return parent.recv()
    except EOFError:
        process.join()
        return {"open": f"UNTYPED end with {process.exitcode}"}
    finally:
        process.join()


def _look_and_tell(pipe: Connection, home: Path) -> None:
    pipe.send(look(home))


def outcome(seen: View, before: View) -> tuple[str, str]:
    """Say how a damage ended, and where that is seen."""
    other = {what: text for what, text in (before | seen).items() if what not in seen or text != before[what]}
    other.pop("warned", None)
    if seen.get("titles") == _digest({}):
        return "EMPTY", ""
    errors = {what: text.split()[1] for what, text in other.items() if text.startswith("error")}
    if "UNTYPED" in str(other):
        return "UNTYPED", str(other)
    if set(errors.values()) - NAMED:
        return "misnamed", str(errors)
    if "open" in errors:
        return "refused", ""
    # A title that is damaged is left out of the list, and its document named as damaged.
    silent = other.keys() - errors.keys() - ({"titles"} if errors else set())
    if silent:
        return "SILENT", str(sorted(silent))
    if errors:
        return "named", str(errors)
    return ("made again" if seen["warned"] else "as before"), ""


def mended(seen: View, before: View) -> tuple[str, str]:
    """Say how many documents are searched as before once a library is mended: nothing else may be found of any."""
    searches = [what for what in before if what.endswith("search")]
    as_before = sum(seen.get(what) == before[what] for what in searches)
    told = f"mended: {as_before} of {len(searches)} documents are found as before"
    other = [what for what in searches if seen.get(what) != before[what] and not seen.get(what, "").startswith("error")]
    return ("SILENT", f"mended: {other}") if other else (told, told)


def damaged(home: Path, file: Path, number: int, seed: int) -> str:
    """Damage a file of a home in the way of this number; say how."""
    damage = DAMAGES[number % len(DAMAGES)]
    target = home / file
    target.write_bytes(damage(target.read_bytes(), random.Random(f"{seed} {number}")))
    return f"{file.name} {damage.__name__}"


def files(home: Path, what: str, number: int) -> list[Path]:
    """Return the files of which one is damaged, below the home: five times the database, five times another."""
    if what == "library":
        return [Path("library.sqlite")]
    if number // len(DAMAGES) % 2 == 0:
        return [Path("chroma", DATABASE)]
    found = sorted(file for file in (home / "chroma").rglob("*") if file.is_file() and file.stat().st_size)
    return [file.relative_to(home) for file in found if file.name != DATABASE]


def play(whole: Path, what: str, damages: int, seed: int) -> Iterator[tuple[str, str]]:
    """Damage a library so often; yield how each damage ended, and of what it was."""
    home, rng = whole.with_name("damaged"), random.Random(seed)
    before = looked(shutil.copytree(whole, home))
    for number in range(damages):
        shutil.rmtree(home)
        shutil.copytree(whole, home)
        how = damaged(home, rng.choice(files(home, what, number)), number, seed)
        end, where = outcome(looked(home), before)
        yield end, f"{how}: {end} {where}"
        if end == "refused":
            mend(home / "library.sqlite")
            yield mended(looked(home), before)


def main() -> None:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.damage", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("what", choices=("library", "chroma", "fill"), help="what is damaged")
    parser.add_argument("--damages", type=int, default=60)
    parser.add_argument("--seed", type=int, default=7)
    parser.add_argument("--home", type=Path, help=argparse.SUPPRESS)
    parser.add_argument("--works", type=int, default=len(FILLED), help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.what == "fill":
        fill(arguments.home, FILLED[: arguments.works])
        return
    counts: Counter[str] = Counter()
    with tempfile.TemporaryDirectory() as folder:
        whole = Path(folder) / "whole"
        filling = [sys.executable, "-m", "benchmarks.damage", "fill", f"--home={whole}", f"--works={arguments.works}"]
        subprocess.run(filling, cwd=ROOT, check=True)  # from a process that loaded a model none can be forked
        for end, line in play(whole, arguments.what, arguments.damages, arguments.seed):
            counts[end] += 1
            print(line, flush=True)
    print("\n| ended | times |\n|---|---|", *(f"| {end} | {count} |" for end, count in counts.most_common()), sep="\n")
    if any(counts[end] for end in WRONG):
        raise SystemExit(1)


if __name__ == "__main__":
    main()
