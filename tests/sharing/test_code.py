"""Copy as code: what stands in a script, whatever was asked, and in the file of chunks beside it."""

from __future__ import annotations

import ast
import json
from dataclasses import replace
from functools import partial

import pytest
from comparisons import comparison
from hypothesis import given
from hypothesis import strategies as st

from rag_core.datatypes import Comparison, Expansion, FirstStage, Part
from rag_core.models import catalog, parts, tokens
from rag_core.place import ROOT
from rag_core.sharing import code

TEXTS = ["short", "first sentence. second sentence.", "third"]
HOSTILE = [
    'why "quoted"?',
    "it's",
    "both \" and '",
    "ends in a backslash \\",
    '""" + __import__("os").system("true") + """',
    "{{ 7 * 7 }} {% raw %} {# #}",
    "line\nbreak\r\nimport os",
    "\u2028import os\u2029\x85\x0b\x0c\x00",
    "\u202ereversed\u202c \ufeff",
    "# **bold** <b>html</b> `code` ```",
    "财政收入增长了多少？",
]


def asked(question: str, wordings: tuple[str, ...] = (), **how: object) -> Comparison:
    made = comparison(TEXTS, expansions=[Expansion(text, "typed") for text in wordings], **how)
    return replace(made, query=question)


def assigned(script: str) -> dict[str, object]:
    """Return the constants that a script begins with."""
    nodes = [node for node in ast.parse(script).body if isinstance(node, ast.Assign)]
    named = [(node.targets[0].id, node.value) for node in nodes if isinstance(node.targets[0], ast.Name)]
    return {name: ast.literal_eval(value) for name, value in named if name.isupper()}


def shape(script: str) -> str:
    """Return a script's syntax with every text left out."""
    tree = ast.parse(script)
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant):
            node.value = ""
    return ast.dump(tree)


@pytest.mark.parametrize("form", code.FORMS)
@pytest.mark.parametrize("text", HOSTILE)
def test_no_question_gets_out_of_its_string(form, text):
    script = code.script(form, asked(text, (text + " again",)), 3)
    values = assigned(script)
    assert (values["QUESTION"], values["OTHER_WORDINGS"]) == (text, [text + " again"])
    assert shape(script) == shape(code.script(form, asked("plain", ("words",)), 3))


@pytest.mark.parametrize("form", code.FORMS)
@pytest.mark.parametrize("text", HOSTILE)
def test_no_model_gets_out_of_its_string(form, text):
    script = code.script(form, asked("plain", embedder=text, reranker=text), 3)
    assert shape(script) == shape(code.script(form, asked("plain", embedder="a/b", reranker="a/b"), 3))
    constants = [node.value for node in ast.walk(ast.parse(script)) if isinstance(node, ast.Constant)]
    assert constants.count(text) == 2


@given(st.text())
def test_a_literal_is_one_line_that_gives_the_text_again(text):
    written = code.literal(text)
    assert ast.literal_eval(written) == text
    assert len(written.splitlines()) == 1


def test_a_literal_of_several_gives_them_again():
    value = {'a "key"': ["one", 2, 0.5, True, None], "b": {}}
    assert ast.literal_eval(code.literal(value)) == value


@pytest.mark.parametrize("form", code.FORMS)
def test_a_script_says_depth_and_cutoff_and_both_prefixes(form):
    script = code.script(form, asked("q", depth=30, cutoff=7), 3)
    values = assigned(script)
    assert (values["DEPTH"], values["KEEP"]) == (30, 7)
    assert '"query: "' in script and '"passage: "' in script
    assert "OTHER_WORDINGS" not in values


@pytest.mark.parametrize("form", code.FORMS)
def test_at_ones_own_machine_both_folders_are_there(form):
    script = code.script(form, asked("q"), 3)
    for line in (catalog.EMBEDDERS[0], catalog.RERANKERS[0]):
        assert code.literal(str(line.folder)) in script
        assert line.folder.is_dir()


@pytest.mark.parametrize("form", code.FORMS)
def test_a_visitor_is_told_no_folder_of_the_host(form, monkeypatch):
    monkeypatch.setattr(catalog, "is_visitor", lambda: True)
    bundled = code.script(form, asked("q"), 3)
    assert str(ROOT) not in bundled
    assert "data/models/bilingual-embedder" in bundled and "data/models/bilingual-cross-encoder" in bundled
    listed = code.script(form, asked("q", embedder="/srv/secret/embedder", reranker="/srv/secret/reranker"), 3)
    assert "/srv" not in listed and "secret" not in listed


@pytest.mark.parametrize("form", code.FORMS)
@pytest.mark.parametrize(
    "how",
    [{"first_stage": FirstStage.BM25}, {"first_stage": FirstStage.BOTH}, {"embedder": "text-embedding-3-small"}],
)
def test_a_search_by_words_or_on_a_server_is_not_repeated_and_that_is_said(form, how):
    made = asked("q", **how)
    script = code.script(form, made, 3)
    assert "before = [*chunks]" in script and "the search is not repeated" in script
    assert "embedder" not in assigned(script) and "DEPTH" not in script and "found" not in ast.dump(ast.parse(script))
    rows = json.loads(code.chunks_file(made, made.before.chunks[::-1]))
    assert [row["id"] for row in rows] == made.before.ids


@pytest.mark.parametrize(("reranker", "can"), [("bilingual-cross-encoder", True), ("rerank-v5.0-fast", False)])
def test_a_reranker_on_a_server_cannot_be_copied(reranker, can):
    assert code.can_be_copied(asked("q", reranker=reranker)) is can


def test_what_was_scored_in_part_is_cut_where_it_was():
    made = replace(asked("q", ("w",), adaptive=True), found=9)
    assert "[:3]  # so many were scored" in code.script("chroma", made, 20)
    assert "before = [*chunks]" in code.script("chroma", made)  # fused of candidates that the file does not hold


def test_only_the_bundled_models_want_what_loads_them():
    hub = {"embedder": "intfloat/multilingual-e5-small", "reranker": "BAAI/bge-reranker-base"}
    assert code.WITH_ONNX in code.script("chroma", asked("q"), 3)
    script = code.script("chroma", asked("q", **hub), 3)
    assert "onnx" not in script and "data/models" not in script


def test_the_chunks_hold_what_each_model_reads(reranker):
    made = asked("question")
    long = replace(made.before.chunks[0], text="One short sentence. " * 80, head="a head")
    held = [long, *made.before.chunks[1:]]
    read = partial(parts.texts, limit=reranker.limit, encode=tokens.encoding(catalog.RERANKERS[0].folder))
    first, *others = json.loads(code.chunks_file(made, held, read))
    assert first["text"] == long.passage
    assert len(first["parts"]) > 1 and all(part in long.passage for part in first["parts"])
    scores = reranker.score_pairs([("question", part) for part in first["parts"]])
    assert max(scores) == reranker.score("question", [long.passage])[0]
    assert [row["parts"] for row in others] == [[text] for text in TEXTS[1:]]


def test_without_the_tokenizer_a_candidate_has_the_part_that_scored_best():
    made = asked("question")
    moves = [replace(made.moves[0], part=Part(0, 5, 2)), *made.moves[1:]]
    rows = {row["id"]: row for row in json.loads(code.chunks_file(replace(made, moves=tuple(moves))))}
    chunk = moves[0].chunk
    assert rows[chunk.id]["parts"] == [chunk.text[:5]]
    assert all(rows[move.chunk.id]["parts"] == [move.chunk.text] for move in moves[1:])
