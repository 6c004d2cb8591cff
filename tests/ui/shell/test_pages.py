"""Every screen as a reader meets it: empty, at work, in trouble, and in Chinese."""

from __future__ import annotations

import itertools
import re
import socket
import time
from dataclasses import replace
from functools import partial

import pytest
import tiny_models
from hub_server import Hub
from huggingface_hub import constants
from llm_server import LLMServer, completion, refusal, stream
from pdfs import blank_pdf, cut_pdf, encrypted_pdf, text_pdf
from screens import (
    CHUNKS,
    OTHER,
    QUESTION,
    ROOT,
    SMALL,
    TYPED,
    WRITTEN,
    answered,
    asked,
    click,
    has_orders,
    open_page,
    open_part,
    orders,
    press,
    ranked,
    run,
    said,
    says,
    says_anywhere,
    still_shows,
    text_of,
    titles,
    unlock,
    upload,
    with_model,
)
from streamlit.testing.v1 import AppTest

from pages.ui.shell import cached, form, i18n, visits
from rag_core import settings
from rag_core.comparing import answer
from rag_core.datatypes import Expansion
from rag_core.lab import Lab
from rag_core.models import rerank
from rag_core.reading.pdf import MAX_PAGES, document_id
from rag_core.search.opened import Opened
from rag_core.servers import llm

# Home


@pytest.mark.parametrize("language", ["en", "zh"])
def test_home_says_what_this_is_and_offers_two_ways_on(language):
    at = open_page("home", language)
    assert at.title[0].value == text_of(at, "home.title")
    assert says(at, "home.line") and all(says(at, f"home.line_{number}") for number in (1, 2, 3))
    assert [button.label for button in at.button] == [text_of(at, "home.change")]
    assert [field.key for field in at.file_uploader] == ["own"]


def test_the_first_language_is_english_for_a_browser_that_does_not_say():
    at = AppTest.from_file(str(ROOT / "app.py"), default_timeout=120)
    assert run(at).session_state["lang"] == "en"


def test_the_switch_changes_the_language_of_the_page():
    at = open_page("home")
    at.segmented_control(key="lang").set_value("zh")
    assert run(at).title[0].value == i18n.texts("zh")["home.title"]


@pytest.mark.slow
def test_the_sample_leads_to_a_finished_comparison():
    at = open_page("home")
    click(at, at.button(key="change"))
    assert at.title[0].value == text_of(at, "compare.title")
    comparison = at.session_state["comparison"]
    assert comparison.query == at.session_state["question"] != ""
    assert len(comparison.moves) == 50
    assert says(at, "result.same_candidates")
    # The other questions of the sample are offered, and one that is chosen is compared at once.
    at.selectbox(key="example").select_index(1)
    run(at)
    assert at.text_input(key="question").value == at.session_state["example"] != comparison.query
    assert at.session_state["comparison"].query == at.session_state["example"]
    assert not says(at, "compare.stale")


# Documents


@pytest.mark.parametrize("language", ["en", "zh"])
def test_documents_without_any_say_what_to_do(language):
    at = open_page("documents", language)
    assert at.title[0].value == text_of(at, "documents.title")
    assert says(at, "form.no_document")
    assert not at.metric


@pytest.mark.parametrize("language", ["en", "zh"])
def test_an_uploaded_pdf_shows_its_pages_and_chunks(language):
    at = upload(open_page("documents", language), ("small.pdf", SMALL))
    assert [message.value for message in at.success] == [text_of(at, "read.all_good", count=2)]
    assert [metric.value for metric in at.metric][:2] == ["2", str(CHUNKS)]
    chunks = next(table for table in at.dataframe if table.key.startswith("chunks:")).value
    assert list(chunks.iloc[:, 0]) == ["1"] * 7 + ["2"] * 7
    assert at.session_state["doc_id"] == document_id(SMALL)


def test_several_pdfs_at_once():
    at = upload(open_page("documents"), ("small.pdf", SMALL), ("other.pdf", OTHER))
    assert says_anywhere(at, f"small\\.pdf: {text_of(at, 'read.all_good', count=2)}")
    assert [message.value for message in at.success] == [text_of(at, "read.one_good")]
    assert sorted(titles(at)) == ["other.pdf", "small.pdf"]
    assert at.session_state["doc_id"] == document_id(OTHER)


def test_one_bad_file_among_several_does_not_stop_the_others():
    at = upload(open_page("documents"), ("bad.pdf", b"<html>"), ("small.pdf", SMALL))
    assert says(at, "error.not_a_pdf")
    assert titles(at) == ["small.pdf"]


