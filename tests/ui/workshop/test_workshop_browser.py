"""One room in a real browser, as a class has it: a teacher at a wide screen, the wall, and three at their telephones.

Nobody presses anything to see what the others did.
"""

from __future__ import annotations

import re

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
PICTURE = """rows => rows.map(row => ({
    rank: row.querySelector(".rank").textContent, picks: row.querySelector(".count").textContent,
    own: !!row.querySelector(".own")}))"""
NOTE_SOCKETS = """
    window.sockets = [];
    window.WebSocket = class extends WebSocket {
        constructor(...how) { super(...how); window.sockets.push(this); }
    };
"""
PATIENCE = 60_000
"""Milliseconds on a busy machine; on a free one a step is seen within two seconds."""


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
    page.get_by_role("button", name="Submit these five").wait_for()
    part(page, "In a room")
    page.get_by_label("Question", exact=True).fill(FIRST)
    page.get_by_role("button", name="Open the room with this question").click()
    page.get_by_role("button", name="Reveal").wait_for()
    settle(page)
    return re.search(r"desk=(\w+)", page.url).group(1)


def join(context: BrowserContext, address: str, code: str) -> Page:
    """Come in by the door, with the code as somebody types it."""
    page = context.new_page()
    page.goto(f"{address}/workshop")
    page.get_by_text("Predict, then reveal").wait_for()
    settle(page)
    part(page, "In a room")
    page.get_by_label("Room code").first.fill(code.lower())
    page.get_by_role("button", name="Join").click()
    expect(page.get_by_role("button", name="Submit these five")).to_be_in_viewport(timeout=PATIENCE)
    settle(page)
    return page


def hand_in(page: Page, places: tuple[int, ...]) -> None:
    for count, place in enumerate(places, start=1):
        page.get_by_test_id("stCheckbox").nth(place).locator("label").click()
        page.get_by_text(f"{count} of 5 picked").wait_for()
    submit = page.get_by_role("button", name="Submit these five")
    expect(submit).to_be_in_viewport()
    submit.click()
    expect(page.get_by_text("Your five are in")).to_be_in_viewport(timeout=PATIENCE)
    settle(page)


def metric(page: Page, name: str) -> str:
    return f"[data-testid=stMetric]:has-text('{name}') [data-testid=stMetricValue]"


def wait_for_counts(teacher: Page, joined: int, picked: int) -> None:
    expect(teacher.locator(metric(teacher, "Joined"))).to_have_text(str(joined), timeout=PATIENCE)
    expect(teacher.locator(metric(teacher, "Handed in"))).to_have_text(str(picked), timeout=PATIENCE)


def wait_for_votes(page: Page, votes: list[str]) -> None:
    """Wait for the table, whose cells are drawn a while after the figures above it."""
    for _ in range(40):
        if [row[1] for row in rows(page)] == votes:
            return
        page.wait_for_timeout(500)
    raise AssertionError(rows(page))


def rows(page: Page) -> list[list[str]]:
    return page.get_by_test_id("stDataFrame").first.locator("canvas table").evaluate(ROWS)


def picture(page: Page) -> list[dict]:
    """Return the rows of the picture that the reveal shows, once they are drawn."""
    drawn = page.locator(".room .votes .row")
    expect(drawn).to_have_count(10, timeout=PATIENCE)
    return drawn.evaluate_all(PICTURE)


def test_a_class_goes_through_three_questions(address, person):
    contexts = {name: person(width=390, height=844) for name in PICKS}
    for context in contexts.values():
        context.add_init_script(NOTE_SOCKETS)
    teacher = person(width=1920, height=1080).new_page()
    code = open_room(teacher, address)
    wall = person(width=1920, height=1080).new_page()
    wall.goto(f"{address}/workshop?wall={code}")
    wait_for_counts(teacher, 0, 0)
    pages = {name: join(contexts[name], address, code) for name in PICKS}
    wait_for_counts(teacher, 3, 0)
    expect(wall.locator(metric(wall, "Handed in"))).to_have_text("0 / 3", timeout=PATIENCE)
    for page in pages.values():
        assert page.get_by_label("Document").count() == 0, "a participant sees the room alone"
    for name, places in PICKS.items():
        hand_in(pages[name], places)
    wait_for_counts(teacher, 3, 3)
    wait_for_votes(teacher, VOTES)
    expect(wall.locator(metric(wall, "Handed in"))).to_have_text("3 / 3", timeout=PATIENCE)
    expect(pages["ann"].get_by_text("3 of 3 handed in")).to_be_visible(timeout=PATIENCE)
    a_second_tab_is_the_same_participant(contexts["ann"], address, code, teacher)
    for page in (*pages.values(), wall):
        assert page.locator(".room").count() == 0, "nothing shows before the reveal"
    everyone_sees_the_reveal(teacher, wall, pages)
    the_teacher_reloads_and_goes_on(teacher, code, pages)
    a_reload_and_a_lost_connection_keep_the_vote(pages, teacher)
    a_late_comer_sees_where_the_room_is(person(width=390, height=844), address, code, teacher)
    a_lesson_is_before_everyone(teacher, wall, pages)
    the_room_ends(teacher, wall, pages)
    for page in (teacher, wall, *pages.values()):
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


