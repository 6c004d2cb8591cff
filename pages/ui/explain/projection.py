"""The map: chunks, question and expansions on a plane, linked with both tops."""

from collections.abc import Sequence
from typing import Any

import altair as alt
import numpy as np
import pandas as pd
import streamlit as st
from pandas.io.formats.style import Styler

from pages.ui.explain import chosen_chunk
from pages.ui.parts import page_beside, tables
from pages.ui.parts.charts import Row, layered, tooltips
from pages.ui.parts.palette import BLUE, INK, PICKED, SAME
from pages.ui.shell import cached, state, work
from pages.ui.shell.frame import errors_shown
from pages.ui.shell.i18n import t
from pages.ui.shell.switch import switch
from rag_core.datatypes import Chunk, Comparison
from rag_core.explaining import projection
from rag_core.explaining.projection import Layout
from rag_core.extras import MAP
from rag_core.search import distinct
from rag_core.search.together import Searched

LAYOUTS = ("pca", "umap")
COLOURS = {
    "rest": SAME,
    "vector": BLUE,
    "reranked": "#c2410c",
    "both": "#9c56b8",
    "question": "#0e8f9e",
    "expansion": "#7d8b2b",
}
SHAPES = {"question": "diamond", "expansion": "triangle-up"}
"""What is no circle."""

TEXT_COLUMNS = 120
HEIGHT = 520
MANY = 1000
LABEL_PLACES: tuple[dict[str, Any], ...] = (
    {"dy": -15},
    {"dx": 12, "align": "left"},
    {"dy": 17},
    {"dx": -12, "align": "right"},
)

state.keep(map_layout="pca")


@state.fragment
def show(comparison: Comparison) -> None:
    """Draw the map; picking a point or a row draws only this part again."""
    with errors_shown():
        names = {method: t(f"map.{method}") for method in LAYOUTS}
        method = switch(t("map.layout"), names, "map_layout")
        index = index_of(comparison)
        if method == "umap" and len(index.chunks) < projection.FEWEST_FOR_UMAP:
            st.info(t("map.few", count=len(index.chunks), fewest=projection.FEWEST_FOR_UMAP), icon=":material/help:")
            method = "pca"
        elif method == "umap" and not MAP.is_installed():
            missing = t("map.umap_of_host") if state.owner() else t("map.umap_missing", command=MAP.command)
            st.info(missing, icon=":material/help:")
            method = "pca"
        layout = laid_out(index, method)
        st.caption(t("map.kept", kept=f"{layout.kept:.0%}", count=projection.NEAREST_KEPT))
        draw(comparison, index, layout)
        top_tables(comparison)
        picked(index)


def index_of(comparison: Comparison) -> Searched:
    _, embedder = chosen_chunk.models_of(comparison)
    return cached.lab().open(comparison.doc_id, comparison.settings, embedder).index


def laid_out(index: Searched, method: str) -> Layout:
    """Return the layout of an index, which is made once; UMAP first has to be loaded and compiled."""
    doc_id, key = index.address.doc_id, ("layout", index.doc_ids, index.address.chunks, index.address.embedder, method)
    layout = cached.kept(doc_id, key, Layout)
    if layout is not None:
        return layout
    if method == "pca":
        return cached.keep(doc_id, key, lambda: projection.by_pca(index.vectors))
    place = st.empty()
    try:
        place.progress(0.0, text=t("map.loading"))
        counting = work.counting(place, "map.counting")
        return cached.keep(doc_id, key, lambda: projection.by_umap(index.vectors, counting))
    finally:
        place.empty()


def draw(comparison: Comparison, index: Searched, layout: Layout) -> None:
    frame = point_frame(comparison, index, layout)
    st.altair_chart(
        map_chart(frame, st.session_state["picked"]),
        key="map",
        on_select=lambda: pick_point(index),
        selection_mode="pick",
    )
    st.caption(t("map.help", k=min(comparison.cutoff, len(comparison.moves))))


def pick_point(index: Searched) -> None:
    for point in st.session_state["map"]["selection"].get("pick", []):
        if point["id"] in index.by_id:  # the question can be pointed at, too
            st.session_state["picked"] = point["id"]


