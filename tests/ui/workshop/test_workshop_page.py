"""The workshop: the game, the room, the lessons and the drawings, as each is met by its user."""

from __future__ import annotations

import io
import json
import re
from dataclasses import replace

import pytest
import screens
import segno
from pdfs import text_pdf
from PIL import Image
from screens import CHUNKS, QUESTION, SMALL, click, open_page, press, run, said, says, says_anywhere, text_of, upload
from streamlit.testing.v1 import AppTest

from pages.ui.shell import cached, frame, i18n, samples, saved, work
from pages.ui.workshop import desk, joining, open_rooms
from rag_core.datatypes import Expansion, Judgment
from rag_core.explaining import lessons
from rag_core.measuring.judge import span_of
from rag_core.reading.pdf import document_id
from rag_core.workshop import predict, room

both_languages = pytest.mark.parametrize("language", ["en", "zh"])
LAST = (5, 6, 7, 8, 9)


def workshop(part: str = "predict", language: str = "en", **state: object) -> AppTest:
    return open_page("workshop", language, workshop_part=part, **state)


def tick(at: AppTest, places: tuple[int, ...] = (0, 1, 2, 3, 4)) -> AppTest:
    boxes = at.checkbox
    for place, box in enumerate(boxes):
        box.set_value(place in places)
    return run(at)


def hand_in(at: AppTest, places: tuple[int, ...] = (0, 1, 2, 3, 4)) -> AppTest:
    return press(tick(at, places), "pick.submit")


def has_button(at: AppTest, key: str) -> bool:
    return any(button.label == text_of(at, key) for button in at.button)


def dealt(language: str = "en", **state: object) -> AppTest:
    return press(workshop(language=language, question=QUESTION, **state), "game.deal")


# Predict, then reveal


@both_languages
def test_the_game_without_a_document_says_what_to_do(language):
    at = workshop(language=language)
    assert at.title[0].value == text_of(at, "workshop.title")
    assert says(at, "form.no_document")
    assert says(workshop(part="room", language=language), "form.no_document")


@both_languages
def test_ten_chunks_are_shown_and_no_order_but_the_vectors(library, language):
    at = dealt(language)
    assert len(at.checkbox) == 10
    shown = at.session_state["game"].comparison.before.top(10)
    assert [text.value for text in at.text][1:] == [hit.chunk.text for hit in shown]
    assert not at.dataframe
    assert at.session_state["comparison"] is None, "the Compare page would give the order away"


def test_only_five_can_be_handed_in(library):
    at = tick(dealt(), (0, 1, 2, 3))
    assert says_anywhere(at, text_of(at, "pick.count", picked=4, wanted=5))
    assert at.button(key="submit").disabled
    assert at.button(key="submit").disabled is not tick(at).button(key="submit").disabled
    assert tick(at, (0, 1, 2, 3, 4, 5)).button(key="submit").disabled


@both_languages
def test_the_reveal_counts_the_hits(library, language):
    at = hand_in(dealt(language), LAST)
    game = at.session_state["game"]
    hits = len(set(game.comparison.before.ids[5:10]) & game.dealt.target)
    assert at.main.subheader[0].value == text_of(at, "reveal.hits", hits=hits, wanted=5)
    table = at.dataframe[0].value
    assert list(table.iloc[:, 0]) == list(range(1, 11))
    assert (table.iloc[:5, 2] == "●").sum() == hits
    assert sorted(table.loc[table.iloc[:, 2] == "●"].iloc[:, 1]) == [6, 7, 8, 9, 10]
    assert set(table.iloc[:, 3]) == {"?"}
    assert says(at, "reveal.unjudged")
    assert [metric.value for metric in at.metric] == [f"{hits} / 5", f"{5 - hits} / 5"]
    assert at.session_state["comparison"] is game.comparison


