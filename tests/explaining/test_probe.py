"""What a model leaned on: with scores known by hand, and with the bundled models on texts whose answer is known."""

from __future__ import annotations

import numpy as np
import pytest

from rag_core.datatypes import Chunk
from rag_core.errors import OneUnit
from rag_core.explaining import probe, units
from rag_core.explaining.probe import Probe, Unit
from rag_core.reading.language import sentences

TEXT = "aaa bb c"
SPANS = [(0, 3), (4, 6), (7, 8)]
WEIGHTS = {"a": 1.0, "b": 2.0, "c": 0.5}


def additive(texts: list[str]) -> np.ndarray:
    return np.array([sum(WEIGHTS.get(letter, 0.0) for letter in text) for text in texts])


def either(texts: list[str]) -> np.ndarray:
    """Give 1 to a text that has an a or a b: one repeats the other."""
    return np.array([float("a" in text or "b" in text) for text in texts])


def test_each_drop_is_the_score_lost_and_the_sum_is_theirs():
    found = probe.leave_one_out(TEXT, SPANS, additive)
    assert found.score == 7.5
    assert [unit.drop for unit in found.units] == [3.0, 4.0, 0.5]
    assert found.ranks == (2, 1, 3)
    assert [unit.drop for unit in found.ordered] == [4.0, 3.0, 0.5]
    assert found.total == 7.5
    assert found.score - found.without_two == 4.0 + 3.0


def test_what_is_repeated_drops_nothing_alone_and_everything_together():
    found = probe.leave_one_out(TEXT, SPANS, either)
    assert [unit.drop for unit in found.units] == [0.0, 0.0, 0.0]
    assert found.total == 0.0
    assert found.score - found.without_two == 1.0


def test_two_units_leave_no_pair_to_leave_out():
    assert probe.leave_one_out("aa bb", [(0, 2), (3, 5)], additive).without_two is None


@pytest.mark.parametrize("spans", [[], [(0, 3)]])
def test_a_single_unit_is_refused(spans):
    with pytest.raises(OneUnit):
        probe.leave_one_out("aaa", spans, additive)


def test_equal_drops_keep_the_order_of_the_text():
    units_of = (Unit(0, 1, 1.0), Unit(2, 3, 1.0), Unit(4, 5, 2.0))
    assert Probe("a b c", 3.0, units_of).ranks == (2, 3, 1)


@pytest.mark.parametrize(
    ("text", "spans", "left"),
    [
        ("one two three", [(4, 7)], "one three"),
        ("一句。二句。三句。", [(3, 6)], "一句。三句。"),
        ("one two three", [(0, 3), (8, 13)], "two"),
        ("line\nnext", [(0, 4)], "next"),
    ],
)
def test_no_double_space_is_left_where_something_stood(text, spans, left):
    assert probe.without(text, spans) == left


def test_work_stops_between_passes_when_the_reader_goes():
    asked: list[str] = []

    def score(texts: list[str]) -> np.ndarray:
        asked.extend(texts)
        return additive(texts)

    def gone(done: int, total: int) -> None:
        raise KeyboardInterrupt

    text = "a " * 40
    with pytest.raises(KeyboardInterrupt):
        probe.leave_one_out(text, [(2 * n, 2 * n + 1) for n in range(40)], score, gone)
    assert len(asked) == probe.TEXTS_PER_PASS


def test_progress_counts_every_pass():
    seen: list[tuple[int, int]] = []
    probe.leave_one_out("a " * 20, [(2 * n, 2 * n + 1) for n in range(20)], additive, lambda *count: seen.append(count))
    assert seen == [(8, 21), (16, 21), (21, 21)]


@pytest.mark.parametrize(("score", "rank"), [(9.0, 1), (3.0, 2), (2.5, 3), (0.0, 4)])
def test_rank_among_others(score, rank):
    assert probe.rank_among(score, [5.0, 3.0, 1.0]) == rank


KNOWN = {
    "zh": (
        "2025年全市公园有多少座？",
        "市民广场今年举办了八场音乐会。图书馆的开放时间延长到晚上九点。2025年全市公园总数达到186座。旧城的两条道路正在翻修。地铁票价保持不变。",
        "2025年全市公园总数达到186座。",
    ),
    "en": (
        "How many parks does the city have?",
        "The main square hosted eight concerts this year. The library now stays open until nine in the evening. "
        "The city has 186 parks in all. Two roads in the old quarter are being repaired. Tram fares did not change.",
        "The city has 186 parks in all.",
    ),
}


@pytest.mark.parametrize("language", KNOWN)
def test_the_sentence_with_the_answer_matters_most_to_the_cross_encoder(reranker, language):
    question, text, answer = KNOWN[language]
    found = probe.leave_one_out(text, list(sentences(text)), probe.of_texts(reranker, question))
    first = found.ordered[0]
    assert text[first.start : first.end] == answer
    assert first.drop > 1.0
    assert first.drop > 2 * found.ordered[1].drop
    assert found.total == pytest.approx(sum(unit.drop for unit in found.units))
    alone = reranker.score(question, [text.replace(answer, "").replace("  ", " ")])[0]
    assert first.drop == pytest.approx(found.score - alone, abs=1e-4)


@pytest.mark.parametrize("language", KNOWN)
def test_the_same_probe_asks_the_embedder(embedder, language):
    question, text, answer = KNOWN[language]
    found = probe.leave_one_out(text, list(sentences(text)), probe.cosine_of_texts(embedder, question))
    [whole] = embedder.embed_texts([text]) @ embedder.embed_queries([question])[0]
    assert found.score == pytest.approx(float(whole), abs=1e-6)
    assert -1 <= found.score <= 1
    first = found.ordered[0]
    assert text[first.start : first.end] == answer


def test_the_subject_of_the_question_matters_more_than_its_filler(reranker):
    question, text, _ = KNOWN["en"]
    found = probe.leave_one_out(question, units.groups(question), probe.of_questions(reranker, text))
    drops = {question[unit.start : unit.end]: unit.drop for unit in found.units}
    assert max(drops, key=drops.get) == "parks"


def test_the_embedder_is_asked_about_the_question_too(embedder):
    question, text, _ = KNOWN["zh"]
    found = probe.leave_one_out(question, units.groups(question), probe.cosine_of_questions(embedder, text))
    assert question[found.ordered[0].start : found.ordered[0].end] == "公园"


def test_in_the_place_of_a_row_every_text_is_read_below_its_head():
    read = []
    row = Chunk("a", "doc", TEXT, 1, 0, 8, head="Item\t2024")
    score = probe.in_place_of(row, lambda texts: read.extend(texts) or additive(texts))
    found = probe.leave_one_out(TEXT, SPANS, score)
    assert (found.text, read[0]) == (TEXT, f"Item\t2024\n{TEXT}")
    assert all(text.startswith("Item\t2024\n") for text in read) and len(read) == 5