def point_frame(comparison: Comparison, index: Searched, layout: Layout) -> pd.DataFrame:
    """Return a row a point: chunks in reading order, then the question, then the expansions.

    Chunks with the same words are one point, as they are one candidate.
    """
    texts = [comparison.query, *(expansion.text for expansion in comparison.expansions)]
    _, embedder = chosen_chunk.models_of(comparison)
    asked = layout.place(np.asarray(index.vectors), embedder.embed_queries(texts))
    points = np.vstack([layout.points, asked])
    firsts = distinct.firsts(index.chunks)
    rows = [*chunk_rows(comparison, [firsts[chunk.id] for chunk in index.chunks]), *query_rows(texts)]
    return pd.DataFrame(rows).assign(x=points[:, 0], y=points[:, 1]).drop_duplicates("id")


def chunk_rows(comparison: Comparison, chunks: Sequence[Chunk]) -> list[Row]:
    moves = {move.chunk.id: move for move in comparison.moves}
    sides = ("vector", "reranked")
    tops = {side: {hit.chunk.id for hit in comparison.ranking(side).top(comparison.cutoff)} for side in sides}
    return [
        {
            "id": chunk.id,
            "kind": kind(chunk.id, tops),
            "page": tables.where(chunk),
            "before": moves[chunk.id].before if chunk.id in moves else None,
            "after": moves[chunk.id].after if chunk.id in moves else None,
            "text": tables.one_line(chunk.text, TEXT_COLUMNS),
        }
        for chunk in chunks
    ]


def query_rows(texts: Sequence[str]) -> list[Row]:
    kinds = ["question", *["expansion"] * (len(texts) - 1)]
    return [
        {"id": f"query-{number}", "kind": kind, "page": "", "text": tables.one_line(text, TEXT_COLUMNS)}
        for number, (kind, text) in enumerate(zip(kinds, texts, strict=True))
    ]


def kind(chunk_id: str, tops: dict[str, set[str]]) -> str:
    sides = [side for side, ids in tops.items() if chunk_id in ids]
    return "both" if len(sides) == 2 else sides[0] if sides else "rest"


def map_chart(frame: pd.DataFrame, chosen: str | None) -> alt.LayerChart:
    """Draw the points, and a dashed line from the question to each of the reranked top with its path of ranks."""
    named = frame.assign(name=frame["kind"].map(kind_name), picked=frame["id"] == chosen)
    lines, *labels = path_layers(named)
    points = point_marks(named).add_params(alt.selection_point(name="pick", fields=["id"]), zoom())
    # A canvas draws thousands of points where SVG makes an element of each.
    return (
        layered(lines, points, *labels)
        .properties(height=HEIGHT, usermeta={"embedOptions": {"renderer": "canvas"}})
        .configure_view(stroke=None)
    )


def kind_name(kind: str) -> str:
    return t(f"map.kind_{kind}")


def zoom() -> alt.Parameter:
    """Let the map be zoomed and moved while Alt is held, so that the wheel alone still scrolls the page."""
    drag = "[pointerdown[event.altKey], window:pointerup] > window:pointermove!"
    return alt.selection_interval(name="zoom", bind="scales", zoom="wheel![event.altKey]", translate=drag, on=drag)


def point_marks(frame: pd.DataFrame) -> alt.Chart:
    """Draw the points; colour and shape say what each is, and the many that are no more than chunks stand back."""
    many, kinds = len(frame) > MANY, [kind for kind in COLOURS if kind in set(frame["kind"])]
    names = list(map(kind_name, kinds))
    colours = alt.Scale(domain=names, range=[COLOURS[kind] for kind in kinds])
    shapes = alt.Scale(domain=names, range=[SHAPES.get(kind, "circle") for kind in kinds])
    legend = alt.Legend(title=None, orient="bottom", columns=3, labelLimit=260, labelColor=INK, symbolOpacity=1)
    rest, rest_opacity = "datum.kind == 'rest'", alt.value(0.45 if many else 0.7)
    ranks = {"before:Q": t("table.before"), "after:Q": t("table.after")}
    return (
        placed(frame)
        .mark_point(filled=True)
        .encode(
            color=alt.Color("name:N", scale=colours, legend=legend),
            shape=alt.Shape("name:N", legend=None, scale=shapes),
            size=alt.condition(rest, alt.value(14 if many else 40), alt.value(150)),
            opacity=alt.condition(f"{rest} && !datum.picked", rest_opacity, alt.value(1)),
            stroke=alt.condition("datum.picked", alt.value(PICKED), alt.value(None)),
            strokeWidth=alt.condition("datum.picked", alt.value(4), alt.value(0)),
            tooltip=tooltips({"name:N": t("map.kind"), "page:N": t("table.page"), **ranks, "text:N": t("table.text")}),
        )
    )


