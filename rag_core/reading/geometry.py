"""Where things stand on a page: in its own box, with its own origin and rotation, and on its picture.

PDFium gives places in the page's user space, whose origin may lie anywhere and which knows nothing of ``/Rotate``. This
module alone turns such a place into one on the picture, or into one seen with the text running to the right.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from pypdfium2 import PdfPage

QUARTER = 90
"""Degrees in a quarter turn."""


class Box(NamedTuple):
    """A rectangle in points; ``left`` is less than ``right`` and ``bottom`` less than ``top``."""

    left: float
    bottom: float
    right: float
    top: float

    @property
    def width(self) -> float:
        """How far it reaches from left to right."""
        return self.right - self.left

    @property
    def height(self) -> float:
        """How far it reaches from bottom to top."""
        return self.top - self.bottom

    def around(self, other: Box) -> Box:
        """Return the smallest box that holds both."""
        left, bottom, right, top = self
        other_left, other_bottom, other_right, other_top = other
        return Box(min(left, other_left), min(bottom, other_bottom), max(right, other_right), max(top, other_top))

    @property
    def size(self) -> float:
        """Its area, in square points."""
        return self.width * self.height

    def holds(self, other: Box, beyond: float = 0.0) -> bool:
        """Say whether the middle of another box lies in this one, or at most so many points beyond its sides."""
        x, y = (other.left + other.right) / 2, (other.bottom + other.top) / 2
        across = self.left - beyond <= x <= self.right + beyond
        return across and self.bottom - beyond <= y <= self.top + beyond

    def meets(self, other: Box) -> bool:
        """Say whether both have a point in common."""
        across = self.left < other.right and other.left < self.right
        return across and self.bottom < other.top and other.bottom < self.top

    def beside(self, other: Box) -> bool:
        """Say whether the other stands on the same line, close by to the right."""
        _, bottom, right, top = self
        other_left, other_bottom, _, other_top = other
        height = max(top - bottom, other_top - other_bottom, 1.0)
        level = abs(bottom + top - other_bottom - other_top) < height
        return level and -height < other_left - right < height

    def turned(self, turns: int) -> Box:
        """Return the box as it stands once the page was turned clockwise by so many quarters around its origin."""
        corners = [point_turned(x, y, turns) for x, y in ((self.left, self.bottom), (self.right, self.top))]
        (x, y), (other_x, other_y) = corners
        return Box(min(x, other_x), min(y, other_y), max(x, other_x), max(y, other_y))


def point_turned(x: float, y: float, turns: int) -> tuple[float, float]:
    """Return where a point lies once the page was turned clockwise by so many quarters around its origin."""
    for _ in range(turns % 4):
        x, y = y, -x
    return x, y


def quarters(degrees: float) -> int | None:
    """Return how many quarters text that runs at this angle was turned counter-clockwise; None for a slope."""
    turns = round(degrees / QUARTER)
    return turns % 4 if abs(degrees - QUARTER * turns) <= 2 else None


def main_direction(turns: Iterable[int | None]) -> int | None:
    """Return how most of the text runs, of the turns of its characters."""
    return next((turn for turn, _ in Counter(turns).most_common(1)), 0)


class PictureMap:
    """The map from a page's user space to its picture, which shows the crop box, turned as ``/Rotate`` says."""

    def __init__(self, page: PdfPage, width: int, height: int) -> None:
        from pypdfium2 import PdfPosConv

        self._converter, self._width, self._height = PdfPosConv(page, (0, 0, width, height, 0)), width, height

    def pixels(self, box: Box) -> tuple[int, int, int, int] | None:
        """Return left, top, right and bottom on the picture; None for a box that lies outside it."""
        x, y = self._converter.to_bitmap(box.left, box.bottom)
        other_x, other_y = self._converter.to_bitmap(box.right, box.top)
        left, right, top, bottom = min(x, other_x), max(x, other_x), min(y, other_y), max(y, other_y)
        shown = left < self._width and top < self._height and right > 0 and bottom > 0
        return (left, top, right, bottom) if shown else None
