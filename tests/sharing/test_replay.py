"""The replay file: what goes in comes out, and what was made to harm ends in an error that says what to do."""

from __future__ import annotations

import contextlib
import json
import random
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest
import tiny_models
from pdfs import text_pdf

from rag_core import __version__
from rag_core.comparing import answer
from rag_core.datatypes import ChunkSettings, Expansion, Judgment, Kept, Settings, Span
from rag_core.errors import (
    NotAReplay,
    ReplayAltered,
    ReplayDamaged,
    ReplayError,
    ReplayInvalid,
    ReplayTooLarge,
    ReplayTooNew,
)
from rag_core.explaining import probe
from rag_core.lab import Lab
from rag_core.measuring import judge
from rag_core.models import baseline, selftest
from rag_core.sharing import replay, replay_file
from rag_core.sharing.replay import Replay
from rag_core.sharing.replay_file import read, write

ROOT = Path(__file__).parents[2]
QUESTION = "财政收入增长了多少？"
ANSWER = "全市一般公共预算收入增长8.2%。"
PDF = text_pdf(
    [ANSWER, "新建和改造公园二十处。", "轨道交通十二号线开通。"],
    ["全年粮食产量保持稳定。", "博物馆接待游客三百万人次。", "居民收入增长5.6%。"],
)
EXPANSIONS = [Expansion("预算增长", "typed"), Expansion("museum visitors", "llm")]
SENTENCES = ChunkSettings("sentence")


@pytest.fixture(scope="module")
def made(tmp_path_factory, embedder, reranker):
    """Return what makes a replay of the small document, by settings and expansions."""
    lab = Lab(tmp_path_factory.mktemp("replay") / "home")
    document = lab.add(PDF, "报告.pdf")
    test = selftest.check(reranker)
    judgments = [
        Judgment(QUESTION, Span(0, 0, "一般公共预算收入 增长8.2%"), 2, "王老师"),
        Judgment(QUESTION, Span(2, 0, "这里没有的话"), 2, "王老师"),
        Judgment("另一个问题？", Span(2, 0, "全年粮食产量保持稳定。"), 1),
    ]

    def make(expansions=(), **how) -> Replay:
        opened = lab.open(document.id, Settings(chunks=SENTENCES, **how), embedder)
        comparison = opened.compare(QUESTION, expansions, reranker)
        unrelated = {"reranker": baseline.measure("zh", probe.of_texts(reranker, QUESTION)), "embedder": None}
        answers = {
            side: answer.extractive(QUESTION, comparison.ranking(side).top(2), [document], reranker)
            for side in replay.SIDES
        }
        measured = replay.record(comparison, document, [document], test, unrelated)
        return replay.brought_up(measured, [document], answers, judgments)

    yield make
    lab.close()


@pytest.fixture(scope="module")
def plain(made) -> Replay:
    return made()


@pytest.fixture(scope="module")
def rows(made) -> dict:
    return json.loads(write(made(EXPANSIONS)))


def as_file(rows: dict) -> bytes:
    return json.dumps(rows, ensure_ascii=False).encode()


@pytest.mark.parametrize(
    ("expansions", "how"),
    [
        ((), {}),
        ((), {"depth": 5, "cutoff": 1, "adaptive": True}),
        ((), {"first_stage": "bm25"}),
        ((), {"first_stage": "both"}),
        (EXPANSIONS, {"first_stage": "both"}),
        (EXPANSIONS, {}),
    ],
)
def test_what_is_written_comes_back(made, expansions, how):
    given = made(expansions, **how)
    found = read(write(given))
    # Of a baseline the scores travel; its texts are the program's own.
    texts = {role: one and replace(one, texts=()) for role, one in given.baselines.items()}
    assert found == replace(given, baselines=texts)
    assert write(found) == write(given)


def test_what_had_been_scored_before_travels(rows):
    pairs, seconds = len(rows["candidates"]), rows["timings"]["rerank"]
    found = read(as_file({**rows, "kept": {"pairs": pairs - 1, "seconds": seconds / 2}}))
    assert found.comparison.kept == Kept(pairs - 1, seconds / 2)
    assert json.loads(write(found))["kept"] == {"pairs": pairs - 1, "seconds": seconds / 2}


def test_without_anything_kept_the_file_is_as_it_was(rows):
    assert "kept" not in rows
    assert read(as_file(rows)).comparison.kept == Kept()


LONG_PDF = text_pdf(["新建和改造公园二十处，博物馆接待游客三百万人次，居民满意度稳步提高。"] * 9 + [ANSWER])


