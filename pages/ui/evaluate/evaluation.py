"""A finished evaluation on screen, part by part."""

import io
import zipfile
from collections.abc import Mapping

import pandas as pd
import streamlit as st

from pages.ui.evaluate import charts
from pages.ui.parts import chunk_text, page_beside, tables
from pages.ui.parts.judgments import grade_buttons
from pages.ui.shell import cached, models, state, work
from pages.ui.shell.frame import errors_shown
from pages.ui.shell.i18n import t
from rag_core.datatypes import Chunk, FirstStage
from rag_core.measuring.depth import DEPTHS, Ceiling
from rag_core.measuring.evaluate import Difference, Evaluation
from rag_core.measuring.metrics import FEW, MAIN, MEASURES
from rag_core.measuring.panel import Panel
from rag_core.measuring.tables import files, mean_row, means
from rag_core.models import catalog

CLEAR = 0.05
STAGES = {stage.order: stage for stage in FirstStage}

state.keep(
    rerankers=[state.HOW.reranker],
    panel_stages=["vector", "bm25", "fused"],
    panel_models=[state.HOW.reranker],
    panel_question=None,
    ceiling_question=None,
    judged_question="",
    judged_chunk="",
    shown_system=None,
    shown_measure=MAIN,
    evaluation=None,
    ceiling=None,
    panel=None,
)


def name_of(system: str) -> str:
    """Name a system in the reader's language; a reranker's own name stays."""
    return t(f"form.first_{STAGES[system].value}") if system in STAGES else system


@state.fragment
def show(evaluation: Evaluation) -> None:
    """Show everything; what is chosen in a part draws only the parts again."""
    judged = cached.lab().judged(evaluation.doc_id, work.current_candidates(evaluation.doc_id))
    if judged != evaluation.judged:
        evaluation = st.session_state["evaluation"] = evaluation.rejudged(judged)
    verdict(evaluation)
    mean_tab, each, depth, panel, file_tab = st.tabs(
        [t("measured.means"), t("measured.each"), t("measured.depth"), t("measured.panel"), t("measured.files")]
    )
    with mean_tab:
        means_part(evaluation)
    with each:
        each_part(evaluation)
    with depth:
        depth_part(evaluation)
    with panel:
        panel_part(evaluation)
    with file_tab:
        files_part(evaluation)


def deepest(evaluation: Evaluation) -> str:
    """Return the first reranker at its largest depth: what the headline is about."""
    model = next(iter(evaluation.scores))
    return next(name for name in reversed(evaluation.reranked) if name.startswith(f"{model} @"))


def verdict(evaluation: Evaluation) -> None:
    """Say in one sentence what the judgments show, and pin where reranking harmed."""
    system, count = deepest(evaluation), len(evaluation.measured)
    difference = evaluation.difference(system)
    if difference is None:
        st.info(t("measured.nothing_judged"), icon=":material/rule:")
    elif not evaluation.enough:
        st.warning(t("measured.too_few", count=count, few=FEW), icon=":material/hourglass_empty:")
    else:
        key = ("better" if difference.mean > 0 else "worse") if clear(difference) else "unclear"
        values = {"mean": f"{difference.mean:+.3f}", "low": f"{difference.low:+.3f}", "high": f"{difference.high:+.3f}"}
        st.subheader(t(f"measured.{key}"))
        st.markdown(
            t("measured.sure", count=count, p=f"{difference.p:.3f}", before=t(f"order.{evaluation.baseline}"), **values)
        )
    if evaluation.excluded:
        st.caption(t("measured.excluded", count=len(evaluation.excluded)))
        for question in evaluation.excluded:
            st.text(tables.one_line(question, 100))
    harm(evaluation, system)


def clear(difference: Difference) -> bool:
    """Say whether a difference is hardly chance, and its whole interval lies on one side of zero."""
    low, high, p = difference.low, difference.high, difference.p
    if low is None or high is None or p is None:
        return False
    return p <= CLEAR and (low > 0 or high < 0)


