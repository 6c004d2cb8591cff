"""Predict, then reveal, for one person."""

from collections.abc import Callable
from dataclasses import dataclass, replace

import streamlit as st

from pages.ui.parts import proposed
from pages.ui.shell import cached, form, samples, saved, state, work
from pages.ui.shell.frame import errors_shown
from pages.ui.shell.i18n import language, plain, t
from pages.ui.workshop import picks, room_picture
from rag_core.datatypes import Comparison, FirstStage, Settings
from rag_core.settings import check_query
from rag_core.workshop import predict
from rag_core.workshop.predict import Round

SELECT_PIXELS = 260

state.keep(game=None, game_scores={}, to_deal=None)


@dataclass(frozen=True)
class Game:
    """A round and the comparison it was dealt from, which nobody sees before the reveal."""

    comparison: Comparison
    dealt: Round
    number: int
    picked: frozenset[str] | None = None


def show() -> None:
    """Show the question on the table and its ten chunks, below a line of what is set; a sample's lies there at once."""
    doc_id = line()
    game = deal_asked(doc_id)
    if game is None:
        propose(doc_id)
        return
    room_picture.lay_out(f"{game.number} {game.picked}")
    if game.picked is None:
        with st.container(key="question_head"):
            st.text(game.dealt.query)
        picks.pick(game.dealt, str(game.number), take)
    else:
        finished(game, doc_id)


def line() -> str:
    """Draw what is set, in one line; return the document."""
    sample_offered()
    with st.container(horizontal=True, vertical_alignment="center", key="ask_with"):
        with st.container(width=SELECT_PIXELS):
            doc_id = form.pick_document(filtered=False, labelled=False)
        gone = form.settle_members(doc_id)
        deal_at_once(doc_id)  # before the widgets are drawn that it fills
        with st.container(width=SELECT_PIXELS):
            form.example_question(doc_id, "game_example", deal_typed, told=False)
        # A list of its own for each round: one that was open would cover what was just dealt.
        number = next_number() + (st.session_state["to_deal"] is not None)
        with st.popover(t("game.own"), icon=":material/edit:", key=f"own_question_{number}"):
            form.pick_members(doc_id)
            typed(t("game.deal"), deal_typed)
    if gone:
        form.members_gone()
    return doc_id


def sample_offered() -> None:
    """Offer the samples to whoever has no document, the one in the page's language first."""
    if cached.lab().documents.titles(state.owner()):
        return
    st.markdown(t("game.lead"))
    with st.container(horizontal=True):
        for spoken in sorted(samples.FILES, key=lambda spoken: spoken != language()):
            if st.button(t(f"documents.sample_{spoken}"), key=f"play_{spoken}", icon=":material/play_arrow:"):
                with errors_shown():
                    work.add_sample(spoken)
                    st.rerun()


def of_document(doc_id: str) -> Game | None:
    """Return the round on the table, where it was dealt from this document."""
    game: Game | None = st.session_state["game"]
    return game if game and game.comparison.doc_id == doc_id else None


def deal_at_once(doc_id: str) -> None:
    """Deal a sample's question to whoever has none yet, where that costs nothing: its comparison was made before."""
    if of_document(doc_id) or st.session_state["to_deal"] is not None:
        return
    offered = [question for question in unplayed(doc_id) if kept(doc_id, question)]
    if offered:
        question = min(offered, key=lambda question: not can_be_right(doc_id, question))
        former = st.session_state["question"]
        st.session_state.update(to_deal=question, game_example=question, question=former or question)


def can_be_right(doc_id: str, question: str) -> bool:
    """Say whether one of the ten answers by the judgments: with the first question a reader should be able to win."""
    return bool(deal(doc_id, question)[1].relevant)


def kept(doc_id: str, question: str) -> Comparison | None:
    return saved.comparison(doc_id, question, settings(), state.owner())


def settings() -> Settings:
    """Return what is set for a comparison, but by vectors with the question alone."""
    return replace(state.settings(), first_stage=FirstStage.VECTOR)


