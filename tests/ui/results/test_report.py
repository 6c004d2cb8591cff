"""The report: one file that a browser shows whole, whatever the texts in it try."""

from __future__ import annotations

import hashlib
import json
import re
from dataclasses import replace
from pathlib import Path

import altair as alt
import markupsafe
import pytest
from comparisons import comparison

from pages.ui.results import report
from pages.ui.shell import i18n
from rag_core.datatypes import Answer, Comparison, Expansion, Judgment, Part, Span
from rag_core.models.baseline import Baseline
from rag_core.models.selftest import SelfTest
from rag_core.sharing import replay
from rag_core.sharing.replay import Replay, Source

HOSTILE = [
    "<script>window.harmed = 1</script>",
    "</script><script>window.harmed = 2</script>",
    "--><img src=x onerror='window.harmed = 3'>",
    "{{ 7 * 7 }} {% raw %} [link](javascript:harmed) ![x](http://name.invalid/x.png)",
    "| a | b |\n# title\n<b>bold</b> \u2028 $x$ `code`",
    "一般公共预算收入增长8.2%，突破6000亿元。",
]
TEXTS = [*HOSTILE, *(f"Revenue grew in quarter number {n}." for n in range(20))]


def found(texts: list[str] = TEXTS, expansions: tuple[Expansion, ...] = ()) -> Replay:
    made = comparison(texts, expansions=expansions)
    chunks = made.before.chunks
    return Replay(
        replace(made, query=HOSTILE[0]),
        Source("doc", HOSTILE[1], "en", 3),
        "2026-11-25T08:00:00+00:00",
        {"app": HOSTILE[2]},
        {"embedder": HOSTILE[0], "reranker": HOSTILE[1]},
        SelfTest(HOSTILE[2], "logit", {"zh": 6, "en": 5}, -9.0, 5.0, 4.0),
        {"embedder": Baseline((), (0.7, 0.8)), "reranker": Baseline((), (-8.0, -9.0))},
        {side: Answer("\n".join(HOSTILE), (1,), "extractive", (chunks[0],)) for side in replay.SIDES},
        (Judgment(HOSTILE[0], Span(1, 0, HOSTILE[0], "doc"), 2, HOSTILE[3]),),
    )


@pytest.mark.parametrize("language", ["en", "zh"])
def test_a_report_holds_question_orders_method_and_limits(language):
    page = report.html(found(), language)
    texts = i18n.texts(language)
    for key in ("report.method", "report.limits", "result.vector", "result.reranked", *report.LIMITS):
        assert texts[key] in page.replace("&#39;", "'"), key
    assert f'<html lang="{language}">' in page
    assert page.count("<tr") >= 3 * len(TEXTS) // 2
    assert "★★" in page


def test_no_text_from_outside_is_markup():
    page = report.html(found(), "en")
    assert page.count("<script") == page.count("</script>") == 1 + len(report.SCRIPTS) + 1
    assert "<img" not in re.sub(r"<script>.*?</script>", "", page, flags=re.DOTALL)
    assert "{{ 7 * 7 }}" in page


def test_the_policy_allows_the_reports_own_scripts_alone():
    page = report.html(found(), "en")
    policy = re.search(r'Content-Security-Policy" content="([^"]+)"', page).group(1).replace("&#39;", "'")
    assert policy.startswith("default-src 'none'; script-src 'sha256-")
    assert "unsafe" not in policy and "http" not in policy
    scripts = re.findall(r"<script>(.*?)</script>", page, re.DOTALL)
    assert all(report.fingerprint(one) in policy for one in scripts) and len(scripts) == 4


def test_markdown_leaves_nothing_from_outside_active():
    text = report.markdown(found(), "en")
    assert not re.search(r"(?<!\\)<(script|img|b>)", text)
    assert not re.search(r"(?<!\\)\[link(?<!\\)\]", text)
    assert not re.search(r"^# title", text, re.MULTILINE)
    assert not re.search(r"(?<!\\)https?:", text)
    rows = [line for line in text.splitlines() if line.startswith("| ")]
    # Bars of a text are no cells.
    assert {len(re.findall(r"(?<!\\)\|", line)) for line in rows} <= {3, 6, 9}


def test_the_best_part_is_marked_and_told():
    given, texts = found(), i18n.texts("en")
    move = given.comparison.moves[0]
    assert "<mark>" not in report.html(given, "en")
    part = Part(2, 9, 3)
    moves = (replace(move, part=part), *given.comparison.moves[1:])
    given = replace(given, comparison=replace(given.comparison, moves=moves))
    words = part.words(move.chunk.text)
    page = report.html(given, "en")
    assert f"<mark>{markupsafe.escape(words)}</mark>" in page and page.count("<mark>") == 1
    assert texts["report.method_parts"].format(count=1) in page
    assert f"**{i18n.escaped(words)}**" in report.markdown(given, "en")
    assert given.comparison.pairs == len(moves) + 2


