"""Try a reranker on a few fixed pairs before anything is believed of it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
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

LONG: Mapping[str, tuple[str, str, str]] = {
    "zh": (
        "游泳馆的门票多少钱？",
        "门票每张三十元。",
        "新建的游泳馆位于城东体育公园内，去年五月动工，今年九月完工，由市设计院负责设计。场馆分为地上三层和地下一层，地上一层是大厅、"
        "更衣室和寄存处，二层是比赛池，三层是看台和休息区，地下一层用于停车和放置水处理设备。比赛池长五十米，设十条泳道，水深两米；旁边还有一个"
        "浅水池，供儿童和初学者使用。池水每天循环过滤四次，水温常年保持在二十七度左右。看台有八百个座位，曾举行过全省中学生游泳比赛。"
        "游泳馆有教练二十六人、救生员十八人，全部经过考核后上岗。屋顶装有太阳能板，为更衣室的淋浴提供热水，每年可以节约用电约十二万度。"
        "馆内设有无障碍通道和专用更衣室，方便行动不便的居民。附近有三条公交线路和一个地铁站，步行约五分钟。开馆以来，市民对环境和服务"
        "普遍表示满意，也有人建议增加储物柜，延长假日的开放时间，并在入口处设置自行车停放点。管理方表示，将在明年春天前逐项研究答复。",
    ),
    "en": (
        "How much does a ticket for the swimming pool cost?",
        "Tickets cost four euros.",
        "The new swimming pool stands in the sports park in the east of the town. Work began in May of last year and "
        "was finished this September, after plans by the municipal design office. The building has three floors and a"
        " basement: the hall, the changing rooms and the lockers are on the ground floor, the competition pool is on "
        "the first, the stands and a lounge are on the second, and the basement holds the car park and the machines "
        "that treat the water. The competition pool is fifty metres long and two metres deep and has ten lanes; "
        "beside it there is a shallow pool for children and beginners. The water is filtered four times a day and "
        "kept at about twenty-seven degrees all year round. The stands seat eight hundred people and have already "
        "seen the regional school championships. Twenty-six trainers and eighteen lifeguards work here, all of whom "
        "had to pass an examination first. Solar panels on the roof heat the showers and save some hundred and twenty"
        " thousand kilowatt hours a year. A ramp and changing rooms of their own make the building easy to use for "
        "everybody. Three bus lines and a tram stop are five minutes away on foot. Visitors have praised the place "
        "and its staff; some asked for more lockers, for longer opening hours on holidays, and for a bicycle stand at"
        " the entrance. The managers promised to answer each of these proposals before next spring.",
    ),
}
"""Question, a short text that answers it, and a long one on the same subject that does not."""


class Scorer(Protocol):
    """The part of a reranker that is tried."""

    id: str
    scale: str

    def score(self, query: str, texts: Sequence[str]) -> np.ndarray:
        """Return float of shape (texts,): higher answers the question better."""
        ...


@dataclass(frozen=True, slots=True)
class SelfTest:
    """What a reranker did with the fixed pairs.

    ``right`` is, per language, how often the answer scored above the text that is none; ``lowest`` and ``highest`` are
    scores in the unit ``scale``; ``milliseconds`` is the time per short pair. ``long`` is, per language, whether a
    short answer scored above a long text that is none; empty where that was not tried.
    """

    model: str
    scale: str
    right: Mapping[str, int]
    lowest: float
    highest: float
    milliseconds: float
    long: Mapping[str, bool] = field(default_factory=dict)

    @property
    def languages(self) -> tuple[str, ...]:
        """The languages in which it tells answers from other texts."""
        return tuple(language for language, right in self.right.items() if right >= ENOUGH)

    @property
    def leaning(self) -> tuple[str, ...]:
        """The languages in which a long text beat the answer: there its order may follow length."""
        return tuple(language for language, right in self.long.items() if not right)


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
    _refuse_useless(reranker.id, together)
    long = {language: reranker.score(question, texts) for language, (question, *texts) in LONG.items()}
    _refuse_nan(reranker.id, np.concatenate(list(long.values())))
    return SelfTest(
        model=reranker.id,
        scale=reranker.scale,
        right={language: int((pairs[:, 0] > pairs[:, 1]).sum()) for language, pairs in scores.items()},
        lowest=float(together.min()),
        highest=float(together.max()),
        milliseconds=1000 * seconds / together.size,
        long={language: bool(answer > other) for language, (answer, other) in long.items()},
    )


def _refuse_useless(model: str, scores: np.ndarray) -> None:
    _refuse_nan(model, scores)
    if np.ptp(scores) == 0:
        score = f"{scores.flat[0]:.4g}"
        raise ConstantScores(
            f"{model!r} gives every pair the same score, {score}, so it orders nothing: choose another model",
            model=model,
            score=score,
        )


def _refuse_nan(model: str, scores: np.ndarray) -> None:
    if not np.isfinite(scores).all():
        raise ModelUnusable(
            f"{model!r} gave a score that is not a number: choose another model", model=model, reason="NaN"
        )
