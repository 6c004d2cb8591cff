"""Write a model's folder so that what others load models with reads it.

transformers 4 and 5, sentence-transformers, FlashRank, fastembed and transformers.js each ask for some of these files;
the app itself reads ``tokenizer.json``, ``config.json`` and the graph.
"""

from __future__ import annotations

import json
import shutil
from pathlib import Path

from tokenizers import Regex, Tokenizer, normalizers

SPECIALS = {"bos_token": "<s>", "eos_token": "</s>", "pad_token": "<pad>", "unk_token": "<unk>"}
INPUTS = ["input_ids", "token_type_ids", "attention_mask"]
"""Without them transformers 5 gives no token types: then a pair reads as one text, and logits move by a tenth."""
TOKENIZER = {
    "tokenizer_class": "PreTrainedTokenizerFast",
    "model_max_length": 512,
    "model_input_names": INPUTS,
    **SPECIALS,
}
MODULES = [
    {"idx": 0, "name": "0", "path": "", "type": "sentence_transformers.models.Transformer"},
    {"idx": 1, "name": "1", "path": "1_Pooling", "type": "sentence_transformers.models.Pooling"},
    {"idx": 2, "name": "2", "path": "2_Normalize", "type": "sentence_transformers.models.Normalize"},
]
POOLING = {"word_embedding_dimension": 384, "pooling_mode_mean_tokens": True, "pooling_mode_cls_token": False}
PROMPTS = {"prompts": {"query": "query: ", "document": "passage: "}, "similarity_fn_name": "cosine"}

DROPPED = "[\u0001-\u0008\u000b\u000e-\u001f\u007f\u008f\u009f]"
SPACE = "[\t\n\u000c\r\u1680\u200b-\u200f\u2028\u2029\u2581\ufeff\ufffd]"
"""What SentencePiece's rules ``nmt`` leave out and turn into a space. As a normaliser of that name it exists in Rust
alone; without it a line break becomes an unknown piece, and logits move by a tenth."""


def normalizer() -> normalizers.Normalizer:
    return normalizers.Sequence(
        [
            normalizers.Replace(Regex(DROPPED), ""),
            normalizers.Replace(Regex(SPACE), " "),
            normalizers.NFKC(),
            normalizers.Replace(Regex(" {2,}"), " "),
        ]
    )


def write(source: Path, target: Path, kind: str) -> None:
    """Write everything but the graph; ``kind`` is ``embedder`` or ``cross-encoder``."""
    shutil.copy(source / "config.json", target / "config.json")
    tokenizer = Tokenizer.from_file(str(source / "tokenizer.json"))
    tokenizer.normalizer = normalizer()
    tokenizer.no_truncation()  # how much is read is the reader's matter, and training's limit is not the model's
    tokenizer.save(str(target / "tokenizer.json"))
    write_json(target / "tokenizer_config.json", TOKENIZER)
    write_json(target / "special_tokens_map.json", SPECIALS)
    if kind == "embedder":
        write_json(target / "modules.json", MODULES)
        write_json(target / "config_sentence_transformers.json", PROMPTS)
        (target / "1_Pooling").mkdir(exist_ok=True)
        write_json(target / "1_Pooling" / "config.json", POOLING)


def write_json(file: Path, value: object) -> None:
    file.write_text(json.dumps(value, indent=2) + "\n", encoding="utf-8")
