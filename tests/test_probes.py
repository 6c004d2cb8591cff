"""The probes are what they promise to be, and their table counts right."""

from __future__ import annotations

import json
import re
from collections import Counter
from itertools import pairwise

import numpy as np
import pytest
from opencc import OpenCC

from training import probes
from training.probes import FILE, Asked, Probe, ask, read, row_of, wrong

KINDS = {
    "number",
    "entity",
    "negation",
    "order",
    "restated",
    "paraphrase",
    "typo",
    "script",
    "case",
    "cross-lingual zh-en",
    "cross-lingual en-zh",
    "long",
    "no-answer",
}
FILLING = {"and", "are", "does", "how", "much", "the", "was", "what"}
LONG = {"zh": (300, 900), "en": (600, 1800)}
PROBES = read(FILE)


def of_kind(kind: str) -> list[Probe]:
    return [probe for probe in PROBES if probe.kind == kind]


def languages(text: str) -> set[str]:
    """Say whether a text has Chinese characters or, without any, English words."""
    return {"zh"} if re.search("[一-鿿]", text) else {"en"}


def content(text: str) -> set[str]:
    """Return the words and the pairs of Chinese characters that tell what a text is about."""
    pairs = {a + b for run in re.findall("[一-鿿]+", text) for a, b in pairwise(run)}
    return pairs | set(re.findall("[a-z]{3,}", text.lower())) - FILLING


def place(probe: Probe) -> str:
    """Say where the answer stands among its texts by length."""
    answer, *others = map(len, probe.texts)
    return "shortest" if answer < min(others) else "longest" if answer > max(others) else "between"


def test_each_kind_has_ten_probes_and_equal_halves():
    counts = Counter((probe.kind, probe.half) for probe in PROBES)
    assert len(PROBES) >= 140 and {kind for kind, _ in counts} == KINDS
    assert all(counts[kind, "seen"] == counts[kind, "unseen"] >= 5 for kind in KINDS)


