"""A PDF, a file name, a question and a language model that all mean harm, on every screen of a real browser.

Nothing of them becomes a link, a picture, a formula or an icon, nothing leaves this machine, and neither of two keys
turns up anywhere but in the requests they are for.
"""

from __future__ import annotations

import io
import json
import zipfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import parse_qs, urlencode, urlsplit

import pytest
import running_app
from llm_server import LLMServer, Reply, completion, refusal, stream
from pdfs import text_pdf
from running_app import asked_outside, order_rows, settle
from running_app import running_app as serve

from rag_core.lab import Lab

pytestmark = pytest.mark.slow

if TYPE_CHECKING:
    from playwright.sync_api import Page

ENVIRONMENT_KEY = "sk-environment-0123456789abcd"
SESSION_KEY = "sk-typed-here-9876543210wxyz"
KEYS = (ENVIRONMENT_KEY, SESSION_KEY)
EVIL = [
    "<img src=x onerror=window.fired=1>",
    "[x](http://evil.example)",
    r"$\int$",
    ":material/home:",
    ":red[RED]",
    "http://evil.example/",
    "www.evil.example",
    "me@evil.example",
    "![i](http://evil.example/i.png)",
    ":streamlit:",
]
ALL_EVIL = " ".join(EVIL)
TITLE = "<img src=x onerror=window.fired=1> [x](http:evil.example) $x$ :material_home: www.evil.example.pdf"
PDF = text_pdf(*([f"Tax revenue grew by {10 * page + n} percent {EVIL[n]}." for n in range(10)] for page in range(3)))
QUESTION = f"How much did tax revenue grow? {ALL_EVIL}"
SAID = json.loads((running_app.ROOT / "pages" / "ui" / "locales" / "en.json").read_text(encoding="utf-8"))

# The page and the tables in it, which have a document of their own.
ROOTS = "[document, ...[...document.querySelectorAll('*')].map(one => one.shadowRoot).filter(Boolean)]"
# What outside text could have become; the app's own links lead to itself.
ACTIVE = """() => {
  const all = selector => ROOTS.flatMap(root => [...root.querySelectorAll(selector)]);
  const main = all('a[href], img, image, iframe, object, embed, form[action], .katex');
  const outside = main.filter(element => {
    if (element.matches('.katex')) return true;
    const to = element.href?.baseVal ?? element.href ?? element.src ?? element.data ?? element.action ?? '';
    return !/^data:image|^blob:/.test(to) && new URL(to, location).origin !== location.origin;
  });
  const drawn = all('.stMarkdownColoredText').filter(one => one.textContent === 'RED');
  const logos = all('img[alt="Streamlit logo"], img[src$="/x"], img[src="x"]');
  const icons = all('[data-testid=stMarkdownContainer] [aria-label="home icon"]').filter(icon => !icon.closest('a'));
  return [...outside, ...drawn, ...logos, ...icons].map(one => one.outerHTML.slice(0, 200));
}""".replace("ROOTS", ROOTS)


class Screens:
    """What was on screen, asked for and downloaded; ``look`` says that nothing is active on a page."""

    def __init__(self, page: Page) -> None:
        self.page, self.texts, self.requests, self.files = page, [], [], []
        page.on("request", lambda request: self.requests.append(f"{request.url} {request.post_data or ''}"))
        page.on("websocket", lambda socket: self.requests.append(socket.url))
        page.on("console", lambda message: self.texts.append(message.text))

    def look(self) -> None:
        settle(self.page)
        self.glance()

    def glance(self) -> None:
        assert self.page.evaluate(ACTIVE) == []
        assert self.page.evaluate("window.fired") is None
        assert self.page.get_by_test_id("stException").count() == 0
        self.texts += [self.page.inner_text("body"), self.page.evaluate(HTML), self.page.url]

    def download(self, button: str) -> None:
        with self.page.expect_download() as waiting:
            self.page.get_by_role("button", name=button).click()
        self.files.append(Path(waiting.value.path()).read_bytes())


