"""``python -m rag_core compare`` and ``evaluate``: what they say, and what they end with."""

from __future__ import annotations

import csv
import io
import json
import subprocess
from pathlib import Path

import edges
import pytest
import tiny_models
from command import run, run_apart
from pdfs import encrypted_pdf, image_pdf, text_pdf
from rerank_server import reranking

from rag_core import __version__, settings
from rag_core.lab import Lab
from rag_core.measuring.metrics import MEASURES
from rag_core.models import catalog
from rag_core.models.selftest import CASES

QUESTION = "财政收入增长了多少？"
ANSWER = "全市一般公共预算收入增长8.2%。"
PDF = text_pdf(
    [ANSWER, "新建和改造公园二十处。", "轨道交通十二号线开通。"],
    ["全年粮食产量保持稳定。", "博物馆接待游客三百万人次。", "居民收入增长5.6%。"],
)


@pytest.fixture(scope="module")
def folder(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("command")
    (folder / "small.pdf").write_bytes(PDF)
    return folder


@pytest.fixture(scope="module")
def found(folder) -> dict:
    done = run_apart(
        folder / "home", "compare", folder / "small.pdf", QUESTION, "--chunks", "sentence", "--depth", 5, "--json"
    )
    assert (done.returncode, done.stderr) == (0, "")
    return json.loads(done.stdout)


@pytest.fixture(scope="module")
def text(folder) -> str:
    wordings = ["--expansion", "预算增长", "--expansion", "museum visitors"]
    done = run(folder / "home", "compare", folder / "small.pdf", QUESTION, "--chunks", "sentence", *wordings)
    assert (done.returncode, done.stderr) == (0, "")
    return done.stdout


def test_json_counts_the_chunks(found):
    assert found["chunks"] == 6


@pytest.mark.parametrize("order", ["vector", "reranked"])
def test_json_holds_rank_page_text_and_score(found, order):
    assert [row["rank"] for row in found[order]] == [1, 2, 3, 4, 5]
    assert all(isinstance(row["score"], float) and row["page"] in (1, 2) for row in found[order])
    assert [row["score"] for row in found[order]] == sorted((row["score"] for row in found[order]), reverse=True)


def test_json_ranks_the_same_candidates_twice(found):
    first, second = ({(row["page"], row["text"]) for row in found[order]} for order in ("vector", "reranked"))
    assert first == second
    assert (1, ANSWER) in first


def test_json_says_where_each_candidate_came_from(found):
    before = {row["text"]: row["rank"] for row in found["vector"]}
    for row in found["reranked"]:
        assert row["before"] == before[row["text"]]
        assert row["move"] == row["before"] - row["rank"]


def test_the_version_is_told(tmp_path):
    done = run(tmp_path / "home", "--version")
    assert (done.returncode, done.stdout) == (0, f"Rerank Lab {__version__}\n")


LONG_PDF = text_pdf([*["新建和改造公园二十处，博物馆接待游客三百万人次，居民满意度稳步提高。"] * 7, ANSWER])


def test_the_best_part_of_a_long_chunk_is_told(folder):
    (folder / "long.pdf").write_bytes(LONG_PDF)
    asked = ["compare", folder / "long.pdf", QUESTION, "--chunks", "window"]
    [row] = json.loads(run(folder / "home", *asked, "--json").stdout)["reranked"]
    part = row["part"]
    assert part["of"] > 1 and row["text"][part["start"] : part["end"]] == part["text"]
    assert ANSWER in part["text"].replace("\n", "")
    assert f"[best of {part['of']} parts]" in run(folder / "home", *asked).stdout.split("cross-encoder ranking")[1]


def test_no_part_is_told_of_a_chunk_that_is_read_whole(found, text):
    assert not any("part" in row for row in found["reranked"])
    assert "best of" not in text


def test_text_holds_both_rankings_whole(text):
    first, second = text.split("cross-encoder ranking")
    assert text.startswith("6 chunks, 6 candidates\n")
    assert "fused ranking" in first
    for order in (first, second):
        assert [order.count(sentence) for sentence in (ANSWER, "居民收入增长5.6%。", "博物馆")] == [1, 1, 1]


def test_text_of_the_new_ranking_names_rank_move_and_page(text):
    rows = [line.split(maxsplit=4) for line in text.split("cross-encoder ranking\n")[1].splitlines()]
    assert [row[0] for row in rows] == ["1", "2", "3", "4", "5", "6"]
    assert all(row[1] == "=" or row[1][0] in "▲▼" for row in rows)
    assert {row[4]: row[3] for row in rows}[ANSWER] == "1"


def test_a_short_document_is_cut_into_sentences_by_default(folder):
    done = run(folder / "home", "compare", folder / "small.pdf", QUESTION, "--json")
    assert json.loads(done.stdout)["chunks"] == 6


def write(folder: Path, name: str, content: bytes) -> Path:
    (folder / name).write_bytes(content)
    return folder / name


def only_line(done: subprocess.CompletedProcess[str]) -> str:
    assert (done.returncode, done.stdout) == (1, "")
    [line] = done.stderr.splitlines()
    return line


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        ("empty.pdf", b"", "empty"),
        ("page.pdf", b"<html>hello</html>", "PDF"),
        ("locked.pdf", encrypted_pdf(PDF, user="secret"), "password"),
        ("scan.pdf", image_pdf(), "OCR"),
    ],
)
def test_a_file_that_cannot_be_used_is_explained_in_a_line(tmp_path, name, content, said):
    assert said in only_line(run(tmp_path / "home", "compare", write(tmp_path, name, content), QUESTION))