BAD_FILES = {
    "empty_file": b"",
    "not_a_pdf": b"<html>not a PDF</html>",
    "damaged_pdf": cut_pdf(SMALL, 0.1),
    "password_needed": encrypted_pdf(SMALL, "open sesame"),
    "no_text": blank_pdf(2),
    "too_many_pages": blank_pdf(MAX_PAGES + 1),
    "file_too_large": SMALL + b" " * 2**20,
}


@pytest.mark.parametrize("language", ["en", "zh"])
@pytest.mark.parametrize("code", BAD_FILES)
def test_a_file_that_cannot_be_read_is_told_and_the_others_stay(library, monkeypatch, language, code):
    if code == "file_too_large":
        monkeypatch.setattr("rag_core.reading.pdf.MAX_BYTES", 2**20)
    at = upload(open_page("documents", language), ("bad.pdf", BAD_FILES[code]))
    assert says(at, "documents.password_needed" if code == "password_needed" else f"error.{code}")
    assert says_anywhere(at, "bad.pdf")
    assert titles(at) == ["small.pdf"]
    assert at.metric[1].value == str(CHUNKS)


@pytest.mark.parametrize("language", ["en", "zh"])
def test_an_encrypted_pdf_asks_for_its_password_alone(language):
    at = upload(open_page("documents", language), ("secret.pdf", BAD_FILES["password_needed"]), ("small.pdf", SMALL))
    assert says(at, "documents.password_needed") and not at.error
    assert titles(at) == ["small.pdf"]
    assert says(unlock(at, "wrong"), "error.wrong_password")
    assert titles(unlock(at, "open sesame")) == ["secret.pdf", "small.pdf"]
    assert at.session_state["doc_id"] == document_id(BAD_FILES["password_needed"])
    assert not at.error and not says(at, "documents.password_needed")


def test_a_file_is_read_once(monkeypatch):
    read, add = [], Lab.add
    monkeypatch.setattr(Lab, "add", lambda lab, data, title, *rest: read.append(title) or add(lab, data, title, *rest))
    at = upload(open_page("documents"), ("small.pdf", SMALL), ("bad.pdf", b"<html>"))
    at.segmented_control(key="lang").set_value("zh")
    assert says(run(at), "error.not_a_pdf")
    assert read == ["small.pdf", "bad.pdf"]
    upload(at, ("small.pdf", SMALL))
    assert read == ["small.pdf", "bad.pdf", "small.pdf"], "chosen anew, it is read anew"


def test_a_document_stays_when_its_file_is_no_longer_chosen():
    at = upload(open_page("documents"), ("small.pdf", SMALL))
    at.file_uploader(key="files").clear()
    assert titles(run(at)) == ["small.pdf"]
    assert at.session_state["files_read"] == {}


def test_a_title_is_no_markdown():
    at = upload(open_page("documents"), ("**bold** ![x](http://x).pdf", SMALL), ("other.pdf", OTHER))
    assert says_anywhere(at, "` **bold** ![x](http://x).pdf `: ")


def test_one_button_leads_to_a_question_about_this_document(library):
    at = upload(open_page("documents"), ("other.pdf", OTHER))
    press(at, "documents.ask")
    assert at.title[0].value == text_of(at, "compare.title")
    assert at.session_state["doc_id"] == document_id(OTHER)
    assert at.session_state["comparison"] is None


def test_another_preset_is_seen_before_indexing(library):
    at = open_page("documents")
    assert at.selectbox(key="preset").value == "sentence"
    at.selectbox(key="preset").set_value("window")
    windows = int(run(at).metric[1].value)
    assert 0 < windows < CHUNKS
    at.number_input(key="size").set_value(100)
    at.number_input(key="overlap").set_value(0)
    assert windows < int(run(at).metric[1].value) <= CHUNKS


def test_an_overlap_as_long_as_the_window_is_told(library):
    at = open_page("documents")
    at.selectbox(key="preset").set_value("window")
    run(at)
    at.number_input(key="size").set_value(100)
    at.number_input(key="overlap").set_value(100)
    assert says(run(at), "error.bad_setting")
    at.number_input(key="overlap").set_value(20)
    assert at.run().metric


def test_a_sample_is_one_click_away_and_brings_its_questions():
    at = open_page("documents")
    click(at, at.button(key="sample_zh"))
    assert titles(at) == ["city-report-zh.pdf"]
    assert at.metric[3].value == "中文"
    at = run(at.switch_page("pages/compare.py"))
    assert len(at.selectbox(key="example").options) == 14


