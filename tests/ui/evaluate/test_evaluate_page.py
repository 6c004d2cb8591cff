"""The evaluate page, and grading on the compare page, as a reader meets them."""

from __future__ import annotations

import json

import pytest
from pdfs import text_pdf
from screens import QUESTION, SENTENCES, SMALL, click, open_page, orders, press, run, said, says, says_anywhere, text_of

from pages.ui.shell import cached
from pages.ui.shell.i18n import plain
from rag_core.datatypes import Judgment, Settings, Span
from rag_core.keeping.embeddings import Scores
from rag_core.measuring.metrics import FEW
from rag_core.models import catalog
from rag_core.models.rerank import bundled_weights
from rag_core.reading.pdf import document_id

DOC = document_id(SMALL)
ANSWER = "Tax revenue grew by eight percent over the year."
CUT = {"doc_id": DOC, "preset": "sentence", "size": 600, "overlap": 120}
JUDGED = [
    Judgment(QUESTION, Span(1, 0, ANSWER), 2),
    Judgment("How many parks were built?", Span(1, 0, "Twenty parks were built or repaired in the old quarter."), 2),
]


@pytest.fixture
def judged(library) -> None:
    cached.lab().judge(DOC, JUDGED)


def evaluated(language: str = "en"):
    return press(open_page("evaluate", language, **CUT), "evaluate.run")


def part(at, key: str):
    """Open a tab below the outcome."""
    at.session_state["evaluation_part"] = text_of(at, key)
    return run(at)


@pytest.mark.parametrize("language", ["en", "zh"])
def test_an_empty_page_says_what_to_do(language):
    at = open_page("evaluate", language)
    assert says(at, "form.no_document")
    assert [button.key for button in at.button if button.key] == [f"evaluate_{language}", f"evaluate_{other(language)}"]


def other(language: str) -> str:
    return "zh" if language == "en" else "en"


@pytest.mark.slow
@pytest.mark.parametrize(("sample", "language"), [("zh", "zh"), ("en", "en")])
def test_one_click_evaluates_the_questions_of_a_sample(sample, language):
    at = open_page("evaluate", language, depth=10)
    click(at, at.button(key=f"evaluate_{sample}"))
    assert len(at.session_state["evaluation"].measured) == 14
    assert says(at, "measured.sure")
    assert not says(at, "measured.too_few")


def test_what_was_scored_before_is_there_at_once_and_is_not_scored_again(judged):
    evaluated()
    before = kept_scores()
    at = open_page("evaluate", **CUT)
    assert says(at, "measured.too_few")
    assert set(at.session_state["evaluation"].questions) == {judgment.question for judgment in JUDGED}
    assert kept_scores() == before
    cached.lab().judgments.ask(DOC, ["Who pays?"])
    at = open_page("evaluate", **CUT)
    assert at.session_state["evaluation"] is None, "a question that was never scored costs something"
    assert says(at, "evaluate.empty")


def kept_scores() -> list[Scores]:
    """Return what is kept, with the seconds that scoring took."""
    line = catalog.find(catalog.RERANKERS, Settings().reranker)
    asked = [judgment.question for judgment in JUDGED]
    kept = cached.lab().embeddings.scores
    return [kept([DOC], SENTENCES.key, bundled_weights(line), question) for question in asked]


def test_without_questions_evaluating_says_what_to_do(library):
    at = evaluated()
    assert says(at, "error.no_questions")


def test_few_questions_show_no_winner(judged):
    at = evaluated()
    assert len(at.session_state["evaluation"].measured) == len(JUDGED) < FEW
    assert says(at, "measured.too_few")
    assert not any(says(at, f"measured.{verdict}") for verdict in ("better", "worse", "unclear", "sure"))


def test_an_evaluation_of_another_cut_is_not_shown(judged):
    at = evaluated()
    at.session_state["preset"] = "clause"
    assert says(run(at), "evaluate.empty")