def deal_typed() -> None:
    st.session_state["to_deal"] = st.session_state["question"]


def deal_asked(doc_id: str) -> Game | None:
    """Deal what was asked for; return the round on the table."""
    question, st.session_state["to_deal"] = st.session_state["to_deal"], None
    if question is not None:
        with errors_shown():
            start(doc_id, question)
    return of_document(doc_id)


def propose(doc_id: str) -> None:
    """Offer some questions that the document answers, each dealt in one press."""
    st.markdown(t("game.lead"))
    with st.container(horizontal=True):
        for number, question in enumerate(proposed.offline(doc_id, state.owner())):
            st.button(plain(question), key=f"deal_{number}", on_click=choose, args=[question])
    st.caption(t("game.empty"))


def ask(doc_id: str, label: str) -> bool:
    """Let a question be chosen or typed; say whether it is to be dealt."""
    form.example_question(doc_id, "game_example", told=False)
    return typed(label)


def typed(label: str, pressed: Callable[[], None] | None = None) -> bool:
    """Let a question be typed; say whether it is to be dealt."""
    with st.form("deal", border=False):
        st.text_input(t("form.question"), key="question", placeholder=t("form.question_example"))
        how = {role: plain(state.chosen(role)) for role in ("embedder", "reranker")}
        st.caption(t("game.settings", depth=st.session_state["depth"], **how))
        return st.form_submit_button(label, type="primary", icon=":material/playing_cards:", on_click=pressed)


def deal(doc_id: str, question: str) -> tuple[Comparison, Round]:
    """Compare by vectors with the question alone, unless that was done before, and deal its first ten."""
    query = check_query(question)
    comparison = kept(doc_id, query) or compare(doc_id, query)
    return comparison, predict.deal(comparison, work.relevant_ids(doc_id, query, comparison.before.chunks))


def compare(doc_id: str, query: str) -> Comparison:
    comparison = work.compare_with(doc_id, query, (), settings())
    cached.settle_in()
    return comparison


def start(doc_id: str, question: str) -> None:
    comparison, dealt = deal(doc_id, question)
    st.session_state["game"] = Game(comparison, dealt, next_number())


def next_number() -> int:
    game = st.session_state["game"]
    return game.number + 1 if game else 1


def take(picked: list[str]) -> None:
    """Reveal: from here on the comparison is the one that the other screens show. A question counts once."""
    game = st.session_state["game"]
    chosen = game.dealt.check(picked)
    key = (game.comparison.doc_id, game.dealt.query)
    scores = {key: predict.score(game.dealt, chosen)} | st.session_state["game_scores"]
    st.session_state.update(game=replace(game, picked=chosen), game_scores=scores)
    st.session_state.update(comparison=game.comparison, answers=None, picked=None)


def finished(game: Game, doc_id: str) -> None:
    """Say what the pick hit, with the way on beside it; show the chunks in the new ranking, and the score so far."""
    left = unplayed(doc_id)
    with st.container(horizontal=True, vertical_alignment="center", key="headline"):
        with st.container(gap="small"):
            st.text(game.dealt.query)
            picks.told(game.dealt, game.picked)
        if left:
            st.button(t("game.next"), icon=":material/skip_next:", key="next", on_click=choose, args=[left[0]])
    picks.table(game.dealt, game.picked or ())
    scores = [score for (played, _), score in st.session_state["game_scores"].items() if played == doc_id]
    picks.score_so_far(predict.total(scores))
    questions = samples.questions(doc_id, state.owner())
    if questions:
        st.caption(t("game.played", played=len(questions) - len(left), all=len(questions)))


def unplayed(doc_id: str) -> list[str]:
    """Return the sample's questions that were not played yet; none for any other document."""
    played = {question for (of, question) in st.session_state["game_scores"] if of == doc_id}
    return [question for question in samples.questions(doc_id, state.owner()) if question not in played]


def choose(question: str) -> None:
    st.session_state.update(question=question, game_example=question, to_deal=question)