@pytest.fixture(scope="module")
def in_parts(plain, embedder, reranker, tmp_path_factory) -> Replay:
    """Return the replay of a document whose one chunk is scored by its best part."""
    lab = Lab(tmp_path_factory.mktemp("parts") / "home")
    document, how = lab.add(LONG_PDF, "长.pdf"), Settings(chunks=ChunkSettings("window", 900, 0))
    comparison = lab.open(document.id, how, embedder).compare(QUESTION, [], reranker)
    lab.close()
    return replay.record(comparison, document, [document], plain.self_test, plain.baselines)


def test_the_best_part_travels_and_pairs_are_counted(in_parts):
    [move] = read(write(in_parts)).comparison.moves
    assert move.part == in_parts.comparison.moves[0].part
    assert ANSWER in move.part.words(move.chunk.text).replace("\n", "")
    assert read(write(in_parts)).comparison.pairs == move.part.of > 1
    assert write(read(write(in_parts))) == write(in_parts)


def test_a_file_from_before_there_were_parts_opens(in_parts):
    given = json.loads(write(in_parts))
    del given["candidates"][0]["reranked"]["part"], given["self_test"]["long"]
    old = as_file(given)
    found = read(old)
    assert found.comparison.moves[0].part is None and found.self_test.leaning == ()
    assert json.loads(write(found)) == given


@pytest.mark.parametrize(
    "part",
    [
        {"start": -1, "end": 5, "of": 2},
        {"start": 0, "end": 10_000, "of": 2},
        {"start": 5, "end": 5, "of": 2},
        {"start": 0, "end": 5, "of": 0},
        {"start": 0, "end": 5},
        {"start": 0, "end": 5, "of": 2.5},
        None,
        "0-5",
    ],
)
def test_a_part_that_cannot_be_is_refused(in_parts, part):
    given = json.loads(write(in_parts))
    given["candidates"][0]["reranked"]["part"] = part
    with pytest.raises(ReplayInvalid, match=r"candidates\[0\]\.reranked\.part"):
        read(as_file(given))


def test_judgments_of_the_question_travel_with_their_place(plain):
    [judgment] = read(write(plain)).judgments
    place = Span(1, ANSWER.index("一般"), "一般公共预算收入增长8.2%", plain.source.id)
    assert judgment == Judgment(QUESTION, place, 2, "王老师")
    [[chunk_id, grade]] = plain.grades.items()
    assert ANSWER in {hit.chunk.id: hit.chunk.text for hit in plain.comparison.before.hits}[chunk_id]
    assert grade == 2


def test_a_judgment_more_is_a_grade_more(plain):
    chunk = plain.comparison.reranked.hits[-1].chunk
    judged = plain.judged(Judgment(QUESTION, judge.span_of(chunk), 0, "李"))
    assert read(write(judged)).grades == {**plain.grades, chunk.id: 0}


def test_the_file_names_what_made_it(plain):
    versions = read(write(plain)).versions
    assert versions["app"] == __version__
    assert {"python", "onnxruntime", "chromadb"} <= set(versions)


@pytest.mark.slow
@pytest.mark.torch
def test_weights_are_named_by_their_content_and_no_folder_is(plain, tmp_path):
    assert plain.weights["reranker"].startswith("bilingual-cross-encoder#")
    folder = tiny_models.cross_encoder(tmp_path / "models" / "mine")
    assert replay.weights("reranker", str(folder)).startswith("mine#")
    local = replace(plain, comparison=replace(plain.comparison, settings=Settings(reranker=str(folder))))
    assert str(tmp_path).encode() in write(local)
    assert str(tmp_path).encode() not in write(replay.public(local))
    assert replay.public_name("BAAI/bge-reranker-base") == "BAAI/bge-reranker-base"
    assert replay.public_name("x" * 300) == "x" * 300


def test_reading_loads_no_model_and_no_index(plain, tmp_path):
    (tmp_path / "file.json").write_bytes(write(plain))
    program = (
        "import sys; from rag_core.sharing import replay_file; replay_file.read(open(sys.argv[1], 'rb').read());"
        "print({'torch', 'chromadb', 'onnxruntime', 'openai', 'tokenizers'} & set(sys.modules))"
    )
    done = subprocess.run(
        [sys.executable, "-c", program, str(tmp_path / "file.json")],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert (done.stdout.strip(), done.stderr) == ("set()", "")


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"%PDF-1.7",
        b"\x89PNG\r\n",
        b"question,page\n",
        b"[]",
        b"{}",
        b"null",
        b'{"format": "other"}',
        b"[" * 50_000,
    ],
)
def test_another_kind_of_file_is_told(data):
    with pytest.raises(NotAReplay):
        read(data)


