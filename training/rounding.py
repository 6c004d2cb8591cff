"""Tell what int8 activations change on long pairs: ``python -m training.rounding FOLDER_OF_FILES …``.

The bundled graph rounds activations to steps that short pairs set. Here it runs beside itself without that rounding:
the same weights, as int8 left them, and every activation in float32. What rounding the weights did does not show.

Each question meets the whole passages among the embedder's first ``DEPTH`` whose pair with it has ``TOKENS`` tokens.
Printed per file, and for sentences by way of comparison: how far the two logits lie apart, their rank correlation, the
nDCG@10 of both orders with the paired bootstrap interval of the difference, and how each logit goes with length.
"""

import argparse
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import onnx
from onnx import helper, numpy_helper
from onnxruntime import InferenceSession

from rag_core.models.catalog import RERANKERS, find
from rag_core.models.embed import load_embedder
from rag_core.models.onnx_model import OnnxModel
from rag_core.models.rerank import first_logit
from training.evaluate import CUTS, Search, choose, corpus, ndcg, relevant
from training.files import read_rows
from training.lengths import correlation, interval, mean

MODEL = "bilingual-cross-encoder"
EMBEDDER = "bilingual-embedder"
DEPTH = 50
TOKENS = {"whole": (300, 500), "sentences": (0, 160)}
HEAD = (
    "| file | pieces | questions | pairs | mean difference | largest | Spearman | nDCG@10 float32 | int8 "
    "| int8 − float32 [95 %] | logit and length, float32 | int8 |"
)
RULE = "|---" * 12 + "|"


def without_rounding(graph: onnx.GraphProto) -> None:
    """Put every product of int8 activations and weights into float32, in place: the weights stay as int8 left them."""
    kept = {tensor.name: tensor for tensor in graph.initializer}
    values = {name: numpy_helper.to_array(tensor) for name, tensor in kept.items()}
    exact = {node.output[0]: node.input[0] for node in graph.node if node.op_type == "QuantizeLinear"}
    nodes = []
    for node in graph.node:
        if node.op_type == "MatMulIntegerToFloat":
            activation, weight, _, steps, _, _, bias = node.input
            kept[f"{weight}_float32"] = numpy_helper.from_array(values[weight] * values[steps], f"{weight}_float32")
            product = f"{node.output[0]}_product"
            nodes.append(helper.make_node("MatMul", [exact[activation], f"{weight}_float32"], [product]))
            nodes.append(helper.make_node("Add", [product, bias], node.output))
        elif node.op_type != "QuantizeLinear":
            nodes.append(node)
    used = {name for node in nodes for name in node.input}
    for old, new in ((graph.node, nodes), (graph.initializer, [kept[name] for name in kept if name in used])):
        del old[:]
        old.extend(new)


@dataclass(frozen=True, slots=True)
class Compared:
    """One question's pairs: both logits, the texts' lengths in characters and which of them answer, (texts,)."""

    float32: np.ndarray
    int8: np.ndarray
    lengths: np.ndarray
    answering: np.ndarray

    def ndcg(self, logits: np.ndarray) -> float:
        """Return nDCG@10 of the order by these logits; an answer that is not among the pairs is not missed."""
        order = np.argsort(-logits, kind="stable")
        return ndcg(self.answering[order].tolist(), int(self.answering.sum()))

    def leaning(self, logits: np.ndarray) -> float:
        """Return the rank correlation of logit and length among what does not answer."""
        return correlation(logits[~self.answering], self.lengths[~self.answering])


class Both:
    """The bundled cross-encoder with and without rounded activations."""

    def __init__(self) -> None:
        folder = find(RERANKERS, MODEL).folder
        self.int8, self.float32 = OnnxModel(folder), OnnxModel(folder)
        model = onnx.load(folder / "onnx" / "model.onnx")
        without_rounding(model.graph)
        self.float32.session = InferenceSession(model.SerializeToString(), providers=["CPUExecutionProvider"])

    def compare(self, query: str, texts: Sequence[str], answers: set[str], limits: tuple[int, int]) -> Compared:
        """Score those of the texts whose pair has so many tokens."""
        encodings = self.int8.tokenizer.encode_batch([(query, text) for text in texts])
        pairs = [
            (query, text)
            for text, encoding in zip(texts, encodings, strict=True)
            if limits[0] <= len(encoding.ids) <= limits[1]
        ]
        float32, int8 = (model.run(pairs, first_logit) if pairs else np.empty(0) for model in (self.float32, self.int8))
        lengths = np.array([len(text) for _, text in pairs])
        return Compared(float32, int8, lengths, np.array([text in answers for _, text in pairs], bool))


def measure(file: Path, pieces: str, count: int, both: Both, cache: Path) -> list[Compared]:
    """Compare both on the questions of a file of which an answer is among the pairs."""
    rows, cut, embedder = list(read_rows(file)), CUTS[pieces], load_embedder(EMBEDDER)
    search = Search.of(corpus(rows, cut), embedder, cache / EMBEDDER / f"{file.name.split('.')[0]}-{pieces}.npy")
    chosen = choose(rows, cut, count)
    vectors = embedder.embed_queries([row["query"] for row in chosen])
    compared = [
        both.compare(row["query"], search.by_vectors(vector)[:DEPTH], relevant(row, cut), TOKENS[pieces])
        for row, vector in zip(chosen, vectors, strict=True)
    ]
    return [one for one in compared if one.answering.any()]


def line(name: str, pieces: str, compared: Sequence[Compared]) -> str:
    """Write what one file gave."""
    float32, int8 = (np.concatenate([getattr(one, key) for one in compared]) for key in ("float32", "int8"))
    apart = np.abs(int8 - float32)
    exact, rounded = (np.array([one.ndcg(getattr(one, key)) for one in compared]) for key in ("float32", "int8"))
    low, high = interval(rounded - exact)
    leaning = [mean([one.leaning(getattr(one, key)) for one in compared]) for key in ("float32", "int8")]
    return (
        f"| {name} | {pieces} | {len(compared)} | {len(apart)} | {apart.mean():.3f} | {apart.max():.2f} "
        f"| {correlation(float32, int8):.4f} | {exact.mean():.3f} | {rounded.mean():.3f} "
        f"| {(rounded - exact).mean():+.4f} [{low:+.4f}, {high:+.4f}] | {leaning[0]} | {leaning[1]} |"
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path, nargs="+")
    parser.add_argument("--questions", type=int, default=40, help="at most this many of each file")
    parser.add_argument("--pieces", nargs="+", choices=TOKENS, default=list(TOKENS))
    parser.add_argument("--cache", type=Path, default=Path("training/build/evaluation"))
    arguments = parser.parse_args()
    both = Both()
    print(f"{HEAD}\n{RULE}", flush=True)
    for file in sorted(file for folder in arguments.folder for file in folder.glob("*.jsonl.gz")):
        for pieces in arguments.pieces:
            compared = measure(file, pieces, arguments.questions, both, arguments.cache)
            if compared:
                print(line(file.name.split(".")[0], pieces, compared), flush=True)


if __name__ == "__main__":
    main()
