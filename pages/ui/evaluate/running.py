"""An evaluation while it is made: some questions a run of the page, so that each is seen as soon as it is there."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from time import monotonic

import streamlit as st

from pages.ui.evaluate import judged
from pages.ui.shell import cached, models, state, work
from pages.ui.shell.i18n import t
from rag_core.datatypes import Settings
from rag_core.measuring.depth import DEPTHS
from rag_core.measuring.evaluate import Evaluation, each, joined
from rag_core.measuring.judge import Judged
from rag_core.models import catalog

STEP_SECONDS = 0.4
"""Questions of which all scores are kept take next to nothing: so many are asked before the page is drawn again."""

state.keep(running=None)


@dataclass
class Running:
    """A document's question set that is being asked; ``parts`` yields the questions that are left, one at a time."""

    doc_id: str
    total: int
    parts: Iterator[Evaluation]
    done: list[Evaluation] = field(default_factory=list)


def start(doc_id: str, model_ids: list[str], place: st.delta_generator.DeltaGenerator) -> None:
    """Begin to ask every question; what was scored before is not scored again."""
    how, questions = state.settings(), cached.lab().judgments.questions(doc_id)
    try:
        opened = work.open_document(doc_id, how, place)
        rerankers = [models.ready(model_id) for model_id in model_ids or [how.reranker]]
        depths = [shallower for shallower in DEPTHS if shallower < how.depth] + [how.depth]
        running = Running(doc_id, len(questions), each(opened, questions, rerankers, depths))
        place.progress(0.0, text=t("work.questions", done=1, total=len(questions)))
        st.session_state.update(running=running, opened_question=None)
        advance(running, judged.now(doc_id))
    finally:
        place.empty()


def costs_nothing(doc_id: str, model_ids: Sequence[str]) -> bool:
    """Say whether bundled models scored as many candidates of every question before: a search a question is left."""
    how, asked = state.settings(), list(cached.lab().judgments.questions(doc_id).values())
    weights = [models.kept_under(model_id) for model_id in model_ids or [how.reranker]]
    if not asked or not models.bundled(catalog.EMBEDDERS, how.embedder):
        return False
    wanted = min(how.depth, len(work.current_candidates(doc_id)))
    return all(name and scored(doc_id, how, name, question) >= wanted for name in weights for question in asked)


def scored(doc_id: str, how: Settings, weights: str, question: str) -> int:
    """Return of how many chunks the score for a question is kept."""
    searched = how.within or cached.document(doc_id).parts
    kept = cached.lab().embeddings.scores(searched, how.chunks.key, weights, question)
    return len(kept.by_chunk)


def of(doc_id: str) -> Running | None:
    """Return what is being made of a document; that of any other is given up."""
    running = st.session_state["running"]
    if running is not None and running.doc_id != doc_id:
        running = st.session_state["running"] = None
    return running


def advance(running: Running, said: Judged) -> None:
    """Ask questions for a moment, and make what is there so far the evaluation on screen.

    Nothing in here draws: where something is drawn, the next click would end the questions that are left.
    """
    end = monotonic() + STEP_SECONDS
    try:
        while monotonic() < end and running is st.session_state["running"]:
            ask_next(running, said)
    except Exception:
        stop()
        raise
    finally:
        if running.done:
            st.session_state["evaluation"] = joined(running.done)


def ask_next(running: Running, said: Judged) -> None:
    part = next(running.parts, None)
    if part is None:
        stop()
    else:
        running.done.append(part.rejudged(said))


def stop() -> None:
    st.session_state["running"] = None
