"""Comparisons that were made before, and are kept beside the samples: what is shown of them costs nothing."""

from typing import NamedTuple

import streamlit as st

from pages.ui.shell import cached, samples
from pages.ui.shell.i18n import language
from rag_core.datatypes import Comparison, Settings
from rag_core.reading.pdf import document_id
from rag_core.sharing import replay_file
from rag_core.sharing.replay import Replay

SHOWN = 3


class Saved(NamedTuple):
    """A sample's question, what reranking does to it (``helps``, ``none`` or ``harms``), and its comparison."""

    question: str
    effect: str
    replay: Replay


def spoken() -> str:
    """Return the language of the sample that is shown: the page's, where there is one in it."""
    return language() if language() in samples.FILES else "en"


@st.cache_resource(show_spinner=False)
def results(sample: str) -> tuple[Saved, ...]:
    """Return what is shown of a sample, read once for all visitors; nobody may change it."""
    rows = samples.rows(sample)[:SHOWN]
    return tuple(Saved(row.question, row.effect, read(sample, i)) for i, row in enumerate(rows))


def read(sample: str, number: int, owner: str = "") -> Replay:
    """Read a saved comparison as one of this owner's document, which has an id of its own."""
    data = samples.load(sample)[1]
    saved = (samples.FOLDER / f"{samples.FILES[sample]}.{number + 1}.json").read_bytes()
    return replay_file.read(saved.replace(document_id(data).encode(), document_id(data, owner).encode()))


def comparison(doc_id: str, question: str, how: Settings, owner: str) -> Comparison | None:
    """Return the saved comparison of a sample's question, where it would come out the same now; else None."""
    kept = (
        read(sample, number, owner).comparison
        for sample in samples.FILES
        for number, result in enumerate(results(sample))
        if result.question == question
    )
    return next((made for made in kept if (made.doc_id, made.settings) == (doc_id, how) and is_as_now(made)), None)


def is_as_now(made: Comparison) -> bool:
    """Say whether its document is still cut into the same chunks: pages can be left out, or read otherwise."""
    how = made.settings.chunks
    candidates = cached.candidates(made.doc_id, how.preset, how.size, how.overlap)
    texts = {chunk.id: chunk.text for chunk in candidates}
    same = all(texts.get(chunk.id) == chunk.text for chunk in made.before.chunks)
    return same and made.available == len(texts)
