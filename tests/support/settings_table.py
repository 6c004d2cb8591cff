"""Write the READMEs' tables of settings from the settings: ``python -m tests.support.settings_table``."""

from __future__ import annotations

import json
from pathlib import Path

from rag_core.environment import FIELDS

ROOT = Path(__file__).parents[2]
BEGIN, END = "<!-- settings -->", "<!-- /settings -->"
HEADS = {"README.md": ("en", "| Variable | Meaning |"), "README.zh.md": ("zh", "| 变量 | 含义 |")}


def table(readme: str) -> str:
    """Return the text that stands between the markers of a README."""
    language, head = HEADS[readme]
    texts = json.loads((ROOT / "pages" / "ui" / "locales" / f"{language}.json").read_text(encoding="utf-8"))
    rows = [f"| `{name}` | {texts[f'setting.{field}']} |" for name, field in FIELDS.items()]
    return "\n".join(["", head, "|---|---|", *rows, ""])


def between(text: str) -> str:
    return text.split(BEGIN)[1].split(END)[0]


def main() -> None:
    for readme in HEADS:
        text = (ROOT / readme).read_text(encoding="utf-8")
        before, after = text.split(BEGIN)[0], text.split(END)[1]
        (ROOT / readme).write_text(before + BEGIN + table(readme) + END + after, encoding="utf-8")


if __name__ == "__main__":
    main()