def test_on_a_shared_server_a_visitor_sees_only_their_own_documents(library, monkeypatch):
    monkeypatch.setattr("pages.ui.shell.state.LOOPBACK", ())
    at = open_page("documents")
    assert says(at, "form.no_document")
    at = upload(at, ("other.pdf", OTHER))
    assert titles(at) == ["other.pdf"]
    run(at.switch_page("app.py")).session_state["doc_id"] = document_id(SMALL)
    assert titles(run(at.switch_page("pages/compare.py"))) == ["other.pdf"]
    assert says(at, "form.document_gone")


def test_on_a_shared_server_two_visitors_of_one_pdf_have_a_document_each(monkeypatch):
    monkeypatch.setattr("pages.ui.shell.state.LOOPBACK", ())
    one, other = (upload(open_page("documents"), ("small.pdf", SMALL)) for _ in range(2))
    ids = [at.session_state["doc_id"] for at in (one, other)]
    assert len({*ids, document_id(SMALL)}) == 3
    click(one, one.button(key="delete"))
    assert says(one, "form.no_document")
    assert titles(run(other)) == ["small.pdf"]


def test_on_a_shared_server_a_link_does_not_open_what_another_visitor_uploaded(monkeypatch):
    monkeypatch.setattr("pages.ui.shell.state.LOOPBACK", ())
    owner = upload(open_page("documents"), ("small.pdf", SMALL))
    thief = open_page("home")
    thief.query_params["q"], thief.query_params["doc"] = QUESTION, owner.session_state["doc_id"]
    assert says(run(thief.switch_page("pages/compare.py")), "form.no_document")


def visitors_documents() -> list[str]:
    """Return the ids of all documents that belong to a visitor: everything that a day's end would take."""
    return cached.lab().library.documents.left_behind(0, time.time() + 1)


def test_what_a_visitor_uploaded_goes_some_time_after_the_visit(monkeypatch):
    monkeypatch.setattr("pages.ui.shell.state.LOOPBACK", ())
    gone, here = (upload(open_page("documents"), ("small.pdf", SMALL)) for _ in range(2))
    visits.leave(gone.session_state["owner"])
    visits.sweep(cached.lab(), visits.stays())
    assert len(visitors_documents()) == 2, "a lost connection may come back"
    monkeypatch.setattr(visits, "GRACE_SECONDS", -1)
    visits.sweep(cached.lab(), visits.stays())
    assert visitors_documents() == [here.session_state["doc_id"]]


def test_what_a_visitor_of_another_process_uploaded_stays_while_that_process_sees_them(monkeypatch):
    cached.lab().add(SMALL, "small.pdf", owner="elsewhere")
    cached.lab().library.documents.report_stays(["elsewhere"], [])
    visits.sweep(cached.lab(), {})
    assert len(visitors_documents()) == 1
    monkeypatch.setattr(visits, "UNHEARD_SECONDS", -1)
    visits.sweep(cached.lab(), {})
    assert visitors_documents() == []


def test_the_sweeper_sweeps_by_itself(monkeypatch):
    monkeypatch.setattr("pages.ui.shell.state.LOOPBACK", ())
    monkeypatch.setattr(visits, "SWEEP_SECONDS", 0.05)
    monkeypatch.setattr(visits, "GRACE_SECONDS", -1)
    gone = upload(open_page("documents"), ("small.pdf", SMALL))
    visits.leave(gone.session_state["owner"])
    end = time.monotonic() + 30
    while visitors_documents() and time.monotonic() < end:
        time.sleep(0.05)
    assert visitors_documents() == []


def test_what_a_visitor_uploaded_goes_after_a_day(library, monkeypatch):
    monkeypatch.setattr("pages.ui.shell.state.LOOPBACK", ())
    upload(open_page("documents"), ("small.pdf", SMALL))
    monkeypatch.setattr(visits, "LONGEST_STAY_SECONDS", -1)
    visits.sweep(cached.lab(), visits.stays())
    assert visitors_documents() == []
    assert list(cached.lab().documents.titles().values()) == ["small.pdf"], "what is everybody's stays"