@pytest.mark.parametrize("part", [0.01, 0.5, 0.99])
def test_a_file_that_is_cut_off_is_told(plain, part):
    data = write(plain)
    with pytest.raises(ReplayDamaged):
        read(data[: max(60, int(len(data) * part))])


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (b'"available": 6', b'"available": NaN'),
        (b'"available": 6', b'"available": Infinity'),
        (b'"available": 6', b'"available": 6, "available": 7'),
        (b'"available": 6', b'"available": ' + b"[" * 100_000 + b"]" * 100_000),
        (b'"available": 6', b'"available": ' + b"6" * 5000),
    ],
    ids=["NaN", "infinity", "twice", "deep", "endless"],
)
def test_what_no_json_holds_is_damage(plain, old, new):
    with pytest.raises(ReplayDamaged):
        read(write(plain).replace(old, new))


@pytest.mark.parametrize(
    "padding", [b" " * replay_file.MAX_BYTES, b"[]," * replay_file.MOST_VALUES], ids=["bytes", "values"]
)
def test_a_file_has_a_limit(plain, padding):
    with pytest.raises(ReplayTooLarge) as told:
        read(write(plain) + padding)
    assert told.value.values["limit"] == 20


def test_a_newer_format_says_so(rows):
    with pytest.raises(ReplayTooNew) as told:
        read(as_file({**rows, "version": 2, "candidates": "something else"}))
    assert told.value.values == {"version": 2, "known": 1}


def test_names_that_are_not_known_are_passed_over(rows):
    assert read(as_file({**rows, "colour": "red"})) == read(as_file(rows))


CHANGES = {
    "no candidates": lambda f: f.update(candidates=[]),
    "candidates missing": lambda f: f.pop("candidates"),
    "unknown origin": lambda f: f["expansions"][0].update(origin="question"),
    "endless question": lambda f: f.update(question="问" * 1001),
    "depth": lambda f: f["settings"].update(depth=10**30),
    "depth a text": lambda f: f["settings"].update(depth="50"),
    "cutoff": lambda f: f["settings"].update(cutoff=0),
    "preset": lambda f: f["settings"]["chunks"].update(preset="<script>"),
    "adaptive": lambda f: f["settings"].update(adaptive=1),
    "scale": lambda f: f.update(scale="percent"),
    "fewer available than there are": lambda f: f.update(available=1),
    "found more than available": lambda f: f.update(found=7),
    "step": lambda f: f["timings"].update(cooking=1.0),
    "no time": lambda f: f["timings"].update(rerank=0),
    "negative time": lambda f: f["timings"].update(search=-1),
    "nothing kept": lambda f: f.update(kept=None),
    "no pair kept": lambda f: f.update(kept={"pairs": 0, "seconds": 0.0}),
    "more kept than scored": lambda f: f.update(kept={"pairs": 7, "seconds": 0.0}),
    "longer than scoring took": lambda f: f.update(kept={"pairs": 1, "seconds": f["timings"]["rerank"] + 1}),
    "language": lambda f: f["document"].update(language="fr"),
    "pages": lambda f: f["document"].update(pages=True),
    "made": lambda f: f.update(made="yesterday"),
    "made before there was time": lambda f: f.update(made="0001-01-01T00:00:00+23:59"),
    "version of a library": lambda f: f["versions"].update(numpy=2),
    "weights": lambda f: f.update(weights={}),
    "self-test": lambda f: f["self_test"]["right"].update(zh=7),
    "self-test of long texts": lambda f: f["self_test"]["long"].update(zh=1),
    "baseline": lambda f: f["baselines"].update(reranker=[]),
    "page of a chunk": lambda f: f["candidates"][0].update(page=0),
    "end of a chunk": lambda f: f["candidates"][0].update(end=f["candidates"][0]["end"] + 1),
    "far page": lambda f: f["candidates"][0].update(page=10**9),
    "score a text": lambda f: f["candidates"][0]["vector"].update(score="0.5"),
    "endless score": lambda f: f["candidates"][0]["vector"].update(score=10**400),
    "rank": lambda f: f["candidates"][0]["reranked"].update(rank=7),
    "query": lambda f: f["candidates"][0]["found"][0].update(query=3),
    "source": lambda f: f["candidates"][0]["found"][0].update(source="magic"),
    "no one found it": lambda f: f["candidates"][0].update(found=[]),
    "grade": lambda f: f["judgments"][0].update(grade=3),
    "empty quote": lambda f: f["judgments"][0].update(quote=""),
    "one answer": lambda f: f["answers"].pop("vector"),
    "answer from elsewhere": lambda f: f["answers"]["vector"].update(chunks=["elsewhere"]),
    "citation": lambda f: f["answers"]["vector"].update(cited=[9]),
    "half a character": lambda f: f["document"].update(title="\ud800"),
}


@pytest.mark.parametrize("change", CHANGES)
def test_a_value_that_does_not_fit_is_named(rows, change):
    changed = json.loads(json.dumps(rows))
    CHANGES[change](changed)
    with pytest.raises(ReplayInvalid) as told:
        read(json.dumps(changed).encode())
    assert told.value.values["place"]


