import math

import pytest
from llm_server import LLMServer, completion

from rag_core.datatypes import Chunk, Expansion, Ranking
from rag_core.errors import BadSetting, ServerBadAnswer
from rag_core.search.expand import by_feedback, by_llm, feedback_terms, typed
from rag_core.servers.llm import ChatModel, LLMSettings

ZH = "预算收入增长多少？"


def chunks(*texts: str) -> list[Chunk]:
    return [Chunk(f"c{n}", "doc", text, n, 0, len(text)) for n, text in enumerate(texts, 1)]


def ranking(query: str, found: list[Chunk], scores: list[float] | None = None) -> Ranking:
    return Ranking.from_scores("vector", query, found, scores or [1.0] * len(found))


def paraphrases(reply: str, query: str = ZH, count: int = 5) -> tuple[list[str], dict]:
    with LLMServer(completion(reply)) as server:
        found = by_llm(query, ChatModel(LLMSettings("sk-x", server.base_url, "m"), timeout=5), count)
    assert {expansion.origin for expansion in found} == {"llm"}
    return [expansion.text for expansion in found], server.requests[0]["body"]


def test_typed_reads_one_a_line_and_drops_what_adds_nothing():
    text = f"  财政收入  \n\n{ZH}\n财政收入\nBudget  Growth\nbudget growth\n"
    assert typed(text, ZH) == [Expansion("财政收入", "typed"), Expansion("Budget  Growth", "typed")]


def test_typed_nothing_is_no_expansion():
    assert typed(" \n", ZH) == []


def test_typed_takes_ten_lines_of_500_characters_and_no_more():
    assert len(typed("\n".join(f"问法{n}" for n in range(10)), ZH)) == 10
    assert typed("长" * 500, ZH)
    with pytest.raises(BadSetting) as caught:
        typed("\n".join(f"问法{n}" for n in range(11)), ZH)
    assert caught.value.values == {"setting": "expansions", "value": 11, "limit": 10}
    with pytest.raises(BadSetting) as caught:
        typed("短\n" + "长" * 501, ZH)
    assert caught.value.values == {"setting": "expansion", "value": 501, "limit": 500}


def test_by_llm_asks_in_the_language_of_the_question():
    texts, sent = paraphrases("财政收入涨了多少？\n预算收入的增幅是多少？")
    assert texts == ["财政收入涨了多少？", "预算收入的增幅是多少？"]
    assert "5 种" in sent["messages"][0]["content"]
    assert sent["messages"][1] == {"role": "user", "content": ZH}
    _, sent = paraphrases("What was the growth?", "How much did revenue grow?", count=3)
    assert "3 paraphrases" in sent["messages"][0]["content"]


@pytest.mark.parametrize(
    ("line", "text"),
    [
        ("1. 财政收入", "财政收入"),
        ("2、财政收入", "财政收入"),
        ("（3）财政收入", "财政收入"),
        ("[4] 财政收入", "财政收入"),
        ("**5.** 财政收入", "财政收入"),
        ("⑥财政收入", "财政收入"),
        ("七、财政收入", "财政收入"),
        ("- “财政收入”", "财政收入"),
        ("•**Budget growth**", "Budget growth"),
        ('"budget growth",', "budget growth"),
        ("8.2%是什么的增幅", "8.2%是什么的增幅"),
        ("10:30 opening", "10:30 opening"),
        ("2024年的增幅", "2024年的增幅"),
        ("-5% in 2024", "-5% in 2024"),
    ],
)
def test_by_llm_takes_off_numbers_and_quotes_alone(line, text):
    assert paraphrases(line)[0] == [text]


def test_by_llm_drops_thoughts_headings_fences_repetitions_and_the_question():
    reply = f"<think>\n想一想\n</think>以下是改写：\n```\n---\n{ZH}\n甲\n甲\n{'长' * 501}\n乙\n丙\n```"
    assert paraphrases(reply, count=2)[0] == ["甲", "乙"]