def test_pasted_questions_join_the_set(library):
    at = open_page("evaluate", **CUT)
    at.text_area(key="pasted").input("Who pays?\n\nWho pays?\nWhen did it open?")
    at = press(at, "questions.preview")
    assert says_anywhere(at, text_of(at, "questions.understood", questions=2, judgments=0))
    assert cached.lab().judgments.questions(DOC) == {}
    at = press(at, "questions.add")
    assert says(run(at), "questions.added")
    assert not says(press(at, "evaluate.run"), "questions.added")
    assert list(cached.lab().judgments.questions(DOC).values()) == ["Who pays?", "When did it open?"]


def test_a_broken_paste_names_the_line_and_takes_nothing(judged):
    at = open_page("evaluate", **CUT)
    at.text_area(key="pasted").input("question,quote,grade\nWho pays?,a,2\nWho else?,b,7")
    at = press(at, "questions.preview")
    assert text_of(at, "error.bad_grade", line=3, value="7") in [error.value for error in at.error]
    assert len(cached.lab().judgments.questions(DOC)) == len(JUDGED)
    assert at.text_area(key="pasted").value.startswith("question,quote,grade")  # to be mended


def test_what_is_cancelled_changes_nothing(library):
    at = open_page("evaluate", **CUT)
    at.text_area(key="pasted").input("Who pays?")
    at = press(press(at, "questions.preview"), "questions.cancel")
    assert at.text_area(key="pasted").value == "Who pays?"
    assert cached.lab().judgments.questions(DOC) == {}


def test_what_was_understood_is_shown(library):
    at = open_page("evaluate", **CUT)
    rows = "问题;页码;原文;等级;备注\n*谁*付款？;3;业主;1.0;无\n何时？;4\n在哪里？\n".encode("gb18030")
    at.file_uploader(key="question_file").set_value(("q.csv", rows, "text/csv"))
    at = press(at, "questions.preview")
    assert says_anywhere(at, text_of(at, "questions.filled", count=2))
    assert says_anywhere(at, text_of(at, "questions.unread", names="备注"))
    assert says_anywhere(at, text_of(at, "questions.encoding", name="GB18030"))
    shown = at.dataframe[0].value.values.tolist()
    assert shown == [["*谁*付款？", "3", "业主", "1"], ["何时？", "", "", ""], ["在哪里？", "", "", ""]]


def test_another_encoding_is_chosen_before_anything_is_added(library):
    at = open_page("evaluate", **CUT)
    at.file_uploader(key="question_file").set_value(("q.csv", "question\n銀行\n".encode("big5"), "text/csv"))
    at = press(at, "questions.preview")
    at = at.selectbox(key="question_encoding").select("Big5").run()
    assert at.dataframe[0].value.values.tolist() == [["銀行"]]
    press(at, "questions.add")
    assert list(cached.lab().judgments.questions(DOC).values()) == ["銀行"]


def test_a_text_without_a_question_adds_nothing(library):
    at = press(open_page("evaluate", **CUT), "questions.preview")
    assert says(at, "error.no_questions")


def test_a_csv_file_is_read(library):
    at = open_page("evaluate", **CUT)
    at.file_uploader(key="question_file").set_value(
        ("q.csv", f"question,quote\n{QUESTION},{ANSWER}\n".encode(), "text/csv")
    )
    press(press(at, "questions.preview"), "questions.add")
    assert cached.lab().judgments.load(DOC) == [Judgment(QUESTION, Span(0, 0, ANSWER, DOC), 2)]


def test_qrels_are_read(judged):
    chunk = cached.lab().cut(DOC, SENTENCES)[4]
    at = open_page("evaluate", **CUT)
    at.file_uploader(key="question_file").set_value(("q.qrels", f"q1 0 {chunk.id} 1\n".encode(), "text/plain"))
    at = press(press(at, "questions.preview"), "questions.add")
    assert text_of(at, "questions.added", questions=0, judgments=1, repeated=0) in [told.value for told in at.success]
    assert cached.lab().judgments.load(DOC)[-1] == Judgment(QUESTION, Span(chunk.page, chunk.start, chunk.text, DOC), 1)


PARKS = "Twenty parks were built or repaired in the old quarter."
RANKED = f"""问题,片段,名次
{QUESTION},{PARKS},1
{QUESTION},{ANSWER},2
{QUESTION},Nobody *wrote* this sentence.,3
Who asked?,{ANSWER},1
"""
ACME = "acme (imported)"


