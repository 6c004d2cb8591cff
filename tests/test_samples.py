import json
import re
import subprocess
import sys
from pathlib import Path

import pytest

from rag_core.reading.pdf import read_pages

SAMPLES = Path(__file__).parent.parent / "data" / "samples"
NAMES = ["city-report-zh", "annual-report-en"]
EXIT_FONT_MISSING = 3


def without_whitespace(text):
    return re.sub(r"\s+", "", text)


def questions_of(name):
    return json.loads((SAMPLES / f"{name}.questions.json").read_text(encoding="utf-8"))


def pages_of(name):
    return {page.number: without_whitespace(page.text) for page in read_pages((SAMPLES / f"{name}.pdf").read_bytes())}


@pytest.mark.parametrize("name", NAMES)
def test_sample_is_short_and_light(name):
    assert 8 <= len(pages_of(name)) <= 15
    assert (SAMPLES / f"{name}.pdf").stat().st_size < 600_000


@pytest.mark.parametrize("name", NAMES)
def test_twelve_questions_all_different(name):
    questions = questions_of(name)
    assert len(questions) == 12
    assert len({entry["question"] for entry in questions}) == 12
    assert len({entry["translation"] for entry in questions} - {""}) == 12


@pytest.mark.parametrize("name", NAMES)
def test_every_quote_stands_on_its_page_alone(name):
    pages = pages_of(name)
    answers = [answer for entry in questions_of(name) for answer in entry["answers"]]
    for answer in answers:
        quote = without_whitespace(answer["quote"])
        assert [number for number, text in pages.items() if quote in text] == [answer["page"]], answer["quote"]
    assert len({answer["quote"] for answer in answers}) == len(answers)


@pytest.mark.parametrize("name", NAMES)
def test_every_question_is_answered(name):
    assert all(entry["question"].strip() and entry["answers"] for entry in questions_of(name))


@pytest.mark.parametrize("name", NAMES)
def test_script_makes_the_same_bytes(name, tmp_path):
    pytest.importorskip("reportlab", reason="the samples are set with reportlab")
    command = [sys.executable, SAMPLES / "make_samples.py", name, "--out", tmp_path]
    done = subprocess.run(command, capture_output=True, text=True, encoding="utf-8")
    if done.returncode == EXIT_FONT_MISSING:
        pytest.skip(done.stderr.strip())
    assert done.returncode == 0, done.stderr
    assert (tmp_path / f"{name}.pdf").read_bytes() == (SAMPLES / f"{name}.pdf").read_bytes()