@pytest.mark.parametrize("days", [-2, 2])
def test_a_clock_that_is_set_takes_nothing_from_who_is_here(days, monkeypatch):
    monkeypatch.setattr("pages.ui.shell.state.LOOPBACK", ())
    upload(open_page("documents"), ("small.pdf", SMALL))
    cached.lab().add(OTHER, "other.pdf", owner="elsewhere")
    cached.lab().documents.report_stays(["elsewhere"], [])
    real = time.time
    monkeypatch.setattr(time, "time", lambda: real() + days * 24 * 3600)
    visits.sweep(cached.lab(), visits.stays())
    monkeypatch.undo()
    assert len(visitors_documents()) == 2


def test_embedding_ahead_of_the_first_question(library):
    at = open_page("documents")
    at.selectbox(key="preset").set_value("window")
    run(at)
    click(at, at.button(key="build"))
    assert says(at, "documents.indexed")


def test_deleting_the_only_document_leaves_none(library, compared):
    at = open_page("documents", comparison=compared)
    click(at, at.button(key="delete"))
    assert titles(at) == []
    assert says(at, "form.no_document")
    assert at.session_state["comparison"] is None


def test_deleting_one_of_two_keeps_the_other_without_a_word_of_links(library):
    at = upload(open_page("documents"), ("other.pdf", OTHER))
    click(at, at.button(key="delete"))
    assert titles(at) == ["small.pdf"]
    assert not at.warning


# Compare


@pytest.fixture
def hub(monkeypatch, tmp_path):
    """Point the hub's client to an address, with nothing downloaded before."""
    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", False)

    def use(address: str) -> None:
        monkeypatch.setattr(constants, "ENDPOINT", address)
        template = address + "/{repo_id}/resolve/{revision}/{filename}"
        monkeypatch.setattr(constants, "HUGGINGFACE_CO_URL_TEMPLATE", template)

    return use


@pytest.fixture
def closed_port() -> str:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return f"http://127.0.0.1:{found.getsockname()[1]}"


@pytest.mark.parametrize("language", ["en", "zh"])
def test_compare_without_a_document_says_what_to_do(language):
    at = open_page("compare", language)
    assert at.title[0].value == text_of(at, "compare.title")
    assert says(at, "form.no_document")
    assert not at.button


@pytest.mark.parametrize("language", ["en", "zh"])
def test_compare_without_a_question_yet_says_what_to_do(library, language):
    at = open_page("compare", language)
    assert says(at, "compare.empty")
    assert not has_orders(at) and not at.dataframe


@pytest.mark.parametrize("language", ["en", "zh"])
def test_both_tables_rank_the_same_candidates(library, language):
    at = asked(language, depth=10)
    before, after = ranked(at)
    comparison = at.session_state["comparison"]
    assert (before, after) == (list(comparison.before.ids), list(comparison.reranked.ids))
    assert sorted(before) == sorted(after) == sorted(orders(at)["chunks"])
    assert len(set(before)) == 10
    outcomes = [text_of(at, f"headline.{kind}", count=n, k=5) for kind in ("none", "one", "some") for n in range(6)]
    assert any(f"**{outcome}**" in said(at) for outcome in outcomes)
    measures = [text_of(at, "metric.overlap", k=5), text_of(at, "metric.tau"), text_of(at, "metric.rbo")]
    assert all(any(text.startswith(f"{name} **") for text in said(at)) for name in measures)
    assert orders(at)["sides"][0]["title"] == text_of(at, "result.vector")
    assert says(open_part(at, "result.times"), "result.speed")
    assert not at.error
    assert not at.warning


def test_every_word_of_a_row_comes_from_its_chunk(library, compared):
    at = open_page("compare", comparison=compared, question=QUESTION)
    shown = {hit.chunk.id: hit.chunk.text for hit in compared.before.hits}
    assert {i: "".join(text for text, _ in row["runs"]) for i, row in orders(at)["chunks"].items()} == shown


def test_a_row_that_is_picked_is_shown_whole(library, compared):
    at = open_page("compare", comparison=compared, question=QUESTION)
    assert not says(at, "result.picked")
    at.session_state["picked"] = compared.moves[3].chunk.id
    assert says(run(at), "result.picked")
    assert orders(at)["picked"] == compared.moves[3].chunk.id
    assert compared.moves[3].chunk.text in [text.value for text in at.text]


def test_the_cutoff_is_moved_without_comparing_again(library, monkeypatch):
    at = asked()
    first = at.session_state["comparison"]
    monkeypatch.setattr(Opened, "compare", lambda *_: pytest.fail("it is compared again"))
    at.slider(key="cutoff").set_value(2)
    moved = run(at).session_state["comparison"]
    assert (moved.cutoff, moved.moves) == (2, first.moves)
    assert orders(at)["cutoff"] == 2
    assert text_of(at, "metric.overlap", k=2) in " ".join(said(at))
    assert at.query_params["cutoff"] in ("2", ["2"])
    assert not says(at, "compare.stale")