def harm(evaluation: Evaluation, system: str) -> None:
    """Pin the relevant chunk that fell furthest, and the question that lost most."""
    fall, loss = evaluation.fell_furthest(system), evaluation.lost_most(system)
    if not (fall or loss):
        return
    with st.container(border=True):
        st.markdown(f"**:material/push_pin: {t('harm.title')}**")
        if fall:
            question, chunk_id, before, after = fall
            chunk = next(chunk for chunk in work.current_candidates(evaluation.doc_id) if chunk.id == chunk_id)
            st.markdown(t("harm.fell", before=before, after=after, page=tables.pages(chunk)))
            st.text(tables.one_line(question, 100))
            st.text(f"{tables.where(chunk)}  {tables.one_line(chunk.text, 160)}")
        if loss:
            st.markdown(t("harm.lost", difference=f"{loss[1]:+.3f}"))
            st.text(tables.one_line(loss[0], 100))


def means_part(evaluation: Evaluation) -> None:
    if not evaluation.measured:
        st.caption(t("measured.nothing_judged"))
        return
    st.caption(t("measured.means_help", count=len(evaluation.measured)))
    rows = [[name_of(system), *mean_row(evaluation, system)[1:]] for system in evaluation.orders]
    names = [t("measured.system"), t("measured.questions"), *MEASURES, t("measured.unjudged")]
    frame = pd.DataFrame([row[: len(names)] for row in rows], columns=names)
    st.dataframe(
        frame.style.format({**dict.fromkeys(MEASURES, "{:.3f}"), names[-1]: "{:.1f}"}),
        hide_index=True,
        key="means",
        height=tables.height(len(frame)),
        column_config={names[0]: st.column_config.TextColumn(width="medium")},
    )
    st.caption(t("measured.unjudged_help"))
    if not evaluation.enough:
        st.caption(t("measured.too_few", count=len(evaluation.measured), few=FEW))
        return
    st.markdown(f"**{t('measured.differences', before=t(f'order.{evaluation.baseline}'))}**")
    st.altair_chart(charts.difference_chart(evaluation, name_of), key="differences")
    st.caption(t("measured.differences_help"))


def each_part(evaluation: Evaluation) -> None:
    systems = {name: name_of(name) for name in evaluation.orders if name != evaluation.baseline}
    state.settle("shown_system", list(systems), deepest(evaluation))
    left, right = st.columns(2)
    system = left.selectbox(t("measured.system"), list(systems), key="shown_system", format_func=systems.__getitem__)
    measure = right.selectbox(t("measured.measure"), MEASURES, key="shown_measure")
    asked = question_table(evaluation, system, measure)
    st.caption(t("measured.each_help", measure=measure, k=evaluation.how.cutoff))
    if st.session_state["judged_question"] in asked:
        pool_part(evaluation, st.session_state["judged_question"])


def question_table(evaluation: Evaluation, system: str, measure: str) -> list[str]:
    """Draw what each question gained with a system, the greatest loss first, and return the questions in that order."""
    frame = question_frame(evaluation, system, measure)
    question, before, after, gain, *_ = frame.columns
    asked = list(frame[question])
    key = state.key_of("each", asked)
    st.dataframe(
        frame.style.format({before: "{:.3f}", after: "{:.3f}", gain: "{:+.3f}"}, na_rep="–"),
        hide_index=True,
        key=key,
        height=tables.height(len(frame)),
        column_config={question: st.column_config.TextColumn(width="large")},
        on_select=lambda: state.keep_row(key, "judged_question", asked),
        selection_mode="single-row",
    )
    return asked


def question_frame(evaluation: Evaluation, system: str, measure: str) -> pd.DataFrame:
    gains, rows = evaluation.differences(system, measure), []
    for question in evaluation.questions:
        new, first = evaluation.changed(system, question)
        before = evaluation.values[evaluation.baseline][measure].get(question)
        after = evaluation.values[system][measure].get(question)
        rows.append([question, before, after, gains.get(question), new, t("measured.yes") if first else ""])
    scores = [name_of(evaluation.baseline), t("measured.system_short"), t("measured.gain")]
    names = [t("questions.question"), *scores, t("measured.new", k=evaluation.how.cutoff), t("measured.first")]
    return pd.DataFrame(rows, columns=names).sort_values(scores[-1], na_position="last", kind="stable")


