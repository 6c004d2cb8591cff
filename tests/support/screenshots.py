"""Take the screenshots: ``PYTHONPATH=. python tests/support/screenshots.py``, or of one language: ``… zh``.

The app runs with an empty library; each picture is what a reader sees after pressing the buttons named here. Of each
place there are four, of a laptop's width and of a telephone's, light and dark; the README shows the first.
"""

from __future__ import annotations

import io
import json
import re
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from pdfs import embedded_pdf, garbled_pdf, joined, scanned_pdf
from PIL import Image
from running_app import ROOT, open_context, running_app, running_browser, settle

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

FOLDER = ROOT / "data" / "screenshots"
MOST_BYTES = 250_000
WIDE, WALL = 1280, 1920
SIZES = {"": WIDE, "-390": 390}
SCHEMES = {"": "light", "-dark": "dark"}
COLOURS = 256
"""An octree keeps the few points of a colour of their own in a chart, which a median cut gives their neighbour's."""
LOCALES = {"en": "en-GB", "zh": "zh-CN"}
FRAMES, FRAME_MILLISECONDS, LAST_MILLISECONDS = 24, 60, 2500
MOST_ANIMATED = 2_000_000
STOPPED = """orders => {
    orders.moving = orders.getRootNode().getAnimations();
    orders.moving.forEach(animation => animation.pause());
    return Math.max(...orders.moving.map(animation => animation.effect.getComputedTiming().endTime));
}"""
STOPPED_AT = """(orders, time) => orders.moving.forEach(animation => {
    animation.currentTime = Math.min(time, animation.effect.getComputedTiming().endTime - 1);
})"""


@dataclass
class Camera:
    """What takes pictures of one reader's page in one language."""

    page: Page
    language: str

    def take(self, name: str, selector: str = ".st-key-menu", height: int = 800) -> None:
        """Take a place of the page at each width in each theme; it ends as wide and light as it was."""
        for size, width in SIZES.items():
            self.look(width, height, selector)
            self.both_themes(f"{name}-{self.language}{size}")
        self.look(WIDE, height, selector)

    def look(self, width: int, height: int, selector: str = ".st-key-menu") -> None:
        """Scroll the first such place of the page to the top of a window of this size."""
        self.page.set_viewport_size({"width": width, "height": height})
        settle(self.page)
        self.page.locator(f"[data-testid=stMain] {selector}").first.evaluate("element => element.scrollIntoView()")

    def both_themes(self, name: str) -> None:
        for shade, scheme in SCHEMES.items():
            self.page.emulate_media(color_scheme=scheme)
            save(self.page, f"{name}{shade}")
        self.page.emulate_media(color_scheme="light")


def main(languages: list[str]) -> None:
    FOLDER.mkdir(exist_ok=True)
    for language in languages or LOCALES:
        with (
            tempfile.TemporaryDirectory() as folder,
            running_app(Path(folder) / "library") as address,
            running_browser() as browser,
        ):
            walk(browser, address, language)


def walk(browser: Browser, address: str, language: str) -> None:
    """Go from the home page to the sample's comparison, its answers and its chunks, and on through every page."""
    page, said = open_context(browser, LOCALES[language]).new_page(), locale(language)
    camera = Camera(page, language)
    page.goto(address)
    page.get_by_role("button", name=said["home.change"]).wait_for()
    camera.take("home")
    page.get_by_role("button", name=said["home.change"]).click()
    page.locator(".after .row").first.wait_for()
    camera.look(WIDE, 800)
    animate(page, f"compare-{language}")
    camera.take("compare")
    compared = page.url
    open_page(page, said, "answer")
    page.locator(".answer .sentence").first.wait_for()
    camera.take("answer", height=1100)
    open_page(page, said, "documents")
    page.get_by_text(said["documents.median"]).wait_for()
    camera.take("documents", height=1100)
    open_page(page, said, "evaluate")
    page.get_by_role("button", name=said[f"evaluate.sample_{language}"]).click()
    page.get_by_text(longest_part(said["measured.means_help"])).wait_for()
    camera.take("evaluate")
    open_page(page, said, "explain")
    page.get_by_role("button", name=said["probe.run"]).click()
    page.get_by_text(said["probe.no_proof"][:12]).first.wait_for()
    camera.take("explain", height=1100)
    explained(camera, said)
    open_page(page, said, "replay")
    page.get_by_role("button", name=said["replay.example"]).click()
    page.locator(".after .row").first.wait_for()
    camera.take("replay")
    workshop(browser, camera, address, said)
    long_chunks(camera, compared, said)
    gates(camera, address, said)


