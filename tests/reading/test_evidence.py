"""What speaks against a reading, part by part, on literal texts."""

from __future__ import annotations

import layouts
import pytest

from rag_core.datatypes import Quality
from rag_core.reading import evidence, extract
from rag_core.reading.text import Block

LINES = ["The mail was carried on skis", "by two brothers who lived here", "below the old glacier."]


def quality(verdict: str = "good") -> Quality:
    return Quality(10, 0.0, 0.0, 0.0, 0.0, verdict, ())


def faults(text: str, verdict: str = "good", lines: list[str] = LINES) -> dict[str, dict[str, float]]:
    texts = {"pypdf": text, "pdfium": "\n".join(lines)}
    verdicts = {"pypdf": quality(verdict), "pdfium": quality()}
    return evidence.faults(texts, verdicts, "pdfium", [Block(tuple(lines))])


def test_nothing_speaks_against_two_readings_that_agree():
    assert faults("\n".join(LINES)) == {"pypdf": {}, "pdfium": {}}


@pytest.mark.parametrize(
    ("text", "share"),
    [
        ("TThhee mmaaiill", 0.5),
        ("第第第一一一章章章总总总则则则", 0.667),
        ("The mail came.\nThe mail came.", 0.5),
        ("The mail came. The mail came.", 0.5),
        ("The bookkeeper still needs all committee notes.", 0.0),
        ("高高兴兴地再看看，年年渐渐好。", 0.0),
        ("2024\n2024\n1100 2200 3300", 0.0),
    ],
)
def test_repeats(text, share):
    assert round(evidence.repeated(text), 3) == share


def test_a_row_that_is_read_as_several_lines_is_torn():
    torn = faults("The mail was\ncarried on skis\n" + "\n".join(LINES[1:]))["pypdf"]
    assert torn == {
        "torn": round(len(LINES[0].replace(" ", "")) / sum(len(line.replace(" ", "")) for line in LINES), 3)
    }


def test_a_line_that_is_read_before_one_above_it_is_out_of_order():
    assert set(faults("\n".join([LINES[2], *LINES[:2]]))["pypdf"]) == {"order"}


def test_a_word_that_a_space_cuts_is_counted_on_the_side_that_cuts_it():
    assert set(faults("\n".join([*LINES[:2], "below the old gl acier."]))["pypdf"]) == {"cut"}
    assert set(faults("\n".join(LINES), lines=[*LINES[:2], "be low the o ld gl acier."])["pdfium"]) == {"cut"}


def test_a_reading_that_lacks_a_tenth_comes_behind_one_with_every_other_fault():
    parts = faults("\n".join(LINES[:2]), lines=[*reversed(LINES)])
    assert parts["pypdf"]["lost"] >= evidence.MOST_LOST
    assert evidence.rank({"lost": 0.1}) > evidence.rank({"torn": 1.0, "order": 1.0, "cut": 1.0})


def test_characters_that_mean_nothing_cannot_be_lacked():
    assert "lost" not in faults("x" * 500, "unreadable")["pdfium"]


def test_the_parts_are_kept_with_the_page():
    [reading] = extract.read(next(case.data for case in layouts.CASES if case.name == "character-2-1.2-zh"))
    assert reading.extractor == "pdfium"
    assert reading.extracts["pypdf"].faults["repeats"] == pytest.approx(0.5, abs=0.05)
    assert extract.quality.load(extract.quality.dump(reading.extracts))["pypdf"].faults["repeats"] > 0.4
