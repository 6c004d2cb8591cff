"""Export a model to int8 ONNX.

``python -m training.export embedder FOLDER data/models/NAME --texts TEXTS``, and
``python -m training.export cross-encoder FOLDER data/models/NAME --groups GROUPS``.

The target becomes a folder in the usual layout: ``onnx/model.onnx``, tokenizer and configuration.
"""

import argparse
from pathlib import Path

import onnx
import torch
from transformers import BertForSequenceClassification, BertModel

from rag_core.models.catalog import EMBEDDERS
from training.folder import write
from training.quantize import fixed_scales, sample_pairs, sample_texts

INPUTS = ["input_ids", "attention_mask", "token_type_ids"]


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

    def __init__(self, folder: Path) -> None:
        super().__init__()
        self.whole = BertForSequenceClassification.from_pretrained(folder, attn_implementation="eager")

    def forward(self, ids: torch.Tensor, mask: torch.Tensor, types: torch.Tensor) -> torch.Tensor:
        bert = self.whole.bert
        hidden, seen = bert.embeddings(input_ids=ids, token_type_ids=types), mask[:, None, None, :].bool()
        by_all = seen.expand(-1, 1, ids.shape[1], -1)
        *layers, last = bert.encoder.layer
        for layer in layers:
            hidden = _layer(layer, hidden, hidden, by_all)
        first = _layer(last, hidden[:, :1], hidden, seen)
        return self.whole.classifier(bert.pooler(first))


def _layer(layer: torch.nn.Module, asking: torch.Tensor, hidden: torch.Tensor, seen: torch.Tensor) -> torch.Tensor:
    """Run one BERT layer in which ``asking`` (batch, m, width) attends to ``hidden`` (batch, tokens, width)."""
    own, attention = layer.attention.self, layer.attention.output
    read = Attention.apply(own.query(asking), own.key(hidden), own.value(hidden), seen, own.num_attention_heads)
    asking = attention(read, asking)
    return layer.output(layer.intermediate(asking), asking)


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
    def symbolic(
        graph: torch.Graph, query: torch.Value, key: torch.Value, value: torch.Value, seen: torch.Value, heads: int
    ) -> torch.Value:
        read = graph.op("Attention", query, key, value, seen, q_num_heads_i=heads, kv_num_heads_i=heads)
        read.setType(query.type())
        return read


KINDS = {"embedder": LastHiddenState, "cross-encoder": Logits}


def export_fp32(model: LastHiddenState | Logits, target: Path) -> None:
    example = tuple(torch.ones(2, 7, dtype=torch.long) for _ in INPUTS)
    axes = {name: {0: "batch", 1: "tokens"} for name in INPUTS} | {model.output: {0: "batch"}}
    if model.output == "last_hidden_state":
        axes[model.output][1] = "tokens"
    names = {"input_names": INPUTS, "output_names": [model.output], "dynamic_axes": axes}
    torch.onnx.export(model, example, target, **names, opset_version=17, dynamo=False)
    raise_opset(target)


def raise_opset(file: Path) -> None:
    """Declare opset 23, the first that has Attention; torch writes at most 20, and no other node used here differs."""
    graph = onnx.load(file)
    graph.opset_import[0].version, graph.ir_version = 23, 11
    onnx.checker.check_model(graph)
    onnx.save(graph, file)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("kind", choices=KINDS)
    parser.add_argument("folder", type=Path)
    parser.add_argument("target", type=Path)
    parser.add_argument("--texts", type=Path, help="the training files: an embedder's scales come from some texts")
    parser.add_argument("--groups", type=Path, help="the training groups: a cross-encoder's scales come from some")
    arguments = parser.parse_args()
    arguments.target.mkdir(parents=True, exist_ok=True)
    fp32 = arguments.folder / "onnx" / "model.onnx"
    fp32.parent.mkdir(exist_ok=True)
    export_fp32(KINDS[arguments.kind](arguments.folder).eval(), fp32)
    int8 = arguments.target / "onnx" / "model.onnx"
    int8.parent.mkdir(exist_ok=True)
    embedder = arguments.kind == "embedder"
    samples = sample_texts(arguments.texts, EMBEDDERS[0]) if embedder else sample_pairs(arguments.groups)
    fixed_scales(fp32, int8, arguments.folder / "tokenizer.json", samples)
    write(arguments.folder, arguments.target, arguments.kind)
    size = int8.stat().st_size / 1e6
    print(f"{arguments.target}: {size:.1f} MB")


if __name__ == "__main__":
    main()
