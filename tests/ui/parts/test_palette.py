"""Every mark of a chart is told from a light and from a dark page, and what is written on a shade is read."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

import pytest
from contrast import channels, contrast, of_hex, over

from pages.ui.evaluate import charts as evaluation
from pages.ui.explain import projection
from pages.ui.parts import best_part, palette, picture, tables

ROOT = Path(__file__).parents[3]
THEMES = tomllib.loads((ROOT / ".streamlit" / "config.toml").read_text(encoding="utf-8"))["theme"]
KINDS = ["light", "dark"]
MARKS = {
    *(palette.BLUE, palette.PALE, palette.SAME, palette.PICKED, palette.UP, palette.DOWN),
    *palette.SERIES,
    *projection.COLOURS.values(),
}
SHARE = int(re.search(r"STRONGEST = (\d+)", best_part.SCRIPT)[1]) / 100
SHADES = [re.search(rf"\.{side} {{ --shade: #(\w{{6}})", best_part.CSS)[1] for side in ("for", "against")]
STRONGEST = ["rgba({}, {}, {}, {})".format(*bytes.fromhex(shade), SHARE) for shade in SHADES]
"""A probed text's strongest shades, of what supports a score and of what speaks against it."""


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("mark", sorted(MARKS))
def test_a_mark_is_told_from_the_page(mark, kind):
    assert contrast(of_hex(mark), of_hex(THEMES[kind]["backgroundColor"])) >= 3


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("shade", [tables.TOP, tables.PICKED, tables.ROSE, tables.FELL, *STRONGEST])
def test_text_is_read_on_a_shade(shade, kind):
    ground = over(channels(shade), of_hex(THEMES[kind]["backgroundColor"]))
    assert contrast(of_hex(THEMES[kind]["textColor"]), ground) >= 4.5


@pytest.mark.parametrize("shade", [evaluation.OPPOSED, evaluation.NEUTRAL, evaluation.AGREED])
def test_what_is_written_in_a_field_is_read(shade):
    assert contrast(of_hex(evaluation.ON_SHADE), of_hex(shade)) >= 4.5


def test_charts_write_in_the_colours_of_the_page():
    assert tuple(THEMES[kind]["textColor"] for kind in KINDS) == palette.INKS
    assert all(ink in palette.INK.to_dict()["expr"] for ink in palette.INKS)


def test_a_picture_is_read_on_a_dark_page():
    text, box, end = re.findall(r"fill: (#\w{6})", picture.DARK)
    assert min(contrast(of_hex(text), of_hex(fill)) for fill in (box, end)) >= 4.5
