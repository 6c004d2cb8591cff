"""What is seen of a comparison without scrolling, and what a reader can do with it at once, in a real browser."""

from __future__ import annotations

from dataclasses import dataclass
from urllib.parse import urlencode

import pytest
from running_app import ROOT, settle

from pages.ui.shell import i18n
from pages.ui.shell.samples import FILES, FOLDER
from rag_core.reading.pdf import document_id

pytestmark = pytest.mark.slow

QUESTIONS = {"en": "What made the company miss its leakage goal?", "zh": "外贸增长主要靠什么？"}
LATIN, HAN = 60, 30
"""So many characters of each chunk can be read at 1280 pixels."""


@dataclass(frozen=True)
class Window:
    """How large the window is, where in it things begin at the latest, and how many rows it shows."""

    width: int
    height: int
    ask: int
    sentence: int
    row: int
    rows: int


WINDOWS = [
    Window(1280, 800, ask=72, sentence=180, row=290, rows=8),
    Window(1920, 1080, ask=72, sentence=180, row=290, rows=12),
    Window(800, 900, ask=72, sentence=180, row=300, rows=8),
    Window(390, 844, ask=72, sentence=180, row=420, rows=4),
]

ROWS_IN_VIEW = """rows => rows.filter(row => {
    const box = row.getBoundingClientRect(), frame = row.closest(".scroll").getBoundingClientRect();
    return box.top >= frame.top && box.bottom <= Math.min(frame.bottom, innerHeight);
}).length"""
READABLE = """lines => {
    const end = lines.getBoundingClientRect().bottom + 1;
    let count = 0;
    const walker = document.createTreeWalker(lines, NodeFilter.SHOW_TEXT);
    while (walker.nextNode()) {
        if (walker.currentNode.parentElement.matches(".place, .grade")) continue;
        for (let i = 0; i < walker.currentNode.length; i++) {
            const range = document.createRange();
            range.setStart(walker.currentNode, i);
            range.setEnd(walker.currentNode, i + 1);
            count += range.getBoundingClientRect().bottom <= end;
        }
    }
    return count;
}"""
COUNT_MOVES = """(() => {
    const animate = Element.prototype.animate;
    window.moves = 0;
    Element.prototype.animate = function (...how) {
        window.moves += this.matches(".row");
        return animate.apply(this, how);
    };
})()"""
MOVES = "window.moves"
MOVING = "rows => rows.some(row => row.getAnimations().length)"


def open_comparison(page, address: str, language: str, question: str = "", **more: str) -> None:
    data = (FOLDER / f"{FILES[language]}.pdf").read_bytes()
    asked = {"doc": document_id(data), "q": question or QUESTIONS[language], "lang": language, **more}
    page.goto(f"{address}/compare?{urlencode(asked)}")
    page.locator(".after .row").first.wait_for()
    settle(page)


def top(page, selector: str) -> float:
    return page.locator(selector).first.bounding_box()["y"]


def rows(page, side: str = "after"):
    return page.locator(f".{side} .row")


def sentence(page) -> str:
    return page.locator(".st-key-headline strong").first.inner_text()


@pytest.mark.parametrize("language", FILES)
@pytest.mark.parametrize("window", WINDOWS, ids=lambda window: str(window.width))
def test_the_outcome_is_seen_without_scrolling(address, person, language, window):
    page = person(width=window.width, height=window.height).new_page()
    open_comparison(page, address, language)
    assert top(page, ".st-key-menu") < 72
    assert top(page, ".st-key-ask") <= window.ask
    assert top(page, ".st-key-headline") <= window.sentence
    assert top(page, ".after .row") <= window.row
    assert rows(page).evaluate_all(ROWS_IN_VIEW) >= window.rows
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    for side in ("before", "after") if window.width > 640 else ():
        assert rows(page, side).evaluate_all(ROWS_IN_VIEW) >= window.rows
    if window.width == 1280:
        readable = [lines.evaluate(READABLE) for lines in rows(page).locator(".lines").all()[: window.rows]]
        assert sorted(readable)[1] >= (HAN if language == "zh" else LATIN), "one of them may be a short chunk"


def test_a_projector_gets_larger_text(address, person):
    page = person(width=1920, height=1080).new_page()
    open_comparison(page, address, "en")
    size = "element => parseFloat(getComputedStyle(element).fontSize)"
    assert rows(page).first.locator(".lines").evaluate(size) >= 16