@pytest.mark.parametrize("reply", [ZH, "以下是改写：\n---"])
def test_by_llm_without_a_paraphrase_is_a_bad_answer(reply):
    with pytest.raises(ServerBadAnswer) as caught:
        paraphrases(reply)
    assert caught.value.values["text"] == reply


def test_feedback_weights_follow_the_formula():
    found = chunks("Tunnel budget rose; tunnel", "The tunnel opened", "Parks opened late")
    corpus = found + chunks("Parks closed")
    terms = feedback_terms("budget", ranking("budget", found, [0.9, 0.5, 0.1]), corpus)
    powers = [math.exp(0.9), math.exp(0.5), math.exp(0.1)]
    p1, p2, p3 = (power / sum(powers) for power in powers)
    tunnel = (p1 * 2 / 4 + p2 * 1 / 3) * math.log(5 / 2.5)
    opened = (p2 * 1 / 3 + p3 * 1 / 3) * math.log(5 / 2.5)
    assert [term for term, _ in terms] == ["tunnel", "opened"]
    assert [weight for _, weight in terms] == pytest.approx([tunnel, opened])


def test_feedback_merges_han_strings_to_the_longest():
    found = chunks("全市一般公共预算收入增长", "今年一般公共预算收入突破", "一般公共预算收入与支出")
    corpus = found + chunks("公园开放", "地铁通车", "学校扩建")
    assert [term for term, _ in feedback_terms("财政情况", ranking("财政情况", found), corpus)] == ["一般公共预算收入"]


def test_feedback_terms_neither_begin_nor_end_loosely_nor_repeat_the_question():
    found = chunks("改革和发展在推进，地铁的建设", "推进改革和创新，地铁的建设")
    corpus = found + chunks("公园", "学校", "医院")
    assert [term for term, _ in feedback_terms("地铁", ranking("地铁", found), corpus)] == ["建设", "推进", "改革"]


def test_feedback_leaves_out_what_every_chunk_says_and_long_boilerplate():
    header = "某某市人民政府关于年度工作情况报告"
    found = chunks(header + "\n隧道贯通", header + "\n隧道通风")
    corpus = found + chunks(*[header + "\n" + word for word in ("公园", "学校", "医院", "道路")])
    assert [term for term, _ in feedback_terms("工程", ranking("工程", found), corpus)] == ["隧道"]


def test_feedback_does_not_take_overlapping_windows_for_repetition():
    page = "隧道年底贯通，公园春天开放，学校秋天扩建"
    found = [Chunk("a", "doc", page[:14], 1, 0, 14), Chunk("b", "doc", page[7:], 1, 7, len(page))]
    assert feedback_terms("工程", ranking("工程", found), found + chunks("医院", "道路")) == []


def test_feedback_reads_the_first_documents_alone():
    found = chunks("tunnel work", "tunnel tax", "harbour fees", "harbour")
    scores = [0.9, 0.8, 0.7, 0.6]
    terms = feedback_terms("news", ranking("news", found, scores), found + chunks("x", "y"), documents=2)
    assert [term for term, _ in terms] == ["tunnel"]


def test_by_feedback_puts_the_question_first_and_groups_the_terms():
    found = chunks("tunnel harbour bridge", "tunnel harbour bridge", "tunnel harbour", "tunnel")
    corpus = found + chunks("a", "b", "c", "d", "e", "f")
    expansions = by_feedback("what opened?", ranking("what opened?", found), corpus, terms=2)
    assert expansions == [
        Expansion("what opened? tunnel harbour", "feedback"),
        Expansion("what opened? bridge", "feedback"),
    ]
    assert by_feedback("what opened?", ranking("what opened?", found), corpus, terms=1, count=1) == [
        Expansion("what opened? tunnel", "feedback")
    ]


def test_by_feedback_finds_nothing_in_nothing():
    assert by_feedback("x", ranking("x", []), []) == []
    assert by_feedback("x", ranking("x", chunks("one thing")), chunks("one thing")) == []
