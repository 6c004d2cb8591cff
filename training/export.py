"""Export a model to int8 ONNX: ``python -m training.export embedder|cross-encoder FOLDER data/models/NAME``.

The target becomes a folder in the usual layout: ``onnx/model.onnx``, tokenizer and configuration.
"""

import argparse
import json
import shutil
import tempfile
from collections.abc import Mapping
from pathlib import Path

import onnx
import torch
from onnxruntime.quantization import QuantType, quantize_dynamic
from onnxruntime.quantization.shape_inference import quant_pre_process
from transformers import AutoTokenizer, BertForSequenceClassification, BertModel

from rag_core.selftest import CASES

OUTLIER = 2
INPUTS = ["input_ids", "attention_mask", "token_type_ids"]
COPIED = ["config.json", "tokenizer.json", "tokenizer_config.json"]
MODULES = [
    {"idx": 0, "name": "0", "path": "", "type": "sentence_transformers.models.Transformer"},
    {"idx": 1, "name": "1", "path": "1_Pooling", "type": "sentence_transformers.models.Pooling"},
    {"idx": 2, "name": "2", "path": "2_Normalize", "type": "sentence_transformers.models.Normalize"},
]
POOLING = {"word_embedding_dimension": 384, "pooling_mode_mean_tokens": True, "pooling_mode_cls_token": False}


class LastHiddenState(torch.nn.Module):
    """An embedder: one vector a token."""

    output = "last_hidden_state"

    def __init__(self, folder: Path) -> None:
        super().__init__()
        self.bert = BertModel.from_pretrained(folder, add_pooling_layer=False, attn_implementation="eager")

    def forward(self, *inputs: torch.Tensor) -> torch.Tensor:
        return self.bert(**dict(zip(INPUTS, inputs, strict=True)))[self.output]


class Logits(torch.nn.Module):
    """A cross-encoder: one logit a pair.

    The head reads the first token alone. So in the last layer every token is a key and a value, but only the first one
    asks and goes through the feed-forward part: the same logit for less work.
    """

    output = "logits"

    def __init__(self, folder: Path, outliers: Mapping[int, int] | None = None) -> None:
        super().__init__()
        self.whole = BertForSequenceClassification.from_pretrained(folder, attn_implementation="eager")
        if outliers is None:
            outliers = find_outliers(self.whole, AutoTokenizer.from_pretrained(folder))
        layers = self.whole.bert.encoder.layer
        self.apart = [SetApart(layer, outliers[i]) if i in outliers else None for i, layer in enumerate(layers)]

    def forward(self, ids: torch.Tensor, mask: torch.Tensor, types: torch.Tensor) -> torch.Tensor:
        bert = self.whole.bert
        hidden, seen = bert.embeddings(input_ids=ids, token_type_ids=types), mask[:, None, None, :].bool()
        by_all = seen.expand(-1, 1, ids.shape[1], -1)
        *layers, last = zip(bert.encoder.layer, self.apart, strict=True)
        for layer, apart in layers:
            hidden = _layer(layer, hidden, hidden, by_all, apart)
        first = _layer(last[0], hidden[:, :1], hidden, seen, last[1])
        return self.whole.classifier(bert.pooler(first))


class SetApart:
    """One inner channel of a feed-forward part, taken out of its matrices and computed beside them in float32.

    Some layers have one channel that is ten times as large as any other. In int8 all activations of a run share one
    scale, so that channel would leave the others few steps (Dettmers et al. 2022, arXiv 2208.07339).
    """

    def __init__(self, layer: torch.nn.Module, channel: int) -> None:
        into, out = layer.intermediate.dense, layer.output.dense
        with torch.no_grad():
            self.row, self.bias = into.weight[channel].clone(), into.bias[channel].clone()
            self.column = out.weight[:, channel].clone()
            into.weight[channel] = into.bias[channel] = 0.0

    def __call__(self, states: torch.Tensor) -> torch.Tensor:
        # A sum of products, not a matrix product: that one would be quantised with the rest.
        inner = (states * self.row).sum(-1, keepdim=True) + self.bias
        return torch.nn.functional.gelu(inner) * self.column


@torch.no_grad()
def find_outliers(model: BertForSequenceClassification, tokenizer: AutoTokenizer) -> dict[int, int]:
    """Return layer and inner channel where one is ``OUTLIER`` times as large as any other, on the self-test's pairs."""
    pairs = [(question, text) for cases in CASES.values() for question, *texts in cases for text in texts]
    largest: dict[int, torch.Tensor] = {}

    def look(number: int, inner: torch.Tensor, seen: torch.Tensor) -> None:
        largest[number] = inner[seen].abs().amax(0)

    encoded = tokenizer(*map(list, zip(*pairs, strict=True)), padding=True, return_token_type_ids=True,
                        return_tensors="pt")  # fmt: skip
    seen = encoded["attention_mask"].bool()
    hooks = [
        layer.intermediate.register_forward_hook(
            lambda _module, _given, inner, number=number: look(number, inner, seen)
        )
        for number, layer in enumerate(model.bert.encoder.layer)
    ]
    model.eval()(**encoded)
    for hook in hooks:
        hook.remove()
    tops = {number: values.topk(2) for number, values in largest.items()}
    return {number: int(top.indices[0]) for number, top in tops.items() if top.values[0] >= OUTLIER * top.values[1]}


