"""Build tiny models with random weights, BERT and a causal one: real files that sentence-transformers loads."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from transformers import Qwen3Config

SPECIAL = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]
WORDS = ["revenue", "grew", "by", "percent", "what", "how", "much", "did", "schools", "opened", "8", "2", "."]
VERDICT = ["yes", "no", "query", "document", "judge", "relevance", "instruct"]
CHARACTERS = sorted(set("一般公共预算收入增长了多少新建学校所今年天气很好"))
SHAPE = {
    "hidden_size": 16,
    "num_hidden_layers": 2,
    "num_attention_heads": 2,
    "intermediate_size": 32,
    "max_position_embeddings": 64,
}


def cross_encoder(folder: Path, labels: int = 1, bias: float = 0.0, constant: bool = False) -> str:
    """Save a cross-encoder that gives ``labels`` scores a pair.

    A NaN as ``bias`` makes every score NaN; a ``constant`` one gives every pair its bias.
    """
    import torch
    from transformers import BertConfig, BertForSequenceClassification

    torch.manual_seed(3)
    config = BertConfig(vocab_size=_save_tokenizer(folder), num_labels=labels, initializer_range=0.5, **SHAPE)
    model = BertForSequenceClassification(config)
    torch.nn.init.constant_(model.classifier.bias, bias)
    if constant:
        torch.nn.init.zeros_(model.classifier.weight)
    model.save_pretrained(folder)
    return str(folder)


def bi_encoder(folder: Path) -> str:
    """Save an embedder without a pooling configuration, for which sentence-transformers takes the mean."""
    import torch
    from transformers import BertConfig, BertModel

    torch.manual_seed(3)
    BertModel(BertConfig(vocab_size=_save_tokenizer(folder), initializer_range=0.5, **SHAPE)).save_pretrained(folder)
    return str(folder)


INSTRUCTION = "judge relevance"
PAIR_TEMPLATE = (
    "instruct {{ messages | selectattr('role', 'eq', 'system') | map(attribute='content') | first }}"
    " query {{ messages | selectattr('role', 'eq', 'query') | map(attribute='content') | first }}"
    " document {{ messages | selectattr('role', 'eq', 'document') | map(attribute='content') | first }} judge"
)
"""Where a chat reranker wants instruction, question and text, as one of Qwen's does."""
CHAT_TEMPLATE = "{{ messages | selectattr('role', 'eq', 'user') | map(attribute='content') | join(' ') }} judge"
"""A chat model's that is no reranker: it has no place for a question and a text."""


def causal_cross_encoder(folder: Path, template: str = PAIR_TEMPLATE) -> str:
    """Save a chat model that says yes or no, as sentence-transformers keeps one, with ``INSTRUCTION`` as its prompt."""
    import torch
    from sentence_transformers import CrossEncoder
    from transformers import Qwen3ForCausalLM

    torch.manual_seed(3)
    plain = folder / "plain"
    config = _causal(_save_tokenizer(plain, VERDICT, chat_template=template))
    Qwen3ForCausalLM(config).to(torch.bfloat16).save_pretrained(plain)
    model = CrossEncoder(str(plain), device="cpu", prompts={"query": INSTRUCTION}, default_prompt_name="query")
    model.save_pretrained(str(folder / "saved"))
    return str(folder / "saved")


def causal_bi_encoder(folder: Path) -> str:
    """Save an embedder made of a chat model, with the files that Qwen's has on the hub and a chat template beside."""
    import torch
    from transformers import Qwen3Model

    torch.manual_seed(3)
    config = _causal(_save_tokenizer(folder, VERDICT, chat_template=CHAT_TEMPLATE))
    Qwen3Model(config).to(torch.bfloat16).save_pretrained(folder)
    names = {"": "Transformer", "1_Pooling": "Pooling", "2_Normalize": "Normalize"}
    modules = [
        {"idx": number, "name": str(number), "path": path, "type": f"sentence_transformers.models.{name}"}
        for number, (path, name) in enumerate(names.items())
    ]
    pooling = {"word_embedding_dimension": SHAPE["hidden_size"], "pooling_mode_lasttoken": True, "include_prompt": True}
    for name, held in {"modules.json": modules, "1_Pooling/config.json": pooling}.items():
        (folder / name).parent.mkdir(exist_ok=True)
        (folder / name).write_text(json.dumps(held))
    return str(folder)


def _causal(words: int) -> Qwen3Config:
    from transformers import Qwen3Config

    shape = {**SHAPE, "head_dim": 8, "num_key_value_heads": 1, "initializer_range": 0.5}
    return Qwen3Config(vocab_size=words, pad_token_id=0, **shape)


def _save_tokenizer(folder: Path, more: Sequence[str] = (), **options: str) -> int:
    from transformers import BertTokenizerFast

    vocabulary = {word: number for number, word in enumerate([*SPECIAL, *WORDS, *CHARACTERS, *more])}
    tokenizer = BertTokenizerFast(vocab=vocabulary, model_max_length=64, **options)
    tokenizer.save_pretrained(folder)
    return len(vocabulary)
