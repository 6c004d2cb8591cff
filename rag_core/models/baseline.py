"""Score texts that have nothing to do with the question: where a model's scale begins to mean something."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

UNRELATED: Mapping[str, tuple[str, ...]] = {
    "zh": (
        "把面粉、鸡蛋和牛奶搅匀，静置半小时后再下锅煎。",
        "那只橘猫趴在窗台上，晒了一下午的太阳。",
        "主场球队在补时阶段连进两球，逆转了比分。",
        "小提琴有四根弦，琴弓用马尾毛制成。",
        "登山前请检查鞋带、雨衣和饮用水。",
        "土星的光环主要由冰粒和岩石碎屑组成。",
        "她给外婆织了一条深蓝色的围巾。",
        "这部侦探小说直到最后一页才说出凶手是谁。",
    ),
    "en": (
        "Whisk flour, eggs and milk, and let the batter rest for half an hour.",
        "The ginger cat slept on the windowsill all afternoon.",
        "The home side scored twice in stoppage time and turned the match around.",
        "A violin has four strings, and its bow is strung with horsehair.",
        "Check your laces, raincoat and water before you set out for the summit.",
        "The rings of Saturn are mostly grains of ice and rock.",
        "She knitted a dark blue scarf for her grandmother.",
        "The detective novel names the murderer only on its last page.",
    ),
}
"""Eight everyday subjects in each language; a question may touch one of them, so the median is what counts."""


@dataclass(frozen=True, slots=True)
class Baseline:
    """What one model gives unrelated texts for one question."""

    texts: tuple[str, ...]
    scores: tuple[float, ...]

    @property
    def median(self) -> float:
        """Return the middle score, which one text that touches the question does not move far."""
        return float(np.median(self.scores))


def measure(language: str, score: Callable[[Sequence[str]], np.ndarray]) -> Baseline:
    """Score the unrelated texts of a language, ``zh`` or ``en``, with a model that has the question already."""
    texts = UNRELATED[language]
    return Baseline(texts, tuple(map(float, score(texts))))
