"""One room in a real browser: a teacher, three participants, and one who opens a second tab."""

from __future__ import annotations

import pytest
from playwright.sync_api import BrowserContext, Page, expect
from running_app import settle

pytestmark = pytest.mark.slow

FIRST = "What made the company miss its leakage goal?"
SECOND = "Who pays for the discount given to poor households?"
PICKS = {"ann": (0, 1, 2, 3, 4), "ben": (1, 3, 5, 7, 9), "cat": (0, 2, 4, 6, 8)}
VOTES = ["2", "2", "2", "2", "2", "1", "1", "1", "1", "1"]
ROWS = """table => [...table.querySelectorAll("tbody tr")].map(
    row => [...row.querySelectorAll("td")].map(cell => cell.textContent))"""


def part(page: Page, name: str) -> None:
    page.get_by_test_id("stButtonGroup").get_by_text(name, exact=True).click()
    settle(page)


def open_room(page: Page, address: str) -> str:
    """Take the sample, open a room with a question, and return the room's code."""
    page.goto(f"{address}/documents")
    page.get_by_role("button", name="Use the English sample").click()
    page.get_by_text("Median length (characters)").wait_for()
    settle(page)
    page.get_by_role("link", name="Workshop").click()
    page.get_by_role("button", name="Show the ten chunks").wait_for()
    part(page, "In a room")
    page.get_by_label("Question", exact=True).fill(FIRST)
    page.get_by_role("button", name="Open the room with this question").click()
    page.get_by_role("button", name="Reveal").wait_for()
    settle(page)
    return page.get_by_test_id("stMetricValue").first.inner_text().replace(" ", "")


def join(context: BrowserContext, address: str, code: str) -> Page:
    """Come in by the door, with the code as somebody types it."""
    page = context.new_page()
    page.goto(f"{address}/workshop")
    page.get_by_text("Predict, then reveal").wait_for()
    settle(page)
    part(page, "In a room")
    page.get_by_label("Room code").first.fill(code.lower())
    page.get_by_role("button", name="Join").click()
    page.get_by_role("button", name="Submit these five").wait_for()
    settle(page)
    return page


def hand_in(page: Page, places: tuple[int, ...]) -> None:
    for count, place in enumerate(places, start=1):
        page.get_by_test_id("stCheckbox").nth(place).locator("label").click()
        page.get_by_text(f"{count} of 5 picked").wait_for()
    page.get_by_role("button", name="Submit these five").click()
    page.get_by_text("Your five are in").wait_for()
    settle(page)


def wait_for_counts(page: Page, joined: int, picked: int) -> None:
    """Wait, without touching the page, until the desk counts so many joined and so many picks handed in."""
    expect(page.get_by_test_id("stMetricValue").nth(1)).to_have_text(str(joined), timeout=60_000)
    expect(page.get_by_test_id("stMetricValue").nth(2)).to_have_text(str(picked), timeout=60_000)


def wait_for_votes(page: Page, votes: list[str]) -> None:
    """Wait for the table, whose cells are drawn a while after the figures above it."""
    for _ in range(40):
        if [row[1] for row in rows(page)] == votes:
            return
        page.wait_for_timeout(500)
    raise AssertionError(rows(page))


def rows(page: Page) -> list[list[str]]:
    return page.get_by_test_id("stDataFrame").first.locator("canvas table").evaluate(ROWS)


def test_a_room_with_a_teacher_and_three_participants(address, person):
    contexts = {name: person() for name in PICKS}
    teacher = person().new_page()
    code = open_room(teacher, address)
    wait_for_counts(teacher, 0, 0)
    pages = {name: join(contexts[name], address, code) for name in PICKS}
    wait_for_counts(teacher, 3, 0)
    for page in pages.values():
        assert page.get_by_label("Document").count() == 0, "a participant sees the room alone"
    for name, places in PICKS.items():
        hand_in(pages[name], places)
    wait_for_counts(teacher, 3, 3)
    wait_for_votes(teacher, VOTES)
    a_second_tab_is_the_same_participant(contexts["ann"], address, code, teacher)
    nothing_shows_before_the_reveal(pages["ann"])
    teacher.get_by_role("button", name="Reveal").click()
    teacher.get_by_text("from 3 participants").wait_for()
    hits = {name: revealed(page) for name, page in pages.items()}
    average = sum(hits.values()) / 3
    expect(teacher.get_by_text(f"Average: {average:.1f} of 5")).to_be_visible()
    the_teacher_goes_on(teacher, pages["ben"])
    the_room_ends(teacher, pages["cat"])
    for page in (teacher, *pages.values()):
        assert page.get_by_test_id("stException").count() == 0


def a_second_tab_is_the_same_participant(context: BrowserContext, address: str, code: str, teacher: Page) -> None:
    tab = context.new_page()
    tab.goto(f"{address}/workshop?room={code}")
    tab.get_by_text("Your five are in").wait_for()
    settle(tab)
    ticked = [box.is_checked() for box in tab.get_by_test_id("stCheckbox").locator("input").all()]
    assert ticked == [place in PICKS["ann"] for place in range(10)]
    wait_for_counts(teacher, 3, 3)
    tab.close()


def nothing_shows_before_the_reveal(page: Page) -> None:
    page.get_by_role("button", name="Refresh").click()
    settle(page)
    assert page.get_by_test_id("stDataFrame").count() == 0
    assert page.get_by_text("You picked").count() == 0


def revealed(page: Page) -> int:
    """Refresh, check the table against the headline, and return the hits."""
    page.get_by_role("button", name="Refresh").click()
    heading = page.get_by_role("heading", name="You picked")
    heading.wait_for()
    settle(page)
    table = rows(page)
    assert [row[0] for row in table] == [str(rank) for rank in range(1, 11)]
    hits = sum(row[2] == "●" for row in table[:5])
    assert heading.inner_text() == f"You picked {hits} of the cross-encoder's top 5"
    return hits


def the_teacher_goes_on(teacher: Page, page: Page) -> None:
    teacher.get_by_text("Next question", exact=True).click()
    teacher.get_by_label("Question", exact=True).fill(SECOND)
    teacher.get_by_role("button", name="Go on with this question").click()
    teacher.get_by_role("heading", name="Question 2").wait_for()
    wait_for_counts(teacher, 3, 0)
    page.get_by_role("button", name="Refresh").click()
    page.get_by_text(SECOND).wait_for()
    settle(page)
    hand_in(page, (0, 1, 2, 3, 4))
    wait_for_counts(teacher, 3, 1)
    a_late_pick_is_told(teacher, page)


def a_late_pick_is_told(teacher: Page, page: Page) -> None:
    """Let the teacher go on while a participant still has the question before on screen."""
    teacher.get_by_role("button", name="Reveal").click()
    teacher.get_by_text("from 1 participants").wait_for()
    page.get_by_role("button", name="Submit these five").click()
    page.get_by_text("Question 2 is over").wait_for()
    settle(page)
    wait_for_counts(teacher, 3, 1)


def the_room_ends(teacher: Page, page: Page) -> None:
    teacher.get_by_role("button", name="End the room").click()
    teacher.get_by_role("button", name="Yes, end it").click()
    teacher.get_by_text("Open a room (teacher)").wait_for()
    page.get_by_role("button", name="Refresh").click()
    page.get_by_text("has ended").wait_for()