def test_a_depth_over_the_number_of_chunks_is_said(library):
    at = asked()
    assert says(at, "result.shallow")
    assert [len(ids) for ids in ranked(at)] == [CHUNKS] * 2
    assert not says(asked(depth=10), "result.shallow")


@pytest.mark.parametrize("language", ["en", "zh"])
def test_adaptive_depth_says_where_it_stopped(library, language, monkeypatch):
    monkeypatch.setattr(rerank, "STEP", 2)
    monkeypatch.setattr(rerank, "PATIENCE", 4)
    at = asked(language, adaptive=True, cutoff=1)
    comparison = at.session_state["comparison"]
    assert len(comparison.before) == len(comparison.reranked) < comparison.found == CHUNKS
    assert says(at, "result.settled")
    assert [len(ids) for ids in ranked(at)] == [len(comparison.moves)] * 2


def test_one_part_is_drawn_at_a_time_and_another_language_begins_with_the_first(library):
    at = asked()
    scores = 2  # those of both sides are always drawn
    assert len(at.get("vega_lite_chart")) == scores + 1
    assert says(at, "baseline.line") and says(at, "result.slope_help")
    assert len(open_part(at, "result.times").get("vega_lite_chart")) == scores + 1
    assert not says(at, "result.slope_help")
    at.segmented_control(key="lang").set_value("zh")
    run(at)
    assert says(at, "result.slope_help")
    assert not says(at, "result.speed")


def test_one_query_has_no_ledger(library):
    at = asked()
    assert text_of(at, "result.ledger") not in [tab.label for tab in at.tabs]
    assert text_of(at, "result.ledger") in [tab.label for tab in asked(typed=TYPED).tabs]


@pytest.mark.parametrize(("depth", "more"), [(5, 10), (10, CHUNKS), (CHUNKS, None)])
def test_the_time_of_more_candidates_is_forecast(library, depth, more):
    at = open_part(asked(depth=depth), "result.times")
    seconds = at.session_state["comparison"].timings["rerank"]
    assert says(at, "result.forecast") == (more is not None)
    if more:
        extra = f"**{more}** candidates instead of {depth} ≈ **+ {(more - depth) * seconds / depth:.2f} s**"
        assert says_anywhere(at, extra)


def test_typed_expansions_are_fused_and_recorded(library):
    at = asked(typed=f"{TYPED}\n\n{TYPED}\n{WRITTEN}")
    assert orders(at)["sides"][0]["title"] == text_of(at, "result.fused")
    ledger = open_part(at, "result.ledger").dataframe[0].value
    assert [name[:2] for name in ledger.columns[3:]] == ["0.", "1.", "2."]
    assert len(ledger) == len(at.session_state["comparison"].moves)
    assert at.session_state["comparison"].expansions == (Expansion(TYPED, "typed"), Expansion(WRITTEN, "typed"))


def test_suggestions_from_the_first_results_wait_for_the_reader(library):
    at = press(open_page("compare", question="What grew?"), "form.by_feedback")
    suggested = at.session_state["suggested"]
    assert {expansion.origin for expansion in suggested} == {"feedback"}
    assert at.session_state["comparison"] is None
    assert [suggested[i] for i in at.multiselect(key="kept").value] == suggested
    at.multiselect(key="kept").set_value([0])
    at = press(at, "form.compare")
    assert at.session_state["comparison"].expansions == (suggested[0],)


def test_no_suggestion_is_said_too():
    at = upload(open_page("documents"), ("one.pdf", text_pdf(["Nothing here repeats."])))
    at.session_state["question"] = QUESTION
    at.session_state["suggested"], at.session_state["kept"] = [Expansion(TYPED, "llm")], [0]
    at = press(run(at.switch_page("pages/compare.py")), "form.by_feedback")
    assert says(at, "compare.no_suggestion")
    assert run(at).multiselect(key="kept").value == [0]


def test_suggestions_by_a_language_model(library):
    with LLMServer(completion(f"1. {TYPED}\n2. {WRITTEN}")) as server:
        at = press(open_page("compare", **with_model(server, question=QUESTION)), "form.by_llm")
    assert at.session_state["suggested"] == [Expansion(TYPED, "llm"), Expansion(WRITTEN, "llm")]
    assert server.requests[0]["authorization"] == "Bearer sk-test"
    assert at.multiselect(key="kept").options == [f"{text_of(at, 'origin.llm')}: {text}" for text in (TYPED, WRITTEN)]