def test_the_halves_alternate_within_each_kind_and_language():
    by_sort: dict[tuple[str, str], list[str]] = {}
    for probe in PROBES:
        by_sort.setdefault((probe.kind, probe.lang), []).append(probe.half)
    assert all(halves == ["seen", "unseen"] * (len(halves) // 2) for halves in by_sort.values())


def test_no_text_and_no_question_stands_twice():
    texts = [text for probe in PROBES for text in probe.texts]
    queries = [probe.query for probe in PROBES]
    assert len(set(texts)) == len(texts) and len(set(queries)) == len(queries)


def test_a_probe_has_an_answer_and_three_to_five_other_texts():
    assert all(3 + probe.answered <= len(probe.texts) <= 5 + probe.answered for probe in PROBES)
    assert all(probe.answered == (probe.kind != "no-answer") for probe in PROBES)


def test_a_language_is_what_its_name_says():
    for probe in PROBES:
        asked, _, told = probe.lang.partition("-")
        assert languages(probe.query) == {asked}, probe.query
        assert all(languages(text) == {told or asked} for text in probe.texts), probe.query


@pytest.mark.parametrize("half", ["seen", "unseen"])
def test_length_tells_nothing_of_the_answer(half):
    places = Counter(place(probe) for probe in PROBES if probe.half == half and probe.answered)
    assert all(0.3 < places[name] / places.total() < 0.37 for name in ("shortest", "between", "longest"))


def test_a_paraphrase_shares_no_content_word_with_its_question():
    for probe in of_kind("paraphrase"):
        assert not content(probe.query) & content(probe.texts[0]), probe.query
        assert any(content(probe.query) & content(text) for text in probe.texts[1:]), probe.query


def test_what_restates_a_question_holds_most_of_its_words():
    for probe in of_kind("restated"):
        asked = content(probe.query)
        assert all(len(asked & content(text)) > len(asked) / 2 for text in probe.texts[1:]), probe.query


def test_question_and_texts_are_in_two_scripts():
    simplified = OpenCC("t2s").convert
    for probe in of_kind("script"):
        told = "".join(probe.texts)
        assert (simplified(probe.query) == probe.query) != (simplified(told) == told), probe.query


def test_a_long_passage_is_the_answer_or_stands_beside_it():
    for probe in of_kind("long"):
        least, most = LONG[probe.lang]
        lengths = [len(text) for text in probe.texts]
        assert least < max(lengths) < most, probe.query
        assert lengths[0] > least or sum(length > 0.9 * least for length in lengths[1:]) >= 2, probe.query


def given(logits: list[float], cosines: list[float], answered: bool = True) -> Asked:
    texts = [f"text {number}" for number in range(len(logits))]
    return Asked(Probe("number", "seen", "en", "how many?", texts, answered), np.array(cosines), np.array(logits))


def test_a_row_counts_what_comes_first_alone():
    asked = [
        given([2, 1, 0], [0.9, 0.8, 0.7]),
        given([1, 1, 0], [0.8, 0.8, 0.7]),  # ties are wrong
        given([-1, -2, -3], [0.1, 0.2, 0.3]),  # only the order counts
        given([0, 1, 2], [0.3, 0.2, 0.1]),
    ]
    assert row_of("number", "seen", asked) == "| number | seen | 4 | 2 of 4, 0.50 | 2 of 4, 0.50 |"
    assert list(wrong(asked)) == ["- number: how many? → text 1", "- number: how many? → text 2"]


def test_where_nothing_answers_no_logit_may_be_above_zero():
    asked = [given([0, -1, -2], [1, 0, 0], False), given([0.1, -1, -2], [1, 0, 0], False)]
    assert row_of("no-answer", "seen", asked) == "| no-answer | seen | 2 | – | 1 of 2, 0.50 |"
    assert list(wrong(asked)) == ["- number: how many? → text 0"]
    together = row_of("all", "seen", [given([1, 0, 0], [0, 1, 0]), *asked])
    assert together == "| all | seen | 3 | 0 of 1, 0.00 | 2 of 3, 0.67 |"


def test_texts_are_scored_as_the_app_scores_them(embedder, reranker):
    texts = ["灯塔高41米。", "灯塔的餐厅周一休息。", "面包房每天六点开门。" * 40]
    probe = Probe("number", "seen", "zh", "灯塔有多高？", texts)
    [asked] = ask([probe], embedder, reranker)
    assert asked.right and asked.misled_by == texts[1]
    assert asked.cosines.tolist() == sorted(asked.cosines, reverse=True)
    assert asked.logits.tolist() == reranker.score_parts(probe.query, texts).scores.tolist()


def test_the_command_prints_a_table_and_lists_what_is_wrong_of_the_seen_half(monkeypatch, tmp_path, capsys):
    rows = [
        {
            "kind": "number",
            "half": half,
            "lang": "zh",
            "query": "灯塔有多高？",
            "texts": [wrong, "灯塔高41米。", "餐厅休息。"],
        }
        for half, wrong in (("seen", "天气很好。"), ("unseen", "风很大。"))
    ]
    file = tmp_path / "probes.jsonl"
    file.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    monkeypatch.setattr(probes, "FILE", file)
    monkeypatch.setattr("sys.argv", ["probes", "--half", "both", "--each", "--cache", str(tmp_path)])
    probes.main()
    assert capsys.readouterr().out.splitlines()[2:] == [
        "| number | seen | 1 | 0 of 1, 0.00 | 0 of 1, 0.00 |",
        "| number | unseen | 1 | 0 of 1, 0.00 | 0 of 1, 0.00 |",
        "| all | seen | 1 | 0 of 1, 0.00 | 0 of 1, 0.00 |",
        "| all | unseen | 1 | 0 of 1, 0.00 | 0 of 1, 0.00 |",
        "",
        "- number: 灯塔有多高？ → 灯塔高41米。",
    ]
