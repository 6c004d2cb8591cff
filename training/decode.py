"""Decode the base weights: ``python -m training.decode e5-small-q4.bin training/build/base``.

The file holds intfloat/multilingual-e5-small (MIT; Wang et al. 2024, arXiv 2402.05672) with its matrices as 4-bit
blocks. The result is an ordinary folder with float32 weights and a fast tokenizer.
"""

import argparse
import struct
from pathlib import Path

import numpy as np
import torch
from tokenizers import AddedToken, Tokenizer, models, pre_tokenizers, processors
from transformers import BertConfig, BertModel, PreTrainedTokenizerFast

from training.folder import SPECIALS, normalizer

BLOCK = 32
LAYER_NAMES = {
    "q": "attention.self.query",
    "k": "attention.self.key",
    "v": "attention.self.value",
    "ao": "attention.output.dense",
    "aln": "attention.output.LayerNorm",
    "fi": "intermediate.dense",
    "fo": "output.dense",
    "oln": "output.LayerNorm",
}
EMBEDDING_NAMES = {
    "emb.word": "embeddings.word_embeddings.weight",
    "emb.pos": "embeddings.position_embeddings.weight",
    "emb.type": "embeddings.token_type_embeddings.weight",
    "emb.ln.w": "embeddings.LayerNorm.weight",
    "emb.ln.b": "embeddings.LayerNorm.bias",
}


class Reader:
    """Read little-endian values one after the other."""

    def __init__(self, data: bytes) -> None:
        self.data, self.at = data, 0

    def values(self, form: str) -> tuple:
        found = struct.unpack_from("<" + form, self.data, self.at)
        self.at += struct.calcsize("<" + form)
        return found

    def array(self, kind: str, count: int) -> np.ndarray:
        found = np.frombuffer(self.data, kind, count, self.at)
        self.at += found.nbytes
        return found

    def skip(self, count: int) -> bytes:
        found = self.data[self.at : self.at + count]
        self.at += count
        return found


def read_config(reader: Reader) -> BertConfig:
    magic, _version = reader.skip(4), reader.values("I")
    if magic != b"E5S1":
        raise ValueError(f"not an e5 weight file: it begins with {magic!r}")
    hidden, layers, heads, feed_forward, vocabulary, positions, types = reader.values("7i")
    (eps,), (block,) = reader.values("f"), reader.values("i")
    if block != BLOCK:
        raise ValueError(f"blocks of {block} weights; this script knows {BLOCK}")
    return BertConfig(
        vocab_size=vocabulary,
        hidden_size=hidden,
        num_hidden_layers=layers,
        num_attention_heads=heads,
        intermediate_size=feed_forward,
        max_position_embeddings=positions,
        type_vocab_size=types,
        layer_norm_eps=round(eps, 15),
        pad_token_id=1,
    )


def read_pieces(reader: Reader) -> list[tuple[str, float]]:
    count, _bos, _eos, _pad, _unk = reader.values("5i")
    (blob_bytes,) = reader.values("Q")
    offsets, scores = reader.array("<u4", count + 1), reader.array("<f4", count)
    blob = reader.skip(blob_bytes)
    texts = [blob[offsets[i] : offsets[i + 1]].decode("utf-8") for i in range(count)]
    return [(text, float(score)) for text, score in zip(texts, scores, strict=True)]


def skip_normalisation(reader: Reader) -> None:
    _count, size = reader.values("2i")
    reader.skip(size)


def read_tensor(reader: Reader, kind: int, elements: int, offset: int) -> np.ndarray:
    if kind == 0:
        return np.frombuffer(reader.data, "<f4", elements, offset).copy()
    blocks = np.frombuffer(reader.data, np.dtype([("scale", "<f2"), ("nibbles", "u1", 16)]), elements // BLOCK, offset)
    nibbles = np.concatenate([blocks["nibbles"] & 15, blocks["nibbles"] >> 4], axis=1).astype(np.float32)
    return ((nibbles - 8) * blocks["scale"].astype(np.float32)[:, None]).ravel()


def read_tensors(reader: Reader) -> dict[str, np.ndarray]:
    (count,) = reader.values("i")
    tensors = {}
    for _ in range(count):
        (length,) = reader.values("H")
        name = reader.skip(length).decode()
        tensors[name] = read_tensor(reader, *reader.values("BIQQ")[:3])
    return tensors


def bert_name(name: str) -> str:
    """Translate a tensor's name, ``l3.ao.w`` for example, into BERT's."""
    if name in EMBEDDING_NAMES:
        return EMBEDDING_NAMES[name]
    layer, part, kind = name.split(".")
    return f"encoder.layer.{layer[1:]}.{LAYER_NAMES[part]}.{'weight' if kind == 'w' else 'bias'}"


def build_model(config: BertConfig, tensors: dict[str, np.ndarray]) -> BertModel:
    model = BertModel(config, add_pooling_layer=False)
    shapes = {name: tensor.shape for name, tensor in model.state_dict().items()}
    state = {bert_name(name): torch.from_numpy(values) for name, values in tensors.items()}
    model.load_state_dict({name: values.reshape(shapes[name]) for name, values in state.items()})
    return model.eval()


def build_tokenizer(pieces: list[tuple[str, float]]) -> PreTrainedTokenizerFast:
    """Build the Unigram tokenizer; the first four pieces are ``<s> <pad> </s> <unk>``."""
    tokenizer = Tokenizer(models.Unigram(pieces, unk_id=3, byte_fallback=False))
    tokenizer.normalizer = normalizer()
    tokenizer.pre_tokenizer = pre_tokenizers.Metaspace(prepend_scheme="always", split=False)
    tokenizer.post_processor = processors.TemplateProcessing(
        single="<s> $A </s>", pair="<s> $A </s> $B:1 </s>:1", special_tokens=[("<s>", 0), ("</s>", 2)]
    )
    tokenizer.add_special_tokens([AddedToken(token, special=True) for token in SPECIALS.values()])
    return PreTrainedTokenizerFast(tokenizer_object=tokenizer, model_max_length=512, **SPECIALS)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("weights", type=Path)
    parser.add_argument("folder", type=Path)
    arguments = parser.parse_args()
    reader = Reader(arguments.weights.read_bytes())
    config, pieces = read_config(reader), read_pieces(reader)
    skip_normalisation(reader)
    build_model(config, read_tensors(reader)).save_pretrained(arguments.folder)
    build_tokenizer(pieces).save_pretrained(arguments.folder)


if __name__ == "__main__":
    main()