def open_page(page: Page, said: dict[str, str], name: str) -> None:
    page.locator(".st-key-menu").get_by_role("link", name=said[f"frame.{name}"], exact=True).click()


def longest_part(text: str) -> str:
    """Return the beginning of the longest part of a text between its placeholders."""
    return max(re.split(r"\{\w+\}", text), key=len).strip()[:20]


def locale(language: str) -> dict[str, str]:
    return json.loads((ROOT / "pages" / "ui" / "locales" / f"{language}.json").read_text(encoding="utf-8"))


def long_chunks(camera: Camera, compared: str, said: dict[str, str]) -> None:
    """Repeat a comparison with long chunks, and pick the first of the new order."""
    page = camera.page
    page.goto(re.sub("chunks=[^&]*", "chunks=window-1200-240", compared))
    told = page.get_by_text(said["part.count"].rpartition("}")[2].strip())
    told.wait_for()
    settle(page)
    camera.look(WIDE, 800)
    page.locator(".after .row").first.click()
    page.locator(".marked mark").first.wait_for()
    camera.take("part")


def gates(camera: Camera, address: str, said: dict[str, str]) -> None:
    """Add a PDF whose fonts have a wrong map, and a scan, and show what is said of their pages."""
    page = camera.page
    lines = [
        "Revenue of the utility grew by eight percent in the year,",
        "mostly because of new customers in the north.",
    ]
    garbled = joined(embedded_pdf(*lines * 6), garbled_pdf(*lines * 6), garbled_pdf(*lines * 6, first=0xE000))
    scan = scanned_pdf("全市一般公共预算收入增长8.2%，突破6000亿元。", "新建和改造公园二十处，绿化面积不断扩大。")
    for name, data in (("garbled", garbled), ("scan", scan)):
        page.goto(f"{address}/documents?lang={page.evaluate('navigator.language')[:2]}")
        settle(page)
        file = {"name": f"{name}.pdf", "mimeType": "application/pdf", "buffer": data}
        page.set_input_files("[data-testid=stFileUploader] input", file)
        page.get_by_text(said["gate.help"][:12]).wait_for()
        page.get_by_test_id("stImage").wait_for()
        settle(page)
        camera.take(f"gate-{name}", "[data-testid=stExpander]", height=1000)


def explained(camera: Camera, said: dict[str, str]) -> None:
    """Go through the other parts of the page that explains."""
    page = camera.page
    for part in ("bench", "map", "languages", "baseline", "expansions"):
        page.get_by_test_id("stButtonGroup").get_by_text(said[f"explain.part_{part}"], exact=True).click()
        page.get_by_text(said[f"explain.help_{part}"]).wait_for()
        settle(page)
        if part == "bench":
            page.get_by_role("button", name=said["bench.change_negate"]).click()
            page.get_by_text(said["bench.ranks_help"].partition("{")[0]).wait_for()
        if part == "expansions":
            expand(page, said)
        if part == "languages":
            page.get_by_role("button", name=said["languages.ask"]).click()
            page.get_by_text(said["languages.help"].partition("{")[0]).wait_for()
        camera.take(f"explain-{part}", height=1100)


def expand(page: Page, said: dict[str, str]) -> None:
    """Compare with expansions from the first results, and come back to the page that explains."""
    page.get_by_role("link", name=said["frame.compare"], exact=True).first.click()
    page.locator(".st-key-wordings button").first.click()
    page.get_by_role("button", name=said["form.by_feedback"]).click()
    page.get_by_text(said["form.kept"], exact=True).wait_for()
    settle(page)
    page.get_by_role("button", name=said["form.compare"], exact=True).click()
    page.locator(".orders .title").get_by_text(said["result.fused"], exact=True).wait_for()
    settle(page)
    page.get_by_role("link", name=said["frame.explain"], exact=True).click()
    page.get_by_text(said["expansions.switches"]).wait_for()


