"""A result that came as a file: what it is, its charts, and the way of judgments to and fro."""

from collections.abc import Callable
from dataclasses import replace

import pandas as pd
import streamlit as st

from pages.ui.answer import answers
from pages.ui.parts import page_beside, tables
from pages.ui.parts.judgments import by_whom, grade_row, judge_name
from pages.ui.results import result
from pages.ui.shell import cached, state
from pages.ui.shell.frame import errors_shown
from pages.ui.shell.i18n import plain, t
from rag_core.datatypes import Chunk, Judgment
from rag_core.measuring import judge
from rag_core.sharing import replay_file
from rag_core.sharing.replay import Replay

DROP = """
export default function () {
  const files = (event) => [...(event.dataTransfer?.types ?? [])].includes("Files");
  const over = (event) => files(event) && event.preventDefault();
  const drop = (event) => {
    const input = document.querySelector(".st-key-replay_file input[type=file]");
    if (!input || !files(event) || event.target.closest?.(".st-key-replay_file")) return;
    event.preventDefault();
    input.files = event.dataTransfer.files;
    input.dispatchEvent(new Event("change", { bubbles: true }));
  };
  document.addEventListener("dragover", over);
  document.addEventListener("drop", drop);
  return () => {
    document.removeEventListener("dragover", over);
    document.removeEventListener("drop", drop);
  };
}
"""
"""A file that is dropped anywhere on the page opens: the field for it stands below what is shown."""

state.keep(opened=None, opened_file=None, opened_added=0, opened_cutoff=None)


def choose(above: st.delta_generator.DeltaGenerator) -> None:
    """Open an uploaded file once; one that does not open leaves what is on screen, and is told above it."""
    limit = replay_file.MAX_BYTES // 2**20
    file = st.file_uploader(t("replay.file"), type="json", key="replay_file", max_upload_size=limit)
    with st.container(key="drop_anywhere", width=1):
        st.components.v2.component("drop", js=DROP)(key="drop", height="content")
    if file is None or file.file_id == st.session_state["opened_file"]:
        return
    st.session_state["opened_file"] = file.file_id
    with above, errors_shown():
        put(replay_file.read(file.getvalue()))


def put(replay: Replay) -> None:
    """Put a result on screen."""
    st.session_state.update(opened=replay, opened_added=0, opened_cutoff=None, picked=None)


def begin() -> None:
    """Say what is opened here, and where it is made."""
    st.markdown(f"**{t('replay.lead')}**")
    st.caption(t("replay.empty"))


def example(fetch: Callable[[], Replay]) -> None:
    """Offer a result to whoever has none yet."""
    icon = ":material/play_arrow:"
    st.button(t("replay.example"), key="example_result", icon=icon, on_click=lambda: put(fetch()))


def current() -> Replay:
    return st.session_state["opened"]


def viewed() -> Replay:
    """Return the result with the cutoff that the reader chose; its answers belong to the one it was saved with."""
    replay, cutoff = current(), st.session_state["opened_cutoff"] or current().comparison.cutoff
    if cutoff == replay.comparison.cutoff:
        return replay
    return replace(replay, comparison=replay.comparison.cut_at(cutoff), answers={})


def source() -> None:
    """Say in a line whose result this is, and that nothing of it was computed here; the rest stands in popovers."""
    replay = current()
    values = {"title": plain(replay.source.title), "version": plain(replay.versions.get("app", "?"))}
    with st.container(horizontal=True, vertical_alignment="center", key="what"):
        with st.container(gap=None):
            st.markdown(f"**{plain(replay.comparison.query)}**")
            st.caption(t("replay.banner", made=tables.time_of(replay.made), **values))
        with errors_shown():
            new_judgments(replay)
        with st.popover(t("replay.how"), icon=":material/tune:", width="content", key="how_made"):
            st.dataframe(tables.how_table(replay), hide_index=True, height="content", key="how")