BAD_QUESTIONS = {"empty_query": " \n ", "query_too_long": "why " * 2500}


@pytest.mark.parametrize("language", ["en", "zh"])
@pytest.mark.parametrize("code", BAD_QUESTIONS)
def test_a_question_that_cannot_be_asked_keeps_the_former_comparison(library, compared, language, code):
    at = asked(language, question=BAD_QUESTIONS[code], comparison=compared)
    assert says(at, f"error.{code}")
    assert still_shows(at, compared)
    assert says(at, "compare.stale")


@pytest.mark.parametrize("text", ["x" * 501, "\n".join(f"wording {n}" for n in range(11))])
def test_too_many_or_too_long_expansions_are_told(library, compared, text):
    at = asked(typed=text, comparison=compared)
    assert says(at, "error.bad_setting")
    assert still_shows(at, compared)


@pytest.mark.parametrize("role", ["embedder", "reranker"])
@pytest.mark.parametrize("name", ["no such model", "../../x/y", "*wild*"])
def test_an_unknown_model_is_told(library, compared, role, name):
    at = asked(comparison=compared, **{f"{role}_other": name})
    assert says(at, "error.unknown_model")
    assert still_shows(at, compared)


def test_what_an_error_quotes_is_no_markdown(library):
    at = asked(reranker_other="![x](http://x/y.png) **wild**")
    assert "` ![x](http://x/y.png) **wild** `" in at.error[0].value


@pytest.mark.parametrize("language", ["en", "zh"])
@pytest.mark.parametrize("role", ["embedder", "reranker"])
def test_a_hub_out_of_reach_is_told(library, compared, hub, closed_port, role, language):
    hub(closed_port)
    at = asked(language, comparison=compared, **{f"{role}_other": "nobody/no-such-model"})
    assert says(at, "error.hub_unreachable")
    assert still_shows(at, compared)


def test_a_model_that_the_hub_does_not_have_is_told(library, compared, hub):
    with Hub() as known:
        hub(known.address)
        at = asked(comparison=compared, reranker_other="nobody/no-such-model")
    assert says(at, "error.unknown_model")
    assert still_shows(at, compared)


@pytest.mark.parametrize("language", ["en", "zh"])
def test_an_embedder_of_openai_without_a_key_is_told(library, compared, language):
    at = asked(language, comparison=compared, embedder="text-embedding-3-small")
    assert says(at, "error.server_key_missing")
    assert still_shows(at, compared)


@pytest.mark.parametrize("language", ["en", "zh"])
def test_the_bundled_model_shows_that_it_reads_both_languages(library, language):
    at = asked(language)
    assert says(at, "selftest.of")
    for name in ("English", "中文"):
        assert any(re.search(rf"{name} [56]/6", text) for text in said(at))
    assert says(at, "selftest.long")
    assert not says(at, "selftest.beyond") and not says(at, "selftest.leans")


@pytest.mark.slow
@pytest.mark.torch
@pytest.mark.parametrize("language", ["en", "zh"])
def test_a_model_that_cannot_read_the_documents_language_is_warned_of(library, tmp_path, language):
    at = asked(language, reranker_other=tiny_models.cross_encoder(tmp_path / "model"))
    assert says(at, "selftest.of")
    assert says(at, "selftest.beyond")
    assert has_orders(at)


@pytest.mark.slow
@pytest.mark.torch
@pytest.mark.parametrize("language", ["en", "zh"])
def test_a_model_with_one_score_for_everything_is_refused(library, compared, tmp_path, language):
    folder = tiny_models.cross_encoder(tmp_path / "model", bias=0.5, constant=True)
    at = asked(language, comparison=compared, reranker_other=folder)
    assert says(at, "error.constant_scores")
    assert still_shows(at, compared)


def test_a_language_model_without_a_key_is_told(library, compared):
    at = press(open_page("compare", question=QUESTION, comparison=compared), "form.by_llm")
    assert says(at, "error.server_key_missing")
    assert still_shows(at, compared)


REPLIES = {
    "server_key": refusal(401, "Incorrect API key provided: sk-****test."),
    "server_refused": refusal(429, "You exceeded your quota."),
    "server_bad_answer": completion("   "),
    "server_address": refusal(404, "Not here."),
}