def workshop(browser: Browser, camera: Camera, address: str, said: dict[str, str]) -> None:
    """Play one question alone, go through the lessons and the drawings, and open a room that one takes part in."""
    page = camera.page
    open_page(page, said, "workshop")
    page.get_by_role("button", name=said["pick.submit"]).wait_for()
    camera.take("workshop-pick")
    hand_in(page, said)
    page.get_by_text(said["running.own"], exact=True).wait_for()
    camera.take("workshop-predict", height=900)
    for part, sign in (("lessons", "lesson.judging_title"), ("inside", "inside.scales"), ("room", "room.open_title")):
        page.get_by_test_id("stButtonGroup").get_by_text(said[f"workshop.{part}"], exact=True).click()
        page.get_by_text(said[sign]).wait_for()
        camera.take(f"workshop-{'door' if part == 'room' else part}", height=1700 if part == "lessons" else 1200)
    page.get_by_role("button", name=said["room.open"]).click()
    page.get_by_role("button", name=said["room.reveal"]).wait_for()
    class_room(browser, camera, f"{address}/workshop?lang={camera.language}", said)


def class_room(browser: Browser, camera: Camera, address: str, said: dict[str, str]) -> None:
    """Show a room from the desk, from a participant's place and on the wall, before and after the reveal."""
    code = re.search(r"desk=(\w+)", camera.page.url).group(1)
    seat, wall = (Camera(open_context(browser).new_page(), camera.language) for _ in range(2))
    seat.page.goto(f"{address}&room={code}")
    hand_in(seat.page, said)
    seat.page.get_by_text(said["room.handed_in"]).wait_for()
    wall.page.goto(f"{address}&wall={code}")
    wall.page.get_by_text("1 / 1").wait_for()
    seat.take("workshop-seat")
    wall_pictures(wall, "workshop-wall")
    camera.take("workshop-room", height=1200)
    camera.page.get_by_role("button", name=said["room.reveal"]).click()
    for view in (camera, seat, wall):
        view.page.locator(".room .votes .row").last.wait_for()
    camera.take("workshop-revealed", height=1200)
    seat.take("workshop-seat-revealed")
    wall_pictures(wall, "workshop-wall-revealed")
    for view in (seat, wall):
        view.page.context.close()


def wall_pictures(wall: Camera, name: str) -> None:
    """Take what a projector shows: it has no menu to scroll to, and is never as narrow as a telephone."""
    wall.look(WALL, 1080, "[data-testid=stMainBlockContainer]")
    wall.both_themes(f"{name}-{wall.language}")


def hand_in(page: Page, said: dict[str, str]) -> None:
    """Pick five of the ten chunks, and hand them in."""
    page.get_by_role("button", name=said["pick.submit"]).wait_for()
    for count in range(1, 6):
        page.get_by_test_id("stCheckbox").nth(count).locator("label").click()
        page.get_by_text(said["pick.count"].replace("**", "").format(picked=count, wanted=5)).wait_for()
    page.get_by_role("button", name=said["pick.submit"]).click()


def animate(page: Page, name: str) -> None:
    """Take the move from the old ranking into the new one as moving pictures: the page is stopped at each of them."""
    page.emulate_media(reduced_motion="no-preference")
    page.locator(".between button").click()
    moving = page.locator(".orders").first
    last = moving.evaluate(STOPPED)
    pictures = []
    for frame in range(FRAMES + 1):
        moving.evaluate(STOPPED_AT, last * frame / FRAMES)
        pictures.append(Image.open(io.BytesIO(page.screenshot())).convert("RGB"))
    page.emulate_media(reduced_motion="reduce")
    times = [LAST_MILLISECONDS // 2, *[FRAME_MILLISECONDS] * (FRAMES - 1), LAST_MILLISECONDS]
    file = FOLDER / f"{name}.webp"
    pictures[0].save(
        file, save_all=True, append_images=pictures[1:], duration=times, loop=0, quality=70, minimize_size=True
    )
    if file.stat().st_size > MOST_ANIMATED:
        raise SystemExit(f"{file} has {file.stat().st_size} bytes, more than {MOST_ANIMATED}")


def save(page: Page, name: str) -> None:
    """Save what is seen: as PNG what the README shows, smaller what is looked through."""
    settle(page)
    page.mouse.move(0, 0)
    page.wait_for_timeout(1500)
    picture = Image.open(io.BytesIO(page.screenshot())).convert("RGB")
    few = picture.quantize(COLOURS, method=Image.Quantize.FASTOCTREE, dither=Image.Dither.NONE)
    if name.endswith(tuple(LOCALES)):
        file = FOLDER / f"{name}.png"
        few.save(file, optimize=True)
    else:
        file = FOLDER / f"{name}.webp"
        few.convert("RGB").save(file, lossless=True, method=6)
    if file.stat().st_size > MOST_BYTES:
        raise SystemExit(f"{file} has {file.stat().st_size} bytes, more than {MOST_BYTES}")


if __name__ == "__main__":
    main(sys.argv[1:])
