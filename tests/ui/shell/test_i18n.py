"""What the app says, in both languages: read from the sources, so that no text is missing and none is left over."""

from __future__ import annotations

import ast
import json
import string
from collections.abc import Iterator
from pathlib import Path

import pytest

from pages.ui.answer import cards
from pages.ui.documents import outcome
from pages.ui.documents import quality as quality_part
from pages.ui.explain import bench, probe, projection
from pages.ui.parts import orders, question_file
from pages.ui.parts.tables import FIRST_SCORES
from pages.ui.shell import i18n
from pages.ui.shell.frame import PAGES
from pages.ui.shell.link import ORIGINS
from pages.ui.shell.samples import EFFECTS, FILES, KINDS
from rag_core import errors
from rag_core.environment import FIELDS
from rag_core.errors import RerankLabError
from rag_core.explaining import lessons, perturb
from rag_core.measuring import records, runs
from rag_core.measuring.evaluate import ORDERS
from rag_core.measuring.judge import GRADES
from rag_core.models import rerank
from rag_core.reading import evidence, quality, unseen
from rag_core.reading.chunk import PRESETS
from rag_core.reading.language import KNOWN, NAMED
from rag_core.servers.rerank import FORMS
from rag_core.settings import FIRST_STAGES

ROOT = Path(__file__).parents[3]
SCREENS = [ROOT / "app.py", *sorted((ROOT / "pages").rglob("*.py"))]
LANGUAGES = list(i18n.LANGUAGES)
RERANKERS = [made for name, made in vars(rerank).items() if name.endswith("Reranker") and hasattr(made, "scale")]
SERVED = {form.scale for form in FORMS.values()}


def subclasses(base: type) -> Iterator[type]:
    yield base
    for child in base.__subclasses__():
        yield from subclasses(child)


def trees(files: list[Path]) -> Iterator[ast.AST]:
    for file in files:
        yield from ast.walk(ast.parse(file.read_text(encoding="utf-8")))


def calls(files: list[Path]) -> Iterator[ast.Call]:
    return (node for node in trees(files) if isinstance(node, ast.Call))


def steps() -> set[str]:
    """Return the steps that the pipeline takes the time of."""
    files = [ROOT / "rag_core" / name for name in ("lab.py", "search/indexes.py", "search/opened.py")]
    timed = [call for call in calls(files) if getattr(call.func, "id", "") == "timed"]
    return {call.args[1].value for call in timed}


def explain_parts() -> set[str]:
    """Return the parts of the page that explains, from its table of them."""
    [table] = [
        node.value
        for node in trees([ROOT / "pages" / "explain.py"])
        if isinstance(node, ast.Assign) and node.targets[0].id == "PARTS"
    ]
    return {key.value for key in table.keys}


CODES = {error.code for error in subclasses(RerankLabError)}

