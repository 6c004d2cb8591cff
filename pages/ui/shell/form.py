"""What the reader chooses: a document, a question with its expansions, models, and a language model."""

from collections.abc import Mapping, Sequence

import streamlit as st

from pages.ui.shell import cached, models, samples, state
from pages.ui.shell.i18n import plain, t
from rag_core.datatypes import Collection, Expansion
from rag_core.models import catalog
from rag_core.servers import llm
from rag_core.servers.rerank import FORMS
from rag_core.settings import CUTOFFS, DEPTHS, FIRST_STAGES, PATIENCE

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


def pick_document(filtered: bool = True) -> str:
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
    st.selectbox(t("form.document"), list(titles), key="doc_id", format_func=titles.__getitem__, on_change=begin_anew)
    if filtered:
        pick_members(st.session_state["doc_id"], titles)
    return st.session_state["doc_id"]


def pick_members(doc_id: str, titles: Mapping[str, str]) -> None:
    """Let the reader say which members of a collection are searched; of another document nothing is asked."""
    document = cached.document(doc_id)
    members = document.members if isinstance(document, Collection) else ()
    chosen = [member for member in st.session_state["within"] if member in members]
    if members and len(chosen) < len(st.session_state["within"]):
        st.warning(t("form.within_gone"), icon=":material/find_in_page:")
    st.session_state["within"] = chosen
    if members:
        st.multiselect(
            t("form.within"),
            list(members),
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
    state.use_chunks(cached.recommended(st.session_state["doc_id"]))


def model_label(lines: tuple[catalog.Line, ...], model_id: str) -> str:
    line = catalog.find(lines, model_id)
    sizes = {"onnx": t("model.bundled"), "openai": t("model.key"), "server": t("model.server")}
    size = sizes.get(line.kind, f"{line.size} MB")
    facts = [model_id, " ".join(line.languages), size, line.licence]
    return " · ".join([*facts, t("model.remote_code")] if line.remote_code else facts)


def model_select(role: str, lines: tuple[catalog.Line, ...]) -> None:
    labels = {line.id: model_label(lines, line.id) for line in lines}
    st.selectbox(t(f"form.{role}"), list(labels), key=role, format_func=labels.__getitem__)


def example_question(doc_id: str, key: str) -> None:
    """Offer a bundled sample's questions; choosing one fills in the question."""
    questions = samples.questions(doc_id, state.owner())
    if questions:
        st.selectbox(
            t("compare.examples"),
            questions,
            index=None,
            key=key,
            placeholder=t("compare.examples_hint"),
            on_change=lambda: st.session_state.update(question=st.session_state[key] or ""),
        )


def question_form() -> str | None:
    """Show the form; return what was asked for: ``compare``, ``llm``, ``feedback``, or None."""
    with st.form("question_form"):
        st.text_input(t("form.question"), key="question", placeholder=t("form.question_example"))
        numbers = st.columns(2)
        numbers[0].slider(t("form.depth"), *DEPTHS, key="depth", help=t("form.depth_help"))
        numbers[1].slider(t("form.cutoff"), *CUTOFFS, key="cutoff", help=t("form.cutoff_help"))
        first_stage()
        st.checkbox(t("form.adaptive"), key="adaptive", help=t("form.adaptive_help", patience=PATIENCE))
        chosen = st.columns(2)
        with chosen[0]:
            model_select("embedder", catalog.EMBEDDERS)
        with chosen[1]:
            model_select("reranker", catalog.RERANKERS)
        with st.expander(t("form.other_models"), icon=":material/deployed_code:"):
            others = st.columns(2)
            others[0].text_input(t("form.embedder_other"), key="embedder_other", help=t("form.other_help"))
            others[1].text_input(t("form.reranker_other"), key="reranker_other", help=t("form.other_help"))
        with st.expander(t("form.expansions"), icon=":material/alt_route:", expanded=has_expansions()):
            asked = expansion_fields()
        compare = st.form_submit_button(t("form.compare"), type="primary", icon=":material/swap_vert:")
    return "compare" if compare else asked


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


def has_expansions() -> bool:
    return bool(st.session_state["typed"] or st.session_state["suggested"])


def expansion_fields() -> str | None:
    st.caption(t("form.expansions_help"))
    st.text_area(t("form.typed"), key="typed", height=100)
    if st.session_state["suggested"]:
        labels = dict(enumerate(map(suggestion_label, st.session_state["suggested"])))
        st.multiselect(t("form.kept"), list(labels), key="kept", format_func=labels.__getitem__)
    buttons = st.columns(2)
    feedback = buttons[0].form_submit_button(t("form.by_feedback"), icon=":material/wifi_off:", width="stretch")
    by_llm = buttons[1].form_submit_button(t("form.by_llm"), icon=":material/neurology:", width="stretch")
    return "feedback" if feedback else "llm" if by_llm else None


def suggestion_label(expansion: Expansion) -> str:
    return f"{t('origin.' + expansion.origin)}: {expansion.text}"


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
