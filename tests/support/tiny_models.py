"""Build tiny BERT models with random weights: real files that sentence-transformers loads."""

from __future__ import annotations

from pathlib import Path

SPECIAL = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]
WORDS = ["revenue", "grew", "by", "percent", "what", "how", "much", "did", "schools", "opened", "8", "2", "."]
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


def _save_tokenizer(folder: Path) -> int:
    from transformers import BertTokenizerFast

    vocabulary = {word: number for number, word in enumerate([*SPECIAL, *WORDS, *CHARACTERS])}
    tokenizer = BertTokenizerFast(vocab=vocabulary, model_max_length=64)
    tokenizer.save_pretrained(folder)
    return len(vocabulary)
