"""Work that takes a while, with progress that counts."""

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from functools import partial

import streamlit as st

from pages.ui.shell import cached, form, models, samples, state
from pages.ui.shell.i18n import t
from rag_core import presence
from rag_core.datatypes import Chunk, Comparison, Document, Expansion, FirstStage, Progress, Ranking, Settings
from rag_core.measuring import depth
from rag_core.measuring import panel as panels
from rag_core.measuring.depth import Ceiling
from rag_core.measuring.judge import RELEVANT
from rag_core.measuring.panel import Panel
from rag_core.models import catalog
from rag_core.reading.pdf import document_id
from rag_core.search import expand
from rag_core.search.once import Once
from rag_core.search.opened import Found, Opened
from rag_core.settings import check_query
from rag_core.sharing import replay, replay_file
from rag_core.sharing.replay import Replay
from rag_core.workshop.waiting import Line

MOST_READERS = 2

state.keep(recorded=None)


def counting(place: st.delta_generator.DeltaGenerator, key: str) -> Progress:
    """Return a progress callback that shows ``done`` of ``total`` in a bar; its text is the key's."""

    def show(done: int, total: int) -> None:
        place.progress(done / max(total, 1), text=t(key, done=done, total=total))

    return show


def waiting(
    place: st.delta_generator.DeltaGenerator, key: str, line: Line, meanwhile: Callable[[], object] = lambda: None
) -> Callable[[int], None]:
    """Return a callback that shows how many are ``before`` this reader, and for about how long, in the key's words.

    ``meanwhile`` is done once, where there is somebody before.
    """
    begun = False

    def show(before: int) -> None:
        nonlocal begun
        seconds = line.about(before)
        how_long = "" if seconds is None else t("work.about", seconds=math.ceil(seconds))
        place.progress(0.0, text=t(key, before=before) + how_long)
        if not begun:
            begun = True
            meanwhile()

    return show


@contextmanager
def my_turn(
    place: st.delta_generator.DeltaGenerator,
    model_id: str,
    at_last: Callable[[], object] = lambda: None,
    meanwhile: Callable[[], object] = lambda: None,
) -> Iterator[float]:
    """Give this reader's turn at a reranker; while others are before them, it shows how many, see ``waiting``.

    ``at_last`` is done before the turn ends: asked later, it would wait behind all candidates of the next reader.
    Whoever clicks on something while waiting finds their place again, see ``Line.turn``.
    """
    line = models.line(model_id)
    turn = line.turn(waiting(place, "work.waiting", line, meanwhile), state.session())
    with presence.asked(state.still_here), turn as waited:
        yield waited
        at_last()


@st.cache_resource(show_spinner=False)
def readers() -> Line:
    """Return the line of those whose documents are read: each reader is a process that may take a GB of memory."""
    return Line(MOST_READERS)


def add_document(data: bytes, title: str, password: str | None = None) -> Document:
    """Read a PDF and make it the chosen document."""
    place = st.empty()
    place.progress(0.0, text=t("work.opening"))
    try:
        with presence.asked(state.still_here), readers().turn(waiting(place, "work.waiting_to_read", readers())):
            document = cached.lab().add(data, title, password, counting(place, "work.reading"), state.owner())
    finally:
        place.empty()
    form.choose_document(document.id)
    return document


def add_sample(language: str) -> None:
    """Make a bundled sample the chosen document, read unless it is here; its judged questions come with it."""
    title, data, _ = samples.load(language)
    doc_id = document_id(data, state.owner())
    if cached.lab().documents.file(doc_id) is None:
        add_document(data, title)
    else:
        form.choose_document(doc_id)
    if not cached.lab().judgments.questions(doc_id):
        cached.lab().judge(doc_id, samples.judgments(language))


def forget(doc_id: str) -> None:
    """Drop what was made from a document that is gone, or is read otherwise."""
    cached.forget(doc_id)
    comparison = st.session_state["comparison"]
    if comparison and doc_id in {comparison.doc_id, *(chunk.doc_id for chunk in comparison.before.chunks)}:
        st.session_state.update(comparison=None, answers=None, two_languages=None, bench_of=None, bench_log=[])


def grades(doc_id: str, query: str, chunks: Sequence[Chunk]) -> Mapping[str, int]:
    """Return the grades of those chunks that were judged for a question."""
    return cached.lab().judged(doc_id, chunks, query).qrels.get(query, {})


def relevant_ids(doc_id: str, query: str, chunks: Sequence[Chunk]) -> set[str] | None:
    """Return the ids of the chunks that were judged to answer, or None for a question that nobody has judged."""
    if all(judgment.question != query for judgment in cached.lab().judgments.load(doc_id)):
        return None
    return {chunk_id for chunk_id, grade in grades(doc_id, query, chunks).items() if grade >= RELEVANT}


def open_document(doc_id: str, how: Settings, place: st.delta_generator.DeltaGenerator) -> Opened:
    """Embed a document unless that was done before, and open it for questions."""
    place.progress(0.0, text=t("work.loading"))
    embedder = models.embedder(how.embedder, form.llm_settings())
    opened = cached.lab().open(doc_id, how, embedder, counting(place, "work.embedding"))
    rebuilt_notice(opened)
    return opened