@pytest.mark.parametrize("right", [True, False])
def test_a_wrong_chunk_above_the_answer_is_told(library, right):
    at = dealt()
    round_ = at.session_state["game"].dealt
    first, second, *_ = round_.reranked
    chunk = next(chunk for chunk in round_.chunks if chunk.id == (first if right else second))
    cached.lab().judge(document_id(SMALL), [Judgment(QUESTION, span_of(chunk), 2)])
    at = hand_in(press(at, "game.deal"))
    assert says(at, "reveal.wrong_first") != right


@pytest.mark.slow
@both_languages
def test_a_sample_is_dealt_in_one_press_and_asks_no_model(monkeypatch, language):
    at = workshop(language=language, question="Mine?")
    monkeypatch.setattr(work, "compare_with", None)
    at = click(at, at.button(key=f"play_{language}"))
    assert len(at.checkbox) == 10
    game = at.session_state["game"]
    assert game.dealt.query in [result.question for result in saved.results(language)]
    assert game.dealt.relevant, "one of the ten answers"
    assert at.session_state["question"] == "Mine?", "what was typed stays"
    assert has_button(hand_in(at), "game.next")


@pytest.mark.slow
def test_a_saved_comparison_is_taken_only_where_it_would_come_out_the_same():
    at = open_page("documents")
    click(at, at.button(key="sample_en"))
    kept, doc_id = saved.results("en")[0], document_id(samples.load("en")[1])
    how = kept.replay.comparison.settings
    assert saved.comparison(doc_id, kept.question, how, "") == kept.replay.comparison
    assert saved.comparison(doc_id, kept.question, how, "another's") is None
    assert saved.comparison(doc_id, kept.question, replace(how, depth=how.depth - 1), "") is None
    assert saved.comparison(doc_id, "Mine?", how, "") is None
    readings = cached.readings(doc_id)
    left_out = (*readings.pages[:-1], replace(readings.pages[-1], left_out=True))
    cached.lab().pages.choose(doc_id, replace(readings, pages=left_out))
    cached.forget(doc_id)
    assert saved.comparison(doc_id, kept.question, how, "") is None


def test_another_document_proposes_questions_that_are_dealt_in_one_press(library):
    at = workshop()
    assert says(at, "game.empty")
    assert not at.checkbox
    at = click(at, at.button(key="deal_0"))
    assert len(at.checkbox) == 10
    assert at.session_state["game"].dealt.query == at.text_input(key="question").value


@pytest.mark.slow
@both_languages
def test_a_lesson_opens_its_question_on_compare(language):
    at = workshop("lessons", language)
    row = samples.of_lesson(language, "harm")
    click(at, at.button(key="ask_harm"))
    assert at.session_state["comparison"].query == row.question
    assert at.title[0].value == text_of(at, "compare.title")
    assert says(at, "outcome.fell")


@pytest.mark.slow
def test_the_samples_questions_are_played_one_after_another():
    at = open_page("documents")
    click(at, at.button(key="sample_en"))
    run(at.switch_page("pages/workshop.py"))
    effects = {text_of(at, f"teaches.{effect}") for effect in ("helps", "none", "harms")}
    assert not any(option.startswith(tuple(effects)) for option in at.selectbox(key="game_example").options)
    at.selectbox(key="game_example").select_index(0)
    at = hand_in(press(run(at), "game.deal"))
    questions = samples.load("en")[2]
    assert says_anywhere(at, text_of(at, "game.played", played=1, all=14))
    at = press(at, "game.next")
    assert at.session_state["game"].dealt.query == at.text_input(key="question").value == questions[1]
    at = hand_in(at, LAST)
    assert says_anywhere(at, text_of(at, "game.played", played=2, all=14))
    rounds = [at.session_state["game_scores"][document_id(samples.load("en")[1]), asked] for asked in questions[:2]]
    total = predict.total(rounds)
    assert [metric.value for metric in at.metric] == [f"{total.hits} / 10", f"{total.vector} / 10"]
    assert total.relevant > 0
    assert says(at, "running.judged")
    assert says(at, "reveal.judged") != says(at, "reveal.no_answer")


