"""Take the bundled weights out of int8: ``python -m training.restore data/models/NAME EMBEDDER TARGET``.

The repository keeps int8 alone. This writes an ordinary folder in float32, with what rounding took away left out, so
that training can go on without the files of earlier runs. The embeddings are the embedder's own, which no run changes.
"""

import argparse
from pathlib import Path

import numpy as np
import onnx
import torch
from onnx import numpy_helper
from transformers import AutoTokenizer, BertConfig, BertForSequenceClassification, BertModel

WHOLE = "whole."
"""What the exported graph puts before a parameter's name."""


def weights_of(graph: onnx.GraphProto) -> dict[str, np.ndarray]:
    """Return the parameters by name, as torch keeps them: a product's weights have the shape (out, in)."""
    kept = {tensor.name: numpy_helper.to_array(tensor) for tensor in graph.initializer}
    found = {name.removeprefix(WHOLE): value for name, value in kept.items() if name.startswith(WHOLE)}
    for node in graph.node:
        if node.op_type == "MatMulIntegerToFloat":
            activation, int8, _, sizes, _, _, bias = node.input
            shrunk = kept.get(f"{activation.removesuffix('_int8')}_by", np.float32(1))
            weight = kept[int8] * kept[sizes] * np.reshape(shrunk, (-1, 1))
            found[bias.removeprefix(WHOLE).removesuffix("bias") + "weight"] = weight.T.astype(np.float32)
    return found


def restore(folder: Path, embedder: Path, target: Path) -> None:
    """Write the cross-encoder of ``folder`` in float32, with the embeddings of ``embedder``."""
    model = BertForSequenceClassification(BertConfig.from_pretrained(folder))
    found = weights_of(onnx.load(folder / "onnx" / "model.onnx").graph)
    embeddings = BertModel.from_pretrained(embedder, add_pooling_layer=False).embeddings.state_dict()
    known = {name: torch.tensor(value) for name, value in found.items()}
    known |= {f"bert.embeddings.{name}": value for name, value in embeddings.items()}
    model.load_state_dict({name: known[name] for name in model.state_dict()})
    model.save_pretrained(target)
    AutoTokenizer.from_pretrained(folder).save_pretrained(target)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    for name in ("folder", "embedder", "target"):
        parser.add_argument(name, type=Path)
    arguments = parser.parse_args()
    restore(arguments.folder, arguments.embedder, arguments.target)


if __name__ == "__main__":
    main()