# The page without the values of its fields: a password field holds its key, as it must.
HTML = f"""() => {ROOTS}.map(root => (root.documentElement?.outerHTML ?? root.innerHTML)
    .replace(/ value="[^"]*"/g, '')).join('\\n')"""


class Model:
    """A language model whose reply changes as the walk goes on; the key that it gets comes back wherever it can."""

    def __init__(self) -> None:
        self.say: Callable[[str], Reply] | None = None
        self.server = LLMServer(self)

    def __call__(self, sent: Mapping[str, object]) -> Reply:
        key = self.server.requests[-1]["authorization"].removeprefix("Bearer ")
        if self.say:
            return self.say(key)
        if sent.get("stream"):
            return stream(["Eight percent ", ALL_EVIL, key[:9], key[9:], " [1]."])
        return completion("\n".join([*EVIL, f"What does {key} mean?", f"Is {ALL_EVIL} a text?"]))


TROUBLES = {
    "server_key": lambda key: refusal(403, f"Incorrect API key provided: {key}. {ALL_EVIL}"),
    "server_refused": lambda key: refusal(400, f"{ALL_EVIL} {key}"),
    "server_busy": lambda key: refusal(429, f"{key} {ALL_EVIL}", **{"Retry-After": "60"}),
    "server_bad_answer": lambda key: stream([f"{key} {ALL_EVIL}"], finish=None, end=""),
    "server_moved": lambda _: Reply("", status=307, headers={"Location": "http://evil.example/v1"}),
    "server_address": lambda key: Reply(key, content_type="text/html"),
}


@contextmanager
def world(home: Path) -> Iterator[tuple[str, LLMServer, Model]]:
    model = Model()
    with model.server as server:
        extra = {
            "OPENAI_API_KEY": ENVIRONMENT_KEY,
            "OPENAI_BASE_URL": server.base_url,
            "RECORD_LOGS": "1",
            "OPENAI_LOG": "debug",
            "STREAMLIT_LOGGER_LEVEL": "debug",
        }
        with serve(home, extra) as address:
            yield address, server, model


def test_nothing_that_came_from_outside_acts_or_leaves(tmp_path, page):
    home, screens = tmp_path / "library", Screens(page)
    with world(home) as (address, server, model):
        documents(page, screens, address)
        compare(page, screens)
        answers(page, screens, model)
        typed_key(page, screens, server, model)
        evaluation(page, screens)
        explained(page, screens)
        workshop(page, screens)
        sent = {request["authorization"] for request in server.requests}
    assert sent == {f"Bearer {key}" for key in KEYS}
    assert {request.split("/")[2].split(":")[0] for request in screens.requests if "//" in request} == {"127.0.0.1"}
    assert asked_outside(home) == []
    nowhere(KEYS, home, screens)


def nowhere(keys: tuple[str, ...], home: Path, screens: Screens) -> None:
    """Search both keys, whole and by their telling middle, in all that was kept, written, sent or shown."""
    kept = [file.read_bytes() for file in home.rglob("*") if file.is_file()]
    log = running_app.log_file(home).read_bytes()
    assert b"rag_core.servers.llm" in log, "the log holds nothing at all"
    places = {
        "library": kept,
        "log": [log],
        "files": [part for file in screens.files for part in unpacked(file)],
        "browser": [text.encode() for text in screens.requests],
        "screens": [text.encode() for text in screens.texts],
    }
    assert all(places.values())
    found = [name for name, texts in places.items() for key in keys for text in texts if key[3:-5].encode() in text]
    assert found == []


def unpacked(file: bytes) -> list[bytes]:
    if not zipfile.is_zipfile(io.BytesIO(file)):
        return [file]
    with zipfile.ZipFile(io.BytesIO(file)) as archive:
        return [archive.read(name) for name in archive.namelist()]


def go(page: Page, name: str) -> None:
    page.get_by_role("link", name=SAID[f"frame.{name}"], exact=True).first.click()
    page.get_by_role("heading", name=SAID[f"{name}.title"], exact=True).wait_for()
    settle(page)


