"""Pairs a second of every engine, in turns, so that a busy moment meets them all."""

import json
import random
import subprocess
import sys
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from benchmarks.clock import seconds
from benchmarks.engines import (
    CROSS_ENCODER,
    EMBEDDING_ENGINES,
    ENGINES,
    OURS,
    TORCH,
    NotAvailable,
    random_cross_encoder,
    random_embedder,
)
from benchmarks.limit import Shape, multiply_adds_per_second

COUNTS, TOKENS = (20, 50, 100), (32, 64, 128, 256)
MIDDLE = 64
MIXED = (50, (32, 96))
"""Fifty candidates of 32 to 96 tokens."""
STATED = ("50 × 64", "50 mixed")
"""The cases that the ratios are stated for."""
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
    mixed = [rng.randint(*MIXED[1]) for _ in range(MIXED[0])]
    plain = [make_case(f"{count} × {tokens}", [tokens] * count) for count in COUNTS for tokens in TOKENS]
    return [make_case("50 mixed", mixed), *plain]


def available(makers: dict[str, Callable], folder: Path) -> tuple[dict[str, Callable], dict[str, str]]:
    """Return the engines that run here, and why the others do not."""
    ready, missing = {}, {}
    for name, make in makers.items():
        try:
            ready[name] = make(folder)
        except NotAvailable as error:
            missing[name] = str(error)
    return ready, missing


def rates(engines: dict[str, Callable[[Case], object]], cases: Sequence[Case], rounds: int) -> dict[str, dict]:
    """Return texts a second per engine and case: the best of several rounds in which the engines take turns."""
    shortest: dict[tuple[str, str], float] = {}
    for case in cases:
        for run in engines.values():
            run(case)  # the first run of a shape is slower
        for _ in range(rounds):
            for name, run in engines.items():
                key = (name, case.name)
                time.sleep(PAUSE)
                shortest[key] = min(shortest.get(key, float("inf")), seconds(lambda run=run, case=case: run(case)))
    return {name: {case.name: len(case.texts) / shortest[name, case.name] for case in cases} for name in engines}


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


def cold_start(engine: str, folder: Path) -> tuple[float, float]:
    """Return seconds from importing to the first score, and the most memory in MB, in a process of its own (Linux)."""
    done = subprocess.run([sys.executable, "-c", COLD, engine, str(folder)], capture_output=True, text=True, check=True)
    first, memory = done.stdout.split()[-2:]
    return float(first), float(memory)


def measure(scratch: Path, rounds: int = ROUNDS) -> dict:
    """Return every figure as one object that JSON can hold."""
    folder, cases = random_cross_encoder(scratch), grid()
    ready, missing = available(ENGINES, folder)
    scoring = {name: lambda case, score=score: score(QUERY, case.texts) for name, score in ready.items()}
    pairs = rates(scoring, cases, rounds)
    embedders, _ = available(EMBEDDING_ENGINES, random_embedder(scratch))
    texts = [make_case(f"{INDEXED} × {tokens}", [tokens] * INDEXED, "") for tokens in TOKENS[:3]]
    embedding = {name: lambda case, embed=embed: embed(case.texts) for name, embed in embedders.items()}
    indexing = rates(embedding, texts, rounds)
    limit = multiply_adds_per_second(bundled_shape(), MIDDLE)
    stated = {
        case.name: (
            pairs[OURS][case.name] / pairs[TORCH][case.name],
            ratio_to_limit(case, pairs[OURS][case.name], limit),
        )
        for case in cases
        if case.name in STATED
    }
    (to_torch, to_limit), (mixed_to_torch, mixed_to_limit) = (stated[name] for name in STATED)
    return {
        "ratio_to_torch_fp32": to_torch,
        "ratio_to_limit": to_limit,
        "mixed_ratio_to_torch_fp32": mixed_to_torch,
        "mixed_ratio_to_limit": mixed_to_limit,
        "limit_multiply_adds_per_second": limit,
        "indexing_ratio_to_torch_fp32": {name: indexing[OURS][name] / indexing[TORCH][name] for name in indexing[OURS]},
        "pairs_per_second": pairs,
        "texts_per_second": indexing,
        "not_run": missing,
        "cold_start_seconds_and_megabytes": {name: cold_start(name, folder) for name in ready},
    }


def tables(found: dict) -> str:
    """Write the figures as Markdown."""
    pairs, cold = found["pairs_per_second"], found["cold_start_seconds_and_megabytes"]
    lines = []
    for count in COUNTS:
        names = [f"{count} × {tokens}" for tokens in TOKENS]
        extra = ["50 mixed"] if count == MIXED[0] else []
        lines += row(
            f"{count} candidates, pairs/s", *(f"{tokens} tokens" for tokens in TOKENS), *("32–96" for _ in extra)
        )
        lines += [rule(len(names + extra))]
        for engine, rate in pairs.items():
            lines += row(engine, *(f"{rate[name]:.0f}" for name in names + extra))
        lines.append("")
    lines += row(f"indexing {INDEXED} texts, texts/s", *(f"{tokens} tokens" for tokens in TOKENS[:3]))
    lines += [rule(3)]
    for engine, rate in found["texts_per_second"].items():
        lines += row(engine, *(f"{value:.0f}" for value in rate.values()))
    lines += ["", *row("engine", "import to first score", "memory"), rule(2)]
    for engine, (first, memory) in cold.items():
        lines += row(engine, f"{first:.1f} s", f"{memory:.0f} MB")
    limit = f"{found['limit_multiply_adds_per_second'] / 1e9:.0f} G multiply-adds a second"
    for text, key in ((f"of {MIDDLE} tokens", ""), ("of 32 to 96 tokens", "mixed_")):
        to_torch, to_limit = found[f"{key}ratio_to_torch_fp32"], found[f"{key}ratio_to_limit"]
        ratios = f"{to_torch:.2f} × sentence-transformers in float32, {to_limit:.2f} of this machine's int8 products"
        lines += ["", f"At 50 candidates {text}: {ratios} ({limit})."]
    lines += [f"Not run: {engine}, because {reason}." for engine, reason in found["not_run"].items()]
    return "\n".join(lines)


def row(*cells: str) -> list[str]:
    return [f"| {' | '.join(cells)} |"]


def rule(columns: int) -> str:
    return "|---" * (columns + 1) + "|"