def test_a_question_counts_the_first_time_alone(library):
    at = hand_in(dealt(), LAST)
    first = at.session_state["game_scores"]
    at = hand_in(press(at, "game.deal"), (0, 1, 2, 3, 4))
    assert at.session_state["game_scores"] == first
    assert at.metric[0].value == f"{next(iter(first.values())).hits} / 5"


@both_languages
def test_a_question_of_one_character_is_asked_and_said_to_mean_little(library, language):
    at = press(workshop(language=language, question="?"), "game.deal")
    assert says(at, "game.one_character")
    at = hand_in(at)
    assert at.dataframe
    for part in ("lessons", "inside"):
        at.session_state["workshop_part"] = part
        assert not run(at).error


@both_languages
@pytest.mark.parametrize(("question", "code"), [(" ", "empty_query"), ("why " * 400, "query_too_long")])
def test_a_question_that_cannot_be_asked_is_told(library, language, question, code):
    assert says(press(workshop(language=language, question=question), "game.deal"), f"error.{code}")


@both_languages
def test_a_document_of_five_chunks_is_too_short(language):
    at = upload(open_page("documents", language), ("short.pdf", text_pdf(["One.", "Two.", "Three."])))
    at.session_state["question"] = "One?"
    at = press(run(at.switch_page("pages/workshop.py")), "game.deal")
    assert says(at, "error.too_few_candidates")
    assert not at.checkbox


def test_a_document_that_was_deleted_takes_its_round_along(library):
    at = upload(open_page("documents"), ("other.pdf", screens.OTHER))
    at.session_state["doc_id"], at.session_state["question"] = document_id(SMALL), QUESTION
    at = press(run(at.switch_page("pages/workshop.py")), "game.deal")
    assert len(at.checkbox) == 10
    cached.lab().delete(document_id(SMALL))
    at = run(at)
    assert not at.checkbox
    assert says(at, "game.empty")


# A room


def open_room(language: str = "en") -> AppTest:
    return press(workshop("room", language, question=QUESTION), "room.open")


def code_of(teacher: AppTest) -> str:
    return teacher.session_state["teaching"].code


def knock(code: str, language: str = "en", me: str = "") -> AppTest:
    """Come in by the link."""
    at = AppTest.from_file(str(screens.ROOT / "app.py"), default_timeout=120)
    at.session_state["lang"] = language
    at.query_params["room"] = code
    if me:
        at.query_params["me"] = me
    at.run()
    return run(at.switch_page("pages/workshop.py"))


def look(code: str, language: str = "en") -> AppTest:
    """Open what the wall shows."""
    at = AppTest.from_file(str(screens.ROOT / "app.py"), default_timeout=120)
    at.session_state["lang"] = language
    at.query_params["wall"] = code
    at.run()
    return run(at.switch_page("pages/workshop.py"))


def picture(at: AppTest) -> dict:
    """Return what the picture of the votes is drawn from."""
    [drawn] = [element.proto for element in at.get("bidi_component") if element.proto.component_name == "room_picture"]
    return json.loads(drawn.json)


def has_picture(at: AppTest) -> bool:
    return any(element.proto.component_name == "room_picture" for element in at.get("bidi_component"))


def joined_and_picked(teacher: AppTest) -> list[str]:
    return [metric.value for metric in run(teacher).metric][:2]


@both_languages
def test_a_room_from_the_code_to_the_reveal(library, language):
    teacher = open_room(language)
    assert not says(teacher, "reveal.help")
    ann, ben = knock(code_of(teacher), language), knock(code_of(teacher).lower(), language)
    assert joined_and_picked(teacher) == ["2", "0"]
    ann = hand_in(ann, LAST)
    assert says(ann, "room.handed_in")
    assert joined_and_picked(teacher) == ["2", "1"]
    assert list(teacher.dataframe[0].value.iloc[:, 1]) == [0] * 5 + [1] * 5
    for at in (run(ann), run(ben), look(code_of(teacher), language)):
        assert not has_picture(at)
        assert not says(at, "reveal.vector")
    teacher = press(teacher, "room.reveal")
    assert says(teacher, "room.average")
    assert teacher.session_state["comparison"].query == QUESTION
    assert says(run(ann), "reveal.hits")
    assert says(run(ben), "room.missed")
    assert not says(ben, "reveal.hits")
    wall = look(code_of(teacher).lower(), language)
    assert says(wall, "room.average")
    rows = picture(ann)["rows"]
    assert (
        [row["votes"] for row in rows]
        == [int(row["own"]) for row in rows]
        == [row["votes"] for row in picture(wall)["rows"]]
    )
    assert sorted(row["before"] for row in rows if row["own"]) == [6, 7, 8, 9, 10]
    assert not any(row["own"] for at in (ben, wall) for row in picture(at)["rows"])
    assert picture(wall)["wall"] and not picture(ann)["wall"]