def previewed(at, content: bytes = RANKED.encode("gb18030"), name: str = "acme.csv"):
    at.file_uploader(key="question_file").set_value((name, content, "text/csv"))
    return press(at, "questions.preview")


@pytest.mark.parametrize("language", ["en", "zh"])
def test_another_systems_ranking_is_shown_as_it_was_matched_before_it_is_added(judged, language):
    at = previewed(open_page("evaluate", language, **CUT))
    assert says_anywhere(at, text_of(at, "runs.understood", matched=2, lines=4, questions=1))
    assert says_anywhere(at, text_of(at, "questions.encoding", name="GB18030"))
    assert says_anywhere(at, text_of(at, "runs.lacking", questions=1, total=2))
    first, unmatched = (table.value.values.tolist() for table in at.dataframe[:2])
    assert first == [[QUESTION, "1", PARKS, "1"], [QUESTION, "2", ANSWER, "1"]]
    assert unmatched == [
        [4, text_of(at, "runs.why_text"), QUESTION, "Nobody *wrote* this sentence."],
        [5, text_of(at, "runs.why_question"), "Who asked?", ANSWER],
    ]
    assert at.text_input(key="run_name").value == "acme"
    assert cached.lab().runs.entries(DOC) == []
    at = press(at, "questions.add")
    assert text_of(at, "runs.added", name="acme", questions=1) in [told.value for told in at.success]
    [kept] = cached.lab().runs.load(DOC)
    assert {q: [span.quote for span in spans] for q, spans in kept.orders.items()} == {QUESTION: [PARKS, ANSWER]}
    assert list(cached.lab().judgments.questions(DOC).values()) == [judgment.question for judgment in JUDGED]


def test_a_ranking_is_named_replaced_by_name_and_removed(judged):
    at = previewed(open_page("evaluate", **CUT))
    press(at.text_input(key="run_name").set_value(" our  *search* ").run(), "questions.add")
    assert [entry.name for entry in cached.lab().runs.entries(DOC)] == ["our *search*"]
    at = previewed(open_page("evaluate", **CUT), f"question,text,rank\n{QUESTION},{ANSWER},1\n".encode())
    at = at.text_input(key="run_name").set_value("our *search*").run()
    assert says(at, "runs.replaces")
    at = press(at, "questions.add")
    assert [(entry.name, entry.places) for entry in cached.lab().runs.entries(DOC)] == [("our *search*", 1)]
    assert any(text.value == "our *search*" for text in at.text)
    press(at, "runs.remove")
    assert cached.lab().runs.entries(DOC) == []


def test_a_run_of_this_documents_chunks_is_read_and_named_by_its_tag(judged):
    ids = [chunk.id for chunk in cached.lab().cut(DOC, SENTENCES)[:3]]
    content = "".join(f"q1 Q0 {name} {rank} {9 - rank} tfidf\n" for rank, name in enumerate(ids)).encode()
    at = previewed(open_page("evaluate", **CUT), content, "x.txt")
    assert says_anywhere(at, text_of(at, "runs.from_zero", count=1))
    assert at.text_input(key="run_name").value == "tfidf"


@pytest.mark.parametrize(
    ("content", "code"),
    [
        ("q1 Q0 WT10G-1 1 0.5 tag\n", "run_chunks_unknown"),
        (f"q1 Q0 {DOC}-window-300-60-00001 1 0.5 tag\n", "run_of_another_cut"),
        ("q1 Q0 WT10G-1 1 0.5\n", "bad_run"),
        ("question,text,rank\nWho?,Twenty parks were built.,1\n", "run_questions_unknown"),
        (f"question,text,rank\n{QUESTION},There is no such sentence.,1\n", "run_texts_unknown"),
        (f"question,text,rank\n{QUESTION},{PARKS},best\n", "bad_rank"),
        (f"question,docno,rank\n{QUESTION},a,1\n{QUESTION},b,2\n", "no_run_columns"),
    ],
)
def test_a_ranking_that_does_not_fit_adds_nothing_and_becomes_no_questions(judged, content, code):
    at = previewed(open_page("evaluate", **CUT), content.encode())
    assert says(at, f"error.{code}")
    assert cached.lab().runs.entries(DOC) == []
    assert len(cached.lab().judgments.questions(DOC)) == len(JUDGED)


