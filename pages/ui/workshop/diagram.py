"""What a bi-encoder and a cross-encoder do with a question and a chunk, as pictures."""

from html import escape
from itertools import accumulate
from unicodedata import east_asian_width

from pages.ui.parts.picture import STYLE, canvas

ROOM, TALL, MIDDLE = 920, 92, 46
"""Width of a picture of a model, height of one box of text, and half of it."""

COLUMNS = 44
"""What fits into a box of text; a Han character takes two columns."""

BOX, END = ("#e8eff8", "#2563a8"), ("#fdf3e3", "#d97706")
BOLD = ' font-weight="600"'


def two_runs(question: list[str], chunk: list[str], model: list[str], vector: str, score: list[str]) -> str:
    """Return an SVG: question and chunk each go through the model alone, and their vectors meet at the end.

    A text is its title and its words; ``model`` and ``score`` are two lines each.
    """
    parts: list[str] = []
    for top, text in ((2, question), (TALL + 32, chunk)):
        parts += [
            text_box(text[0], text[1:], 2, top, TALL),
            line(358, top + MIDDLE, 390, top + MIDDLE),
            small_box(model, 392, top, 190, TALL),
            line(582, top + MIDDLE, 614, top + MIDDLE),
            small_box(vector.split("\n"), 616, top, 104, TALL),
        ]
    centre = TALL + 17
    parts += [line(720, 2 + MIDDLE, 758, centre - 14), line(720, TALL + 32 + MIDDLE, 758, centre + 14)]
    parts.append(small_box(score, 760, centre - MIDDLE, 158, TALL, END))
    return canvas("".join(parts), ROOM, 2 * TALL + 36)


def one_run(texts: list[str], model: list[str], score: list[str]) -> str:
    """Return an SVG: question and chunk go through the model together; the first of the texts is their title."""
    height = TALL + 44
    middle = 2 + height / 2
    parts = [
        text_box(texts[0], texts[1:], 2, 2, height),
        line(358, middle, 390, middle),
        small_box(model, 392, 2, 328, height),
        line(720, middle, 758, middle),
        small_box(score, 760, 2 + height / 2 - MIDDLE, 158, TALL, END),
    ]
    return canvas("".join(parts), ROOM, height + 4)


def line(x1: float, y1: float, x2: float, y2: float) -> str:
    return f'<line x1="{x1}" y1="{y1}" x2="{x2}" y2="{y2}" stroke="#6b7280" stroke-width="2" marker-end="url(#tip)"/>'


def rectangle(left: int, top: float, width: int, height: int, colours: tuple[str, str]) -> str:
    return (
        f'<rect x="{left}" y="{top}" width="{width}" height="{height}" rx="10" fill="{colours[0]}" '
        f'stroke="{colours[1]}" stroke-width="1.5"/>'
    )


def text_box(title: str, texts: list[str], left: int, top: int, height: int) -> str:
    """Return a box with a title and the beginnings of texts, two lines each, left-aligned."""
    rows = [row for text in texts for row in wrap(text, COLUMNS, 2)]
    words = "".join(
        f'<text x="{left + 14}" y="{top + 50 + 21 * i}" font-size="14" fill="#1f2937">{written(row)}</text>'
        for i, row in enumerate(rows)
    )
    head = (
        f'<text x="{left + 14}" y="{top + 25}" font-size="15" font-weight="600" fill="#1f2937">{written(title)}</text>'
    )
    return rectangle(left, top, 356, height, BOX) + head + words


def small_box(labels: list[str], left: int, top: float, width: int, height: int, colours: tuple[str, str] = BOX) -> str:
    """Return a box with its labels centred, the first of them bold."""
    first = top + height / 2 + 5 - 11 * (len(labels) - 1)
    words = "".join(
        f'<text x="{left + width / 2}" y="{first + 22 * i}" {STYLE}{"" if i else BOLD}>'
        f"{written(cut(label, width // 8))}</text>"
        for i, label in enumerate(labels)
    )
    return rectangle(left, top, width, height, colours) + words


def written(text: str) -> str:
    """Make a text harmless in an SVG: escaped, and without the characters that no XML may hold."""
    return escape("".join(character for character in text if character.isprintable()))


def wrap(text: str, columns: int, lines: int) -> list[str]:
    """Break a text into at most so many lines of at most so many columns; dots say that more follows."""
    rest = " ".join(text.split())
    rows: list[str] = []
    while rest and len(rows) < lines:
        end = fitting(rest, columns)
        space = rest.rfind(" ", 0, end + 1) if end < len(rest) else -1
        end = space if space > end // 2 else end
        rows.append(rest[:end])
        rest = rest[end:].lstrip()
    return [*rows[:-1], cut(f"{rows[-1]} {rest}", columns)] if rest else rows


def cut(text: str, columns: int) -> str:
    end = fitting(text, columns)
    return text if end == len(text) else text[: fitting(text, columns - 1)].rstrip() + "…"


def fitting(text: str, columns: int) -> int:
    """Return how many characters fit into so many columns."""
    widths = accumulate(2 if east_asian_width(character) in "WF" else 1 for character in text)
    return next((i for i, width in enumerate(widths) if width > columns), len(text))