def test_a_participant_gets_the_ten_chunks_and_nothing_else_of_the_teacher(library, monkeypatch):
    teacher = open_room()
    monkeypatch.setattr("pages.ui.shell.state.LOOPBACK", ())
    at = knock(code_of(teacher))
    assert len(at.checkbox) == 10
    assert not at.selectbox
    assert "small.pdf" not in " ".join(said(at))
    kept = [str(at.session_state[key]) for key in ("game", "comparison", "taught", "teaching", "doc_id")]
    assert kept == ["None"] * 5


def test_a_document_deleted_in_the_middle_leaves_the_room_as_it_was(library):
    teacher = open_room()
    at = knock(code_of(teacher))
    cached.lab().delete(document_id(SMALL))
    at = hand_in(at)
    assert says(at, "room.handed_in")
    run(teacher)
    assert says(press(teacher, "room.reveal"), "room.average")


def test_the_teacher_goes_on_and_a_late_pick_is_told(library):
    teacher = open_room()
    at = tick(knock(code_of(teacher)))
    teacher.text_input(key="question").set_value("Which park was repaired?")
    teacher = press(teacher, "room.next")
    assert teacher.main.subheader[0].value == text_of(teacher, "room.round", number=2)
    round_before = at.button(key="submit")
    at = click(at, round_before)
    # The page asked the room before the click reached it: the next question is on the table, unpicked.
    assert joined_and_picked(teacher) == ["1", "0"]
    assert says_anywhere(run(at), "Which park was repaired?")


def test_who_comes_twice_is_counted_once(library):
    teacher = open_room()
    for places in (LAST, (0, 1, 2, 3, 4)):
        hand_in(knock(code_of(teacher), me="the same browser"), places)
    assert joined_and_picked(teacher) == ["1", "1"]
    knock(code_of(teacher), me="another")
    assert joined_and_picked(teacher) == ["2", "1"]


def test_a_reload_keeps_what_was_handed_in(library):
    teacher = open_room()
    hand_in(knock(code_of(teacher), me="ann"), LAST)
    again = knock(code_of(teacher), me="ann")
    assert says(again, "room.handed_in")
    assert [box.value for box in again.checkbox] == [False] * 5 + [True] * 5


@both_languages
def test_a_wrong_code_is_told_and_can_be_corrected(library, language):
    teacher = open_room(language)
    at = workshop("room", language)
    at.text_input(key="room_code").set_value("NOSUCH")
    at = press(at, "room.join")
    assert says(at, "error.room_missing")
    at.text_input(key="room_code").set_value(f" {code_of(teacher).lower()} ")
    assert len(press(at, "room.join").checkbox) == 10
    wrong = knock("nosuch", language)
    assert says(wrong, "error.room_missing")
    wrong.text_input(key="room_code").set_value(code_of(teacher))
    assert len(press(wrong, "room.join").checkbox) == 10


def test_a_code_in_the_address_is_no_markdown(library):
    open_room()
    at = knock("**![x](y)$z$")
    assert says_anywhere(at, r"\*\*\!\[X\]\(Y\)\$Z\$")
    assert not says_anywhere(at, "**![X]")


@both_languages
def test_a_full_room_is_told(library, language, monkeypatch):
    teacher = open_room(language)
    monkeypatch.setattr(room, "SEATS", 1)
    assert len(knock(code_of(teacher), language).checkbox) == 10
    assert says(knock(code_of(teacher), language), "error.room_full")


