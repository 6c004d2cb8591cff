"""What was deleted is on no disk: neither in the library's files nor in Chroma's."""

from __future__ import annotations

import math
import random
import sqlite3
from collections.abc import Iterator
from pathlib import Path

import pytest
from pdfs import text_pdf

from rag_core.datatypes import ChunkSettings, Document, FirstStage, ImportedRun, Judgment, Settings, Span
from rag_core.lab import Lab
from rag_core.models.embed import Embedder, load_embedder
from rag_core.search.words import hashed
from tests.search.test_index import PAST_THE_LOG

pytestmark = pytest.mark.slow

HOW = Settings(chunks=ChunkSettings("sentence"))
SENTENCES, LINES = PAST_THE_LOG, 40


@pytest.fixture(scope="module")
def embedder() -> Embedder:
    return load_embedder(HOW.embedder)


@pytest.fixture
def lab(tmp_path: Path) -> Iterator[Lab]:
    opened = Lab(tmp_path / "home")
    yield opened
    opened.close()


def added(lab: Lab, embedder: Embedder, name: str, owner: str = "") -> tuple[Document, list[bytes]]:
    """Add and search a document of whose words no other has any; return it with all that tells of it."""
    draw = random.Random(name)
    words = ["".join(draw.choices("bcdfghjklmnpqrstvwxz", k=8)) for _ in range(SENTENCES)]
    lines = [f"The {word} is here." for word in words]
    pages = [lines[start : start + LINES] for start in range(0, len(lines), LINES)]
    document = lab.add(text_pdf(*pages), f"{name}.pdf", owner=owner)
    opened = lab.open(document.id, HOW, embedder)
    opened.first_stage([f"where is {name}"], 10)
    lab.judge(document.id, [Judgment(f"where is {name}", Span(1, 0, words[0]), 2)])
    ranked = {f"where is {name}": (Span(1, 0, words[0], document.id),)}
    lab.runs.add(document.id, ImportedRun(f"ranking of {name}", ranked))
    vectors = [vector.tobytes() for vector in opened.index.vectors]
    return document, [name.encode(), *(word.encode() for word in words), *vectors]


def places(folder: Path, wanted: list[bytes]) -> list[str]:
    """Name the files below a folder in which one of these stands."""
    files = [file for file in sorted(folder.rglob("*")) if file.is_file()]
    return [file.name for file in files if any(one in file.read_bytes() for one in wanted)]


def test_a_deleted_document_is_on_no_disk_and_the_others_are_found(lab, embedder, tmp_path):
    document, told = added(lab, embedder, "quokkaplan")
    kept, still_told = added(lab, embedder, "wombatplan")
    assert {"library.sqlite-wal", "chroma.sqlite3", "data_level0.bin"} <= set(places(tmp_path, told))
    before = lab.open(kept.id, HOW, embedder).first_stage(["where is wombatplan"], 10)
    lab.delete(document.id)
    assert places(tmp_path, told) == []
    assert {"library.sqlite", "data_level0.bin"} <= set(places(tmp_path, still_told))
    assert lab.open(kept.id, HOW, embedder).first_stage(["where is wombatplan"], 10) == before
    assert lab.store.rebuilt == set()


def test_of_a_member_of_a_collection_nothing_is_on_disk_and_the_others_are_found(lab, embedder, tmp_path):
    document, told = added(lab, embedder, "quokkaplan")
    kept, still_told = added(lab, embedder, "wombatplan")
    words, vectors = told[1 : SENTENCES + 1], told[SENTENCES + 1 :]
    counted = [word.tobytes() for word in hashed(word.decode() for word in words)]
    # Its name stays: it stands in a question, and the members' questions are the collection's too.
    reader = lab.library.collect("Reader", [document.id, kept.id])

    def found(doc_id: str) -> list[list[str]]:
        opened = lab.open(doc_id, HOW, embedder)
        return [ranking.ids for ranking in opened.first_stage(["where is wombatplan"], 10, FirstStage.BOTH)]

    before = found(kept.id)
    found(reader.id)
    assert all(places(tmp_path, kind) for kind in (words, vectors, counted))
    lab.delete(document.id)
    assert places(tmp_path, [*words, *vectors, *counted]) == []
    assert found(reader.id) == before
    assert places(tmp_path, still_told)


def test_what_is_swept_is_on_no_disk(lab, embedder, tmp_path):
    _, told = added(lab, embedder, "quokkaplan", owner="gone")
    _, still_told = added(lab, embedder, "wombatplan", owner="here")
    lab.sweep(["here"], ["gone"], unseen_since=1.0, added_before=-math.inf)
    assert places(tmp_path, told) == []
    assert places(tmp_path, still_told)


def test_what_a_killed_process_had_deleted_is_on_no_disk_after_the_next_start(lab, embedder, tmp_path, monkeypatch):
    document, told = added(lab, embedder, "quokkaplan")
    _, still_told = added(lab, embedder, "wombatplan")

    def killed() -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(lab.store, "blank", killed)
    with pytest.raises(KeyboardInterrupt):
        lab.delete(document.id)
    lab.close()
    assert places(tmp_path, told)
    Lab(tmp_path / "home").close()
    assert places(tmp_path, told) == []
    assert places(tmp_path, still_told)
    assert not (tmp_path / "home" / "deleting").exists()


def test_where_chroma_cannot_be_tidied_its_index_is_made_anew(lab, embedder, tmp_path):
    document, told = added(lab, embedder, "quokkaplan")
    kept, _ = added(lab, embedder, "wombatplan")
    before = lab.open(kept.id, HOW, embedder).first_stage(["where is wombatplan"], 10)
    lab.store.delete(document.id)
    lab.store.close()
    with sqlite3.connect(tmp_path / "home" / "chroma" / "chroma.sqlite3") as connection:
        connection.execute("DROP TABLE segments")
    lab.delete(document.id)
    assert places(tmp_path, told) == []
    assert lab.open(kept.id, HOW, embedder).first_stage(["where is wombatplan"], 10) == before


def test_the_room_of_what_was_deleted_is_given_back(lab, tmp_path):
    file = tmp_path / "home" / "library.sqlite"
    small, large = (text_pdf([f"A {name} one."]) for name in ("small", "large"))
    kept = lab.add(small, "small.pdf")
    gone = lab.add(large + b"\0" * 12_000_000, "large.pdf")
    lab.library.database.blank()
    assert file.stat().st_size > 12_000_000
    lab.delete(gone.id)
    assert file.stat().st_size < 1_000_000
    assert lab.documents.file(kept.id) == small