def _layer(
    layer: torch.nn.Module, asking: torch.Tensor, hidden: torch.Tensor, seen: torch.Tensor, apart: SetApart | None
) -> torch.Tensor:
    """Run one BERT layer in which ``asking`` (batch, m, width) attends to ``hidden`` (batch, tokens, width)."""
    own, attention = layer.attention.self, layer.attention.output
    read = Attention.apply(own.query(asking), own.key(hidden), own.value(hidden), seen, own.num_attention_heads)
    asking = attention(read, asking)
    answer = layer.output.dense(layer.intermediate(asking))
    if apart:
        answer = answer + apart(asking)
    return layer.output.LayerNorm(answer + asking)


class Attention(torch.autograd.Function):
    """Attention of several heads as one node of the graph: an eighth faster than the nodes it consists of."""

    @staticmethod
    def forward(
        _context: object, query: torch.Tensor, key: torch.Tensor, value: torch.Tensor, seen: torch.Tensor, heads: int
    ) -> torch.Tensor:
        query, key, value = (states.unflatten(2, (heads, -1)).transpose(1, 2) for states in (query, key, value))
        read = torch.nn.functional.scaled_dot_product_attention(query, key, value, seen)
        return read.transpose(1, 2).flatten(2)

    @staticmethod
    def symbolic(graph: torch.Graph, query: torch.Value, key: torch.Value, value: torch.Value, seen: torch.Value,
                 heads: int) -> torch.Value:  # fmt: skip
        read = graph.op("Attention", query, key, value, seen, q_num_heads_i=heads, kv_num_heads_i=heads)
        read.setType(query.type())
        return read


KINDS = {"embedder": LastHiddenState, "cross-encoder": Logits}


def export_fp32(model: LastHiddenState | Logits, target: Path) -> None:
    example = tuple(torch.ones(2, 7, dtype=torch.long) for _ in INPUTS)
    axes = {name: {0: "batch", 1: "tokens"} for name in INPUTS} | {model.output: {0: "batch"}}
    if model.output == "last_hidden_state":
        axes[model.output][1] = "tokens"
    torch.onnx.export(
        model, example, target, input_names=INPUTS, output_names=[model.output], dynamic_axes=axes,
        opset_version=17, dynamo=False,
    )  # fmt: skip
    raise_opset(target)


def raise_opset(file: Path) -> None:
    """Declare opset 23, the first that has Attention; torch writes at most 20, and no other node used here differs."""
    graph = onnx.load(file)
    graph.opset_import[0].version, graph.ir_version = 23, 11
    onnx.checker.check_model(graph)
    onnx.save(graph, file)


def quantize(source: Path, target: Path) -> None:
    """Write int8 weights, one scale a channel. Seven bits: AVX2 without VNNI would overflow with eight."""
    target.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as scratch:
        ready = Path(scratch) / "ready.onnx"
        quant_pre_process(source, ready, skip_symbolic_shape=True)
        quantize_dynamic(
            ready, target, weight_type=QuantType.QInt8, per_channel=True, reduce_range=True,
            op_types_to_quantize=["MatMul", "Gather"],
        )  # fmt: skip


def write_extras(kind: str, target: Path) -> None:
    if kind == "embedder":
        (target / "modules.json").write_text(json.dumps(MODULES, indent=2) + "\n")
        (target / "1_Pooling").mkdir(exist_ok=True)
        (target / "1_Pooling" / "config.json").write_text(json.dumps(POOLING, indent=2) + "\n")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("kind", choices=KINDS)
    parser.add_argument("folder", type=Path)
    parser.add_argument("target", type=Path)
    arguments = parser.parse_args()
    arguments.target.mkdir(parents=True, exist_ok=True)
    fp32 = arguments.folder / "onnx" / "model.onnx"
    fp32.parent.mkdir(exist_ok=True)
    export_fp32(KINDS[arguments.kind](arguments.folder).eval(), fp32)
    quantize(fp32, arguments.target / "onnx" / "model.onnx")
    for name in COPIED:
        shutil.copy(arguments.folder / name, arguments.target / name)
    write_extras(arguments.kind, arguments.target)
    size = (arguments.target / "onnx" / "model.onnx").stat().st_size / 1e6
    print(f"{arguments.target}: {size:.1f} MB")


if __name__ == "__main__":
    main()
