"""The pictures of the two models: well-formed, harmless, and nothing wider than its box."""

from __future__ import annotations

from xml.etree import ElementTree

import pytest

from pages.ui.parts.picture import DARK
from pages.ui.workshop import diagram

SVG = "{http://www.w3.org/2000/svg}"
EVIL = '<script>alert(1)</script> & "quotes" \x0b\x00\ud800 </svg>'


def texts(svg: str) -> list[str]:
    return [element.text for element in ElementTree.fromstring(svg).iter(f"{SVG}text")]


def test_both_runs_and_where_they_meet_are_drawn():
    svg = diagram.two_runs(["Question", "why?"], ["Chunk", "because"], ["Model", "m"], "Vector\n384", ["Rank 1", "0.9"])
    run = ["Model", "m", "Vector", "384"]
    assert texts(svg) == ["Question", "why?", *run, "Chunk", "because", *run, "Rank 1", "0.9"]


def test_one_run_holds_both_texts():
    assert texts(diagram.one_run(["Both", "why?", "because"], ["M", "m"], ["Rank 1", "2.0"]))[:3] == [
        "Both",
        "why?",
        "because",
    ]


@pytest.mark.parametrize("text", [EVIL, "", " \n ", "a" * 5000, "汉" * 5000])
def test_any_text_can_be_drawn(text):
    svg = diagram.one_run(["Both", text, text], [text, text], [text, text])
    root = ElementTree.fromstring(svg)
    assert {element.tag.rpartition("}")[2] for element in root.iter()} <= set(
        ["svg", "style", "defs", "marker", "path", "rect", "text", "line"]
    )
    assert [f"<style>{style.text}</style>" for style in root.iter(f"{SVG}style")] == [DARK]


@pytest.mark.parametrize(
    ("text", "columns", "lines", "rows"),
    [
        ("one two three", 20, 2, ["one two three"]),
        ("one two three", 8, 2, ["one two", "three"]),
        ("one two three four", 8, 2, ["one two", "three f…"]),
        ("一二三四五六七", 6, 2, ["一二三", "四五…"]),
        ("a\n b", 9, 2, ["a b"]),
        ("", 9, 2, []),
    ],
)
def test_a_text_is_broken_into_rows(text, columns, lines, rows):
    assert diagram.wrap(text, columns, lines) == rows
