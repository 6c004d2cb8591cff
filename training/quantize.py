"""Turn a float32 ONNX graph into int8: weights with one scale a channel, activations with fixed scales.

The ranges of the activations come from sample texts, once. If every matrix product looked for the range of what it is
given, that would be the whole run: a text's result would follow its neighbours, and each text would have to run alone.
So texts may run together, and the weights are read once for all of them. The same texts say how the weights are best
rounded.

Weights have seven bits: AVX2 without VNNI would overflow with eight.
"""

import random
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import onnx
from onnx import helper, numpy_helper
from onnxruntime import InferenceSession
from tokenizers import Tokenizer

from rag_core.models.catalog import Line
from rag_core.models.onnx_model import FIXED_SCALES, feeds
from rag_core.models.rerank import Pair
from training.files import cut_sentences, read_rows
from training.train import read_groups, split

SAMPLE_GROUPS = 120
PAIRS_PER_GROUP = 4
SOURCES = (
    "cmrc2018_train",
    "drcd_dev",
    "reqa_squad_train",
    "squadshifts_new_wiki",
    "squad_v2_train_10articles",
    "gov31_zh_figures",
    "d365bc_en",
    "nq_open_gold",
)
"""Of the embedder's samples."""
ROWS_PER_SOURCE = 40
LONGEST = 350
SEED = 7
WEIGHT_STEPS = 63
EMBEDDING_STEPS = 127
ACTIVATION_STEPS = 255
USUAL = 8
"""A channel that goes further than the so-many-th furthest is shrunk to it …"""
WORTH_SHRINKING = 1.5
"""… where the furthest goes beyond by more than this."""


Sample = Pair | tuple[str]
"""A pair, or a text alone."""


def fixed_scales(source: Path, target: Path, tokenizer: Path, samples: Sequence[Sample]) -> None:
    """Write the graph with int8 weights and embeddings, and the activations' ranges that the samples reach."""
    model = onnx.load(source)
    Rewriting(model.graph, observed(model, Tokenizer.from_file(str(tokenizer)), samples)).apply()
    model.opset_import.append(helper.make_opsetid("com.microsoft", 1))
    helper.set_model_props(model, {FIXED_SCALES: "yes"})
    onnx.save(model, target)