FAMILIES = {
    "error.{}": CODES,
    "service.{}": set(errors.SERVICES),
    "setting.{}": set(FIELDS.values()),
    "origin.{}": {"question", *ORIGINS},
    "preset.{}": set(PRESETS),
    "preset.{}_help": set(PRESETS),
    "score.{}": {made.scale for made in RERANKERS} | SERVED | set(FIRST_SCORES.values()),
    "table.{}": set(FIRST_SCORES.values()),
    "order.{}": set(ORDERS),
    "form.first_{}": set(FIRST_STAGES),
    "evaluate.sample_{}": set(FILES),
    "judge.grade_{}": {str(grade) for grade in GRADES},
    "questions.form_{}": set(records.FORMS),
    "questions.sign_{}": set(question_file.SIGNS.values()),
    "questions.first_{}": {"question", "page", "quote", "grade"},
    "questions.{}": {"filled", "joined"},
    "runs.{}": set(runs.NOTES),
    "runs.why_{}": set(runs.WHYS),
    "measured.{}": {"better", "worse", "unclear"},
    "metric.{}": {"tau", "overlap"},
    "step.{}": {*steps(), "wait"},
    "headline.{}": {"none", "one", "some"},
    "outcome.{}": {"rose", "fell", "stayed"},
    "orders.{}": set(orders.WORDS),
    "home.line_{}": {"1", "2", "3"},
    "home.{}": {"helps", "none", "harms"},
    "teaches.{}": set(EFFECTS),
    "kind.{}": set(KINDS),
    "documents.sample_{}": set(FILES),
    "read.{}": set(outcome.KINDS),
    "read.one_{}": set(outcome.ALL_ALIKE),
    "read.all_{}": set(outcome.ALL_ALIKE),
    "upload.{}": {"choose", "drop"},
    "other_language.hint_{}": set(FILES),
    "language.{}": NAMED - set(KNOWN),
    "answer.source_{}": {"extractive", "llm"},
    "answer.with_{}": {"extractive", "llm"},
    "answer.{}": {"same", "same_start", "changed", "gained", "lost", "neither", *cards.TAGS.values()},
    "result.{}": {"entered", "left", "save", "html", "markdown", "csv"} | set(ORDERS),
    "report.method_{}": set(FIRST_STAGES),
    "history.top_{}": {"one", "other"},
    "form.{}": {"embedder", "reranker"},
    "form.{}_other": {"embedder", "reranker"},
    "frame.{}": set(PAGES),
    "explain.part_{}": explain_parts(),
    "explain.help_{}": explain_parts(),
    "explain.{}": {"reranker", "embedder", "entered", "rose", "left", "fell", "stayed"},
    "probe.unit_{}": set(probe.UNITS),
    "probe.view_{}": set(probe.DIGITS),
    "probe.counting_{}": set(probe.DIGITS),
    "bench.target_{}": set(bench.TARGETS),
    "bench.change_{}": {*perturb.CHANGES, bench.TRANSLATE},
    "map.{}": set(projection.LAYOUTS),
    "map.kind_{}": set(projection.COLOURS),
    "{}.title": set(PAGES),
    "{}.lead": set(PAGES) - {"home", "answer", "explain", "workshop"},
    "gate.{}": set(quality_part.COLUMNS),
    "verdict.{}": set(quality.VERDICTS),
    "reason.{}": set(quality.REASONS),
    "part.{}": set(evidence.WEIGHTS),
    "unseen.{}": set(unseen.WHYS),
    "chunks.{}": {"embedder", "reranker"},
    "workshop.{}": {"predict", "room", "lessons", "inside"},
    "picture.{}": {"rank", "before", "picks", "answer", "text", "own"},
    "lesson.{}_title": set(lessons.NAMES),
    "lesson.{}_text": set(lessons.NAMES),
    "fact.{}": {
        f"{lesson}_{case}"
        for lesson, cases in {
            "embedding": "fell none",
            "tail": "rescued none",
            "reading": "number_asked_for figure words_shared no_tie none",
            "scores": "positive negative fused",
            "harm": "left_judged fell_judged none_judged left none",
            "expansion": "helped cost none",
            "depth": "enough all",
            "judging": "judged not_found none",
        }.items()
        for case in cases.split()
    },
}
"""Keys that are put together when the app runs: what stands in the gap."""


def texts(language: str) -> dict[str, str]:
    return i18n.texts(language)


def placeholders(text: str) -> set[str]:
    return {name for _, name, _, _ in string.Formatter().parse(text) if name is not None}


def pattern(key: ast.expr) -> str | None:
    """Return a key that is put together as ``prefix.{}``, or None for one that stands there whole."""
    if isinstance(key, ast.JoinedStr):
        return "".join(part.value if isinstance(part, ast.Constant) else "{}" for part in key.values)
    if isinstance(key, ast.BinOp):
        return f"{key.left.value}{{}}"
    return None


def patterns() -> set[str]:
    asked = [call.args[0] for call in calls(SCREENS) if getattr(call.func, "id", "") == "t"]
    return {found for found in map(pattern, asked) if found}


