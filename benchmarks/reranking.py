"""Pairs a second of every engine, in turns, so that a busy moment meets them all; printed as they are measured."""

import json
import random
import subprocess
import sys
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import NamedTuple

from benchmarks.clock import Time, timed
from benchmarks.engines import (
    CROSS_ENCODER,
    EMBEDDING_ENGINES,
    ENGINES,
    GIVEN,
    OURS,
    TORCH,
    Embed,
    NotAvailable,
    Score,
    random_cross_encoder,
    random_embedder,
)
from benchmarks.limit import LIMITS, Shape

COUNTS, TOKENS = (20, 50, 100), (32, 64, 128, 256)
MIDDLE = 64
MIXED = (50, (32, 96))
"""Fifty candidates of 32 to 96 tokens."""
STATED = ("50 × 64", "50 mixed")
"""The cases that the ratios are stated for, and that are measured first."""
PAUSE = 0.3
"""Seconds before each turn: the threads of some engines go on spinning for a while and would slow the next one."""
INDEXED = 60
ROUNDS = 5
QUERY = "How much did the revenue of the city grow last year?"
WORDS = ("city", "budget", "revenue", "grew", "schools", "parks", "roads", "and", "new", "homes", "were", "built", "by")


@dataclass(frozen=True, slots=True)
class Case:
    """So many texts of these lengths in tokens, question and marks included."""

    name: str
    texts: tuple[str, ...]
    tokens: tuple[int, ...]


class Figure(NamedTuple):
    """Texts a second, and milliseconds of all cores for each."""

    rate: float
    cpu_ms: float

    def __str__(self) -> str:
        return f"{self.rate:.0f} ({self.cpu_ms:.1f})"


Measured = dict[str, dict[str, Figure]]


@dataclass(frozen=True, slots=True)
class How:
    """How often each case is measured, until when, and where what is known is said, line by line."""

    rounds: int
    until: float
    say: Callable[..., None]


def make_case(name: str, lengths: Iterable[int], query: str = QUERY) -> Case:
    """Make texts of plain words that, together with the question, have exactly so many tokens."""
    from tokenizers import Tokenizer

    tokenizer, rng = Tokenizer.from_file(str(CROSS_ENCODER / "tokenizer.json")), random.Random(4)
    lengths = tuple(lengths)
    texts = []
    for length in lengths:
        words = [rng.choice(WORDS) for _ in range(length)]
        while len(tokenizer.encode(query, " ".join(words)).ids) > length:
            words.pop()
        texts.append(" ".join(words))
    return Case(name, tuple(texts), tuple(len(tokenizer.encode(query, text).ids) for text in texts))


def grid() -> list[Case]:
    rng = random.Random(5)
    mixed = make_case(STATED[1], [rng.randint(*MIXED[1]) for _ in range(MIXED[0])])
    plain = {f"{count} × {tokens}": (count, tokens) for count in COUNTS for tokens in TOKENS}
    cases = {name: make_case(name, [tokens] * count) for name, (count, tokens) in plain.items()}
    return [cases.pop(STATED[0]), mixed, *cases.values()]


def available(makers: dict[str, Callable], folder: Path) -> tuple[dict[str, Callable], dict[str, str]]:
    """Return the engines that run here, and why the others do not."""
    ready, missing = {}, {}
    for name, make in makers.items():
        try:
            ready[name] = make(folder)
        except NotAvailable as error:
            missing[name] = str(error)
    return ready, missing


def take_turns(engines: dict[str, Callable[[Case], object]], case: Case, rounds: int) -> dict[str, Figure]:
    """Return each engine's best of several rounds on one case; the engines take turns in each round."""
    best: dict[str, Time] = {}
    for run in engines.values():
        run(case)  # the first run of a shape is slower
    for _ in range(rounds):
        for name, run in engines.items():
            time.sleep(PAUSE)
            took = timed(partial(run, case))
            best[name] = min(best.get(name, took), took)
    count = len(case.texts)
    return {name: Figure(count / took.wall, 1000 * took.cpu / count) for name, took in best.items()}


def table(title: str, engines: dict[str, Callable[[Case], object]], cases: Sequence[Case], how: How) -> Measured:
    """Measure case after case, each a row that is printed as soon as it is known, until the time is up."""
    how.say(row(title, *engines), rule(len(engines)))
    found: Measured = {}
    for case in cases:
        if time.monotonic() > how.until:
            left = [one.name for one in cases if one.name not in found]
            how.say("", f"Not measured, the time was up: {', '.join(left)}.")
            break
        found[case.name] = take_turns(engines, case, how.rounds)
        how.say(row(case.name, *map(str, found[case.name].values())))
    how.say("")
    return found


