"""``python -m rag_core`` on results that travel: index, replay and report, and the codes it ends with."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from command import run, run_apart
from pdfs import encrypted_pdf, image_pdf

from rag_core.__main__ import build_parser
from rag_core.cli import compare
from rag_core.sharing import replay_file
from tests.cli.test_cli import PDF, QUESTION

COMMANDS = ("index", "compare", "evaluate", "replay", "report", "mend")


@pytest.fixture(scope="module")
def folder(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("results")
    (folder / "small.pdf").write_bytes(PDF)
    return folder


@pytest.fixture(scope="module")
def saved(folder) -> Path:
    file = folder / "deep" / "result.json"
    done = run(folder / "home", "compare", folder / "small.pdf", QUESTION, "--expansion", "预算增长", "--replay", file)
    assert (done.returncode, done.stderr) == (0, "")
    return file


def test_compare_saves_what_it_prints(folder, saved):
    found = replay_file.read(saved.read_bytes())
    assert (found.comparison.query, found.source.title) == (QUESTION, "small.pdf")
    assert all(found.baselines.values())
    again = run(folder / "home", "compare", folder / "small.pdf", QUESTION, "--expansion", "预算增长")
    printed = run(folder / "nowhere", "replay", saved)
    assert (printed.returncode, printed.stderr) == (0, "")
    head, text = printed.stdout.split("\n6 chunks")
    assert f"\n6 chunks{text}" == f"\n{again.stdout}"
    assert head.splitlines()[1] == f"question: {QUESTION}"
    assert not (folder / "nowhere").exists(), "a replay needs no library"


def test_unrelated_texts_are_scored_for_what_is_saved_alone(folder, monkeypatch, tmp_path):
    asked, score = [], compare.unrelated_to

    def counted(*given):
        asked.append(score(*given))
        return asked[-1]

    monkeypatch.setattr(compare, "unrelated_to", counted)
    assert run(folder / "home", "compare", folder / "small.pdf", QUESTION).returncode == 0
    assert asked == []
    assert run(folder / "home", "compare", folder / "small.pdf", QUESTION, "--replay", tmp_path / "r").returncode == 0
    assert [set(scores) for scores in asked] == [{"embedder", "reranker"}]


def test_replay_prints_the_json_of_compare(folder, saved):
    printed = json.loads(run(folder / "home", "replay", saved, "--json").stdout)
    assert [row["text"] for row in printed["reranked"]] == [
        hit.chunk.text for hit in replay_file.read(saved.read_bytes()).comparison.reranked.hits
    ]


def test_a_replay_cannot_steer_the_terminal(tmp_path, saved):
    file = tmp_path / "hostile.json"
    file.write_bytes(saved.read_bytes().replace(b'"title": "small.pdf"', b'"title": "\\u001b]0;owned\\u0007\\u009b2J"'))
    done = run(tmp_path / "home", "replay", file)
    assert done.returncode == 0
    assert not {"\x1b", "\x07", "\x9b"} & set(done.stdout)


@pytest.mark.parametrize(("language", "said"), [("zh", "方法"), ("en", "Method")])
@pytest.mark.parametrize("suffix", [".html", ".md"])
def test_report_writes_a_page(tmp_path, saved, language, said, suffix):
    file = tmp_path / f"report{suffix}"
    done = run(tmp_path / "home", "report", saved, file, "--language", language)
    assert (done.returncode, done.stderr, done.stdout) == (0, "", f"{file} written\n")
    text = file.read_text(encoding="utf-8")
    assert said in text
    assert QUESTION in text or QUESTION.replace("？", "\\？") in text
    assert not (tmp_path / "home").exists()


def test_a_report_speaks_the_documents_language_unless_told(tmp_path, saved):
    run(tmp_path / "home", "report", saved, tmp_path / "report.md")
    assert "## 方法" in (tmp_path / "report.md").read_text(encoding="utf-8")


def test_index_does_a_folder_and_lists_what_is_broken(tmp_path):
    inside = tmp_path / "course" / "week 2"
    inside.mkdir(parents=True)
    for name, content in {
        "a.pdf": PDF,
        "broken.pdf": b"<html>",
        "locked.PDF": encrypted_pdf(PDF, "secret"),
        "week 2/scan.pdf": image_pdf(),
        "week 2/z.pdf": PDF + b"\n",
        "note.txt": b"x",
    }.items():
        (tmp_path / "course" / name).write_bytes(content)
    done = run(tmp_path / "home", "index", tmp_path / "course", "--chunks", "sentence")
    lines = {line.split(": ")[0].rsplit("/", 1)[1]: line.split(": ", 1)[1] for line in done.stdout.splitlines()}
    assert list(lines) == ["a.pdf", "broken.pdf", "locked.PDF", "scan.pdf", "z.pdf"]
    assert lines["a.pdf"] == lines["z.pdf"] == "2 pages, 6 chunks (sentence)"
    assert all(lines[name].startswith("not indexed: ") for name in ("broken.pdf", "locked.PDF", "scan.pdf"))
    assert (done.returncode, done.stderr) == (1, "3 of 5 files could not be indexed: see the lines above\n")


def test_index_is_done_with_good_files(tmp_path, folder):
    done = run(tmp_path / "home", "index", folder / "small.pdf")
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.splitlines()[-1] == "1 of 1 files indexed, 0 of them before"


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["replay", "nowhere.json"], "nowhere.json cannot be read"),
        (["replay", "small.pdf"], "holds no comparison"),
        (["report", "small.pdf", "out.html"], "holds no comparison"),
        (["report", "small.pdf", "out.docx"], "out.docx"),
        (["index", "empty"], "holds no PDF"),
        (["compare", "small.pdf", QUESTION, "--replay", "small.pdf/result.json"], "cannot be written"),
    ],
)
def test_what_is_wrong_is_told_in_a_line_and_ends_with_one(folder, arguments, said):
    (folder / "empty").mkdir(exist_ok=True)
    given = [folder / one if "." in one or one == "empty" else one for one in arguments]
    done = run(folder / "home", *given)
    assert (done.returncode, done.stdout) == (1, "")
    [line] = done.stderr.splitlines()
    assert said in line


@pytest.mark.parametrize("arguments", [[], ["sort"], ["replay"], ["report", "a"], ["index"], ["replay", "a", "--what"]])
def test_a_command_line_that_is_not_understood_ends_with_two(arguments):
    with pytest.raises(SystemExit) as ended:
        build_parser().parse_args(arguments)
    assert ended.value.code == 2


def test_every_command_has_a_help(capsys):
    for arguments in (["--help"], *([command, "--help"] for command in COMMANDS)):
        with pytest.raises(SystemExit) as ended:
            build_parser().parse_args(arguments)
        assert ended.value.code == 0
    assert capsys.readouterr().out.count("usage: python -m rag_core") == 1 + len(COMMANDS)


def test_help_shows_an_example_of_every_command(capsys):
    with pytest.raises(SystemExit):
        build_parser().parse_args(["--help"])
    said = capsys.readouterr().out
    assert [command for command in COMMANDS if f"python -m rag_core {command} " not in said] == []


@pytest.mark.parametrize(("arguments", "code"), [([], 2), (["replay", "nowhere.json"], 1)])
def test_the_module_ends_with_the_codes(tmp_path, arguments, code):
    assert run_apart(tmp_path, *arguments).returncode == code
