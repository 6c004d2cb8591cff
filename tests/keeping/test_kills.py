"""A few of the kills that ``python -m benchmarks.kills`` makes fifty of, and kills while a collection is opened."""

from __future__ import annotations

import random
import shutil
import subprocess
import sys
import time
from contextlib import closing
from pathlib import Path

import pytest

from benchmarks.kills import QUESTIONS, ROOT, SAMPLES, Counting, Killing
from rag_core.datatypes import ChunkSettings, FirstStage, Settings
from rag_core.lab import Lab

pytestmark = pytest.mark.slow

HOW = Settings(chunks=ChunkSettings("window", 300, 60), first_stage=FirstStage.BOTH)


def test_a_kill_leaves_every_index_complete_or_to_be_built_and_no_text_is_embedded_twice(tmp_path):
    killing, rng = Killing(tmp_path, works=1), random.Random(3)
    found = [killing.kill(number, rng) for number in range(3)]
    assert [one.wrong for one in found] == [[], [], []]
    assert all(len(one.left) == 1 for one in found)


OPEN = """
import sys
from pathlib import Path
from tests.keeping.test_kills import Counting, asked
embedder = Counting()
embedder.embed_queries(["load"])
print("ready", flush=True)
asked(Path(sys.argv[1]), embedder)
"""


def asked(home: Path, embedder: Counting) -> list[list[tuple[str, float]]]:
    """Open the collection, embedding and counting what is not there yet, and ask every question."""
    with closing(Lab(home)) as lab:
        found = lab.open("reader", HOW, embedder).first_stage(QUESTIONS, 20)
    return [[(hit.chunk.id, hit.score) for hit in ranking.hits] for ranking in found]


def opening(home: Path) -> subprocess.Popen:
    """Start a process that opens the collection; return once its model is loaded."""
    process = subprocess.Popen([sys.executable, "-c", OPEN, str(home)], cwd=ROOT, stdout=subprocess.PIPE, text=True)
    process.stdout.readline()
    return process


def test_a_kill_while_a_collection_is_opened_loses_no_vector_and_no_word(tmp_path):
    home, rng, embedder = tmp_path / "home", random.Random(5), Counting()
    with closing(Lab(home)) as lab:
        ids = [lab.add((ROOT / "data" / "samples" / f"{name}.pdf").read_bytes(), name).id for name in SAMPLES]
        lab.library.collect("Reader", ids, collection_id="reader")
    expected = asked(shutil.copytree(home, tmp_path / "whole"), embedder)
    chunks, started = embedder.texts, time.monotonic()
    with opening(shutil.copytree(home, tmp_path / "timed")) as process:
        process.wait()
    seconds = time.monotonic() - started
    for _ in range(3):
        with opening(home) as process:
            time.sleep(rng.uniform(0, seconds / 3))
            process.kill()
    embedder.texts = 0
    assert [asked(home, embedder), asked(home, embedder)] == [expected, expected]
    assert embedder.texts <= chunks