def test_a_phone_has_one_list_with_the_old_place_beside_the_new(address, person):
    page = person(width=390, height=844).new_page()
    open_comparison(page, address, "en")
    assert not page.locator(".before").is_visible()
    old = rows(page).first.locator(".old")
    assert old.is_visible() and old.inner_text().startswith("from ")


IN_VIEW = """narrow => {
    const [here, language] = [".st-key-menu [aria-current=page]", ".st-key-lang"].map(
        (place) => document.querySelector(place).getBoundingClientRect()
    );
    const end = narrow ? language.left : innerWidth;
    return here.left >= 0 && here.right <= end && language.left >= 0 && language.right <= innerWidth;
}"""
"""Where one is and the language are seen whole; in a narrow window the language does not lie over the menu there."""


@pytest.mark.parametrize("width", [1280, 1024, 800, 390])
@pytest.mark.parametrize("language", FILES)
def test_a_reader_sees_where_they_are_and_in_which_language(address, person, language, width):
    page = person(width=width, height=800).new_page()
    page.goto(f"{address}/replay?lang={language}")
    settle(page)
    here = page.locator(".st-key-menu [aria-current=page]")
    assert here.inner_text().split()[-1] == i18n.texts(language)["frame.replay"].split()[-1]
    page.wait_for_function(IN_VIEW, arg=width < 1024)


@pytest.mark.parametrize("language", FILES)
def test_enter_compares_and_what_is_typed_survives_another_language_and_page(address, page, language):
    open_comparison(page, address, language)
    texts, typed = i18n.texts(language), f"{QUESTIONS[language]} 2024"
    field, before = page.get_by_label(texts["form.question"], exact=True), rows(page).first.get_attribute("data-id")
    field.fill(typed)
    other = "en" if language == "zh" else "zh"
    page.get_by_text(i18n.LANGUAGES[other], exact=True).click()
    settle(page)
    field = page.get_by_label(i18n.texts(other)["form.question"], exact=True)
    assert field.input_value() == typed
    assert rows(page).first.get_attribute("data-id") == before, "nothing was compared"
    page.get_by_role("link", name=i18n.texts(other)["frame.answer"]).click()
    settle(page)
    page.get_by_role("link", name=i18n.texts(other)["frame.compare"]).first.click()
    settle(page)
    field = page.get_by_label(i18n.texts(other)["form.question"], exact=True)
    assert field.input_value() == typed
    field.press("Enter")
    page.wait_for_function("typed => new URLSearchParams(location.search).get('q') === typed", arg=typed)


def test_an_input_method_keeps_its_enter(address, page):
    open_comparison(page, address, "zh")
    field = page.get_by_label(i18n.texts("zh")["form.question"], exact=True)
    field.fill("粮食产量")
    composing = "f => f.dispatchEvent(new KeyboardEvent('keydown', {key: 'Enter', bubbles: true, isComposing: true}))"
    field.evaluate(composing)
    page.wait_for_timeout(300)
    settle(page)
    assert "粮食产量" not in page.evaluate("decodeURIComponent(location.search)")


@pytest.mark.parametrize("width", [1280, 390])
def test_a_click_on_the_middle_of_a_row_shows_the_chunk_and_escape_closes_it(address, person, width):
    page = person(width=width, height=800 if width == 1280 else 844).new_page()
    open_comparison(page, address, "en")
    row = rows(page).nth(1)
    chunk = row.locator(".lines").inner_text()[10:50]
    row.click()
    settle(page)
    shown = page.locator(".st-key-picked_chunk")
    whole = shown.get_by_text(chunk.split("\n")[0][:20]).first
    assert whole.bounding_box()["y"] < page.viewport_size["height"] - 30
    lit = page.locator(".row.picked")
    assert lit.count() == 2 and len({row.get_attribute("data-id") for row in lit.all()}) == 1
    page.keyboard.press("Escape")
    settle(page)
    assert shown.count() == 0 and page.locator(".row.picked").count() == 0


def test_a_row_is_reached_and_picked_by_keys_alone(address, page):
    open_comparison(page, address, "en")
    rows(page, "before").first.focus()
    page.keyboard.press("ArrowDown")
    page.keyboard.press("ArrowRight")
    focused = page.evaluate(FOCUSED)
    assert focused == rows(page, "before").nth(1).get_attribute("data-id")
    page.keyboard.press("Enter")
    settle(page)
    assert page.locator(".row.picked").first.get_attribute("data-id") == focused
    assert page.locator('.row[aria-current="true"]').count() == 2
    assert page.evaluate(FOCUSED) == focused, "the focus stays where it was"