def pool_part(evaluation: Evaluation, question: str) -> None:
    """Let the reader judge what stands in the first ten of any order, in the order of the document."""
    pooled = evaluation.pool(question)
    chunks = [chunk for chunk in work.current_candidates(evaluation.doc_id) if chunk.id in pooled]
    st.markdown(f"**{t('pool.title', count=len(chunks))}**")
    st.text(question)
    pool_table(question, chunks, evaluation.judged.qrels.get(question, {}))
    st.caption(t("pool.help"))
    chunk = next((chunk for chunk in chunks if chunk.id == st.session_state["judged_chunk"]), None)
    if chunk:
        with page_beside.box(chunk):
            chunk_text.show(chunk)
            grade_buttons(evaluation.doc_id, question, chunk)


def pool_table(question: str, chunks: list[Chunk], grades: Mapping[str, int]) -> None:
    rows = [[tables.GRADES[grades.get(chunk.id)], tables.page(chunk), tables.one_line(chunk.text)] for chunk in chunks]
    names = [t("table.grade"), t("table.page"), t("table.text")]
    ids = [chunk.id for chunk in chunks]
    key = state.key_of("pool", [question, *ids])
    st.dataframe(
        pd.DataFrame(rows, columns=names),
        hide_index=True,
        key=key,
        height=tables.height(len(rows)),
        column_config={
            names[0]: st.column_config.TextColumn(width=58),
            names[1]: tables.page_column(chunks),
            names[2]: st.column_config.TextColumn(width="large"),
        },
        on_select=lambda: state.keep_row(key, "judged_chunk", ids),
        selection_mode="single-row",
    )


def depth_part(evaluation: Evaluation) -> None:
    if evaluation.measured:
        st.markdown(f"**{t('depth.curve', measure=MAIN)}**")
        st.altair_chart(charts.depth_chart(evaluation), key="curve")
        st.caption(t("depth.curve_help" if evaluation.enough else "depth.curve_few", few=FEW))
    st.markdown(f"**{t('depth.ceiling')}**")
    st.caption(t("depth.ceiling_help", k=evaluation.how.cutoff))
    state.settle("ceiling_question", evaluation.questions)
    question = st.selectbox(t("questions.question"), evaluation.questions, key="ceiling_question")
    if st.button(t("depth.score_all"), key="score_all", icon=":material/vertical_align_bottom:"):
        with errors_shown():
            st.session_state["ceiling"] = work.ceiling(evaluation.doc_id, question, next(iter(evaluation.scores)))
    ceiling = st.session_state["ceiling"]
    if ceiling is not None and ceiling.whole.query == question:
        ceiling_part(ceiling)


def ceiling_part(ceiling: Ceiling) -> None:
    st.markdown(t("depth.said", **ceiling_words(ceiling)))
    st.altair_chart(charts.ceiling_chart(ceiling, DEPTHS), key="ceiling_chart")
    rows = [
        [rank, ceiling.first.rank_of(chunk.id), tables.page(chunk), tables.one_line(chunk.text)]
        for rank, chunk in enumerate(ceiling.ideal, start=1)
    ]
    names = [t("table.rank"), t("depth.first_rank"), t("table.page"), t("table.text")]
    frame = pd.DataFrame(rows, columns=names).astype({names[1]: "Int64"})
    widths = {names[3]: st.column_config.TextColumn(width="large")}
    page_beside.table(frame, ceiling.ideal, "ideal", column_config=widths)


def ceiling_words(ceiling: Ceiling) -> dict[str, object]:
    """Return the least depth that reaches all of the ideal top k, or what the largest depth reaches, and the times."""
    ranks = [ceiling.first.rank_of(chunk.id) for chunk in ceiling.ideal]
    deepest_rank = max((rank for rank in ranks if rank), default=0)
    return {
        "k": len(ceiling.ideal),
        "found": sum(rank is not None for rank in ranks),
        "rank": deepest_rank,
        "seconds": f"{ceiling.seconds(deepest_rank):.2f}",
        "chunks": len(ceiling.whole),
        "all_seconds": f"{len(ceiling.whole) * ceiling.per_pair:.2f}",
    }


def panel_part(evaluation: Evaluation) -> None:
    st.caption(t("panel.help", depth=evaluation.how.depth))
    state.settle("panel_question", evaluation.questions)
    question = st.selectbox(t("questions.question"), evaluation.questions, key="panel_question")
    stages, rerankers = panel_choice()
    if not 2 <= len(stages) + len(rerankers) <= 4:
        st.info(t("panel.two_to_four"))
        return
    if st.button(t("panel.run"), key="run_panel", icon=":material/groups:"):
        with errors_shown():
            asked = [STAGES[name] for name in stages]
            st.session_state["panel"] = work.panel(evaluation.doc_id, question, asked, rerankers)
    panel = st.session_state["panel"]
    if panel is None or panel.candidates.query != question or set(panel.rankings) != {*stages, *rerankers}:
        return
    agreement(panel)
    bump(panel)
    extremes(panel)
    cost(panel)