def bundled_shape() -> Shape:
    config = json.loads((CROSS_ENCODER / "config.json").read_text())
    return Shape(config["num_hidden_layers"], config["hidden_size"], config["intermediate_size"])


def ratio_to_limit(case: Case, rate: float, limit: float) -> float:
    """Return the share of the machine's int8 products, in multiply-adds a second, that our path reaches."""
    shape = bundled_shape()
    each = sum(shape.multiply_adds(tokens, only_first_in_last_layer=True) for tokens in case.tokens) / len(case.tokens)
    return rate * each / limit


COLD = """
import sys, time
start = time.perf_counter()
from pathlib import Path
from benchmarks.engines import ENGINES
score = ENGINES[sys.argv[1]](Path(sys.argv[2]))
score("How much did revenue grow?", ["Revenue grew by 8 percent."])
print(time.perf_counter() - start)
score("How much did revenue grow?", ["Revenue grew by 8 percent in the year. " * 6] * 50)
status = Path("/proc/self/status").read_text()  # getrusage would count the process that started this one
print(int(status.partition("VmHWM:")[2].split()[0]) / 1024)
"""


def cold_start(engine: str, folder: Path, how: How) -> tuple[float, float]:
    """Return seconds from importing to the first score, and the most memory in MB, in a process of its own (Linux)."""
    done = subprocess.run([sys.executable, "-c", COLD, engine, str(folder)], capture_output=True, text=True, check=True)
    first, memory = map(float, done.stdout.split()[-2:])
    how.say(row(engine, f"{first:.1f} s", f"{memory:.0f} MB"))
    return first, memory


def measure(scratch: Path, how: How) -> dict:
    """Print every figure as it is measured; return them as one object that JSON can hold."""
    folder, shape = random_cross_encoder(scratch), bundled_shape()
    limits = {name: find(shape, MIDDLE) for name, find in LIMITS.items()}
    limit = max(limits.values())
    how.say(*(f"int8 products by {name}: {rate / 1e9:.0f} G multiply-adds a second" for name, rate in limits.items()))
    ready, missing = available(ENGINES, folder)
    how.say("", *(f"Not run: {engine}, because {reason}." for engine, reason in missing.items()))
    how.say(*(f"{engine}: {GIVEN[engine]}." for engine in ready if engine in GIVEN), "")
    scoring = {name: partial(score_case, score) for name, score in ready.items()}
    cases = grid()
    pairs = table("pairs/s (CPU ms a pair)", scoring, cases, how)
    measured = [case for case in cases if case.name in STATED and case.name in pairs]
    stated = {case.name: ratios(pairs[case.name], case, limit) for case in measured}
    for name, (to_torch, to_limit) in stated.items():
        how.say(f"{name}: {to_torch:.2f} × {TORCH}, {to_limit:.2f} of the faster int8 products.", "")
    embedders, _ = available(EMBEDDING_ENGINES, random_embedder(scratch))
    texts = [make_case(f"{INDEXED} × {tokens}", [tokens] * INDEXED, "") for tokens in TOKENS[:3]]
    indexing = table(
        "texts/s (CPU ms a text)", {n: partial(embed_case, one) for n, one in embedders.items()}, texts, how
    )
    how.say(row("engine", "import to first score", "memory"), rule(2))
    cold = {name: cold_start(name, folder, how) for name in ready if time.monotonic() < how.until}
    return {
        "limit_multiply_adds_per_second": limits,
        "ratios_to_torch_fp32_and_to_limit": stated,
        "pairs": as_json(pairs),
        "texts": as_json(indexing),
        "not_run": missing,
        "cold_start_seconds_and_megabytes": cold,
    }


def score_case(score: Score, case: Case) -> None:
    score(QUERY, case.texts)


def embed_case(embed: Embed, case: Case) -> None:
    embed(case.texts)


def ratios(figures: dict[str, Figure], case: Case, limit: float) -> tuple[float, float]:
    """Return how many times as fast as torch our path is, and what share of the machine's int8 products it reaches."""
    ours = figures[OURS].rate
    return ours / figures[TORCH].rate, ratio_to_limit(case, ours, limit)


def as_json(found: Measured) -> dict:
    return {case: {name: figure._asdict() for name, figure in figures.items()} for case, figures in found.items()}


def row(*cells: str) -> str:
    return f"| {' | '.join(cells)} |"


def rule(columns: int) -> str:
    return "|---" * (columns + 1) + "|"
