"""Predict, then reveal, for one person."""

from dataclasses import dataclass, replace

import streamlit as st

from pages.ui.shell import form, samples, state, work
from pages.ui.shell.frame import errors_shown
from pages.ui.shell.i18n import plain, t
from pages.ui.workshop import picks
from rag_core.datatypes import Comparison, FirstStage
from rag_core.settings import check_query
from rag_core.workshop import predict
from rag_core.workshop.predict import Round, Score

state.keep(game=None, game_scores={}, deal_now=False)


@dataclass(frozen=True)
class Game:
    """A round and the comparison it was dealt from, which nobody sees before the reveal."""

    comparison: Comparison
    dealt: Round
    number: int
    picked: frozenset[str] | None = None


def show() -> None:
    st.caption(t("game.lead"))
    doc_id = form.pick_document()
    if ask(doc_id, t("game.deal")) or st.session_state["deal_now"]:
        st.session_state["deal_now"] = False
        with errors_shown():
            start(doc_id)
    game = st.session_state["game"]
    if game is None or game.comparison.doc_id != doc_id:
        st.info(t("game.empty"), icon=":material/help:")
    elif game.picked is None:
        with st.container(key="question_head"):
            st.text(game.dealt.query)
        picks.pick(game.dealt, str(game.number), take)
    else:
        finished(game, doc_id)


def ask(doc_id: str, label: str) -> bool:
    """Let a question be chosen or typed; say whether it is to be dealt."""
    form.example_question(doc_id, "game_example")
    with st.form("deal"):
        st.text_input(t("form.question"), key="question", placeholder=t("form.question_example"))
        how = {role: plain(state.chosen(role)) for role in ("embedder", "reranker")}
        st.caption(t("game.settings", depth=st.session_state["depth"], **how))
        return st.form_submit_button(label, type="primary", icon=":material/playing_cards:")


def deal(doc_id: str) -> tuple[Comparison, Round]:
    """Compare by vectors with the question alone, and deal its first ten."""
    query = check_query(st.session_state["question"])
    comparison = work.compare_with(doc_id, query, (), replace(state.settings(), first_stage=FirstStage.VECTOR))
    return comparison, predict.deal(comparison, work.relevant_ids(doc_id, query, comparison.before.chunks))


def start(doc_id: str) -> None:
    former = st.session_state["game"]
    comparison, dealt = deal(doc_id)
    st.session_state["game"] = Game(comparison, dealt, former.number + 1 if former else 1)


def take(picked: list[str]) -> None:
    """Reveal: from here on the comparison is the one that the other screens show. A question counts once."""
    game = st.session_state["game"]
    chosen = game.dealt.check(picked)
    key = (game.comparison.doc_id, game.dealt.query)
    scores = {key: predict.score(game.dealt, chosen)} | st.session_state["game_scores"]
    st.session_state.update(game=replace(game, picked=chosen), game_scores=scores)
    st.session_state.update(comparison=game.comparison, answers=None, picked=None)


def finished(game: Game, doc_id: str) -> None:
    picks.reveal(game.dealt, game.picked or ())
    scores = {query: score for (doc, query), score in st.session_state["game_scores"].items() if doc == doc_id}
    picks.score_so_far(predict.total(scores.values()))
    next_question(doc_id, scores)


def next_question(doc_id: str, scores: dict[str, Score]) -> None:
    """Offer the sample's next question that was not played yet."""
    questions = samples.questions(doc_id, state.owner())
    left = [question for question in questions if question not in scores]
    if questions:
        st.caption(t("game.played", played=len(questions) - len(left), all=len(questions)))
    if left:
        st.button(t("game.next"), icon=":material/skip_next:", key="next", on_click=choose, args=[left[0]])


def choose(question: str) -> None:
    st.session_state.update(question=question, game_example=question, deal_now=True)
