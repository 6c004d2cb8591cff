"""Export a model to int8 ONNX: ``python -m training.export embedder|cross-encoder FOLDER data/models/NAME``.

The target becomes a folder in the usual layout: ``onnx/model.onnx``, tokenizer and configuration.
"""

import argparse
import json
import shutil
import tempfile
from pathlib import Path

import torch
from onnxruntime.quantization import QuantType, quantize_dynamic
from onnxruntime.quantization.shape_inference import quant_pre_process
from transformers import AutoModelForSequenceClassification, BertModel

INPUTS = ["input_ids", "attention_mask", "token_type_ids"]
COPIED = ["config.json", "tokenizer.json", "tokenizer_config.json"]
MODULES = [
    {"idx": 0, "name": "0", "path": "", "type": "sentence_transformers.models.Transformer"},
    {"idx": 1, "name": "1", "path": "1_Pooling", "type": "sentence_transformers.models.Pooling"},
    {"idx": 2, "name": "2", "path": "2_Normalize", "type": "sentence_transformers.models.Normalize"},
]
POOLING = {"word_embedding_dimension": 384, "pooling_mode_mean_tokens": True, "pooling_mode_cls_token": False}


class Wrapped(torch.nn.Module):
    """Name the one output that runtime code reads."""

    def __init__(self, model: torch.nn.Module, output: str) -> None:
        super().__init__()
        self.model, self.output = model, output

    def forward(self, *inputs: torch.Tensor) -> torch.Tensor:
        return self.model(**dict(zip(INPUTS, inputs, strict=True)))[self.output]


def load(kind: str, folder: Path) -> Wrapped:
    if kind == "embedder":
        model = BertModel.from_pretrained(folder, add_pooling_layer=False, attn_implementation="eager")
        return Wrapped(model, "last_hidden_state").eval()
    model = AutoModelForSequenceClassification.from_pretrained(folder, attn_implementation="eager")
    return Wrapped(model, "logits").eval()


def export_fp32(model: Wrapped, target: Path) -> None:
    example = tuple(torch.ones(2, 7, dtype=torch.long) for _ in INPUTS)
    axes = {name: {0: "batch", 1: "tokens"} for name in INPUTS} | {model.output: {0: "batch"}}
    if model.output == "last_hidden_state":
        axes[model.output][1] = "tokens"
    torch.onnx.export(
        model, example, target, input_names=INPUTS, output_names=[model.output], dynamic_axes=axes,
        opset_version=17, dynamo=False,
    )  # fmt: skip


def quantize(source: Path, target: Path) -> None:
    """Write int8 weights, one scale a channel. Seven bits: AVX2 without VNNI would overflow with eight."""
    target.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as scratch:
        ready = Path(scratch) / "ready.onnx"
        quant_pre_process(source, ready, skip_symbolic_shape=True)
        quantize_dynamic(ready, target, weight_type=QuantType.QInt8, per_channel=True, reduce_range=True)


def write_extras(kind: str, target: Path) -> None:
    if kind == "embedder":
        (target / "modules.json").write_text(json.dumps(MODULES, indent=2) + "\n")
        (target / "1_Pooling").mkdir(exist_ok=True)
        (target / "1_Pooling" / "config.json").write_text(json.dumps(POOLING, indent=2) + "\n")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("kind", choices=["embedder", "cross-encoder"])
    parser.add_argument("folder", type=Path)
    parser.add_argument("target", type=Path)
    arguments = parser.parse_args()
    arguments.target.mkdir(parents=True, exist_ok=True)
    fp32 = arguments.folder / "onnx" / "model.onnx"
    fp32.parent.mkdir(exist_ok=True)
    export_fp32(load(arguments.kind, arguments.folder), fp32)
    quantize(fp32, arguments.target / "onnx" / "model.onnx")
    for name in COPIED:
        shutil.copy(arguments.folder / name, arguments.target / name)
    write_extras(arguments.kind, arguments.target)
    size = (arguments.target / "onnx" / "model.onnx").stat().st_size / 1e6
    print(f"{arguments.target}: {size:.1f} MB")


if __name__ == "__main__":
    main()