def whole_keys() -> set[str]:
    """Return every string of the screens that has the form of a key."""
    sections = {key.partition(".")[0] for key in texts("en")}
    strings = {node.value for node in trees(SCREENS) if isinstance(node, ast.Constant) and isinstance(node.value, str)}
    return {
        text
        for text in strings
        if text.partition(".")[0] in sections and text.partition(".")[2].replace("_", "").isalnum() and text[-1] != "_"
    }


def family_keys() -> set[str]:
    return {family.format(name) for family, names in FAMILIES.items() for name in names}


@pytest.mark.parametrize("language", LANGUAGES)
def test_no_key_stands_twice(language):
    def once(pairs: list[tuple[str, str]]) -> dict[str, str]:
        keys = [key for key, _ in pairs]
        assert sorted(keys) == sorted(set(keys))
        return dict(pairs)

    file = ROOT / "pages" / "ui" / "locales" / f"{language}.json"
    json.loads(file.read_text(encoding="utf-8"), object_pairs_hook=once)


def test_both_languages_have_the_same_keys_in_the_same_order():
    assert list(texts("en")) == list(texts("zh"))


@pytest.mark.parametrize("key", texts("en"))
def test_both_languages_fill_in_the_same_values(key):
    assert placeholders(texts("en")[key]) == placeholders(texts("zh")[key])


@pytest.mark.parametrize("language", LANGUAGES)
def test_no_text_is_empty(language):
    assert [key for key, text in texts(language).items() if not text.strip()] == []


def test_a_chinese_text_is_chinese():
    same = {key for key in texts("en") if texts("en")[key] == texts("zh")[key]}
    assert same <= {"result.from_to", "form.first_bm25", "table.bm25", "table.rrf", "outcome.quote"}


def test_keys_put_together_are_those_listed_here():
    assert patterns() == set(FAMILIES)


def test_every_key_the_screens_use_exists():
    assert (whole_keys() | family_keys()) - set(texts("en")) == set()


def test_every_key_is_used():
    assert set(texts("en")) - whole_keys() - family_keys() == set()


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("code", sorted(CODES))
def test_every_error_has_a_text(language, code):
    assert texts(language)[f"error.{code}"]


def test_no_two_errors_that_are_told_apart_share_a_code():
    own = [error.code for error in subclasses(RerankLabError) if "code" in vars(error)]
    assert sorted(own) == sorted(set(own))


def raised() -> list[tuple[str, set[str], str]]:
    """Return each place that makes an error: its code, the values it gives, and where it stands."""
    made = []
    for file in sorted((ROOT / "rag_core").rglob("*.py")):
        for call in calls([file]):
            error = getattr(errors, getattr(call.func, "id", ""), None)
            if error is not None:
                given = {keyword.arg for keyword in call.keywords}
                made.append((error.code, given, f"{file.name}:{call.lineno}"))
    return made


def test_every_error_is_raised_somewhere():
    assert {code for code, _, _ in raised()} == CODES


@pytest.mark.parametrize(("code", "given", "place"), raised(), ids=lambda value: value if type(value) is str else "")
def test_who_raises_an_error_gives_the_values_of_its_text(code, given, place):
    assert placeholders(texts("en")[f"error.{code}"]) <= given


@pytest.mark.parametrize("text", ["**bold**", "[a](b)", "<b>", "$x$", ":red[x]", "# title", "a\n- b", "![i](x)", "`c`"])
def test_text_from_outside_is_no_markdown(text):
    harmless = i18n.plain(text)
    assert "\n" not in harmless
    assert harmless.replace("\\", "") == " ".join(text.split())
    marks = [place for place, letter in enumerate(harmless) if letter in "*[]()<>$:#-!`"]
    assert all(harmless[place - 1] == "\\" for place in marks)


@pytest.mark.parametrize(
    "text",
    ["[a](http://x)", "www.x", "me@x", ":material/home:", ":smile:", "a -> b", "a -- b", "x >= 2", "`` http://x `"],
)
def test_what_the_browser_finds_in_spite_of_escapes_is_code(text):
    harmless = i18n.plain(text)
    fence = harmless.partition(" ")[0]
    assert harmless == f"{fence} {text} {fence}"
    assert set(fence) == {"`"} and fence not in text
