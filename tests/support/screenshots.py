"""Take the README's screenshots: ``PYTHONPATH=. python tests/support/screenshots.py``.

The app runs with an empty library; each picture is what a reader sees after pressing the buttons named here.
"""

from __future__ import annotations

import io
import json
import re
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from pdfs import embedded_pdf, garbled_pdf, joined, scanned_pdf
from PIL import Image
from running_app import ROOT, browser_page, running_app, settle

if TYPE_CHECKING:
    from playwright.sync_api import Page

FOLDER = ROOT / "data" / "screenshots"
MOST_BYTES = 250_000
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


def main() -> None:
    FOLDER.mkdir(exist_ok=True)
    for language, spoken in LOCALES.items():
        with (
            tempfile.TemporaryDirectory() as folder,
            running_app(Path(folder) / "library") as address,
            browser_page(spoken) as page,
        ):
            walk(page, address, language, lambda name, page=page, language=language: save(page, f"{name}-{language}"))


def walk(page: Page, address: str, language: str, take: Callable[[str], None]) -> None:
    """Go from the home page to the sample's comparison, its answers and its chunks."""
    said = locale(language)
    page.set_viewport_size({"width": 1280, "height": 800})
    page.goto(address)
    page.get_by_role("button", name=said["home.change"]).wait_for()
    take("home")
    page.get_by_role("button", name=said["home.change"]).click()
    page.locator(".after .row").first.wait_for()
    settle(page)
    animate(page, f"compare-{language}")
    compared = page.url
    open_page(page, said, "answer")
    page.locator(".answer .sentence").first.wait_for()
    show(page, height=1100)
    take("answer")
    open_page(page, said, "documents")
    page.get_by_text(said["documents.median"]).wait_for()
    show(page, height=1100)
    take("documents")
    open_page(page, said, "evaluate")
    page.get_by_role("button", name=said[f"evaluate.sample_{language}"]).click()
    page.get_by_text(longest_part(said["measured.means_help"])).wait_for()
    show(page)
    take("evaluate")
    open_page(page, said, "explain")
    page.get_by_role("button", name=said["probe.run"]).click()
    page.get_by_text(said["probe.no_proof"][:12]).first.wait_for()
    show(page, height=1100)
    take("explain")
    explained(page, said, take)
    workshop(page, said, take)
    long_chunks(page, compared, said, take)
    gates(page, address, said, take)


def open_page(page: Page, said: dict[str, str], name: str) -> None:
    page.locator(".st-key-menu").get_by_role("link", name=said[f"frame.{name}"], exact=True).click()


def longest_part(text: str) -> str:
    """Return the beginning of the longest part of a text between its placeholders."""
    return max(re.split(r"\{\w+\}", text), key=len).strip()[:20]


def locale(language: str) -> dict[str, str]:
    return json.loads((ROOT / "pages" / "ui" / "locales" / f"{language}.json").read_text(encoding="utf-8"))


def long_chunks(page: Page, compared: str, said: dict[str, str], take: Callable[[str], None]) -> None:
    """Repeat a comparison with long chunks, and pick the first of the new order."""
    page.goto(re.sub("chunks=[^&]*", "chunks=window-1200-240", compared))
    told = page.get_by_text(said["part.count"].rpartition("}")[2].strip())
    told.wait_for()
    settle(page)
    page.set_viewport_size({"width": 1280, "height": 800})
    page.locator(".after .row").first.click()
    page.locator(".marked mark").first.wait_for()
    take("part")


def gates(page: Page, address: str, said: dict[str, str], take: Callable[[str], None]) -> None:
    """Add a PDF whose fonts have a wrong map, and a scan, and show what is said of their pages."""
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
        page.set_viewport_size({"width": 1280, "height": 1000})
        page.get_by_test_id("stExpander").first.evaluate("element => element.scrollIntoView()")
        take(f"gate-{name}")


def explained(page: Page, said: dict[str, str], take: Callable[[str], None]) -> None:
    """Go through the other parts of the page that explains."""
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
        show(page, height=1100)
        take(f"explain-{part}")


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


def workshop(page: Page, said: dict[str, str], take: Callable[[str], None]) -> None:
    """Play one question alone, open a room with it, and go through the lessons and the drawings."""
    page.get_by_role("link", name=said["frame.workshop"]).click()
    page.get_by_role("button", name=said["game.deal"]).click()
    page.get_by_role("button", name=said["pick.submit"]).wait_for()
    for count in range(1, 6):
        page.get_by_test_id("stCheckbox").nth(count).locator("label").click()
        page.get_by_text(said["pick.count"].replace("**", "").format(picked=count, wanted=5)).wait_for()
    page.get_by_role("button", name=said["pick.submit"]).click()
    page.get_by_text(said["running.own"], exact=True).wait_for()
    show(page, "h3", height=900)
    take("workshop-predict")
    for part, sign in (("lessons", "lesson.judging_title"), ("inside", "inside.scales"), ("room", "room.open_title")):
        page.get_by_test_id("stButtonGroup").get_by_text(said[f"workshop.{part}"], exact=True).click()
        page.get_by_text(said[sign]).wait_for()
        if part == "room":
            page.get_by_role("button", name=said["room.open"]).click()
            page.get_by_role("button", name=said["room.reveal"]).wait_for()
        show(page, height=1700 if part == "lessons" else 1200)
        take(f"workshop-{part}")


def show(page: Page, selector: str = ".st-key-menu", height: int = 800) -> None:
    """Scroll the first such place of the page to the top of a window of this height."""
    settle(page)
    page.set_viewport_size({"width": 1280, "height": height})
    page.locator(f"[data-testid=stMain] {selector}").first.evaluate("element => element.scrollIntoView()")


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
    settle(page)
    page.mouse.move(0, 0)
    page.wait_for_timeout(1500)
    picture = Image.open(io.BytesIO(page.screenshot())).convert("RGB")
    file = FOLDER / f"{name}.png"
    picture.quantize(128, dither=Image.Dither.NONE).save(file, optimize=True)
    if file.stat().st_size > MOST_BYTES:
        raise SystemExit(f"{file} has {file.stat().st_size} bytes, more than {MOST_BYTES}")


if __name__ == "__main__":
    main()
