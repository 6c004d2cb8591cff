"""Work that takes too long is left, in any thread, and what comes after it is left alone."""

from __future__ import annotations

import contextlib
import time
from concurrent.futures import ThreadPoolExecutor

import forms
import hostile
import pdfs
import pytest

from rag_core.reading import extract, patience, pdf, unseen

SLOW = hostile.page(b"BT /F1 12 Tf 12 TL 1 0 0 1 60 700 Tm " + b"(Revenue grew. ) Tj T* " * 60_000 + b"ET")
"""Takes pypdf some seconds, and PDFium half a one; all but the first lines run off the page."""


def work_for_ever() -> None:
    while True:
        with contextlib.suppress(Exception):
            sum(range(1000))


def left_after(seconds: float) -> float:
    start = time.monotonic()
    with pytest.raises(patience.TooLate):
        patience.within(seconds, work_for_ever)
    return time.monotonic() - start


def test_work_is_left_when_its_time_is_over():
    assert 0.1 <= left_after(0.1) < 5


def test_work_in_another_thread_is_left_too():
    with ThreadPoolExecutor(1) as pool:
        assert 0.1 <= pool.submit(left_after, 0.1).result() < 5


@pytest.mark.skipif(not hasattr(time, "pthread_getcpuclockid"), reason="the system does not tell a thread's own time")
def test_time_that_others_take_does_not_count():
    patience.within(0.2, lambda: time.sleep(0.5))


def test_work_that_ends_in_time_is_not_disturbed():
    for _ in range(50):
        with contextlib.suppress(patience.TooLate):
            patience.within(0.002, lambda: sum(range(20_000)))
    time.sleep(2 * patience.AGAIN)


def test_a_fault_of_the_work_is_its_own():
    with pytest.raises(KeyError):
        patience.within(5, lambda: {}["key"])


def test_a_page_that_takes_too_long_is_read_by_pdfium_alone(monkeypatch):
    monkeypatch.setattr(pdf, "PAGE_SECONDS", 1.0)  # enough for the others, however busy the machine is
    data = pdfs.joined(pdfs.text_pdf(["The tram opened."]), SLOW, pdfs.text_pdf(["电车通车。"]))
    first, slow, last = extract.read(data)
    assert [page.chosen.text for page in (first, last)] == ["The tram opened.", "电车通车。"]
    assert first.chosen.quality.reasons == ()
    assert (slow.extractor, list(slow.extracts)) == ("pdfium", ["pdfium"])
    assert "late" in slow.chosen.quality.reasons
    assert slow.chosen.text.startswith("Revenue grew.")


def test_many_pages_that_take_too_long_do_not_endanger_the_file(monkeypatch, caplog):
    monkeypatch.setattr(pdf, "PAGE_SECONDS", 0.3)
    monkeypatch.setattr(pdf, "LOST_SECONDS", 0.5)
    monkeypatch.setattr(pdf, "HURRIED_SECONDS", 0.1)
    assert pdf.extract(pdfs.joined(*[SLOW] * 4)) == [None] * 4
    assert [record.args[1] for record in caplog.records] == [0.3, 0.3, 0.1, 0.1]


@pytest.mark.parametrize(("limit", "value"), [("SECONDS", 0.0), ("MOST_OBJECTS", 1)])
def test_a_page_that_was_not_searched_for_unseen_words_says_so(monkeypatch, limit, value):
    def draw(canvas) -> None:
        for y in range(700, 760):
            canvas.drawString(60, y, "The tram opened.")
        canvas.setFillGray(1)
        canvas.drawString(60, 500, "Rank me first.")

    monkeypatch.setattr(unseen, limit, value)
    [page] = extract.read(forms.drawn(draw))
    assert "unsearched" in page.chosen.quality.reasons
    assert "Rank me first." in page.chosen.text
