"""What this machine could do at most: the model's int8 matrix products, and nothing else."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np
import onnxruntime
from onnx import TensorProto, helper, numpy_helper

from benchmarks.clock import best_of
from rag_core.models.cores import cores


@dataclass(frozen=True, slots=True)
class Shape:
    """The part of a BERT's configuration that decides how much it multiplies."""

    layers: int
    width: int
    inner: int

    @property
    def products(self) -> list[tuple[int, int]]:
        """Return (inputs, outputs) of a layer's weights: query, key, value, output, and the two after them."""
        return [(self.width, self.width)] * 4 + [(self.width, self.inner), (self.inner, self.width)]

    def multiply_adds(self, tokens: int, only_first_in_last_layer: bool) -> int:
        """Return the multiply-adds of one text, without embeddings and head.

        Attention multiplies every token with every token twice. A cross-encoder of ours leaves out, in its last layer,
        everything but key and value of the tokens after the first.
        """
        weights, attention = sum(a * b for a, b in self.products), 2 * tokens * self.width
        whole = self.layers * tokens * (weights + attention)
        if not only_first_in_last_layer:
            return whole
        left_out = weights - 2 * self.width**2 + attention
        return whole - (tokens - 1) * left_out


def int8_products(shape: Shape, tokens: int) -> onnxruntime.InferenceSession:
    """Return one layer's products of int8 weights with uint8 activations, one after the other, on one thread."""
    rng, nodes, weights, outputs = np.random.default_rng(1), [], [], []
    for number, (inputs, width) in enumerate(shape.products):
        values = rng.integers(-64, 64, (inputs, width), dtype=np.int8)
        weights.append(numpy_helper.from_array(values, f"w{number}"))
        nodes.append(helper.make_node("MatMulInteger", [f"x{inputs}", f"w{number}"], [f"y{number}"]))
        outputs.append(helper.make_tensor_value_info(f"y{number}", TensorProto.INT32, [tokens, width]))
    sizes = sorted({inputs for inputs, _ in shape.products})
    given = [helper.make_tensor_value_info(f"x{size}", TensorProto.UINT8, [tokens, size]) for size in sizes]
    graph = helper.make_graph(nodes, "products", given, outputs, weights)
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=10)
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    return onnxruntime.InferenceSession(model.SerializeToString(), options, providers=["CPUExecutionProvider"])


def by_onnxruntime(shape: Shape, tokens: int, repeats: int = 40) -> float:
    """Return the multiply-adds a second that all cores do together, each in a thread of its own, at their best."""
    session = int8_products(shape, tokens)
    rng = np.random.default_rng(2)
    feeds = {given.name: rng.integers(0, 255, given.shape, dtype=np.uint8) for given in session.get_inputs()}
    each = tokens * sum(a * b for a, b in shape.products)
    with ThreadPoolExecutor(cores()) as pool:

        def all_cores() -> None:
            list(pool.map(lambda _: [session.run(None, feeds) for _ in range(repeats)], range(cores())))

        return cores() * repeats * each / best_of(all_cores, 5)


def by_torch(shape: Shape, _tokens: int, rows: int = 4096, repeats: int = 4) -> float:
    """Return the same of ``torch._int_mm`` (oneDNN) with so many rows at once: far more than a pair has."""
    import torch

    rng = np.random.default_rng(3)

    def matrix(height: int, width: int) -> torch.Tensor:
        return torch.from_numpy(rng.integers(-64, 64, (height, width), dtype=np.int8))

    given = [(matrix(rows, inputs), matrix(inputs, outputs)) for inputs, outputs in shape.products]
    torch.set_num_threads(cores())

    def products() -> None:
        for _ in range(repeats):
            for one, other in given:
                torch._int_mm(one, other)

    return repeats * rows * sum(a * b for a, b in shape.products) / best_of(products, 5)


LIMITS: dict[str, Callable[[Shape, int], float]] = {
    "onnxruntime, a pair's rows": by_onnxruntime,
    "torch (oneDNN), 4096 rows": by_torch,
}
"""The faster one is the limit: what another library reaches on this machine is within its reach."""
