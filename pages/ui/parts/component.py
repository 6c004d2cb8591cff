"""The style and the script of a component of ours, as they stand beside the module that draws it."""

from pathlib import Path

ELEMENT = Path(__file__).with_name("element.js").read_text(encoding="utf-8")
"""How every script makes an element: texts come in as textContent alone."""


def style_and_script(file: Path) -> tuple[str, str]:
    """Return the CSS and the JavaScript of a module's name; the script begins with ``ELEMENT``."""
    style, script = (file.with_suffix(ending).read_text(encoding="utf-8") for ending in (".css", ".js"))
    return style, ELEMENT + script
