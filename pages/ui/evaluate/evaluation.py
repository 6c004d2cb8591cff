"""A finished evaluation on screen, part by part."""

import io
import zipfile
from collections.abc import Callable, Sequence

import pandas as pd
import streamlit as st

from pages.ui.evaluate import charts, judged, opened, others, questions, running
from pages.ui.evaluate.running import Running
from pages.ui.parts import page_beside, tables
from pages.ui.shell import cached, form, models, state, work
from pages.ui.shell.frame import errors_shown
from pages.ui.shell.i18n import plain, t
from rag_core.datatypes import FirstStage
from rag_core.measuring.depth import DEPTHS, Ceiling
from rag_core.measuring.evaluate import IMPORTED, Difference, Evaluation
from rag_core.measuring.metrics import FEW, MAIN, MEASURES
from rag_core.measuring.panel import Panel, beside
from rag_core.measuring.tables import files, mean_row, means
from rag_core.models import catalog

CLEAR = 0.05
STAGES = {stage.order: stage for stage in FirstStage}

state.keep(
    panel_stages=["vector", "bm25", "fused"],
    panel_models=[state.HOW.reranker],
    panel_others=[],
    panel_question=None,
    ceiling_question=None,
    shown_system=None,
    shown_measure=MAIN,
    evaluation=None,
    ceiling=None,
    panel=None,
)


def name_of(system: str) -> str:
    """Name a system in the reader's language; a reranker's own name stays."""
    if system.endswith(IMPORTED):
        return others.shown_name(system)
    return t(f"form.first_{STAGES[system].value}") if system in STAGES else system


@state.fragment
def show(doc_id: str) -> None:
    """Show what is there, also while it is made; what is chosen in a part draws only the parts again."""
    making, place = running.of(doc_id), st.empty()
    evaluation = of_now(doc_id) if making is None or making.done else None
    if making:
        progress(place, making)
    if evaluation:
        outcome(evaluation, making is None)
        rest = st.empty()  # it keeps its place, so that what is left of the last evaluation does not show, faded
        if making is None:
            with rest.container():
                below(evaluation)
    if making:
        with errors_shown():
            running.advance(making, judged.now(doc_id))
            st.rerun()
        place.empty()


def of_now(doc_id: str) -> Evaluation | None:
    """Return this document's evaluation, cut and filtered as it is now, by the judgments and other rankings of now."""
    evaluation = st.session_state["evaluation"]
    if evaluation is None or not current(evaluation, doc_id):
        return None
    said = judged.now(doc_id)
    if said != evaluation.judged:
        evaluation = evaluation.rejudged(said)
    evaluation = st.session_state["evaluation"] = evaluation.beside(others.now(doc_id))
    return evaluation


def progress(place: st.delta_generator.DeltaGenerator, making: Running) -> None:
    """Count the questions that were asked, and let the reader stop; what was scored until then is kept."""
    done, total = len(making.done), making.total
    with place.container(horizontal=True, vertical_alignment="center", key="evaluating"):
        st.progress(done / max(total, 1), text=t("work.questions", done=min(done + 1, total), total=total))
        st.button(t("evaluate.stop"), key="stop", icon=":material/stop_circle:", on_click=running.stop)


def outcome(evaluation: Evaluation, finished: bool) -> None:
    """Say what came of it, and show it question by question."""
    systems = {name: name_of(name) for name in evaluation.orders if name != evaluation.baseline}
    state.settle("shown_system", list(systems), deepest(evaluation))
    with st.container(horizontal=True, vertical_alignment="center", key="headline"):
        with st.container(gap=None):
            verdict(evaluation, finished)
        chosen = t("measured.shown", measure=st.session_state["shown_measure"])
        with st.popover(chosen, icon=":material/tune:", key="shown", width="content"):
            st.selectbox(t("measured.system"), list(systems), key="shown_system", format_func=systems.__getitem__)
            st.selectbox(t("measured.measure"), MEASURES, key="shown_measure")
    questions.show(evaluation, st.session_state["shown_system"], st.session_state["shown_measure"], finished)
    detail = st.empty()
    if st.session_state["opened_question"] in evaluation.numbers:
        with detail.container(), errors_shown():
            opened.show(evaluation, st.session_state["opened_question"], st.session_state["shown_system"])
    elif finished:
        detail.caption(each_help(evaluation, st.session_state["shown_system"]))