@both_languages
def test_a_room_that_has_ended_is_told(library, language):
    teacher = open_room(language)
    code = code_of(teacher)
    at = knock(code, language)
    click(teacher, teacher.button(key="end"))
    assert has_button(teacher, "room.open")
    for there in (run(at), look(code, language)):
        assert says(there, "error.room_ended")


def test_the_desk_is_taken_back_with_the_key_alone(library, monkeypatch):
    keys = open_room().session_state["teaching"]
    at = workshop("room")
    at.text_input(key="back_code").set_value(keys.code)
    at.text_input(key="back_control").set_value("guess")
    at = press(at, "room.back")
    assert says(at, "error.room_key_wrong")
    at.text_input(key="back_control").set_value(keys.control)
    at = press(at, "room.back")
    assert at.session_state["teaching"] == keys
    # On a shared server the documents of the former visit are gone; the room is not.
    monkeypatch.setattr("pages.ui.shell.state.LOOPBACK", ())
    at = press(run(at), "room.reveal")
    assert says(at, "room.nobody")
    assert says(at, "form.no_document")
    click(at, at.button(key="end"))
    assert has_button(at, "room.join")


def test_a_server_that_nobody_else_can_reach_says_so(library, monkeypatch):
    assert says(open_room(), "room.loopback")
    monkeypatch.setattr("pages.ui.shell.state.LOOPBACK", ("elsewhere",))
    at = upload(open_page("documents"), ("small.pdf", SMALL))
    at.session_state["workshop_part"], at.session_state["question"] = "room", QUESTION
    at = press(run(at.switch_page("pages/workshop.py")), "room.open")
    assert not says(at, "room.loopback")


def test_what_was_handed_in_in_another_tab_is_ticked_in_this_one(library):
    code = code_of(open_room())
    one, other = knock(code, me="ann"), knock(code, me="ann")
    hand_in(one, LAST)
    assert [box.value for box in run(other).checkbox] == [False] * 5 + [True] * 5
    assert other.button(key="submit").disabled
    assert not tick(other, (0, 1, 2, 3, 4)).button(key="submit").disabled


def test_a_reload_comes_back_to_the_desk_in_the_teachers_browser_alone(library, monkeypatch):
    browser = ["teacher"]
    monkeypatch.setattr("pages.ui.shell.visitor.browser", lambda: browser[0])  # AppTest sends no cookie
    monkeypatch.setattr("pages.ui.shell.state.LOOPBACK", ("elsewhere",))
    teacher = upload(open_page("documents"), ("small.pdf", SMALL))
    teacher.session_state["workshop_part"], teacher.session_state["question"] = "room", QUESTION
    teacher = press(run(teacher.switch_page("pages/workshop.py")), "room.open")
    hand_in(knock(code_of(teacher), me="ann"))
    again = reloaded(teacher)
    assert again.session_state["teaching"] == teacher.session_state["teaching"]
    assert joined_and_picked(again) == ["1", "1"]
    again = press(again, "room.reveal")
    assert again.session_state["comparison"].query == QUESTION
    assert again.session_state["owner"] == teacher.session_state["owner"], "the documents of the visit are here too"
    assert not says(again, "form.no_document")
    browser[0] = "another"
    refused = reloaded(teacher)
    assert says(refused, "error.room_key_wrong")
    assert refused.text_input(key="back_code").value == code_of(teacher)
    assert refused.session_state["teaching"] is None


def reloaded(teacher: AppTest) -> AppTest:
    at = AppTest.from_file(str(screens.ROOT / "app.py"), default_timeout=120)
    at.session_state["lang"] = "en"
    at.query_params["desk"] = code_of(teacher)
    at.run()
    return run(at.switch_page("pages/workshop.py"))