def press(page: Page, key: str) -> None:
    page.get_by_role("button", name=SAID[key], exact=True).click()


def documents(page: Page, screens: Screens, address: str) -> None:
    page.goto(address)
    page.get_by_role("button", name=SAID["home.change"]).wait_for()
    screens.look()
    go(page, "documents")
    uploader = page.get_by_test_id("stFileUploader").locator("input[type=file]")
    uploader.set_input_files({"name": TITLE, "mimeType": "application/pdf", "buffer": PDF})
    page.get_by_text(SAID["read.all_good"].format(count=3)).wait_for()
    screens.look()
    press(page, "proposed.better")
    page.get_by_role("button", name="What does").wait_for()
    screens.look()
    open_cells(page, screens)
    press(page, "documents.index")
    page.get_by_text(SAID["documents.indexed"].partition("{")[0].strip()).wait_for()
    screens.look()


def open_cells(page: Page, screens: Screens) -> None:
    """Open a cell of each table as a double click does, and look into it."""
    for table in page.get_by_test_id("stDataFrame").all():
        if not table.is_visible():
            continue
        table.scroll_into_view_if_needed()
        box = table.bounding_box()
        for row in (1, 3, 5):
            page.mouse.dblclick(box["x"] + box["width"] - 60, box["y"] + 35 * row + 17)
            page.wait_for_timeout(150)
            screens.glance()
            page.keyboard.press("Escape")


def hover_charts(page: Page, screens: Screens) -> None:
    for chart in page.get_by_test_id("stVegaLiteChart").all():
        if chart.is_visible():
            for mark in chart.locator("path[aria-label], .mark-symbol path, .mark-rect path").all()[:3]:
                mark.hover(force=True)
                page.wait_for_timeout(100)
                screens.glance()


def compare(page: Page, screens: Screens) -> None:
    go(page, "compare")
    page.get_by_label(SAID["form.question"], exact=True).fill(QUESTION)
    open_popover(page, "wordings")
    page.get_by_label(SAID["form.typed"]).fill("\n".join(EVIL[:4]))
    press(page, "form.by_llm")
    page.get_by_text(SAID["form.kept"], exact=True).wait_for()
    screens.look()
    press(page, "form.compare")
    settle(page)  # until then the former comparison may stand beside the new one
    page.get_by_text("Both tables rank").wait_for()
    screens.look()
    assert 'class="lines"' in screens.texts[-2], "the rows of the tables are not looked into"
    open_cells(page, screens)
    for tab in ("slope", "ledger", "times"):
        page.get_by_role("tab", name=SAID[f"result.{tab}"]).click()
        screens.look()
        hover_charts(page, screens)
    pick_first_row(page)
    page.get_by_text(SAID["explain.open"]).wait_for()
    screens.look()
    screens.download(SAID["result.csv"])


def pick_first_row(page: Page) -> None:
    order_rows(page, 0).first.click()


def open_popover(page: Page, key: str) -> None:
    page.locator(f".st-key-{key} button").first.click()


def answers(page: Page, screens: Screens, model: Model) -> None:
    go(page, "answer")
    page.get_by_text(SAID["answer.extractive"]).first.wait_for()
    screens.look()
    open_popover(page, "answer_with")
    page.get_by_text(SAID["answer.source_llm"]).click()
    settle(page)
    page.keyboard.press("Escape")
    press(page, "answer.ask")
    page.get_by_text(SAID["answer.by_llm"]).first.wait_for()
    screens.look()
    in_trouble(page, screens, model)


def in_trouble(page: Page, screens: Screens, model: Model) -> None:
    for code, say in TROUBLES.items():
        model.say = say
        press(page, "answer.ask")
        first_words = max(SAID[f"error.{code}"].replace("}", "{").split("{")[::2], key=len).strip()
        page.get_by_test_id("stAlert").get_by_text(first_words[:40]).wait_for()
        screens.look()
    model.say = None


