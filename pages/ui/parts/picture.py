"""The flow of the program as a picture."""

from html import escape

WIDTH, HEIGHT, GAP = 150, 64, 34
STYLE = 'text-anchor="middle" font-size="14" fill="#1f2937"'
DARK = (
    "<style>@media (prefers-color-scheme: dark) {text {fill: #edebe8} rect {fill: #1d2a3a; stroke: #6ea8e0} "
    "rect[stroke='#d97706'] {fill: #3a2a12; stroke: #d97706}}</style>"
)
"""What a browser changes on a dark page: it tells a picture which theme the page around it has."""


def flow(rows: list[list[str]]) -> str:
    """Return an SVG: each row is a chain of boxes joined by arrows; a line break in a label starts its second line."""
    width = max(len(row) for row in rows) * (WIDTH + GAP) - GAP + 4
    height = len(rows) * (HEIGHT + 26) - 22
    body = "".join(chain(row, 2 + number * (HEIGHT + 26)) for number, row in enumerate(rows))
    return canvas(body, width, height)


def canvas(body: str, width: int, height: int) -> str:
    marker = (
        '<defs><marker id="tip" markerWidth="8" markerHeight="8" refX="7" refY="4" orient="auto">'
        '<path d="M0,0 L8,4 L0,8 z" fill="#6b7280"/></marker></defs>'
    )
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" width="{width}" height="{height}" '
        'font-family="Noto Sans, Noto Sans CJK SC, PingFang SC, Microsoft YaHei, sans-serif">'
        f"{DARK}{marker}{body}</svg>"
    )


def chain(labels: list[str], top: int) -> str:
    return "".join(box(label, 2 + number * (WIDTH + GAP), top, number) for number, label in enumerate(labels))


def box(label: str, left: int, top: int, number: int) -> str:
    middle, lines = left + WIDTH / 2, label.split("\n")
    first = top + HEIGHT / 2 + 5 - 9 * (len(lines) - 1)
    words = "".join(
        f'<text x="{middle}" y="{first + 19 * i}" {STYLE}>{escape(line)}</text>' for i, line in enumerate(lines)
    )
    arrow = (
        f'<line x1="{left - GAP + 3}" y1="{top + HEIGHT / 2}" x2="{left - 3}" y2="{top + HEIGHT / 2}" stroke="#6b7280" '
        'stroke-width="2" marker-end="url(#tip)"/>'
    )
    shape = (
        f'<rect x="{left}" y="{top}" width="{WIDTH}" height="{HEIGHT}" rx="10" fill="#e8eff8" stroke="#2563a8" '
        'stroke-width="1.5"/>'
    )
    return (arrow if number else "") + shape + words