@pytest.mark.parametrize("code", REPLIES)
def test_trouble_with_the_language_model_is_told(library, compared, code):
    with LLMServer(REPLIES[code]) as server:
        given = with_model(server, question=QUESTION, comparison=compared)
        at = press(open_page("compare", **given), "form.by_llm")
    assert says(at, f"error.{code}")
    assert not says_anywhere(at, "sk-")
    assert still_shows(at, compared)
    assert at.session_state["question"] == QUESTION


def test_a_silent_language_model_is_told(library, compared, monkeypatch):
    monkeypatch.setattr(form.llm, "ChatModel", partial(llm.ChatModel, timeout=0.3))
    with LLMServer(replace(completion("late"), delay=5)) as server:
        given = with_model(server, question=QUESTION, comparison=compared)
        at = press(open_page("compare", **given), "form.by_llm")
    assert says(at, "error.server_timeout")
    assert still_shows(at, compared)


def test_a_language_model_that_is_not_there_is_told(library, compared, closed_port):
    given = {"llm_key": "sk-test", "llm_url": f"{closed_port}/v1", "question": QUESTION, "comparison": compared}
    at = press(open_page("compare", **given), "form.by_llm")
    assert says(at, "error.server_unreachable")
    assert still_shows(at, compared)


def open_link(**params: object) -> AppTest:
    at = AppTest.from_file(str(ROOT / "app.py"), default_timeout=120)
    for name, value in params.items():
        at.query_params[name] = value
    return run(run(at).switch_page("pages/compare.py"))


def test_a_link_reproduces_a_comparison(library):
    at = asked("zh", depth=8, cutoff=3, typed=TYPED)
    first = at.session_state["comparison"]
    again = open_link(**at.query_params)
    second = again.session_state["comparison"]
    assert (second.moves, second.settings, second.expansions) == (first.moves, first.settings, first.expansions)
    assert again.title[0].value == i18n.texts("zh")["compare.title"]
    assert not again.warning


def test_after_a_comparison_the_form_is_the_readers_again(library):
    at = asked(depth=8)
    at.slider(key="depth").set_value(12)
    at = press(at, "form.compare")
    assert at.session_state["comparison"].settings.depth == 12
    assert at.query_params["depth"] in ("12", ["12"])


def test_a_link_to_a_document_that_is_not_here_says_so_and_compares_nothing(library):
    at = open_link(doc="0123456789abcdef", q=QUESTION)
    assert says(at, "form.document_gone")
    assert at.session_state["comparison"] is None
    assert at.session_state["question"] == QUESTION


def test_a_hostile_link_is_refused_and_said(library, hub):
    with Hub() as untouched:
        hub(untouched.address)
        at = open_link(
            doc="../../etc/passwd",
            q="<script>alert(1)</script>",
            depth="1e9",
            cutoff="-1",
            chunks="window-1-1",
            embedder="/etc/passwd",
            reranker="evil/model",
            lang="../en",
            x=["shell:rm -rf", "typed:**fine**"],
        )
    assert says(at, "link.refused")
    for name in ("depth", "cutoff", "chunks", "embedder", "lang", "x"):
        assert name in at.warning[0].value
    assert says(at, "link.press")
    assert untouched.requests == []
    assert at.session_state["comparison"] is None
    assert (at.session_state["depth"], at.session_state["cutoff"]) == (50, 5)
    assert at.session_state["typed"] == "**fine**"


def test_a_link_with_an_endless_question_is_told(library):
    at = open_link(doc=document_id(SMALL), q="why " * 2500)
    assert says(at, "error.query_too_long")


# Answer


@pytest.mark.parametrize("language", ["en", "zh"])
def test_answer_without_a_comparison_says_what_to_do(language):
    at = open_page("answer", language)
    assert at.title[0].value == text_of(at, "answer.title")
    assert says(at, "answer.empty")
    assert not at.button


@pytest.mark.parametrize("language", ["en", "zh"])
def test_sentences_are_quoted_from_both_sides(library, compared, language):
    at = open_page("answer", language, comparison=compared)
    assert says_anywhere(at, QUESTION)
    answers = at.session_state["answers"]
    for side in ("vector", "reranked"):
        sources = [hit.chunk.text for hit in compared.ranking(side).top(5)]
        lines = answers[side].text.splitlines()
        assert 1 <= len(lines) <= 3
        for line in lines:
            sentence, number = re.fullmatch(r"(.*) \[(\d)\]", line).groups()
            assert sentence in sources[int(number) - 1]
        assert [part.words for part in answer.said(answers[side])] == answered(at)[side == "reranked"]
    assert says(at, "answer.same")
    assert says(at, "answer.sources")