def test_another_encoding_of_a_ranking_is_chosen_and_its_name_stays(library):
    cached.lab().judgments.ask(DOC, [QUESTION])
    rows = f"question,text,rank\n{QUESTION},{PARKS},1\n銀行,{PARKS},2\n".encode("big5")
    at = previewed(open_page("evaluate", **CUT), rows)
    at = at.text_input(key="run_name").set_value("mine").run()
    at = at.selectbox(key="question_encoding").select("Big5").run()
    assert at.dataframe[1].value.values.tolist()[0][2] == "銀行"
    press(at, "questions.add")
    assert [entry.name for entry in cached.lab().runs.entries(DOC)] == ["mine"]


@pytest.fixture
def imported(judged) -> None:
    press(previewed(open_page("evaluate", **CUT)), "questions.add")


@pytest.mark.parametrize("language", ["en", "zh"])
def test_an_imported_ranking_is_measured_over_the_questions_that_it_ranks(imported, language):
    at = evaluated(language)
    whole, part = (table.value for table in measures_of(at))
    systems = [text_of(at, f"form.first_{stage}") for stage in ("vector", "bm25", "both")]
    shown = text_of(at, "runs.named", name="acme")
    assert systems == list(whole[text_of(at, "measured.system")][:3]) == list(part[text_of(at, "measured.system")][:3])
    assert shown not in list(whole[text_of(at, "measured.system")])
    assert list(part[text_of(at, "measured.questions")]) == [1] * len(part)
    assert list(whole[text_of(at, "measured.questions")]) == [2] * len(whole)
    row = part[part[text_of(at, "measured.system")] == shown]
    assert row["RR"].item() == 0.5
    assert says_anywhere(at, text_of(at, "runs.partial", name=plain(shown), count=1, total=2))


def measures_of(at) -> list:
    return [table for table in at.dataframe if "nDCG@10" in table.value]


def test_a_ranking_of_every_question_stands_in_the_one_table(imported):
    more = RANKED + f"{JUDGED[1].question},{PARKS},1\n"
    press(previewed(open_page("evaluate", **CUT), more.encode()), "questions.add")
    at = evaluated()
    [table] = measures_of(at)
    assert list(table.value[text_of(at, "measured.system")])[-1] == ACME
    cached.lab().runs.remove(DOC, "acme")
    assert ACME not in list(measures_of(run(at))[0].value[text_of(at, "measured.system")])


def test_a_question_shows_where_an_imported_ranking_puts_its_answer(imported):
    at = evaluated()
    at.session_state["shown_system"] = ACME
    rows = {row["question"]: row for row in questions_of(run(at))["rows"]}
    assert rows[QUESTION]["ranks"].endswith("→ 2")
    assert says(at, "runs.each_help") and not says(at, "measured.each_help")
    assert rows[JUDGED[1].question]["note"] == text_of(at, "runs.not_ranked")
    at.session_state["opened_question"] = QUESTION
    at = run(at)
    [table] = [table.value for table in at.dataframe if text_of(at, "depth.first_rank") in table.value]
    assert table[text_of(at, "table.text")].tolist() == [PARKS, ANSWER]
    first = at.session_state["evaluation"].orders["vector"][QUESTION]
    chunks = {chunk.text: chunk.id for chunk in cached.lab().cut(DOC, SENTENCES)}
    assert table[text_of(at, "depth.first_rank")].tolist() == [
        str(first.index(chunks[text]) + 1) for text in (PARKS, ANSWER)
    ]
    at.session_state["judged_chunk"] = chunks[PARKS]
    click(run(at), at.button(key="grade_1"))
    assert cached.lab().judgments.load(DOC)[-1].grade == 1
    at.session_state["opened_question"] = JUDGED[1].question
    assert says(run(at), "runs.not_ranked")