def panel_choice() -> tuple[list[str], list[str]]:
    """Let the reader choose which first stages and which rerankers are set beside each other."""
    left, right = st.columns(2)
    names = {name: name_of(name) for name in STAGES}
    models = [line.id for line in catalog.RERANKERS]
    stages = left.multiselect(
        t("panel.stages"),
        list(names),
        key="panel_stages",
        format_func=names.__getitem__,
        placeholder=t("panel.two_to_four"),
    )
    return stages, right.multiselect(
        t("panel.rerankers"),
        models,
        key="panel_models",
        accept_new_options=True,
        help=t("form.other_help"),
        placeholder=t("form.reranker_other"),
    )


def agreement(panel: Panel) -> None:
    """Show how far each two orders agree, in rank correlation and in their first places."""
    k = min(panel.k, len(panel.candidates))
    for index, (column, key) in enumerate(zip(st.columns(2), ("tau", "overlap"), strict=True)):
        with column:
            st.markdown(f"**{t('metric.' + key, k=k)}**")
            st.altair_chart(charts.agreement_chart(panel, index, name_of), key=f"agreement_{key}")


def bump(panel: Panel) -> None:
    st.markdown(f"**{t('panel.bump')}**")
    st.altair_chart(charts.bump_chart(panel, name_of), key="bump")
    st.caption(t("panel.bump_help"))


def extremes(panel: Panel) -> None:
    """Show what all orders together put first, and the chunk that they disagree most about."""
    k = min(panel.k, len(panel.candidates))
    consensus, disputed = st.columns(2)
    with consensus:
        st.markdown(f"**{t('panel.consensus', k=k)}**")
        for rank, chunk in enumerate(panel.consensus.chunks[:k], start=1):
            st.text(f"{rank}. {tables.where(chunk)} {tables.one_line(chunk.text, 90)}")
    with disputed:
        chunk, ranks = panel.disputed
        st.markdown(f"**{t('panel.disputed')}**")
        st.text(" · ".join(f"{name_of(name)}: {rank}" for name, rank in ranks.items()))
        st.text(f"{tables.where(chunk)} {tables.one_line(chunk.text, 200)}")


def cost(panel: Panel) -> None:
    st.markdown(f"**{t('panel.cost')}**")
    pairs = len(panel.candidates)
    rows = [
        [name, pairs, seconds, 1000 * seconds / pairs, models.megabytes(name)]
        for name, seconds in panel.seconds.items()
    ]
    names = [t("form.reranker"), t("panel.pairs"), t("chart.seconds"), t("panel.per_pair"), t("panel.memory")]
    formats = {names[2]: "{:.2f}", names[3]: "{:.1f}", names[4]: "{:.0f}"}
    st.dataframe(pd.DataFrame(rows, columns=names).style.format(formats), hide_index=True, key="cost")
    st.caption(t("panel.cost_help"))


def files_part(evaluation: Evaluation) -> None:
    st.caption(t("measured.files_help"))
    # What makes the file runs when it is fetched, outside the session.
    judgments, chunks = cached.lab().judgments.load(evaluation.doc_id), work.current_candidates(evaluation.doc_id)
    st.download_button(
        t("measured.zip"),
        lambda: zipped(files(evaluation, judgments, chunks)),
        file_name="rerank-lab-evaluation.zip",
        mime="application/zip",
        icon=":material/download:",
        on_click="ignore",
    )
    shown = means(evaluation)[0]
    st.caption(t("measured.columns", columns=", ".join(shown)))


def zipped(made: dict[str, bytes]) -> bytes:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in made.items():
            archive.writestr(name, content)
    return packed.getvalue()


def current(evaluation: Evaluation, doc_id: str) -> bool:
    """Say whether an evaluation is of this document, cut and filtered as it is now."""
    how = state.settings()
    return evaluation.doc_id == doc_id and (evaluation.how.chunks, evaluation.how.within) == (how.chunks, how.within)