def tab_to(page, reached: str) -> None:
    """Press Tab until what is focused fits a selector; a reader gives up after a while."""
    for _ in range(60):
        page.keyboard.press("Tab")
        if page.evaluate(f"({ELEMENT})()?.matches({reached!r})"):
            return
    raise AssertionError(f"{reached} is not reached")


def test_the_main_job_is_done_by_keys_alone(address, page):
    page.goto(f"{address}/compare?lang=en")
    page.get_by_label(i18n.texts("en")["form.question"], exact=True).wait_for()
    settle(page)
    tab_to(page, ".st-key-question input")
    page.keyboard.type(QUESTIONS["en"])
    page.keyboard.press("Enter")
    rows(page).first.wait_for()
    settle(page)
    tab_to(page, ".before .row")
    tab_to(page, ".after .row")
    page.keyboard.press("Enter")
    settle(page)
    assert page.locator(".st-key-picked_chunk").count() == 1
    page.keyboard.press("Escape")
    settle(page)
    assert page.locator(".st-key-picked_chunk").count() == 0


ELEMENT = """() => {
    let element = document.activeElement;
    while (element.shadowRoot?.activeElement) element = element.shadowRoot.activeElement;
    return element;
}"""
FOCUSED = f"() => ({ELEMENT})().dataset.id"


@pytest.mark.parametrize("side", ["before", "after"])
def test_the_bar_of_the_best_score_is_the_longest(address, page, side):
    open_comparison(page, address, "zh")
    widths = [bar.evaluate("bar => bar.offsetWidth") for bar in rows(page, side).locator(".bar").all()]
    assert widths[0] == max(widths) > 0
    assert widths == sorted(widths, reverse=True)


@pytest.mark.parametrize(("motion", "moves"), [("reduce", False), ("no-preference", True)])
def test_the_move_is_shown_on_arrival_and_again_by_a_button_where_motion_is_wanted(address, person, motion, moves):
    page = person().new_page()
    page.add_init_script(COUNT_MOVES)  # on a busy machine a move is over before a look at it arrives
    page.emulate_media(reduced_motion=motion)
    data = (FOLDER / f"{FILES['en']}.pdf").read_bytes()
    page.goto(f"{address}/compare?{urlencode({'doc': document_id(data), 'q': QUESTIONS['en'], 'lang': 'en'})}")
    page.locator(".after .row").first.wait_for()
    settle(page)
    page.wait_for_timeout(1500)
    assert not rows(page).evaluate_all(MOVING)
    before = page.evaluate(MOVES)
    assert (before > 0) is moves
    page.locator(".between button").click()
    assert (page.evaluate(MOVES) > before) is moves


def test_the_cutoff_moves_line_and_sentence(address, page):
    open_comparison(page, address, "en", "When did the charter take effect?")
    slider = page.locator(".st-key-cutoff").get_by_role("slider")
    before, line = sentence(page), top(page, ".cutoff")
    slider.press("ArrowLeft")
    settle(page)
    assert top(page, ".cutoff") < line
    assert sentence(page) != before
    assert page.locator(".after .row.top").count() == page.locator(".before .row.top").count() == 4
    assert "cutoff=4" in page.evaluate("location.search")


def test_a_row_says_that_its_chunk_came_or_went(address, page):
    open_comparison(page, address, "en")
    texts = i18n.texts("en")
    came, went = page.locator(".after .crossing .crossed"), page.locator(".before .crossing .crossed")
    assert came.count() == went.count() > 0
    assert set(came.all_inner_texts()) == {texts["orders.entered"]}
    assert set(went.all_inner_texts()) == {texts["orders.left"]}


def test_scrolling_moves_both_rankings_together(address, page):
    open_comparison(page, address, "en")
    last = rows(page).last
    last.scroll_into_view_if_needed()
    assert last.bounding_box()["y"] == rows(page, "before").last.bounding_box()["y"]


def test_nothing_of_a_document_is_drawn_as_html():
    scripts = {file.name: file.read_text(encoding="utf-8") for file in (ROOT / "pages" / "ui").rglob("*.js")}
    assert {"orders.js", "element.js"} <= scripts.keys()
    for name, script in scripts.items():
        assert not any(word in script for word in ("innerHTML", "insertAdjacent", "outerHTML")), name