def test_a_missing_file_is_named(tmp_path):
    assert "nowhere.pdf" in only_line(run(tmp_path / "home", "compare", tmp_path / "nowhere.pdf", QUESTION))


@pytest.mark.parametrize(
    ("question", "options", "said"),
    [
        ("  ", [], "question is empty"),
        ("问" * 10_000, [], "10000 characters"),
        (QUESTION, ["--depth", "1000"], "depth is 1000"),
        (QUESTION, ["--cutoff", "0"], "cutoff is 0"),
        (QUESTION, ["--reranker", "nonsense"], "'nonsense'"),
        (QUESTION, ["--embedder", "/no/such/folder"], "'/no/such/folder'"),
        (QUESTION, ["--embedder", "text-embedding-3-small"], "OPENAI_API_KEY"),
        (QUESTION, ["--expansion", "长" * 501], "501"),
    ],
)
def test_a_question_or_option_that_cannot_be_used_is_explained_in_a_line(folder, question, options, said):
    assert said in only_line(run(folder / "home", "compare", folder / "small.pdf", question, *options))


def test_an_unknown_preset_is_refused_with_the_usage(folder):
    done = run(folder / "home", "compare", folder / "small.pdf", QUESTION, "--chunks", "paragraph")
    assert done.returncode == 2
    assert "clause" in done.stderr
    assert "Traceback" not in done.stderr


def test_a_library_open_elsewhere_is_left_alone(folder, lab):
    assert "RERANK_LAB_HOME" in only_line(run_apart(settings.home(), "compare", folder / "small.pdf", QUESTION))
    assert isinstance(lab, Lab)


def test_a_home_that_cannot_be_written_is_explained_in_a_line(folder, tmp_path):
    file = write(tmp_path, "home", b"a file where the folder should be")
    assert "RERANK_LAB_HOME" in only_line(run(file, "compare", folder / "small.pdf", QUESTION))


@pytest.mark.slow
@pytest.mark.torch
def test_a_model_that_cannot_read_the_documents_language_is_warned_of(folder, tmp_path):
    model = tiny_models.cross_encoder(tmp_path / "model")
    done = run(folder / "home", "compare", folder / "small.pdf", QUESTION, "--reranker", model)
    assert done.returncode == 0
    assert "trials in the document's language, zh" in done.stderr


def test_a_server_whose_scores_follow_length_is_warned_of(folder, monkeypatch):
    right = {answer for cases in CASES.values() for _, answer, _ in cases}
    with reranking("tei", lambda _, text: 100.0 * (text in right) + len(text)) as server:
        monkeypatch.setenv("RERANK_LAB_RERANK_URL", server.root)
        monkeypatch.setenv("RERANK_LAB_RERANK_FORM", "tei")
        done = run(folder / "home", "compare", folder / "small.pdf", QUESTION, "--reranker", "rerank-server")
    assert done.returncode == 0
    assert "scored a long text above the short one that answers, in the document's language, zh" in done.stderr