def test_what_was_answered_once_is_not_answered_again(library, compared, monkeypatch):
    asked: list[str] = []
    quote = answer.extractive
    monkeypatch.setattr(answer, "extractive", lambda query, *rest: asked.append(query) or quote(query, *rest))
    first = open_page("answer", comparison=compared)
    times = len(asked)
    again = open_page("answer", comparison=compared)
    assert answered(first) == answered(again) and 0 < times == len(asked)


def test_a_click_on_a_sentence_shows_its_chunk(library, compared):
    at = open_page("answer", comparison=compared)
    assert says(at, "answer.pick_hint")
    chunk = at.session_state["answers"]["reranked"].chunks[0]
    at.session_state["picked"] = chunk.id
    assert chunk.text in [text.value for text in run(at).text] and not says(at, "answer.pick_hint")


def test_shared_and_swapped_sources_add_up(library, compared):
    at = open_page("answer", comparison=compared)
    [line] = [text for text in said(at) if text.startswith("The two sets")]
    shared, k, swapped = map(int, re.findall(r"\d+", line))
    assert (shared + swapped, k, swapped) == (5, 5, len(compared.entered))


def test_a_language_model_answers_both_sides(compared):
    with LLMServer(stream(["Tax revenue ", "grew by eight percent [1]."])) as server:
        given = with_model(server, comparison=compared, answer_source="llm")
        at = press(open_page("answer", **given), "answer.ask")
    assert len(server.requests) == 2
    for side, request in zip(("vector", "reranked"), server.requests, strict=True):
        assert all(hit.chunk.text in str(request["body"]["messages"]) for hit in compared.ranking(side).top(5))
        found = at.session_state["answers"][side]
        assert (found.text, found.cited, found.source) == ("Tax revenue grew by eight percent [1].", (1,), "m")
    assert says(at, "answer.same")


def test_an_error_on_the_second_side_keeps_the_former_answers(library, compared):
    at = press(open_page("answer", comparison=compared), "answer.ask")
    former = at.session_state["answers"]
    replies = itertools.chain([stream(["Fine [1]."])], itertools.repeat(refusal(401, "no")))
    with LLMServer(lambda _: next(replies)) as server:
        for key, value in with_model(server).items():
            at.text_input(key=key).set_value(value)
        at.radio(key="answer_source").set_value("llm")
        at = press(at, "answer.ask")
    assert says(at, "error.server_key")
    assert at.session_state["answers"] is former
    assert answered(at) == [[part.words for part in answer.said(former[side])] for side in former]


@pytest.mark.parametrize("language", ["en", "zh"])
def test_an_answer_without_a_key_is_told(compared, language):
    at = press(open_page("answer", language, comparison=compared, answer_source="llm"), "answer.ask")
    assert says(at, "error.server_key_missing")
    assert at.session_state["answers"] is None


def test_an_answer_that_is_cut_off_is_told(compared):
    with LLMServer(stream(["Tax reve"], finish=None, end="")) as server:
        given = with_model(server, comparison=compared, answer_source="llm")
        at = press(open_page("answer", **given), "answer.ask")
    assert says(at, "error.server_bad_answer")
    assert at.session_state["answers"] is None


# The frame


@pytest.mark.parametrize("page", ["documents", "compare", "answer"])
def test_what_was_chosen_survives_a_visit_to_another_page(library, page):
    at = open_page("compare", question=QUESTION, depth=20, typed=TYPED)
    run(at.switch_page(f"pages/{page}.py"))
    run(at.switch_page("pages/compare.py"))
    assert at.text_input(key="question").value == QUESTION
    assert at.slider(key="depth").value == 20
    assert at.text_area(key="typed").value == TYPED


@pytest.mark.parametrize("page", ["documents", "compare"])
def test_a_library_that_another_process_holds_is_told(library, page):
    held = Lab(settings.home())
    try:
        assert says(open_page(page), "error.library_in_use")
    finally:
        held.close()
    assert titles(open_page(page)) == ["small.pdf"]


@pytest.mark.parametrize("language", ["en", "zh"])
def test_a_folder_that_cannot_be_written_is_told_on_every_way_in(language):
    settings.home().write_text("a file where the folder should be")
    assert says(open_page("documents", language), "error.library_unwritable")
    assert says(open_page("compare", language), "error.library_unwritable")
    at = open_page("home", language)
    assert says(click(at, at.button(key="change")), "error.library_unwritable")
