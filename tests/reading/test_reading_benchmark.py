"""What ``python -m benchmarks.reading`` says of a folder is counted right."""

from __future__ import annotations

import json
import shutil
import sys

import pdfs
import pytest

from benchmarks import reading

EN = "The harbour tunnel opened in May and carries nine thousand cars a day."


@pytest.mark.parametrize(
    ("order", "wrong"), [([], 0), ([1, 2, 3], 0), ([3, 2, 1], 3), ([2, 1, 4, 3], 2), ([2, 3, 1], 2)]
)
def test_inversions(order, wrong):
    assert reading.inversions(order) == wrong


@pytest.mark.parametrize(
    ("ours", "theirs", "tau"),
    [
        ("a b c d e", "a b c d e", 1.0),
        ("e d c b a", "a b c d e", -1.0),
        ("a b c e d", "a b c d e", 0.8),
        ("a b c d e f f", "a b c d e f", 1.0),
        ("a b c d", "a b c d", None),
    ],
)
def test_order_is_that_of_the_words_that_occur_once(ours, theirs, tau):
    assert reading.order_agreement(ours.split(), theirs.split()) == (tau and pytest.approx(tau))


def test_recall_is_the_share_of_the_other_texts_characters():
    assert reading.compared("abc d", "a b c d e f g h")[0] == 0.5
    assert reading.compared("电车通车", "电车 通车")[0] == 1.0
    assert reading.compared("x", "") == (None, None)


def test_a_pages_seconds_are_known_where_pdfium_alone_read_the_file():
    assert reading.each_page([1.0, 3.0, 4.0], 3, 9.0) == (2.0, 1.0)
    assert reading.each_page([1.0, 3.0, 4.0, 6.0], 3, 9.0) == (3.0, 3.0, 3.0)
    assert reading.each_page([1.0], 1, 9.0) == (9.0,)
    assert reading.each_page([], 0, 9.0) == ()


def test_a_folder_is_read_and_what_differs_is_listed(tmp_path, monkeypatch, capsys):
    (tmp_path / "deep").mkdir()
    (tmp_path / "deep" / "good.PDF").write_bytes(pdfs.text_pdf([EN], ["全市收入增长8.2%，突破6000亿元。"]))
    (tmp_path / "scan.pdf").write_bytes(pdfs.image_pdf())
    (tmp_path / "broken.pdf").write_bytes(b"%PDF-1.7\n")
    (tmp_path / "notes.txt").write_bytes(b"no PDF")
    monkeypatch.setattr(reading, "by_pdftotext", lambda _: [f"{EN} " * 2, "全市收入增长8.2%，突破6000亿元。"])
    monkeypatch.setattr(sys, "argv", ["reading", str(tmp_path), "--json"])
    reading.main()
    found = json.loads(capsys.readouterr().out)
    assert (found["files"], found["pages"]) == (3, 3)
    assert found["outcomes"] == {"read": 2, "damaged_pdf": 1}
    assert found["verdicts"] == {"good": 2, "unreadable": 1}
    assert found["reasons"] == {"image_only": 1}
    assert found["good_pages_compared"] == 2
    assert [(page["file"], page["number"], page["recall"]) for page in found["below"]] == [("good.PDF", 1, 0.5)]
    assert found["cpu_seconds"]["all"] > 0
    assert 0 < found["pages_a_second"] < found["pages_a_second_pdfium"]
    assert "good.PDF | 1 | 0.50" in reading.table(found)


@pytest.mark.skipif(not shutil.which("pdftotext"), reason="pdftotext is not installed here")
def test_pdftotext_gives_a_text_a_page(tmp_path):
    file = tmp_path / "a.pdf"
    file.write_bytes(pdfs.embedded_pdf(EN))
    assert reading.by_pdftotext(file)[0].strip() == EN
    file.write_bytes(b"no PDF")
    assert reading.by_pdftotext(file) == []
