"""How well one colour is told from another (WCAG 2.2, 1.4.3): 4.5 for what is read, 3 for marks."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from playwright.sync_api import Locator

Colour = tuple[float, ...]
SEEN = """element => {
    const seen = [];
    for (let at = element; at; at = at.parentElement ?? at.getRootNode().host) {
        const {color, fill, backgroundColor, opacity} = getComputedStyle(at);
        seen.push([element instanceof SVGElement ? fill : color, backgroundColor, Number(opacity)]);
    }
    return seen;
}"""


def of_hex(colour: str) -> Colour:
    return tuple(int(colour[place : place + 2], 16) for place in (1, 3, 5))


def luminance(colour: Colour) -> float:
    red, green, blue = (
        value / 12.92 if value <= 0.04045 else ((value + 0.055) / 1.055) ** 2.4 for value in (c / 255 for c in colour)
    )
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(one: Colour, other: Colour) -> float:
    dark, light = sorted((luminance(one), luminance(other)))
    return (light + 0.05) / (dark + 0.05)


def read(element: Locator) -> float:
    """Return the contrast of an element's text with what lies under it, as a browser paints them."""
    layers = element.evaluate(SEEN)
    ground, painted = (255.0, 255.0, 255.0), channels(layers[0][0])
    for _, background, _ in reversed(layers):
        ground = over(channels(background), ground)
    share = painted[3]
    for *_, opacity in layers:
        share *= opacity
    return contrast(over((*painted[:3], share), ground), ground)


def channels(colour: str) -> Colour:
    """Return red, green, blue and opacity of ``rgb(…)`` or ``rgba(…)``."""
    values = [float(value) for value in colour.partition("(")[2].rstrip(")").replace(",", " ").split()]
    return (*values[:3], values[3] if len(values) > 3 else 1.0)


def over(paint: Colour, ground: Colour) -> Colour:
    return tuple(paint[3] * above + (1 - paint[3]) * below for above, below in zip(paint[:3], ground, strict=True))