def sample_pairs(groups: Path) -> list[Pair]:
    """Return pairs of questions and pieces of held-out groups, as many long ones as others."""
    rng = random.Random(SEED)
    _, held_out = split(read_groups(groups))
    kinds = [[group for group in held_out if (group["size"] == "long") is long] for long in (True, False)]
    chosen = [group for some in kinds for group in rng.sample(some, min(SAMPLE_GROUPS // 2, len(some)))]
    return [(group["query"], text) for group in chosen for text in rng.sample(group["texts"], PAIRS_PER_GROUP)]


def sample_texts(texts: Path, line: Line) -> list[tuple[str]]:
    """Return questions, passages and sentences out of passages, with the embedder's prefixes."""
    rng, found = random.Random(SEED), list[tuple[str]]()
    for name in SOURCES:
        for row in rng.sample(list(read_rows(texts / f"{name}.jsonl.gz")), ROWS_PER_SOURCE):
            passage = row["positives"][0][:LONGEST]
            pieces = (passage, rng.choice(cut_sentences(passage) or [passage]))
            found += [(line.query_prefix + row["query"],), *((line.text_prefix + piece,) for piece in pieces)]
    return found


@dataclass(frozen=True, slots=True)
class Activation:
    """What an activation was in the sample texts.

    ``low`` and ``high``, of shape (channels,), are how far each channel went; ``products``, (channels, channels), is
    the sum over all ``tokens`` of the products of each two channels.
    """

    low: np.ndarray
    high: np.ndarray
    products: np.ndarray
    tokens: int

    @classmethod
    def of(cls, values: np.ndarray) -> "Activation":
        rows = values.reshape(-1, values.shape[-1])
        return cls(rows.min(0), rows.max(0), rows.T @ rows, len(rows))

    def __add__(self, other: "Activation") -> "Activation":
        return Activation(
            np.minimum(self.low, other.low),
            np.maximum(self.high, other.high),
            self.products + other.products,
            self.tokens + other.tokens,
        )

    def divisors(self) -> np.ndarray:
        """Return what each channel is divided by before it is quantised, mostly 1.

        A few channels go ten times as far as any other and would leave these few of the 255 steps. They are shrunk,
        and the rows of the weights that they meet grow as much (after Xiao et al. 2023, arXiv 2211.10438).
        """
        furthest = np.maximum(-self.low, self.high)
        beyond = np.maximum(1, furthest / np.sort(furthest)[-USUAL]).astype(np.float32)
        return beyond if beyond.max() > WORTH_SHRINKING else np.ones_like(beyond)

    def steps(self, divisors: np.ndarray) -> tuple[np.float32, np.uint8]:
        """Return the size of a step and the step that stands for zero."""
        low, high = min(0.0, (self.low / divisors).min()), max(0.0, (self.high / divisors).max())
        size = np.float32((high - low) / ACTIVATION_STEPS)
        return size, np.uint8(np.clip(round(-low / size), 0, ACTIVATION_STEPS))

    def weighing(self, divisors: np.ndarray) -> np.ndarray:
        """Return how much errors in each two rows of the weights count together: (channels, channels).

        It is the mean product of the channels that they meet, with the variance that rounding the activation adds, a
        twelfth of its step squared.
        """
        noise = float(self.steps(divisors)[0]) ** 2 / 12
        return self.products / self.tokens / np.outer(divisors, divisors) + noise * np.eye(len(divisors))


def products(graph: onnx.GraphProto) -> list[onnx.NodeProto]:
    """Return the products of an activation with weights."""
    weights = {tensor.name for tensor in graph.initializer}
    return [node for node in graph.node if node.op_type == "MatMul" and node.input[1] in weights]


def observed(model: onnx.ModelProto, tokenizer: Tokenizer, samples: Sequence[Sample]) -> dict[str, Activation]:
    """Run the samples and return what each activation that meets weights was."""
    names = sorted({node.input[0] for node in products(model.graph)})
    seen = onnx.ModelProto()
    seen.CopyFrom(model)
    seen.graph.output.extend(helper.make_tensor_value_info(name, onnx.TensorProto.FLOAT, None) for name in names)
    session, found = InferenceSession(seen.SerializeToString(), providers=["CPUExecutionProvider"]), {}
    for sample in samples:
        for name, values in zip(names, session.run(names, feeds([tokenizer.encode(*sample)])), strict=True):
            found[name] = found[name] + Activation.of(values) if name in found else Activation.of(values)
    return found


class Rewriting:
    """A graph whose nodes are being replaced by integer ones with fixed scales."""

    def __init__(self, graph: onnx.GraphProto, activations: dict[str, Activation]) -> None:
        self.graph, self.activations = graph, activations
        self.weights = {tensor.name: numpy_helper.to_array(tensor) for tensor in graph.initializer}
        self.divisors = {name: one.divisors() for name, one in activations.items()}
        self.nodes: list[onnx.NodeProto] = []
        self.made: set[str] = set()

    def apply(self) -> None:
        """Replace each product with weights, the adding of its bias included, and each look-up of embeddings."""
        adding = {name: node for node in self.graph.node if node.op_type == "Add" for name in node.input}
        joined = {adding[node.output[0]].output[0] for node in products(self.graph)}
        ours = {node.output[0] for node in products(self.graph)}
        for node in self.graph.node:
            if node.output[0] in ours:
                self.product(node, adding[node.output[0]])
            elif node.op_type == "Gather" and self.weights.get(node.input[0], np.empty(0)).ndim == 2:
                self.look_up(node)
            elif node.output[0] not in joined:
                self.nodes.append(node)
        self.replace()

    def product(self, node: onnx.NodeProto, add: onnx.NodeProto) -> None:
        given, weight = node.input
        divisors = self.divisors[given]
        grown = self.weights[weight] * divisors[:, None]
        sizes = steps_of(grown, axis=0, count=WEIGHT_STEPS)
        fitting = fitted(grown, sizes, self.activations[given].weighing(divisors))
        int8, sizes = self.constant(f"{weight}_int8", fitting), self.constant(f"{weight}_steps", sizes)
        [bias] = [name for name in add.input if name != node.output[0]]
        activation, step, zero = self.quantized(given)
        inputs = [activation, int8, step, sizes, zero, "", bias]
        self.nodes.append(helper.make_node("MatMulIntegerToFloat", inputs, add.output, domain="com.microsoft"))

    def quantized(self, name: str) -> tuple[str, str, str]:
        """Return the names of an activation in int8, of its step and of its zero; they are made once."""
        size, zero = self.activations[name].steps(self.divisors[name])
        scale = self.constant(f"{name}_step", size), self.constant(f"{name}_zero", zero)
        if f"{name}_int8" not in self.made:
            self.made.add(f"{name}_int8")
            shrunk = name
            if self.divisors[name].max() > 1:
                shrunk = f"{name}_shrunk"
                by = self.constant(f"{name}_by", 1 / self.divisors[name])
                self.nodes.append(helper.make_node("Mul", [name, by], [shrunk]))
            self.nodes.append(helper.make_node("QuantizeLinear", [shrunk, *scale], [f"{name}_int8"]))
        return (f"{name}_int8", *scale)

    def look_up(self, node: onnx.NodeProto) -> None:
        """Keep a table of embeddings in int8, with a scale a row."""
        table, places = node.input
        sizes = steps_of(self.weights[table], axis=1, count=EMBEDDING_STEPS)
        parts = {"int8": rounded(self.weights[table], sizes), "steps": sizes}
        for part, values in parts.items():
            kept, found = self.constant(f"{table}_{part}", values), f"{node.output[0]}_{part}"
            self.nodes.append(helper.make_node("Gather", [kept, places], [found]))
        found = f"{node.output[0]}_int8"
        self.nodes.append(helper.make_node("Cast", [found], [f"{found}_cast"], to=onnx.TensorProto.FLOAT))
        self.nodes.append(helper.make_node("Mul", [f"{found}_cast", f"{node.output[0]}_steps"], node.output))

    def constant(self, name: str, value: np.ndarray) -> str:
        if name not in self.made:
            self.made.add(name)
            self.graph.initializer.append(numpy_helper.from_array(np.asarray(value), name))
        return name

    def replace(self) -> None:
        """Put the new nodes in place of the old ones, and drop what none of them uses."""
        used = {name for node in self.nodes for name in node.input}
        kept = [tensor for tensor in self.graph.initializer if tensor.name in used]
        for old, new in ((self.graph.node, self.nodes), (self.graph.initializer, kept)):
            del old[:]
            old.extend(new)


def steps_of(values: np.ndarray, axis: int, count: int) -> np.ndarray:
    """Return the sizes of steps of which ``count`` reach the largest value along the axis."""
    largest = np.abs(values).max(axis, keepdims=axis == 1)
    return np.maximum(largest / count, np.finfo(np.float32).tiny).astype(np.float32)


def rounded(values: np.ndarray, sizes: np.ndarray) -> np.ndarray:
    return np.round(values / sizes).astype(np.int8)


def fitted(weights: np.ndarray, sizes: np.ndarray, weighing: np.ndarray) -> np.ndarray:
    """Round weights (in, out) to steps so that their products change least; errors count as ``weighing`` (in, in) says.

    Row after row is rounded, and those that follow make up for its error as far as they can (GPTQ, Frantar et al.
    2023, arXiv 2210.17323). Where no two channels go together, each weight is rounded by itself.
    """
    order = np.argsort(-np.diag(weighing), kind="stable")
    left = weights[order].astype(np.float64)
    factors = np.linalg.cholesky(np.linalg.inv(weighing[np.ix_(order, order)])).T
    found = np.empty(weights.shape, np.int8)
    for row, place in enumerate(order):
        found[place] = np.clip(np.round(left[row] / sizes), -WEIGHT_STEPS, WEIGHT_STEPS)
        error = (left[row] - found[place] * sizes) / factors[row, row]
        left[row + 1 :] -= np.outer(factors[row, row + 1 :], error)
    return found