def test_a_panel_seats_an_imported_ranking_of_its_question(imported):
    at = part(evaluated(), "measured.panel")
    at.multiselect(key="panel_stages").set_value(["vector"])
    at.multiselect(key="panel_others").set_value([ACME])
    at = press(run(at), "panel.run")
    assert says_anywhere(at, text_of(at, "panel.imported", name=plain(ACME), held=2, candidates=14, beyond=0))
    assert list(at.session_state["panel"].rankings) == ["vector", Settings().reranker]
    at.selectbox(key="panel_question").set_value(JUDGED[1].question)
    at = run(at)
    assert not [box for box in at.multiselect if box.key == "panel_others"]


def test_lost_words_are_listed(library):
    cached.lab().judge(DOC, [Judgment(QUESTION, Span(1, 0, "These words are gone."), 2)])
    at = open_page("evaluate", **CUT)
    assert text_of(at, "questions.lost", count=1) in [warning.value for warning in at.warning]
    assert any("These words are gone." in text.value for text in at.text)


def test_a_part_of_the_questions_is_called_so_and_claims_nothing(judged):
    at = evaluated()
    cached.lab().judgments.ask(DOC, ["Who pays?"])
    at = run(at)
    assert text_of(at, "measured.so_far", done=2, total=3) in " ".join(said(at))
    assert says(at, "evaluate.stopped")
    assert len(press(at, "evaluate.run").session_state["evaluation"].questions) == 3
    assert not says(at, "measured.so_far")


def test_questions_stand_by_what_they_lost_and_the_one_clicked_is_opened(judged):
    at = evaluated()
    drawn = questions_of(at)
    gains = [row["after"] - row["before"] for row in drawn["rows"]]
    assert gains == sorted(gains) and drawn["opened"] is None
    at.session_state["opened_question"] = QUESTION
    rankings = orders(run(at))
    evaluation = at.session_state["evaluation"]
    deepest = evaluation.orders[f"{Settings().reranker} @50"][QUESTION]
    assert [row["id"] for row in rankings["sides"][1]["rows"]] == deepest


def test_what_was_scored_is_not_scored_again_when_a_question_is_opened(judged):
    at = evaluated()
    at.session_state["opened_question"] = QUESTION
    comparison = run(at).session_state["opened_replay"].comparison
    assert comparison.kept.pairs == comparison.pairs == len(comparison.moves)


def test_a_question_that_nobody_judged_shows_what_changed(library):
    cached.lab().judgments.ask(DOC, ["Who pays?"])
    at = evaluated()
    assert says(at, "measured.nothing_judged")
    [row] = questions_of(at)["rows"]
    assert (row["kind"], row["question"]) == ("none", "Who pays?") and "5" in row["note"]


def questions_of(at) -> dict:
    """Return what the list of questions is given to draw."""
    [drawn] = [part.proto for part in at.get("bidi_component") if part.proto.component_name == "questions"]
    return json.loads(drawn.json)


def test_another_measure_can_be_chosen(judged):
    at = evaluated()
    at.selectbox(key="shown_measure").set_value("P@5")
    assert questions_of(run(at))["words"]["measure"] == "P@5"


def test_two_clicks_judge_a_chunk_of_the_pool(judged):
    at = evaluated()
    fourth = at.session_state["evaluation"].orders["vector"][JUDGED[1].question][3]
    chunk = next(chunk for chunk in cached.lab().cut(DOC, SENTENCES) if chunk.id == fourth)
    at.session_state["opened_question"], at.session_state["judged_chunk"] = JUDGED[1].question, chunk.id
    before = at.session_state["evaluation"].unjudged("vector")
    click(run(at), at.button(key="grade_0"))
    assert cached.lab().judgments.load(DOC)[-1] == Judgment(
        JUDGED[1].question, Span(chunk.page, chunk.start, chunk.text, DOC), 0
    )
    assert at.session_state["evaluation"].unjudged("vector") < before


def test_the_ceiling_is_shown_for_a_question(judged):
    at = press(part(evaluated(), "measured.depth"), "depth.score_all")
    assert says(at, "depth.said")
    assert len(at.session_state["ceiling"].whole) == 14


def test_a_panel_of_four_orders(judged):
    at = press(part(evaluated(), "measured.panel"), "panel.run")
    assert list(at.session_state["panel"].rankings) == ["vector", "bm25", "fused", Settings().reranker]


