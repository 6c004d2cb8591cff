"""What Home shows of a saved comparison: what happened, both rankings, both answers; and the ways on."""

import streamlit as st

from pages.ui.compare import history
from pages.ui.documents import upload
from pages.ui.parts import best_part, orders, sentences, tables
from pages.ui.shell import link, saved, state, work
from pages.ui.shell.frame import errors_shown
from pages.ui.shell.i18n import plain, t
from pages.ui.shell.saved import Saved
from rag_core.comparing.answer import CITATION
from rag_core.sharing.replay import SIDES, Replay

ANSWER_COLUMNS = 140

state.keep(home_question=0, own_read=None)


def what_this_is() -> None:
    """Say in a line what is seen here, and take a PDF of the reader's own."""
    with st.container(horizontal=True, vertical_alignment="center", key="what"):
        with st.container():
            st.markdown(t("home.line"))
        with st.popover(t("home.own"), type="primary", icon=":material/upload_file:", width="content"):
            own_pdf()


def own_pdf() -> None:
    """Read PDFs as soon as they are chosen, and lead to what was read of them once all are."""
    files = st.file_uploader(
        t("home.own_help"), type="pdf", accept_multiple_files=True, key="own", max_upload_size=upload.MOST_MEGABYTES
    )
    if not files:
        return
    upload.read_new(files)
    for file in files:
        upload.say(file, {})
    came, chosen = st.session_state["files_read"].values(), [file.file_id for file in files]
    if chosen != st.session_state["own_read"] and all(isinstance(doc_id, str) for doc_id in came):
        st.session_state["own_read"] = chosen
        st.switch_page("pages/documents.py")


def choose() -> Saved:
    """Let the reader switch between the sample's questions; each says what reranking does to it."""
    results = saved.results(saved.spoken())
    labels = list(map(label, results))
    st.pills(
        t("home.questions"),
        range(len(labels)),
        key="home_question",
        format_func=labels.__getitem__,
        required=True,
        label_visibility="collapsed",
        on_change=lambda: st.session_state.update(picked=None),
    )
    return results[st.session_state["home_question"]]


def label(result: Saved) -> str:
    return t(f"home.{result.effect}", question=plain(result.question))


def headline(replay: Replay) -> None:
    """Say what reranking did; let the reader go on from there with a question of their own."""
    changed, begins = sentences.outcome(replay)
    with st.container(horizontal=True, vertical_alignment="center", key="headline"):
        with st.container(gap=None):
            st.markdown(f"**{changed}**")
            st.caption(begins)
        if st.button(t("home.change"), key="change", icon=":material/edit:"):
            change()


def change() -> None:
    """Open the sample on Compare with the question filled in and the saved comparison shown."""
    with errors_shown():
        work.add_sample(saved.spoken())
        replay = saved.read(saved.spoken(), st.session_state["home_question"], state.owner())
        history.fill(replay.comparison)
        st.session_state.update(comparison=replay.comparison, recorded=replay, answers=dict(replay.answers))
        st.session_state.update(picked=None, link_was_read=True)
        st.switch_page("pages/compare.py", query_params=link.parameters(replay.comparison))


@state.fragment
def rankings(replay: Replay) -> None:
    """Show both rankings and both answers; picking a row draws only this part again."""
    with st.container(key="home_rankings"):
        orders.show(replay)
    picked = next((move for move in replay.comparison.moves if move.chunk.id == st.session_state["picked"]), None)
    if picked:
        with st.container(border=True, key="picked_chunk"):
            st.markdown(tables.place(replay.comparison, picked))
            best_part.text(picked)
    answers(replay)


def answers(replay: Replay) -> None:
    """Set the first sentence of both answers side by side."""
    with st.container(key="home_answers"):
        columns = st.columns(2)
    for column, side in zip(columns, SIDES, strict=True):
        with column.container(gap=None):
            st.caption(t("home.answer", order=tables.order_name(replay.comparison, side)))
            first = CITATION.sub("", sentences.answer(replay.answers[side]).split("\n")[0])
            st.text(tables.one_line(first, ANSWER_COLUMNS))
