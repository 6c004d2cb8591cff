"""Try a reranker on a few fixed pairs before anything is believed of it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from time import perf_counter
from typing import Protocol

import numpy as np

from rag_core.errors import ConstantScores, ModelUnusable

ENOUGH = 5
"""So many of a language's six questions must be right; guessing reaches that one time in nine."""

CASES: Mapping[str, tuple[tuple[str, str, str], ...]] = {
    "zh": (
        ("图书馆几点开门？", "图书馆每天上午九点开门，周一闭馆。", "图书馆坐落在人民路，旁边是一座公园。"),
        ("这座大桥有多长？", "大桥全长3.2公里，设双向六车道。", "大桥由三家公司共同建造，外观为白色。"),
        ("去年的降雨量是多少？", "去年全市降雨量为612毫米。", "去年全市新栽树木两千棵。"),
        ("谁担任市长？", "李明自2019年起担任市长。", "市长办公室位于政府大楼三层。"),
        ("工厂为什么停产？", "由于缺少原料，工厂暂时停产。", "工厂占地二十公顷，有职工三百人。"),
        ("会议在哪里举行？", "会议在上海国际会议中心举行。", "会议持续三天，通过了五项决议。"),
    ),
    "en": (
        (
            "When does the library open?",
            "The library opens at nine every morning.",
            "The library stands next to a park.",
        ),
        (
            "How long is the bridge?",
            "The bridge is 3.2 kilometres long.",
            "The bridge was painted white by its builders.",
        ),
        (
            "How much rain fell last year?",
            "Last year 612 millimetres of rain fell.",
            "Last year the city planted trees.",
        ),
        ("Who is the mayor?", "Anna Lee has been mayor since 2019.", "The mayor's office is on the third floor."),
        (
            "Why did the factory stop production?",
            "Production stopped because raw material ran out.",
            "The factory covers twenty hectares and employs three hundred people.",
        ),
        (
            "Where was the conference held?",
            "The conference was held in the town hall of Bergen.",
            "The conference lasted three days and passed five resolutions.",
        ),
    ),
}
"""Question, a text that answers it, and a text on the same subject that does not."""


class Scorer(Protocol):
    """The part of a reranker that is tried."""

    id: str
    scale: str

    def score(self, query: str, texts: Sequence[str]) -> np.ndarray: ...


@dataclass(frozen=True, slots=True)
class SelfTest:
    """What a reranker did with the fixed pairs.

    ``right`` is, per language, how often the answer scored above the text that is none; ``lowest`` and ``highest`` are
    scores in the unit ``scale``; ``milliseconds`` is the time per short pair.
    """

    model: str
    scale: str
    right: Mapping[str, int]
    lowest: float
    highest: float
    milliseconds: float

    @property
    def languages(self) -> tuple[str, ...]:
        """The languages in which it tells answers from other texts."""
        return tuple(language for language, right in self.right.items() if right >= ENOUGH)


def check(reranker: Scorer) -> SelfTest:
    """Score the fixed pairs.

    Raises:
        ConstantScores: every pair gets the same score.
        ModelUnusable: a score is not a number.
    """
    reranker.score("warm up", ["the first run of a model is slower"])
    start = perf_counter()
    scores = {
        language: np.array([reranker.score(question, texts) for question, *texts in cases])
        for language, cases in CASES.items()
    }
    seconds = perf_counter() - start
    together = np.concatenate(list(scores.values()))
    refuse_useless(reranker.id, together)
    return SelfTest(
        model=reranker.id,
        scale=reranker.scale,
        right={language: int((found[:, 0] > found[:, 1]).sum()) for language, found in scores.items()},
        lowest=float(together.min()),
        highest=float(together.max()),
        milliseconds=1000 * seconds / together.size,
    )


def refuse_useless(model: str, scores: np.ndarray) -> None:
    if not np.isfinite(scores).all():
        raise ModelUnusable(
            f"{model!r} gave a score that is not a number: choose another model", model=model, reason="NaN"
        )
    if np.ptp(scores) == 0:
        score = f"{scores.flat[0]:.4g}"
        raise ConstantScores(
            f"{model!r} gives every pair the same score, {score}, so it orders nothing: choose another model",
            model=model,
            score=score,
        )