def swap(rows: list, side: str, name: str) -> None:
    first, second = rows[0][side], rows[1][side]
    first[name], second[name] = second[name], first[name]


ALTERED = {
    "text": lambda f: f["candidates"][0].update(text="X" + f["candidates"][0]["text"][1:]),
    "hash": lambda f: f["candidates"][0].update(sha256="0" * 64),
    "same id": lambda f: f["candidates"][1].update(id=f["candidates"][0]["id"]),
    "same rank": lambda f: f["candidates"][1]["reranked"].update(rank=f["candidates"][0]["reranked"]["rank"]),
    "ranks of the new order": lambda f: swap(f["candidates"], "reranked", "rank"),
    "scores of the new order": lambda f: swap(f["candidates"], "reranked", "score"),
    "scores of the old order": lambda f: swap(f["candidates"], "vector", "score"),
    "rank in the ledger": lambda f: f["candidates"][0]["found"][0].update(rank=6),
    "score in the ledger": lambda f: f["candidates"][0]["found"][0].update(score=-1.0),
}


@pytest.mark.parametrize("change", ALTERED)
@pytest.mark.parametrize("expansions", [(), EXPANSIONS], ids=["alone", "fused"])
def test_what_contradicts_itself_is_refused(made, change, expansions):
    rows = json.loads(write(made(expansions)))
    ALTERED[change](rows)
    with pytest.raises(ReplayAltered):
        read(as_file(rows))


def test_any_single_damage_ends_in_a_replay_or_in_an_error_of_ours(rows):
    """Every value is put out of place in turn, with everything that JSON can hold."""
    others = [None, True, -1, 0, 10**12, 1.5, 1e308, "", "x", "‮<b>", [], {}, [[]], {"a": 1}]
    random.seed(7)
    for container, key in places(rows):
        kept = container[key]
        for other in random.sample(others, 6):
            container[key] = other
            with contextlib.suppress(ReplayError):
                read(as_file(rows))
        container[key] = kept


def places(value):
    keys = value if isinstance(value, dict) else range(len(value)) if isinstance(value, list) else ()
    for key in list(keys):
        yield value, key
        yield from places(value[key])


def test_every_name_of_the_file_is_explained(rows):
    explained = (ROOT / "docs" / "replay.md").read_text(encoding="utf-8")
    names = {key for _, key in places(rows) if isinstance(key, str)} - set(rows["versions"])
    assert {name for name in names if f"`{name}`" not in explained} == set()


# Chunks with the same words

TWICE_PDF = text_pdf([ANSWER, "新建和改造公园二十处。"], ["轨道交通十二号线开通。", ANSWER])


@pytest.fixture(scope="module")
def twice(plain, embedder, reranker, tmp_path_factory) -> Replay:
    """Return the replay of a document that gives its answer on two pages, the second of them judged."""
    lab = Lab(tmp_path_factory.mktemp("twice") / "home")
    document = lab.add(TWICE_PDF, "重复.pdf")
    comparison = lab.open(document.id, Settings(chunks=SENTENCES), embedder).compare(QUESTION, [], reranker)
    lab.close()
    measured = replay.record(comparison, document, [document], plain.self_test, plain.baselines)
    return replay.brought_up(measured, [document], {}, [Judgment(QUESTION, Span(2, 0, ANSWER), 2)])


def test_every_page_of_a_candidate_travels(twice):
    [place] = [chunk.twins for chunk in twice.comparison.before.chunks if chunk.twins]
    found = read(write(twice))
    assert {move.chunk.text: move.chunk.pages for move in found.comparison.moves}[ANSWER] == (1, 2)
    assert [chunk.twins for chunk in found.comparison.reranked.chunks if chunk.twins] == [place]
    assert list(found.grades.values()) == [2]
    assert write(found) == write(twice)


def test_a_file_from_before_there_were_twins_opens(twice):
    given = json.loads(write(twice))
    [row] = [row for row in given["candidates"] if "twins" in row]
    del row["twins"]
    found = read(as_file(given))
    assert {chunk.pages for chunk in found.comparison.before.chunks} == {(1,), (2,)}
    assert json.loads(write(found)) == given


@pytest.mark.parametrize(
    "twins",
    [
        [{"page": 0, "start": 0, "end": 100}],
        [{"page": 2, "start": -1, "end": 100}],
        [{"page": 2, "start": 10, "end": 11}],
        [{"page": 2, "start": 0}],
        [[2, 0, 100]],
        {"page": 2, "start": 0, "end": 100},
        None,
    ],
)
def test_a_twin_that_cannot_be_is_refused(twice, twins):
    given = json.loads(write(twice))
    given["candidates"][0]["twins"] = twins
    with pytest.raises(ReplayInvalid, match=r"candidates\[0\]\.twins"):
        read(as_file(given))
