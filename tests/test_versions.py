"""Two versions of a cross-encoder on the same questions: the arithmetic of the table, and the command to its end."""

from __future__ import annotations

import gzip
import json

import numpy as np
import pytest

from training import versions
from training.lengths import Lengths


def one(vector, reranked, answer, logits):
    lengths = np.array([10, 20, 30, 40])
    return Lengths(vector, reranked, answer, lengths, np.array(logits), np.array([True, False, False, False]))


FIRST = [one(0.5, 0.4, 80, [9, 1, 2, 3]), one(0.5, 0.6, 300, [9, 1, 2, 3])]
SECOND = [one(0.5, 0.7, 80, [9, 3, 2, 1]), one(0.5, 0.9, 300, [9, 3, 2, 1])]


def test_a_line_for_all_and_one_for_each_length():
    lines = list(versions.rows_of("some", "whole", FIRST, SECOND))
    assert [line.split("|")[3].strip() for line in lines] == ["all", "< 100", "250–500"]
    assert lines[1].startswith("| some | whole | < 100 | 1 | 0.500 | 0.400 | 0.700 | +0.200 [+0.200, +0.200] | +0.300")


def test_gains_are_paired_and_correlations_are_means_over_questions():
    whole = next(versions.rows_of("some", "whole", FIRST, SECOND))
    cells = [cell.strip() for cell in whole.split("|")[4:]]
    assert cells[:4] == ["2", "0.500", "0.500", "0.800"]
    assert cells[4].startswith("+0.300 [+0.200") and cells[5] == "+0.300 [+0.300, +0.300]"
    assert cells[6:8] == ["1.00", "-1.00"]


ROW = {
    "query": "城市收入增长多少？",
    "positives": ["城市收入增长3%。城市建公园。城市收入很多。"],
    "answer": "3%",
    "lang": "zh",
    "group": "here",
    "source": "here",
}


@pytest.mark.parametrize("files", [[], ["few"]])
def test_the_same_version_twice_gains_nothing(tmp_path, monkeypatch, capsys, files):
    line = (json.dumps(ROW, ensure_ascii=False) + "\n").encode()
    for name in ("few", "more"):
        (tmp_path / f"{name}.jsonl.gz").write_bytes(gzip.compress(line))
    command = ["versions", str(tmp_path), "--cache", str(tmp_path / "kept"), "--pieces", "sentences"]
    command += ["--versions", *["bilingual-cross-encoder"] * 2]
    monkeypatch.setattr("sys.argv", [*command, *(["--files", *files] if files else [])])
    versions.main()
    rows = capsys.readouterr().out.splitlines()[2:]
    assert {row.split("|")[1].strip() for row in rows} == set(files or ["few", "more"])
    assert all("| +0.000 [+0.000, +0.000] |" in row for row in rows)