def typed_key(page: Page, screens: Screens, server: LLMServer, model: Model) -> None:
    """Ask again with a key of this session, of a model and an address that mean harm too."""
    open_popover(page, "answer_with")
    page.get_by_text(SAID["llm.title"]).click()
    for field, typed in (
        ("llm.key", SESSION_KEY),
        ("llm.url", f"{server.base_url}/?key={SESSION_KEY}"),
        ("llm.model", ALL_EVIL),
    ):
        box = page.get_by_label(SAID[field], exact=True)
        box.fill(typed)
        box.press("Enter")
        settle(page)
    page.keyboard.press("Escape")
    in_trouble(page, screens, model)
    press(page, "answer.ask")
    page.get_by_text(SAID["answer.by_llm"]).first.wait_for()
    screens.look()
    go(page, "compare")
    open_popover(page, "wordings")
    press(page, "form.by_llm")
    page.get_by_text(SAID["form.kept"], exact=True).wait_for()
    press(page, "form.compare")
    settle(page)  # until then the former comparison may stand beside the new one
    page.get_by_text("Both tables rank").wait_for()
    screens.look()


def evaluation(page: Page, screens: Screens) -> None:
    go(page, "evaluate")
    open_popover(page, "question_set_open")
    header = ";".join(["question", *(one.replace('"', "'") for one in EVIL)])
    rows = "\n".join(f"{one} revenue?" for one in EVIL).replace('"', "'")
    page.get_by_role("textbox", name=SAID["questions.paste"]).fill(f"{header}\n{rows}")
    press(page, "questions.preview")
    page.get_by_text("columns not used").first.wait_for()
    screens.look()
    press(page, "questions.cancel")
    page.get_by_role("textbox", name=SAID["questions.paste"]).fill("\n".join(f"{one} revenue?" for one in EVIL))
    press(page, "questions.preview")
    screens.look()
    press(page, "questions.add")
    page.get_by_text("Read: 10 questions").wait_for()
    screens.look()
    page.keyboard.press("Escape")
    press(page, "evaluate.run")
    page.get_by_role("tab", name=SAID["measured.files"]).wait_for()
    page.locator(".questions .row").first.click()
    page.locator(".orders .row").first.wait_for()
    screens.look()
    for tab in ("means", "depth", "panel", "files"):
        page.get_by_role("tab", name=SAID[f"measured.{tab}"], exact=True).click()
        screens.look()
        hover_charts(page, screens)
    screens.download(SAID["measured.zip"])


def explained(page: Page, screens: Screens) -> None:
    go(page, "explain")
    for part in ("why", "bench", "map", "languages", "expansions", "baseline"):
        page.get_by_test_id("stButtonGroup").get_by_text(SAID[f"explain.part_{part}"], exact=True).click()
        page.get_by_text(SAID[f"explain.help_{part}"]).wait_for()
        if part == "why":
            press(page, "probe.run")
            page.get_by_text(SAID["probe.no_proof"][:12]).wait_for()
        screens.look()
        hover_charts(page, screens)


def workshop(page: Page, screens: Screens) -> None:
    go(page, "workshop")
    page.get_by_role("button", name=SAID["game.own"]).click()
    page.get_by_label(SAID["form.question"], exact=True).fill(QUESTION)
    press(page, "game.deal")
    page.get_by_test_id("stText").get_by_text(QUESTION, exact=True).wait_for()
    page.get_by_test_id("stPopoverBody").wait_for(state="hidden")  # it would lie over what was dealt
    screens.look()
    for place in range(1, 6):
        page.get_by_test_id("stCheckbox").nth(place).locator("label").click()
        settle(page)
    press(page, "pick.submit")
    page.get_by_text(SAID["running.own"], exact=True).wait_for()
    screens.look()
    for part in ("lessons", "inside", "room"):
        page.get_by_test_id("stButtonGroup").get_by_text(SAID[f"workshop.{part}"], exact=True).click()
        screens.look()
    press(page, "room.open")
    page.get_by_role("button", name=SAID["room.reveal"]).wait_for()
    screens.look()


OTHER_PDF = text_pdf(*([f"Spending grew by {3 * page + n} percent {EVIL[n]}." for n in range(10)] for page in range(2)))