@both_languages
def test_a_lesson_is_before_the_room_and_gives_nothing_away(library, language):
    teacher = open_room(language)
    ann, wall = knock(code_of(teacher), language), look(code_of(teacher), language)
    teacher.selectbox(key="room_lesson").set_value("scores")
    teacher = click(teacher, teacher.button(key="lesson_show"))
    fact = next(fact for fact in lessons.facts(teacher.session_state["taught"]) if fact.lesson == "scores")
    for at in (run(ann), run(wall), run(teacher)):
        assert says(at, "lesson.scores_text")
        assert not says(at, f"fact.scores_{fact.case}")
    click(teacher, teacher.button(key="lesson_hide"))
    assert not says(run(ann), "lesson.scores_text")
    teacher = press(teacher, "room.reveal")
    teacher = click(teacher, teacher.button(key="lesson_show"))
    assert all(says(run(at), f"fact.scores_{fact.case}") for at in (ann, wall))


def test_the_next_question_of_the_document_is_one_press_away(library):
    teacher = open_room()
    at = knock(code_of(teacher))
    teacher = press(teacher, "room.reveal")
    [following] = [button for button in teacher.button if button.key == "room_next"]
    teacher = click(teacher, following)
    assert says_anywhere(teacher, text_of(teacher, "room.round", number=2))
    asked = teacher.session_state["taught"].query
    assert asked != QUESTION
    assert says_anywhere(run(at), asked)
    assert joined_and_picked(teacher) == ["1", "0"]


def test_the_counts_are_a_file_without_a_name(library):
    teacher = open_room()
    assert not teacher.get("download_button")
    hand_in(knock(code_of(teacher), me="ann"), LAST)
    teacher = press(teacher, "room.reveal")
    [button] = teacher.get("download_button")
    assert button.proto.label == text_of(teacher, "room.csv")
    past = open_rooms.rooms().look(code_of(teacher)).past
    table = desk.counts_table(past)
    assert list(table["rank_reranked"]) == list(range(1, 11))
    assert list(table.sort_values("rank_vector")["picks"]) == [0] * 5 + [1] * 5
    assert set(table["handed_in"]) == {1}
    assert set(table["question"]) == {QUESTION}
    assert set(table["answers"]) == {""}
    assert not {"ann", "seat", "participant"} & {str(cell) for cell in [*table.columns, *table.to_numpy().ravel()]}


def test_the_running_score_counts_all_questions(library):
    teacher = open_room()
    at = hand_in(knock(code_of(teacher), me="ann"), LAST)
    teacher = press(teacher, "room.reveal")
    teacher.text_input(key="question").set_value("Which park was repaired?")
    teacher = press(teacher, "room.next")
    at = hand_in(run(at), LAST)
    press(teacher, "room.reveal")
    past = open_rooms.rooms().look(code_of(teacher)).past
    running = picture(run(at))["running"]
    hits, vector = sum(one.score.hits for one in past), sum(one.score.vector for one in past)
    assert hits + vector == 10  # one picked the last five of each question, which the vector search's own are not
    assert running["total"] == text_of(
        at, "running.class", average=f"{hits / 2:.1f}", vector=f"{vector / 2:.1f}", wanted=5
    )
    assert [row["number"] for row in running["rows"]] == [1, 2]
    assert [row["bar"] + row["vector"] for row in running["rows"]] == pytest.approx([1, 1])


@pytest.mark.parametrize(
    ("url", "known"),
    [
        ("http://localhost:8501/workshop", "http://192.168.1.7:8501/workshop"),
        ("http://127.0.0.1/workshop", "http://192.168.1.7/workshop"),
        ("https://lab.example.org/app/workshop", "https://lab.example.org/app/workshop"),
    ],
)
def test_an_address_that_only_this_machine_knows_is_not_given_out(monkeypatch, url, known):
    monkeypatch.setattr(joining, "own_address", lambda: "192.168.1.7")
    assert joining.reachable(url) == known