def test_a_table_head_stands_before_its_row():
    given = found()
    move = given.comparison.moves[0]
    headed = replace(move, chunk=replace(move.chunk, head="Item\t<b>2024"))
    given = replace(given, comparison=replace(given.comparison, moves=(headed, *given.comparison.moves[1:])))
    page = report.html(given, "en")
    assert "Item\t&lt;b&gt;2024 / " in page and "Item\t<b>" not in page
    assert i18n.escaped("Item\t<b>2024 / ").strip() in report.markdown(given, "en")


def test_expansions_are_listed():
    given = found(expansions=(Expansion("another <b>wording</b>", "typed"),))
    assert "another &lt;b&gt;wording" in report.html(given, "en")


@pytest.mark.parametrize("language", ["en", "zh"])
def test_a_small_report_can_be_made(language):
    page = report.html(found(["一", "二"]), language)
    assert page.count('<tr class="top">') == 2 * 2


def test_the_page_speaks_again_as_before():
    with i18n.speaking("zh"):
        report.html(found(), "en")
        assert i18n.language() == "zh"


def test_vega_is_what_its_readme_says_and_what_altair_writes_for():
    listed = (report.VEGA / "README.md").read_text(encoding="utf-8")
    for name in report.SCRIPTS:
        assert hashlib.sha256((report.VEGA / name).read_bytes()).hexdigest() in listed
    assert f"| {alt.SCHEMA_VERSION.removeprefix('v')} |" in listed


@pytest.mark.slow
def test_a_browser_shows_it_whole_without_asking_for_anything(tmp_path: Path, page):
    file = tmp_path / "report.html"
    file.write_text(report.html(found(), "zh"), encoding="utf-8")
    asked, said = [], []
    page.on("request", lambda request: asked.append(request.url))
    page.on("console", lambda message: said.append(message.text))
    page.on("pageerror", lambda error: said.append(f"Error: {error}"))
    page.goto(file.as_uri())
    page.locator("svg.marks").nth(3).wait_for()
    assert page.evaluate("window.harmed") is None
    assert [text for text in said if "Error" in text or "violates" in text or "Refused" in text] == []
    assert asked == [file.as_uri()]
    drawn = page.locator("#chart-slope").inner_html()
    assert "一般公共预算" in drawn and i18n.texts("zh")["chart.before"] in drawn
    assert page.evaluate("document.documentElement.scrollWidth") <= 1280
    page.evaluate(
        "() => { const s = document.createElement('script'); s.textContent = 'window.harmed = 4';"
        " document.body.append(s); }"
    )
    assert page.evaluate("window.harmed") is None, "a script that is not the report's own runs"
    page.evaluate("fetch('http://name.invalid/').catch(() => null)")
    assert any("name.invalid" in text for text in said), "the policy lets the page ask outside"


def titled(made: Comparison, title: str) -> Comparison:
    """Return the comparison as that of a collection with one document of this name."""
    sides = {}
    for side in replay.SIDES:
        order = made.ranking(side)
        hits = [replace(hit, chunk=replace(hit.chunk, title=title)) for hit in order.hits]
        sides[side] = replace(order, hits=tuple(hits))
    return replace(made, before=sides["vector"], reranked=sides["reranked"])


@pytest.mark.slow
@pytest.mark.parametrize("width", [1280, 800])
def test_a_long_name_of_a_document_leaves_the_text_its_room(tmp_path: Path, person, width: int):
    file, plain = tmp_path / "report.html", found()
    named = replace(plain, comparison=titled(plain.comparison, "关于进一步推进城市公共服务设施建设的年度工作报告" * 3))
    file.write_text(report.html(named, "zh"), encoding="utf-8")
    page = person(width=width).new_page()
    page.goto(file.as_uri())
    page.locator("summary").click()
    cells = page.locator("td.place ~ td:last-child").all()
    assert min(cell.bounding_box()["width"] for cell in cells[::5]) > 150
    assert page.evaluate("document.documentElement.scrollWidth") <= width


def test_specifications_end_no_element():
    text = report.specs(found())
    assert "<" not in text
    assert set(json.loads(text)) == {"slope", "vector", "reranked", "times"}


@pytest.fixture(autouse=True)
def speaking():
    with i18n.speaking("en"):
        yield


@pytest.mark.parametrize(("language", "pages"), [("en", "3, 5, 13"), ("zh", "3、5、13")])
def test_a_report_names_every_page_of_a_chunk(language, pages):
    given = found()
    first = given.comparison.moves[0]
    twice = replace(first.chunk, twins=((5, 0, 10), (13, 0, 10)))
    moves = tuple(replace(move, chunk=twice) if move is first else move for move in given.comparison.moves)
    given = replace(given, comparison=replace(given.comparison, moves=moves))
    for text in (report.html(given, language), report.markdown(given, language)):
        assert pages in text