def rebuilt_notice(opened: Opened) -> None:
    """Tell the reader, once, that an index was damaged and built again."""
    if opened.index.take_notice():
        st.toast(t("work.rebuilt"), icon=":material/healing:", duration="long")


def compare(doc_id: str, meanwhile: Found = lambda _: None) -> Comparison:
    """Compare with what the form says; ``meanwhile`` draws the candidates for whoever has to wait."""
    query = check_query(st.session_state["question"])
    expansions, how = state.expansions(expand.typed(st.session_state["typed"], query)), state.settings()
    unrelated = partial(models.baseline_for, doc_id, query, how, "reranker")
    return compare_with(doc_id, query, expansions, how, unrelated, meanwhile)


def compare_with(
    doc_id: str,
    query: str,
    expansions: Sequence[Expansion],
    how: Settings,
    at_last: Callable[[], object] = lambda: None,
    meanwhile: Found = lambda _: None,
) -> Comparison:
    here = st.container()  # one place, as where nobody waits: a click on what stands below would get lost otherwise
    place, below = here.empty(), here.empty()
    candidates: list[Ranking] = []

    def draw() -> None:
        with below.container():
            meanwhile(candidates[0])

    try:
        opened = open_document(doc_id, how, place)
        place.progress(0.0, text=t("work.loading"))
        scoring, turn = counting(place, "work.scoring"), my_turn(place, how.reranker, at_last, draw)
        comparer, reranker = once(opened, how.reranker), models.ready(how.reranker)
        comparison = comparer.compare(query, expansions, reranker, scoring, turn, candidates.append)
        rebuilt_notice(opened)
        return comparison
    finally:
        place.empty()
        below.empty()


def once(opened: Opened, reranker: str) -> Opened | Once:
    """Return what compares without scoring twice; a server is a visitor's own, may change, and is asked each time."""
    return opened if catalog.leaves(catalog.RERANKERS, reranker) else Once(opened)


def record(comparison: Comparison) -> Replay:
    """Gather what was measured of a comparison, as its replay."""
    return replay.record(
        comparison,
        cached.document(comparison.doc_id),
        cached.parts(comparison.doc_id),
        models.self_test(comparison.settings.reranker),
        {role: models.baseline(comparison, role) for role in replay.MODELS},
    )


def recorded(comparison: Comparison) -> Replay:
    """Return the replay of the comparison on screen, with the answers and judgments of now."""
    kept = st.session_state["recorded"]
    if kept is None or kept.comparison is not comparison:
        kept = st.session_state["recorded"] = record(comparison)
    return brought_up(kept)


def brought_up(kept: Replay) -> Replay:
    """Return a replay with the answers and judgments of now."""
    doc_id, answers = kept.comparison.doc_id, st.session_state["answers"] or {}
    return replay.brought_up(kept, cached.parts(doc_id), answers, cached.lab().judgments.load(doc_id))


def replace_comparison(comparison: Comparison) -> None:
    """Put a comparison whose cutoff was moved in the place of the one on screen; nothing is measured anew."""
    kept = st.session_state["recorded"]
    recorded = replace(kept, comparison=comparison) if kept else None
    st.session_state.update(comparison=comparison, answers=None, recorded=recorded and replace(recorded, answers={}))


def remember(comparison: Comparison, name: str) -> None:
    """Keep a comparison in its document's history."""
    kept = st.session_state["recorded"] = brought_up(record(comparison))
    cached.lab().history.add(comparison.doc_id, name, kept.made, replay_file.write(kept).decode())


def suggest(doc_id: str, origin: str) -> bool:
    """Fill the list of suggested expansions, from the first results or by a language model; say whether any came."""
    query, place = check_query(st.session_state["question"]), st.empty()
    try:
        if origin == "llm":
            place.progress(0.0, text=t("work.asking"))
            expansions = expand.by_llm(query, form.chat_model())
        else:
            expansions = open_document(doc_id, state.settings(), place).feedback(query)
    finally:
        place.empty()
    if expansions:
        st.session_state["pending_suggestions"] = expansions
    return bool(expansions)


def current_candidates(doc_id: str) -> list[Chunk]:
    """Return what can be a candidate of a document, cut as it is now."""
    how = state.chunk_settings()
    return cached.candidates(doc_id, how.preset, how.size, how.overlap)


def ceiling(doc_id: str, question: str, model: str) -> Ceiling:
    """Score every chunk of the document for one question, with a way to stop; what was scored until then is kept."""
    how, place, stop = state.settings(), st.empty(), st.empty()
    stop.button(t("evaluate.stop"), key="stop_ceiling", icon=":material/stop_circle:")
    try:
        opened = open_document(doc_id, how, place)
        return depth.ceiling(opened, question, models.ready(model), counting(place, "work.scoring"))
    finally:
        place.empty()
        stop.empty()


def panel(doc_id: str, question: str, stages: list[FirstStage], model_ids: list[str]) -> Panel:
    """Have every first stage and reranker rank the same candidates."""
    how, place = state.settings(), st.empty()
    try:
        opened = open_document(doc_id, how, place)
        rerankers = [models.ready(model_id) for model_id in model_ids]
        return panels.panel(opened, question, stages, rerankers, counting(place, "work.scoring"))
    finally:
        place.empty()