def placed(frame: pd.DataFrame) -> alt.Chart:
    """Return a chart on the plane; layers that disagree about an axis draw nothing at all."""
    scale = alt.Scale(zero=False, padding=24)
    return alt.Chart(frame).encode(x=alt.X("x:Q", axis=None, scale=scale), y=alt.Y("y:Q", axis=None, scale=scale))


def path_layers(frame: pd.DataFrame) -> list[alt.Chart]:
    """Return the lines from the question to the reranked top, and the labels ``old rank → new rank`` at their ends."""
    question = frame[frame["kind"] == "question"].iloc[0]
    top = frame[frame["kind"].isin(["reranked", "both"])]
    ends = top.assign(
        x2=question["x"],
        y2=question["y"],
        path=[t("result.from_to", before=int(row.before), after=int(row.after)) for row in top.itertuples()],
        side=top["after"].astype(int) % len(LABEL_PLACES),
    )
    base = placed(ends)
    lines = base.mark_rule(color=SAME, strokeDash=[4, 3]).encode(x2="x2:Q", y2="y2:Q")
    # Neighbours in rank get labels on different sides: near the question their points lie close together.
    labels = [
        base.transform_filter(alt.datum.side == side)
        .mark_text(color=INK, fontSize=12, fontWeight="bold", **place)
        .encode(text="path:N")
        for side, place in enumerate(LABEL_PLACES)
    ]
    return [lines, *labels]


def top_tables(comparison: Comparison) -> None:
    for column, side in zip(st.columns(2), ("vector", "reranked"), strict=True):
        with column:
            st.markdown(f"**{tables.order_name(comparison, side)}**")
            hits = comparison.ranking(side).top(comparison.cutoff)
            ids = [hit.chunk.id for hit in hits]
            key = state.key_of(f"map_{side}", ids)
            st.dataframe(
                top_table(comparison, side),
                key=key,
                hide_index=True,
                on_select=lambda key=key, ids=ids: state.keep_clicked(key, "picked", ids),
                selection_mode="single-cell",
                column_config={
                    t("table.rank"): st.column_config.NumberColumn(width=45),
                    "▲▼": st.column_config.TextColumn(width=58),
                    t("table.page"): tables.page_column([hit.chunk for hit in hits]),
                },
            )


def top_table(comparison: Comparison, side: str) -> Styler:
    """Return one side's first candidates, the picked one marked."""
    by_id = {move.chunk.id: move for move in comparison.moves}
    hits = comparison.ranking(side).top(comparison.cutoff)
    rows = [
        [rank, tables.arrow(by_id[hit.chunk.id].delta), tables.page(hit.chunk), tables.one_line(hit.chunk.text)]
        for rank, hit in enumerate(hits, start=1)
    ]
    marked = [hit.chunk.id == st.session_state["picked"] for hit in hits]
    style = pd.DataFrame(rows, columns=[t("table.rank"), "▲▼", t("table.page"), t("table.text")]).style
    return style.map(tables.colour, subset=["▲▼"]).apply(
        lambda row: [f"background-color: {tables.PICKED}" if marked[row.name] else ""] * len(row), axis=1
    )


def picked(index: Searched) -> None:
    chunk = index.by_id.get(st.session_state["picked"])
    if chunk is None:
        st.caption(t("map.pick_hint"))
        return
    page_beside.whole(chunk)