def test_adaptive_depth_says_how_many_it_scored(folder):
    (folder / "long.pdf").write_bytes(
        text_pdf([ANSWER, *(f"第{n}号公园种了树。" for n in range(20))], *[[f"第{n}天天气很好。"] for n in range(30)])
    )
    done = run(
        folder / "home", "compare", folder / "long.pdf", QUESTION, "--chunks", "sentence", "--cutoff", 1, "--adaptive"
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.splitlines()[0] == "51 chunks, 50 candidates, 30 scored"
    assert ANSWER in done.stdout


@pytest.mark.slow
@pytest.mark.torch
def test_a_model_with_one_score_for_everything_is_refused(folder, tmp_path):
    model = tiny_models.cross_encoder(tmp_path / "model", constant=True)
    done = run(folder / "home", "compare", folder / "small.pdf", QUESTION, "--reranker", model)
    assert (done.returncode, done.stdout) == (1, "")
    assert "gives every pair the same score, 0," in done.stderr


JUDGED = f"""question,page,quote,grade
{QUESTION},1,{ANSWER},2
公园建了几处？,1,新建和改造公园二十处。,2
博物馆来了多少人？,2,博物馆接待游客三百万人次。,1
地铁几号线？,1,没有这句话,2
粮食产量呢？,2,全年粮食产量保持稳定。,0
"""


@pytest.fixture(scope="module")
def evaluated(folder) -> tuple[str, Path]:
    (folder / "questions.csv").write_text(JUDGED, encoding="utf-8")
    options = ("--chunks", "sentence", "--depths", "5,10", "--output", folder / "out")
    done = run(folder / "home", "evaluate", folder / "small.pdf", folder / "questions.csv", *options)
    understood = "understood: 5 questions, 5 judgments; table; UTF-8; columns separated by ','\n"
    assert (done.returncode, done.stderr) == (0, understood)
    return done.stdout, folder / "out"


def test_evaluate_prints_a_row_a_system(evaluated):
    rows = [line.split("  ")[0] for line in evaluated[0].splitlines()]
    model = settings.Settings().reranker
    assert rows[3:8] == ["vector", "bm25", "fused", f"{model} @5", f"{model} @10"]


def test_evaluate_claims_nothing_from_few_questions(evaluated):
    assert "5 questions, 3 with a relevant chunk" in evaluated[0]
    assert "too few to claim" in evaluated[0]


def test_evaluate_lists_what_is_not_measured(evaluated):
    assert "no relevant chunk, left out: 粮食产量呢？" in evaluated[0]
    assert "words not found: p. 1 没有这句话" in evaluated[0]


def test_evaluate_writes_its_files(evaluated):
    names = sorted(file.name for file in evaluated[1].iterdir())
    assert names[:5] == ["judgments.csv", "means.csv", "qrels.txt", "questions.csv", "ranks.csv"]
    assert [name[:5] for name in names[5:-1]] == ["run-1", "run-2", "run-3", "run-4", "run-5"]
    assert names[-1] == "topics.tsv"


def test_other_tools_reach_the_same_measures_from_the_files(evaluated):
    import ir_measures

    folder = evaluated[1]
    qrels = list(ir_measures.read_trec_qrels(str(folder / "qrels.txt")))
    rows = list(csv.DictReader((folder / "means.csv").open(encoding="utf-8-sig")))
    # The question judged not relevant throughout stands in the qrels; here as in the table it is left out.
    asked = {one.query_id for one in qrels if one.relevance}
    judged = [one for one in qrels if one.query_id in asked]
    assert len(rows) == 5
    for row, file in zip(rows, sorted(folder.glob("run-*.txt")), strict=True):
        run_file = [one for one in ir_measures.read_trec_run(str(file)) if one.query_id in asked]
        for name in MEASURES:
            measure = ir_measures.parse_measure(name)
            found = ir_measures.calc_aggregate([measure], judged, run_file)[measure]
            assert float(row[name]) == pytest.approx(found, abs=1e-4)


def test_topics_runs_and_qrels_speak_of_the_same_questions(evaluated):
    import ir_measures

    folder = evaluated[1]
    topics = dict(line.split("\t") for line in (folder / "topics.tsv").read_text(encoding="utf-8").splitlines())
    assert topics["q2"] == list(csv.DictReader(io.StringIO(JUDGED)))[1]["question"]
    assert {one.query_id for one in ir_measures.read_trec_qrels(str(folder / "qrels.txt"))} <= set(topics)
    assert {one.query_id for one in ir_measures.read_trec_run(str(folder / "run-1-vector.txt"))} == set(topics)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (["--depths", "5,many"], "depth"),
        (["--depths", "500"], "depth is 500"),
        (["--rerankers", "no/such/thing"], "no/such/thing"),
    ],
)
def test_evaluate_names_what_does_not_fit(folder, evaluated, change, words):
    done = run(folder / "home", "evaluate", folder / "small.pdf", folder / "questions.csv", *change)
    assert done.returncode == 1
    assert words in done.stderr
    assert "Traceback" not in done.stderr