def each_help(evaluation: Evaluation, system: str) -> str:
    """Say what the dots mean: the orders before and after reranking, or ours and another system's."""
    if system not in evaluation.imported:
        return t("measured.each_help")
    return t("runs.each_help", order=t(f"order.{evaluation.baseline}"), name=plain(name_of(system)))


def below(evaluation: Evaluation) -> None:
    """Show what explains the outcome; of the tabs, the one that is open is drawn alone."""
    harm(evaluation, deepest(evaluation))
    drawn: dict[str, Callable[[Evaluation], None]] = {
        t("measured.means"): means_part,
        t("measured.depth"): depth_part,
        t("measured.panel"): panel_part,
        t("measured.files"): files_part,
    }
    for tab, part in zip(st.tabs(list(drawn), key="evaluation_part", on_change="rerun"), drawn.values(), strict=True):
        if tab.open:
            with tab:
                part(evaluation)


def deepest(evaluation: Evaluation) -> str:
    """Return the first reranker at its largest depth: what the headline is about."""
    model = next(iter(evaluation.scores))
    return next(name for name in reversed(evaluation.reranked) if name.startswith(f"{model} @"))


def verdict(evaluation: Evaluation, finished: bool) -> None:
    """Say in one sentence with its figures what the judgments show; of a part of the questions nothing is claimed."""
    system, total = deepest(evaluation), len(cached.lab().judgments.questions(evaluation.doc_id))
    difference, values = evaluation.difference(system), means_of(evaluation, system)
    part = len(evaluation.numbers) < total
    if part:
        st.markdown(f"**{t('measured.so_far', done=len(evaluation.numbers), total=total)}**")
    if difference is None:
        st.markdown(t("measured.nothing_judged"))
    elif part:
        st.caption(t("measured.so_far_means", count=len(evaluation.measured), **values))
    elif not evaluation.enough:
        st.markdown(f"**{t('measured.too_few', count=len(evaluation.measured), few=FEW)}**")
        st.caption(t("measured.so_far_means", count=len(evaluation.measured), **values))
    else:
        key = ("better" if difference.mean > 0 else "worse") if clear(difference) else "unclear"
        st.markdown(f"**{t(f'measured.{key}', **values)}**")
        st.caption(t("measured.sure", **interval(difference), **of_whom(evaluation)))
    notes(evaluation, part and finished)


def notes(evaluation: Evaluation, stopped: bool) -> None:
    """Say how to go on with the rest, what the settings have become since, and what could not be measured."""
    if stopped:
        st.caption(t("evaluate.stopped"))
    elif evaluation.how != state.settings():
        st.caption(t("evaluate.stale"))
    if evaluation.excluded:
        st.caption(t("measured.excluded", count=len(evaluation.excluded)))


def means_of(evaluation: Evaluation, system: str) -> dict[str, str]:
    """Return the mean of the main measure before and after, as it is written."""
    means = {"before": evaluation.mean(evaluation.baseline, MAIN), "after": evaluation.mean(system, MAIN)}
    return {side: f"{mean:.3f}" for side, mean in means.items() if mean is not None}


def interval(difference: Difference) -> dict[str, str]:
    return {
        **{name: f"{getattr(difference, name):+.3f}" for name in ("mean", "low", "high")},
        "p": f"{difference.p:.3f}",
    }


def of_whom(evaluation: Evaluation) -> dict[str, object]:
    return {"count": len(evaluation.measured), "order": t(f"order.{evaluation.baseline}")}


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
    comparable = evaluation.comparable
    st.caption(t("measured.means_help", count=len(evaluation.measured)))
    means_table(comparable, "means")
    st.caption(t("measured.unjudged_help"))
    if evaluation.enough:
        st.markdown(f"**{t('measured.differences', before=t(f'order.{evaluation.baseline}'))}**")
        st.altair_chart(charts.difference_chart(comparable, name_of), key="differences")
        st.caption(t("measured.differences_help"))
    else:
        st.caption(t("measured.too_few", count=len(evaluation.measured), few=FEW))
    for number, system in enumerate(evaluation.partial):
        partial_part(evaluation, system, f"means_{number}")


