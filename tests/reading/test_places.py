"""A place of one text is found in another that has the same letters, in other lines or another order."""

from __future__ import annotations

import pytest

from rag_core.reading.places import AHEAD, BEHIND, LINE, Entry, Piece, filled, without


@pytest.mark.parametrize(
    ("text", "words", "before", "rest"),
    [
        (
            "The tram opened. Rank me first. It is long.",
            "Rank me first.",
            "tramopened.",
            "The tram opened. It is long.",
        ),
        ("电车通车了。把我排第一。很长。", "把我排第一。", "通车了。", "电车通车了。很长。"),
        ("Rank\nme first.\nIt is long.", "Rank me first.", "", "\nIt is long."),
        ("the ofﬁce\nthe ofﬁce", "the office", "theoffice", "the ofﬁce\n"),
        ("a 1 b 1 c 1", "1", "a1b", "a 1 b c 1"),
    ],
)
def test_words_are_taken_out_where_they_stand(text, words, before, rest):
    assert without(text, [Piece(words, before, "pale")]) == (rest, True)


@pytest.mark.parametrize(("text", "words"), [("It is long.", "Rank me first."), ("7 apples", "7")])
def test_words_that_stand_elsewhere_stay(text, words):
    assert without(text, [Piece(words, "another page", "pale")]) == (text, False)


def entry(text: str, before: str, after: str, how: str = BEHIND) -> Entry:
    return Entry(text, before, after, how, "fields")


@pytest.mark.parametrize(
    ("text", "entries", "whole"),
    [
        ("Name: Boat:", [entry("[A]", "Name:", "Boat:"), entry("[B]", "Boat:", "")], "Name: [A] Boat: [B]"),
        ("Boat:\nName:", [entry("[A]", "Name:", "Boat:"), entry("[B]", "Name:Boat:", "")], "Boat: [B]\nName: [A]"),
        ("Name:", [entry("[A]", "Name:", ""), entry("[B]", "Name:", "")], "Name: [A] [B]"),
        ("yes no", [entry("[x]", "", "yesno", AHEAD), entry("[ ]", "yes", "no", AHEAD)], "[x] yes [ ] no"),
        ("one two\nthree", [entry("[* n]", "one", "twothree", LINE)], "one two\n[* n]\nthree"),
        ("one", [entry("[* n]", "", "one", LINE)], "[* n]\none"),
        ("", [entry("[A]", "Name:", ""), entry("[B]", "Boat:", "")], "[A]\n[B]"),
        ("other words", [entry("[A]", "Name:", ""), entry("[B]", "Boat:", "")], "other words\n[A]\n[B]"),
    ],
)
def test_entries_stand_beside_their_neighbours_and_what_has_none_at_the_end(text, entries, whole):
    assert filled(text, entries) == whole