OTHER = f"""问题；片段；名次
{QUESTION}；新建和改造公园二十处。；1
{QUESTION}；{ANSWER}；2
{QUESTION}；这句话哪里都没有写过。；3
公园建了几处?；新建和改造公园二十处。；1
谁写的？；{ANSWER}；1
"""


@pytest.fixture(scope="module")
def beside(folder, evaluated) -> tuple[str, str, Path]:
    """Evaluate beside another system's texts, and beside the run that was written before."""
    (folder / "acme.csv").write_bytes(OTHER.encode("gb18030"))
    own = folder / "out" / "run-1-vector.txt"
    options = ("--chunks", "sentence", "--depths", "5", "--output", folder / "beside")
    rankings = ("--run", folder / "acme.csv", "--run", own)
    done = run(folder / "home", "evaluate", folder / "small.pdf", folder / "questions.csv", *options, *rankings)
    assert done.returncode == 0, done.stderr
    return done.stdout, done.stderr, folder / "beside"


def test_another_systems_rankings_are_measured_beside_ours_over_the_same_questions(beside):
    rows = [[cell.strip() for cell in line.split("  ") if cell] for line in beside[0].splitlines()]
    found = {(cells[0], cells[-1]): cells[1:3] for cells in rows if len(cells) > 8}
    assert found[("vector (imported)", "all")] == found[("vector", "all")]
    part = "those of acme (imported)"
    assert [found[(name, part)][0] for name in ("vector", "bm25", "acme (imported)")] == ["2", "2", "2"]
    assert ("acme (imported)", "all") not in found


def test_what_of_a_ranking_is_not_matched_is_told_and_written(beside):
    [told, *lines] = [line for line in beside[1].splitlines() if not line.startswith("understood")][:3]
    assert told.startswith("ranking acme: 3 of 5 lines matched, 2 of 5 questions; table; GB18030")
    assert lines[0] == "  line 4 is left out, its words are on no page: 这句话哪里都没有写过。"
    assert lines[1].startswith("  line 6 is left out, its question is not in the set: ")
    assert "这句话哪里都没有写过。" in (beside[2] / "unmatched-1.csv").read_text("utf-8-sig")
    assert len((beside[2] / "unmatched-2.csv").read_text("utf-8-sig").splitlines()) == 1


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ("question,docno,rank\nq,d,1\n", "broken.run: a ranking needs the columns question, text"),
        ("q1 Q0 D7 1 0.5 acme\n", "none of its ids is a chunk of this document, first 'D7'"),
        ("q9 Q0 D7 1 0.5 acme\n", "none of its questions is in the set, first 'q9'"),
        ("q1 Q0 D7 1 high acme\n", "line 1: the score is 'high'"),
    ],
)
def test_a_ranking_that_does_not_fit_is_refused(folder, evaluated, content, words):
    (folder / "broken.run").write_text(content, encoding="utf-8")
    asked = ("evaluate", folder / "small.pdf", folder / "questions.csv", "--chunks", "sentence", "--depths", "5")
    done = run(folder / "home", *asked, "--run", folder / "broken.run")
    assert (done.returncode, words in done.stderr) == (1, True), done.stderr


def test_rankings_are_of_one_document_and_not_of_each_of_a_folder(folder, tmp_path):
    done = run(tmp_path / "home", "evaluate", folder, folder, "--run", folder / "acme.csv")
    assert (done.returncode, "--run goes with one document" in done.stderr) == (1, True)


def test_what_a_question_file_was_taken_for_is_told(folder):
    rows = "问题；页码；原文；备注\n收入多少？；3\n谁付款；何时付？；４；业主；无\n".encode("gb18030")
    (folder / "other.csv").write_bytes(rows)
    done = run(folder / "home", "evaluate", folder / "small.pdf", folder / "other.csv", "--depths", "5")
    assert done.stderr.splitlines()[0] == (
        "understood: 2 questions, 1 judgments; table; GB18030; columns separated by '；'; "
        "rows filled with blank cells: 1; rows cut within a text, joined: 1; columns not used: 备注"
    )


def test_evaluate_names_the_line_that_does_not_fit(folder):
    (folder / "broken.csv").write_text("question,quote,grade\nq,a,9\n", encoding="utf-8")
    done = run(folder / "home", "evaluate", folder / "small.pdf", folder / "broken.csv")
    assert (done.returncode, done.stderr.startswith("line 2:")) == (1, True)


