"""The comparisons that Home shows: made before, and kept beside the samples."""

from typing import NamedTuple

import streamlit as st

from pages.ui.shell import samples
from pages.ui.shell.i18n import language
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
