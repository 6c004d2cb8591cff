"""One change at a time, on literal texts."""

from __future__ import annotations

import pytest

from rag_core.explaining import perturb

ZH = "列入任务的住房共有1.37万套，到2024年底已经交付1.26万套，集中在东圩区的两个楼盘，最迟9月交到购房人手里。"
EN = "In March 2024 the company closed 3 depots, and the Harrow line lost £2.4 million."


@pytest.mark.parametrize(
    ("text", "negated"),
    [
        ("粮食产量增长2.1%。", "粮食产量没有增长2.1%。"),
        ("图书馆是公共设施。", "图书馆不是公共设施。"),
        ("项目没有完成。", "项目完成。"),
        ("价格不变。", "价格变。"),
        ("晴。", "以下说法不属实：晴。"),
        ("The bridge is open.", "The bridge is not open."),
        ("The bridge is not open.", "The bridge is open."),
        ("Costs rose.", "It is not true that costs rose."),
    ],
)
def test_negation_is_put_in_or_taken_out(text, negated):
    assert perturb.negate(text) == negated


@pytest.mark.parametrize(
    ("text", "swapped"),
    [
        (ZH, ZH.replace("1.37", "4.61")),
        (EN, EN.replace("closed 3", "closed 6")),
        ("2024年9月1日", None),
        ("no figure", None),
    ],
)
def test_the_first_number_that_is_no_date_is_swapped(text, swapped):
    assert perturb.swap_number(text) == swapped


@pytest.mark.parametrize("digit", range(10))
def test_no_digit_stays_as_it_is(digit):
    assert perturb.swap_number(f"{digit} houses") != f"{digit} houses"


@pytest.mark.parametrize(
    ("text", "swapped"),
    [
        (ZH, ZH.replace("2024", "2021")),
        (EN, EN.replace("March", "August")),
        ("最迟今年9月", "最迟今年2月"),
        ("2,024 houses", None),
        ("no date", None),
    ],
)
def test_the_first_date_is_moved(text, swapped):
    assert perturb.swap_date(text) == swapped


@pytest.mark.parametrize(
    ("text", "swapped"),
    [
        (ZH, ZH.replace("东圩", "临江")),
        (EN, EN.replace("Harrow", "Ashford")),
        ("临江市与临江港", "北岭市与北岭港"),
        ("Costs rose in March.", None),
        ("天气很好。", None),
    ],
)
def test_another_name_stands_wherever_the_first_one_stood(text, swapped):
    assert perturb.swap_name(text) == swapped


@pytest.mark.parametrize("text", [ZH, EN])
def test_shuffled_words_are_the_same_words(text):
    shuffled = perturb.shuffle_words(text)
    assert shuffled != text
    assert sorted(shuffled) == sorted(text)
    assert perturb.shuffle_words(text) == shuffled
    assert shuffled[-1] == text[-1]


def test_the_change_is_made_where_the_focus_is():
    text = "公园有20座。学校有30所。"
    assert perturb.change(text, "number") == "公园有53座。学校有30所。"
    assert perturb.change(text, "number", [(7, 14)]) == "公园有20座。学校有63所。"


def test_a_focus_without_anything_to_change_falls_to_the_next():
    text = "天气很好。学校有30所。"
    assert perturb.change(text, "number", [(0, 5), (5, 12)]) == "天气很好。学校有63所。"


@pytest.mark.parametrize("kind", ["number", "date", "name"])
def test_nothing_to_change_is_said(kind):
    assert perturb.change("天气很好。", kind) is None


def test_a_single_word_cannot_be_shuffled():
    assert perturb.change("Good.", "shuffle") is None


def test_a_foreign_name_does_not_change_the_language_of_the_answer():
    text = "The company was renamed 北辰 Holdings in 2019."
    assert perturb.change(text, "negate") == "The company was not renamed 北辰 Holdings in 2019."
    assert perturb.change("公司2019年更名为Beichen Group，增长8%。", "negate").startswith("公司")
