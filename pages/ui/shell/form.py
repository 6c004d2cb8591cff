"""What the reader chooses: a document, a question with its expansions, models, and a language model."""

from collections.abc import Callable, Sequence
from contextlib import suppress

import streamlit as st

from pages.ui.shell import cached, models, samples, state
from pages.ui.shell.i18n import plain, t
from rag_core.datatypes import Collection
from rag_core.errors import DocumentDamaged, LibraryDamaged
from rag_core.extras import MODELS
from rag_core.models import catalog
from rag_core.servers import llm
from rag_core.servers.rerank import FORMS
from rag_core.settings import FIRST_STAGES

state.keep(
    embedder_other="",
    reranker_other="",
    llm_key="",
    llm_url="",
    llm_model="",
    rerank_url="",
    rerank_form="",
    rerank_model="",
    rerank_key="",
    embed_url="",
    embed_model="",
    embed_key="",
)


def pick_document(filtered: bool = True, labelled: bool = True) -> str:
    """Let the reader choose a document; without any, say what to do and stop the page.

    Of a collection, unless told otherwise, also which members are searched.
    """
    titles = cached.lab().documents.titles(state.owner())
    if not titles:
        st.info(t("form.no_document"), icon=":material/upload_file:")
        st.page_link("pages/documents.py", label=t("form.add_document"), icon=":material/add:")
        st.stop()
    if st.session_state["doc_id"] not in titles:
        if st.session_state["doc_id"]:
            st.warning(t("form.document_gone"), icon=":material/find_in_page:")
            st.session_state["autorun"] = False
        choose_document(next(iter(titles)))
    st.selectbox(
        t("form.document"),
        list(titles),
        key="doc_id",
        format_func=titles.__getitem__,
        on_change=begin_anew,
        label_visibility="visible" if labelled else "collapsed",
    )
    if filtered:
        if settle_members(st.session_state["doc_id"]):
            members_gone()
        pick_members(st.session_state["doc_id"])
    return st.session_state["doc_id"]


def settle_members(doc_id: str) -> bool:
    """Drop from what is searched the documents that left the collection; say whether any did."""
    known, former = members(doc_id), st.session_state["within"]
    chosen = st.session_state["within"] = [member for member in former if member in known]
    return bool(known) and len(chosen) < len(former)


def members_gone() -> None:
    st.warning(t("form.within_gone"), icon=":material/find_in_page:")


def members(doc_id: str) -> tuple[str, ...]:
    document = cached.document(doc_id)
    return document.members if isinstance(document, Collection) else ()


def pick_members(doc_id: str) -> None:
    """Let the reader say which members of a collection are searched; of another document nothing is asked."""
    titles, known = cached.lab().documents.titles(state.owner()), members(doc_id)
    if known:
        st.multiselect(
            t("form.within"),
            list(known),
            key="within",
            format_func=titles.__getitem__,
            placeholder=t("form.within_all"),
            help=t("form.within_help"),
        )


def choose_document(doc_id: str) -> None:
    st.session_state["doc_id"] = doc_id
    begin_anew()


def begin_anew() -> None:
    """Cut a document that was just chosen as is recommended, and search all of it."""
    st.session_state["within"] = []
    with suppress(DocumentDamaged, LibraryDamaged):  # the page that is drawn next says so
        state.use_chunks(cached.recommended(st.session_state["doc_id"]))


def model_label(lines: tuple[catalog.Line, ...], model_id: str) -> str:
    line = catalog.find(lines, model_id)
    sizes = {"onnx": t("model.bundled"), "openai": t("model.key"), "server": t("model.server")}
    size = sizes.get(line.kind, f"{line.size} MB")
    facts = [model_id, " ".join(line.languages), size, line.licence]
    if line.kind == catalog.ST and not MODELS.is_installed():
        facts.append(t("model.not_installed"))
    return " · ".join(facts)


def model_select(role: str, lines: tuple[catalog.Line, ...]) -> None:
    labels = {line.id: model_label(lines, line.id) for line in catalog.offered(lines)}
    state.settle(role, list(labels))
    st.selectbox(t(f"form.{role}"), list(labels), key=role, format_func=labels.__getitem__)


def may_name_models() -> bool:
    """Say whether models may be named that are not in the lists: for a visitor the host must allow some."""
    return not state.owner() or bool(catalog.listed())


def other_models() -> None:
    """Let the reader name models that are not in the lists."""
    if not may_name_models():
        return
    with st.expander(t("form.other_models"), icon=":material/deployed_code:"):
        for role in ("embedder", "reranker"):
            st.text_input(t(f"form.{role}_other"), key=f"{role}_other", help=t("form.other_help"))