def new_judgments(replay: Replay) -> None:
    """Offer judgments that the library does not have, where it holds the document."""
    doc_id = holder(replay) if replay.judgments and not st.session_state["opened_added"] else None
    news = judge.news(replay.judgments, held(replay, doc_id), judge_name()) if doc_id else []
    if doc_id is None or not news:
        return
    icon, title = ":material/merge:", plain(cached.document(doc_id).title)
    with st.popover(
        t("replay.news_short", count=len(news)), icon=icon, type="primary", width="content", key="news_open"
    ):
        st.markdown(t("replay.news", count=len(news), title=title))
        spans = [span_of(judgment, doc_id) for judgment in news]
        page_beside.table(judgment_table(replay, news), spans, "news", height=tables.height(len(news)))
        st.button(t("replay.take"), key="take", type="primary", icon=icon, on_click=take, args=[doc_id, news])


def known_judgments(replay: Replay) -> None:
    """Say what became of the file's judgments where none of them is new here."""
    if not replay.judgments or st.session_state["opened_added"]:
        return
    doc_id = holder(replay)
    if doc_id is None:
        st.caption(t("replay.not_held", count=len(replay.judgments)))
    elif not judge.news(replay.judgments, held(replay, doc_id), judge_name()):
        st.caption(t("replay.nothing_new", title=plain(cached.document(doc_id).title)))


def holder(replay: Replay) -> str | None:
    """Return the visitor's document that was asked, or None: the very one, else a document before a collection."""
    titles, single = (cached.lab().documents.titles(state.owner(), collections=both) for both in (True, False))
    ids = sorted(titles, key=lambda doc_id: (doc_id != replay.source.id, doc_id not in single))
    return next((doc_id for doc_id in ids if replay.is_of(doc_id, cached.parts(doc_id))), None)


def held(replay: Replay, doc_id: str) -> list[Judgment]:
    """Return the library's judgments of this question, where their words stand."""
    question = replay.comparison.query
    asked = [judgment for judgment in cached.lab().judgments.load(doc_id) if judgment.question == question]
    return judge.settle(asked, cached.parts(doc_id))


def judgment_table(replay: Replay, judgments: list[Judgment]) -> pd.DataFrame:
    titles = {chunk.doc_id: chunk.title for chunk in replay.comparison.before.chunks}
    rows = [
        (
            judgment.judge or t("judge.nobody"),
            tables.GRADES[judgment.grade],
            tables.of_document(titles.get(judgment.span.doc_id, ""), judgment.span.page),
            tables.one_line(judgment.span.quote),
        )
        for judgment in judgments
    ]
    return pd.DataFrame(rows, columns=[t("table.judge"), t("table.grade"), t("table.page"), t("table.text")])


def span_of(judgment: Judgment, doc_id: str) -> Chunk:
    """Return what was judged as a chunk of the document here, or of the member of a collection that holds it."""
    standing = judge.settle([judgment], cached.parts(doc_id))
    span = standing[0].span if standing else replace(judgment.span, doc_id=doc_id)
    end = span.start + len(span.quote)
    return Chunk(f"{span.page}-{span.start}-{end}", span.doc_id, span.quote, span.page, span.start, end)


def take(doc_id: str, news: list[Judgment]) -> None:
    with errors_shown():
        cached.lab().judge(doc_id, news)
        st.toast(t("replay.taken", count=len(news)), icon=":material/check:")


def show() -> None:
    replay = current()
    result.show(viewed, grade, key="opened_cutoff")
    if replay.answers:
        st.subheader(t("report.answers"))
        answers.outcome(replay.comparison, replay.answers)
        answers.show(replay.comparison, replay.answers)
        answers.sources(replay.comparison, replay.answers)
    with errors_shown():
        known_judgments(replay)


def grade(chunk: Chunk) -> None:
    """Let a second reader grade a chunk under their name; it goes into the file that is saved again."""
    st.text_input(t("replay.name"), key="judge", help=t("judge.name_help"), max_chars=40)
    replay = current()
    said = by_whom(list(replay.judgments), lambda own: judge.carry(judge.latest(own), [chunk]))
    if not judge_name():
        st.caption(t("replay.name_first"))
        return
    undo = take_back if st.session_state["opened_added"] else None
    grade_row(replay.comparison.query, chunk, give, undo, said)
    st.caption(t("replay.added", count=st.session_state["opened_added"]))


def give(judgment: Judgment) -> None:
    st.session_state["opened"] = current().judged(judgment)
    st.session_state["opened_added"] += 1


def take_back() -> None:
    st.session_state["opened"] = current().without_last()
    st.session_state["opened_added"] -= 1