def everyone_sees_the_reveal(teacher: Page, wall: Page, pages: dict[str, Page]) -> None:
    teacher.get_by_role("button", name="Reveal").click()
    votes = [row["picks"] for row in picture(wall)]
    assert sorted(votes, reverse=True) == VOTES
    hits = {name: revealed(page, votes) for name, page in pages.items()}
    average = f"Average: {sum(hits.values()) / 3:.1f} of 5 (3 handed in)"
    for page in (teacher, wall):
        expect(page.get_by_text(average)).to_be_visible(timeout=PATIENCE)
    assert [row["picks"] for row in picture(teacher)] == votes


def revealed(page: Page, votes: list[str]) -> int:
    """Check a participant's picture against the headline and the wall, and return the hits."""
    shown = picture(page)
    assert [row["rank"] for row in shown] == [str(rank) for rank in range(1, 11)]
    assert [row["picks"] for row in shown] == votes
    hits = sum(row["own"] for row in shown[:5])
    expect(page.get_by_role("heading", name=f"You picked {hits} of the cross-encoder's top 5")).to_be_visible()
    return hits


def the_teacher_reloads_and_goes_on(teacher: Page, code: str, pages: dict[str, Page]) -> None:
    """Reload the desk: nothing of the room is lost, nor what the teacher was working with."""
    teacher.reload()
    teacher.get_by_role("heading", name="Question 1").wait_for(timeout=PATIENCE)
    wait_for_counts(teacher, 3, 3)
    assert f"desk={code}" in teacher.url
    picture(teacher)
    teacher.get_by_text("Another question", exact=True).click()
    teacher.get_by_label("Question", exact=True).fill(SECOND)
    teacher.get_by_role("button", name="Go on with this question").click()
    for page in pages.values():
        page.get_by_text(SECOND).wait_for(timeout=PATIENCE)
        settle(page)
    wait_for_counts(teacher, 3, 0)


def a_reload_and_a_lost_connection_keep_the_vote(pages: dict[str, Page], teacher: Page) -> None:
    ann, ben = pages["ann"], pages["ben"]
    for page in (ann, ben):
        hand_in(page, PICKS["cat"])
    ann.reload()
    ben.evaluate("sockets.forEach(socket => socket.close())")
    for page in (ann, ben):
        expect(page.get_by_text("2 of 3 handed in")).to_be_visible(timeout=PATIENCE)
        expect(page.get_by_text("Your five are in")).to_be_visible(timeout=PATIENCE)
    wait_for_counts(teacher, 3, 2)
    ben.wait_for_function("sockets.length > 1", timeout=PATIENCE)  # what was drawn before stands there at once
    teacher.get_by_role("button", name="Reveal").click()
    for page in (ann, ben):
        assert sum(row["own"] for row in picture(page)) == 5
    expect(pages["cat"].get_by_text("You did not pick before the reveal")).to_be_visible(timeout=PATIENCE)


def a_late_comer_sees_where_the_room_is(late: BrowserContext, address: str, code: str, teacher: Page) -> None:
    page = late.new_page()
    page.goto(f"{address}/workshop?room={code}")
    page.get_by_role("heading", name="Question 2").wait_for(timeout=PATIENCE)
    picture(page)
    wait_for_counts(teacher, 4, 2)
    teacher.get_by_role("button", name="Next:").click()
    page.get_by_role("heading", name="Question 3").wait_for(timeout=PATIENCE)
    expect(page.get_by_role("button", name="Submit these five")).to_be_in_viewport(timeout=PATIENCE)


def a_lesson_is_before_everyone(teacher: Page, wall: Page, pages: dict[str, Page]) -> None:
    wait_for_counts(teacher, 4, 0)  # a page that looks every second may never be still on a busy machine
    teacher.get_by_text("Show a lesson", exact=True).click()
    teacher.get_by_role("button", name="Show it to the room").click()
    for page in (wall, *pages.values()):
        page.get_by_text("What an embedding compares").wait_for(timeout=PATIENCE)


def the_room_ends(teacher: Page, wall: Page, pages: dict[str, Page]) -> None:
    teacher.get_by_text("End the room", exact=True).click()
    teacher.get_by_role("button", name="Yes, end it").click()
    teacher.get_by_text("Open a room (teacher)").wait_for()
    for page in (wall, *pages.values()):
        page.get_by_text("has ended").wait_for(timeout=PATIENCE)