def means_table(evaluation: Evaluation, key: str) -> None:
    rows = [[name_of(system), *mean_row(evaluation, system)[1:]] for system in evaluation.orders]
    names = [t("measured.system"), t("measured.questions"), *MEASURES, t("measured.unjudged")]
    frame = pd.DataFrame([row[: len(names)] for row in rows], columns=names)
    st.dataframe(
        frame.style.format({**dict.fromkeys(MEASURES, "{:.3f}"), names[-1]: "{:.1f}"}),
        hide_index=True,
        key=key,
        height=tables.height(len(frame)),
        column_config={names[0]: st.column_config.TextColumn(width="medium")},
    )


def partial_part(evaluation: Evaluation, system: str, key: str) -> None:
    """Measure an imported ranking that lacks questions, and ours beside it, on those it ranks alone."""
    part, total = evaluation.over(system), len(evaluation.measured)
    named = plain(name_of(system))
    st.markdown(f"**{t('runs.partial', name=named, count=len(part.measured), total=total)}**")
    if not part.measured:
        return
    means_table(part, key)
    difference = part.difference(system)
    if difference and part.enough:
        st.caption(t("measured.sure", **interval(difference), **of_whom(part)))
    else:
        st.caption(t("measured.too_few", count=len(part.measured), few=FEW))


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
    ranked = [name for name, run in evaluation.imported.items() if question in run]
    stages, rerankers, imported = panel_choice(ranked)
    if not 2 <= len(stages) + len(rerankers) + len(imported) <= 4:
        st.info(t("panel.two_to_four"))
        return
    if st.button(t("panel.run"), key="run_panel", icon=":material/groups:"):
        with errors_shown():
            asked = [STAGES[name] for name in stages]
            st.session_state["panel"] = work.panel(evaluation.doc_id, question, asked, rerankers)
    panel = st.session_state["panel"]
    if panel is None or panel.candidates.query != question or set(panel.rankings) != {*stages, *rerankers}:
        return
    orders = {name: evaluation.orders[name][question] for name in imported}
    panel = beside(panel, orders)
    for name, order in orders.items():
        st.caption(t("panel.imported", **held(panel, order), name=plain(name_of(name))))
    agreement(panel)
    bump(panel)
    extremes(panel)
    cost(panel)


def held(panel: Panel, order: Sequence[str]) -> dict[str, int]:
    """Count the candidates that another system ranks, and what it ranks that is no candidate."""
    ranked = len({*order} & {*panel.candidates.ids})
    return {"held": ranked, "candidates": len(panel.candidates), "beyond": len(order) - ranked}


def panel_choice(ranked: Sequence[str]) -> tuple[list[str], list[str], list[str]]:
    """Let the reader choose which first stages, rerankers and imported rankings are set beside each other."""
    left, right, *rest = st.columns(3 if ranked else 2)
    names = {name: name_of(name) for name in STAGES}
    models = [line.id for line in catalog.offered(catalog.RERANKERS)]
    stages = left.multiselect(
        t("panel.stages"),
        list(names),
        key="panel_stages",
        format_func=names.__getitem__,
        placeholder=t("panel.two_to_four"),
    )
    rerankers = right.multiselect(
        t("panel.rerankers"),
        models,
        key="panel_models",
        accept_new_options=form.may_name_models(),
        help=t("form.other_help"),
        placeholder=t("form.reranker_other"),
    )
    return stages, rerankers, imported_choice(rest[0], ranked) if rest else []


def imported_choice(column: st.delta_generator.DeltaGenerator, ranked: Sequence[str]) -> list[str]:
    """Let the reader choose among the imported rankings that rank this question."""
    st.session_state["panel_others"] = [name for name in st.session_state["panel_others"] if name in ranked]
    none = t("panel.two_to_four")
    return column.multiselect(t("runs.title"), ranked, key="panel_others", format_func=name_of, placeholder=none)


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