def example_question(doc_id: str, key: str, chosen: Callable[[], None] = lambda: None, told: bool = True) -> None:
    """Offer a bundled sample's questions; choosing one fills in the question, and ``chosen`` follows.

    Without ``told`` nobody reads what reranking does to a question before it is asked.
    """
    questions = samples.questions(doc_id, state.owner())

    def fill() -> None:
        if st.session_state[key]:
            st.session_state["question"] = st.session_state[key]
            chosen()

    if questions:
        labels = {question: taught(question, told) for question in questions}
        st.selectbox(
            t("compare.examples"),
            questions,
            index=None,
            key=key,
            placeholder=t("compare.examples_hint"),
            format_func=labels.__getitem__,
            on_change=fill,
            label_visibility="collapsed",
        )


def taught(question: str, told: bool = True) -> str:
    """Name a sample's question with what it teaches: what makes it hard, and where it may be told, what comes of it."""
    row = samples.known(question)
    if row is None:
        return question
    label = "teaches.label" if told else "teaches.label_untold"
    return t(label, effect=t(f"teaches.{row.effect}"), kind=t(f"kind.{row.kind}"), question=question)


def first_stage() -> None:
    names = {stage: t(f"form.first_{stage}") for stage in FIRST_STAGES}
    st.radio(
        t("form.first_stage"),
        list(names),
        key="first_stage",
        format_func=names.__getitem__,
        horizontal=True,
        help=t("form.first_stage_help"),
    )


def llm_fields() -> llm.LLMSettings:
    """Let the reader say which language model to ask; what is typed stays in this session."""
    with st.expander(t("llm.title"), icon=":material/key:"):
        st.caption(t("llm.help"))
        fields = st.columns(3)
        fields[0].text_input(t("llm.key"), key="llm_key", type="password", autocomplete="off")
        fields[1].text_input(t("llm.url"), key="llm_url", placeholder=llm.DEFAULT_ADDRESS)
        fields[2].text_input(t("llm.model"), key="llm_model", placeholder=llm.DEFAULT_MODEL)
    return llm_settings()


def llm_settings() -> llm.LLMSettings:
    kept = st.session_state
    guarded = bool(state.owner())
    return llm.LLMSettings.from_environment(kept["llm_key"], kept["llm_url"], kept["llm_model"], guarded=guarded)


def server_fields() -> None:
    """Let the reader say where the models called ``rerank-server`` and ``embedding-server`` answer."""
    with st.expander(t("remote.title"), icon=":material/dns:"):
        st.caption(t("remote.help"))
        rerank = st.columns([3, 2, 2, 2])
        rerank[0].text_input(t("remote.rerank_url"), key="rerank_url", placeholder="http://127.0.0.1:8080/rerank")
        forms = {"": t("remote.form_of_settings"), **{form: form for form in FORMS}}
        rerank[1].selectbox(t("remote.form"), list(forms), key="rerank_form", format_func=forms.__getitem__)
        rerank[2].text_input(t("remote.model"), key="rerank_model")
        rerank[3].text_input(t("remote.key"), key="rerank_key", type="password", autocomplete="off")
        embed = st.columns([3, 2, 2, 2])
        embed[0].text_input(t("remote.embed_url"), key="embed_url", placeholder="http://127.0.0.1:8080/v1")
        embed[2].text_input(t("remote.model"), key="embed_model")
        embed[3].text_input(t("remote.key"), key="embed_key", type="password", autocomplete="off")


def leaving(rerankers: Sequence[str]) -> None:
    """Say which texts leave this machine with the models chosen, and where they go; without an address none can."""
    for model in rerankers:
        address = catalog.leaves(catalog.RERANKERS, model) and in_code(models.rerank_address(model))
        if address:
            st.info(t("remote.rerank_leaves", model=plain(model), address=address), icon=":material/outbound:")
    embedder = state.chosen("embedder")
    if catalog.leaves(catalog.EMBEDDERS, embedder):
        own = embedder == "embedding-server"
        where = state.embedding_server() if own else llm_settings()
        if where.base_url or not own:
            address = in_code(where.address)
            st.info(t("remote.embed_leaves", model=plain(embedder), address=address), icon=":material/outbound:")


def in_code(address: str) -> str:
    """Return an address for a text that sets it in backticks: elsewhere Markdown makes a link of it."""
    return address.replace("`", "").strip()


def chat_model() -> llm.ChatModel:
    return llm.ChatModel(llm_settings())