@pytest.fixture(scope="module")
def shelf(tmp_path_factory) -> Path:
    shelf = tmp_path_factory.mktemp("shelf")
    (shelf / "parks").mkdir()
    (shelf / "money.pdf").write_bytes(text_pdf([ANSWER, "居民收入增长5.6%。"]))
    (shelf / "parks" / "2024.PDF").write_bytes(text_pdf(["新建和改造公园二十处。"], ["博物馆接待游客三百万人次。"]))
    (shelf / "broken.pdf").write_bytes(b"no PDF")
    return shelf


def test_a_folder_is_compared_as_one_collection_and_a_broken_file_is_told(shelf, tmp_path):
    arguments = ("compare", shelf, QUESTION, "--chunks", "sentence", "--replay", tmp_path / "result.json")
    done = run(tmp_path / "home", *arguments, "--json")
    assert done.returncode == 0
    [told] = done.stderr.splitlines()
    assert told.startswith(f"{shelf / 'broken.pdf'}: left out: ")
    found = json.loads(done.stdout)
    assert found["chunks"] == 4
    assert {row["document"] for row in found["vector"]} == {"money.pdf", "parks/2024.PDF"}
    assert [row["page"] for row in found["vector"] if "博物馆" in row["text"]] == [2]
    shown = run(tmp_path / "home", "replay", tmp_path / "result.json").stdout
    assert "parks/2024.PDF p. 2" in shown
    assert json.loads((tmp_path / "result.json").read_bytes())["document"]["pages"] == 3
    assert run(tmp_path / "home", *arguments).returncode == 0
    lab = Lab(tmp_path / "home")
    assert sorted(lab.documents.titles().values()) == sorted(["money.pdf", "parks/2024.PDF", shelf.name])
    lab.close()


def test_a_folder_is_evaluated_as_one_collection(shelf, tmp_path):
    questions = write(tmp_path, "questions.csv", f"question,quote\n{QUESTION},{ANSWER}\n博物馆？,三百万人次\n".encode())
    output = ("--depths", "5", "--output", tmp_path / "out")
    done = run(tmp_path / "home", "evaluate", shelf, questions, "--chunks", "sentence", *output)
    assert done.returncode == 0
    assert done.stdout.startswith("2 questions, 2 with a relevant chunk\n")
    ranks = (tmp_path / "out" / "ranks.csv").read_text(encoding="utf-8-sig").splitlines()
    assert ranks[0].startswith('"id","question","chunk","document","page"')
    assert any('"parks/2024.PDF",2,' in row for row in ranks)


def test_a_folder_without_a_readable_pdf_is_told(tmp_path):
    write(tmp_path, "broken.pdf", b"no PDF")
    done = run(tmp_path / "home", "compare", tmp_path, QUESTION)
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.splitlines()[-1] == "none of the files could be read: see the lines above"


def test_all_pages_of_the_same_words_are_told(folder):
    (folder / "twice.pdf").write_bytes(text_pdf([ANSWER, "新建公园二十处。"], ["粮食产量保持稳定。", ANSWER]))
    asked = ["compare", folder / "twice.pdf", QUESTION, "--chunks", "sentence"]
    rows = json.loads(run(folder / "home", *asked, "--json").stdout)["reranked"]
    assert {row["text"]: (row["page"], row.get("pages")) for row in rows} == {
        ANSWER: (1, [1, 2]),
        "新建公园二十处。": (1, None),
        "粮食产量保持稳定。": (2, None),
    }
    printed = run(folder / "home", *asked).stdout
    assert printed.count(ANSWER) == printed.count(f"p. 1, 2 {ANSWER}") == 2


def test_a_document_in_another_language_is_told(tmp_path):
    lines = ["むらのとしょかんは、はるにたてられました。", "ししょは、まいあさまちまでいきました。"]
    (tmp_path / "library.pdf").write_bytes(text_pdf(lines))
    done = run(tmp_path / "home", "compare", tmp_path / "library.pdf", "いつですか", "--chunks", "sentence")
    [told] = [line for line in done.stderr.splitlines() if "language (ja)" in line]
    assert done.returncode == 0
    assert catalog.multilingual(catalog.RERANKERS) in told


def test_a_list_of_contents_is_searched_where_that_is_wanted(tmp_path):
    listed = edges.LISTS["text below it"]
    (tmp_path / "book.pdf").write_bytes(text_pdf(*listed.pages))
    found = {}
    for contents in ("drop", "keep"):
        wanted = ("compare", tmp_path / "book.pdf", "When?", "--chunks", "sentence", "--contents", contents, "--json")
        done = run(tmp_path / "home", *wanted)
        found[contents] = json.loads(done.stdout)["chunks"]
        assert ("contents on 1 page left out" in done.stderr) == (contents == "drop")
    assert found["keep"] > found["drop"]