def test_a_panel_wants_two_to_four(judged):
    at = part(evaluated(), "measured.panel")
    at.multiselect(key="panel_stages").set_value([])
    assert says(run(at), "panel.two_to_four")


def test_two_clicks_judge_a_chunk(library, compared):
    first = compared.reranked.chunks[0]
    at = open_page("compare", **CUT, question=QUESTION, comparison=compared, picked=first.id)
    click(at, at.button(key="grade_2"))
    assert cached.lab().judgments.load(DOC) == [Judgment(QUESTION, Span(first.page, first.start, first.text, DOC), 2)]
    assert orders(at)["chunks"][first.id]["grade"] == "★★"
    click(at, at.button(key="undo"))
    assert cached.lab().judgments.load(DOC) == []


def test_judges_are_told_apart(library, compared):
    first = compared.reranked.chunks[0]
    cached.lab().judge(DOC, [Judgment(QUESTION, Span(first.page, first.start, first.text), 0, "other")])
    at = open_page("compare", **CUT, question=QUESTION, comparison=compared, picked=first.id, judge="me")
    assert not [button for button in at.button if button.key == "undo"]
    click(at, at.button(key="grade_1"))
    assert [one.judge for one in cached.lab().judgments.load(DOC)] == ["other", "me"]
    assert text_of(at, "judge.so_far", grades=plain("1 (me), 0 (other)")) in [caption.value for caption in at.caption]


def test_judging_a_document_that_is_gone_says_so(library, compared):
    at = open_page("compare", **CUT, question=QUESTION, comparison=compared, picked=compared.reranked.ids[0])
    cached.lab().library.documents.delete(DOC)
    click(at, at.button(key="grade_2"))
    assert says(at, "error.document_missing")


@pytest.mark.parametrize("stage", ["bm25", "both"])
def test_another_first_stage_is_labelled(library, stage):
    at = open_page("compare", **CUT, question=QUESTION, first_stage=stage)
    at = press(at, "form.compare")
    assert orders(at)["sides"][0]["title"] == text_of(at, {"bm25": "result.bm25", "both": "result.fused"}[stage])
    assert at.session_state["comparison"].order == {"bm25": "bm25", "both": "fused"}[stage]


def test_words_found_nowhere_are_an_error(library):
    at = press(open_page("compare", **CUT, question="zzz", first_stage="bm25"), "form.compare")
    assert says(at, "error.nothing_found")


def test_a_hostile_quote_is_shown_as_text():
    hostile = text_pdf(["<b>Bold</b> claims *were* made $here$ :red[now]."])
    at = open_page("evaluate")
    document = cached.lab().add(hostile, "hostile.pdf")
    cached.lab().judge(document.id, [Judgment("# title <i>?", Span(9, 0, "**gone** <script>"), 2)])
    at.session_state["doc_id"] = document.id
    at = run(at)
    assert any(text.value.endswith("**gone** <script>") for text in at.text)


TWICE = text_pdf([ANSWER, "Twenty parks were built."], ["A second bridge is planned.", ANSWER])


@pytest.fixture
def twice() -> str:
    """Return a document that gives its answer on two pages, with the second of them judged."""
    doc_id = cached.lab().add(TWICE, "twice.pdf").id
    cached.lab().judge(doc_id, [Judgment(QUESTION, Span(2, 0, ANSWER), 2)])
    return doc_id


@pytest.mark.parametrize(("language", "pages"), [("en", "1, 2"), ("zh", "1、2")])
def test_words_on_two_pages_are_judged_as_one_chunk(twice, language, pages):
    at = press(open_page("evaluate", language, **CUT | {"doc_id": twice}), "evaluate.run")
    evaluation = at.session_state["evaluation"]
    [[chunk_id, grade]] = evaluation.judged.qrels[QUESTION].items()
    assert (grade, evaluation.values["vector"]["R@5"][QUESTION]) == (2, 1.0)
    at.session_state["opened_question"] = QUESTION
    [pool] = [table.value for table in run(at).dataframe if text_of(at, "table.grade") in table.value]
    assert sorted(pool[text_of(at, "table.page")]) == sorted([pages, "1", "2"])
    at.session_state["judged_chunk"] = chunk_id
    run(at)
    assert says(at, "judge.so_far")