def test_the_picture_holds_the_address():
    address = "http://192.168.1.7:8501/workshop?room=ABCDEF"
    picture = Image.open(io.BytesIO(joining.qr(address))).convert("1")
    side = picture.width // joining.PIXELS
    squares = [
        [not picture.getpixel((x * joining.PIXELS, y * joining.PIXELS)) for x in range(side)] for y in range(side)
    ]
    inside = [row[joining.MARGIN : -joining.MARGIN] for row in squares[joining.MARGIN : -joining.MARGIN]]
    assert inside == [[bool(square) for square in row] for row in segno.make_qr(address, error="m").matrix]
    assert inside != [[bool(square) for square in row] for row in segno.make_qr(address + "X", error="m").matrix]


# Lessons


@both_languages
def test_eight_lessons_can_be_read_before_any_comparison(language):
    at = workshop("lessons", language)
    assert says(at, "lesson.no_comparison")
    assert all(says(at, f"lesson.{name}_text") for name in lessons.NAMES)


@both_languages
def test_each_lesson_speaks_of_the_comparison_on_screen(library, compared, language):
    at = workshop("lessons", language, comparison=compared)
    for fact in lessons.facts(compared):
        assert says(at, f"fact.{fact.lesson}_{fact.case}"), fact


def test_a_riser_with_the_number_asked_for_is_named(library, compared):
    move = max(compared.moves, key=lambda move: move.before)
    chunk = replace(move.chunk, text="In 2031 | *stars* [a](b) were seen.", page=12)
    moves = tuple(replace(one, before=15, after=1, chunk=chunk) if one is move else one for one in compared.moves)
    at = workshop("lessons", comparison=replace(compared, query="What was seen in 2031?", moves=moves))
    assert says_anywhere(at, "Page 12 rose 14 places, from 15 to 1: it contains the number you asked for, 2031.")
    assert any("*stars* [a](b)" in text.value for text in at.text)


@pytest.mark.parametrize("name", lessons.NAMES)
def test_each_lessons_button_opens_a_screen(library, compared, name):
    at = workshop("lessons", comparison=compared)
    at = click(at, at.button(key=f"lesson_{name}"))
    titles = {i18n.texts("en")[f"{page}.title"] for page in frame.PAGES if page != "workshop"}
    assert at.title[0].value in titles


# How it works


@both_languages
def test_without_a_comparison_there_is_nothing_to_draw(language):
    at = workshop("inside", language)
    assert says(at, "inside.empty")
    assert not at.get("image")


@both_languages
def test_both_models_are_drawn_with_the_readers_own_texts(library, compared, language):
    at = workshop("inside", language, comparison=compared)
    assert len(at.get("image")) == 2
    assert QUESTION in [text.value for text in at.text]
    assert len(at.selectbox(key="inside_chunk").options) == CHUNKS
    [meetings] = [text for text in said(at) if re.search(r"\*\*[\d,]+\*\*", text)]
    tokens = int(re.search(r"(\d+) ×", meetings).group(1))
    assert f"{tokens**2:,}" in meetings
    shown = next(text.value for text in at.text if text.value.startswith("<s>") and text.value.count("</s>") == 2)
    assert len(shown.split(" ¦ ")) == tokens


def test_a_chunk_from_before_that_is_gone_is_told(library, compared):
    at = workshop("inside", comparison=compared, inside_chunk="gone")
    assert says(at, "inside.chunk_gone")
    assert at.session_state["inside_chunk"] == compared.moves[0].chunk.id
    assert not says(run(at), "inside.chunk_gone")


def test_what_is_not_known_of_other_models_is_said(library, compared):
    how = replace(compared.settings, embedder="BAAI/bge-small-zh-v1.5", reranker="BAAI/bge-reranker-base")
    at = workshop("inside", comparison=replace(compared, settings=how))
    assert len(at.get("image")) == 2
    assert sum("is not bundled" in text for text in said(at)) == 2


def test_a_chunk_that_only_an_expansion_found_has_no_cosine(library, compared):
    first = compared.moves[0].chunk.id
    ledger = {**compared.ledger, first: ()}
    at = workshop("inside", comparison=replace(compared, ledger=ledger, expansions=(Expansion("x", "typed"),)))
    assert len(at.get("image")) == 2
    assert not at.error