@pytest.fixture
def shelf(tmp_path) -> tuple[Path, str]:
    """Return a library with two documents and the collection of both, and the collection's id; all names mean harm."""
    lab = Lab(tmp_path / "shelf")
    members = [lab.add(data, title).id for data, title in ((PDF, TITLE), (OTHER_PDF, f"{ALL_EVIL}.pdf"))]
    collection = lab.library.collect(ALL_EVIL, members, "")
    lab.close()
    return tmp_path / "shelf", collection.id


def test_nor_in_a_collection_a_saved_result_or_a_room(served, shelf, tmp_path, person):
    home, doc_id = shelf
    address = served.open(home)
    teacher, wall, participant = (Screens(person().new_page()) for _ in range(3))
    collection(teacher, f"{address}/{{page}}?{urlencode({'doc': doc_id, 'q': QUESTION, 'lang': 'en'})}")
    saved_result(teacher, tmp_path / "saved.json", address)
    room(teacher, wall, participant, address)
    asked = [request for screens in (teacher, wall, participant) for request in screens.requests if "//" in request]
    assert {request.split("/")[2].split(":")[0] for request in asked} == {"127.0.0.1"}


def collection(screens: Screens, place: str) -> None:
    page = screens.page
    page.goto(place.format(page="compare"))
    page.get_by_text("Both tables rank").wait_for()
    screens.look()
    pick_first_row(page)
    page.get_by_text(SAID["explain.open"]).wait_for()
    screens.look()
    page.get_by_text(SAID["history.title"].partition("(")[0]).click()
    screens.look()
    go(page, "documents")
    page.get_by_text(SAID["collection.change"]).click()
    screens.look()
    open_cells(page, screens)


def saved_result(screens: Screens, file: Path, address: str) -> None:
    """Save the comparison, open the file as somebody else would, and look at what it holds."""
    page = screens.page
    go(page, "compare")
    page.get_by_text("Both tables rank").wait_for()
    with page.expect_download() as waiting:
        page.get_by_role("button", name=SAID["result.save"], exact=True).click()
    waiting.value.save_as(file)
    page.goto(f"{address}/replay?lang=en")
    page.get_by_test_id("stFileUploader").locator("input[type=file]").set_input_files(file)
    page.get_by_text("Both tables rank").wait_for()
    screens.look()
    pick_first_row(page)
    screens.look()
    for tab in ("slope", "times"):
        page.get_by_role("tab", name=SAID[f"result.{tab}"]).click()
        screens.look()
        hover_charts(page, screens)


def room(teacher: Screens, wall: Screens, participant: Screens, address: str) -> None:
    """Play one question of a room: what everybody sees before the reveal, and after it."""
    desk = teacher.page
    go(desk, "workshop")
    desk.get_by_test_id("stButtonGroup").get_by_text(SAID["workshop.room"], exact=True).click()
    settle(desk)
    desk.get_by_label(SAID["form.question"], exact=True).fill(QUESTION)
    press(desk, "room.open")
    desk.get_by_role("button", name=SAID["room.reveal"]).wait_for()
    settle(desk)
    code = parse_qs(urlsplit(desk.url).query)["desk"][0].partition("-")[0]
    wall.page.goto(f"{address}/workshop?wall={code}&lang=en")
    participant.page.goto(f"{address}/workshop?room={code}&lang=en")
    participant.page.get_by_role("button", name=SAID["pick.submit"]).wait_for()
    for screens in (teacher, wall, participant):
        screens.look()
    open_cells(desk, teacher)
    for place in range(5):
        participant.page.get_by_test_id("stCheckbox").nth(place).locator("label").click()
        settle(participant.page)
    press(participant.page, "pick.submit")
    participant.page.get_by_text(SAID["room.handed_in"]).wait_for()
    press(desk, "room.reveal")
    for screens in (teacher, wall, participant):
        screens.page.locator(".room .votes .row").first.wait_for()
        screens.look()
    desk.get_by_text(SAID["room.pages"]).click()
    teacher.look()
    open_cells(desk, teacher)
