"""The ways to run the bundled cross-encoder and embedder that are timed against each other.

The float32 engines run a model of the same configuration with random weights: the time does not depend on them, and the
trained ones are not in the repository.
"""

import json
import shutil
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np

from rag_core.models.catalog import BUNDLED, EMBEDDERS, RERANKERS, Line, find
from rag_core.models.embed import OnnxEmbedder
from rag_core.models.rerank import OnnxReranker

CROSS_ENCODER, EMBEDDER = BUNDLED / "bilingual-cross-encoder", BUNDLED / "bilingual-embedder"
TOKENIZER_FILES = ("config.json", "tokenizer.json", "tokenizer_config.json")
FIELDS = {"input_ids": "ids", "attention_mask": "attention_mask", "token_type_ids": "type_ids"}
BATCH = 16
OURS, TORCH, FLOAT = "Rerank Lab (int8)", "sentence-transformers (torch, float32)", "onnxruntime (float32)"
OPENVINO, FLASHRANK = "OpenVINO (our int8 graph)", "FlashRank (our int8 graph)"

Score = Callable[[str, Sequence[str]], object]
Embed = Callable[[Sequence[str]], object]


class NotAvailable(Exception):
    """An engine that cannot run here; the message says why."""


def copy_without_weights(source: Path, target: Path) -> Path:
    target.mkdir(parents=True)
    for name in TOKENIZER_FILES:
        shutil.copy(source / name, target / name)
    return target


def random_cross_encoder(scratch: Path) -> Path:
    """Save a cross-encoder of our configuration, as a torch folder that also holds a float32 ONNX graph."""
    from transformers import BertConfig, BertForSequenceClassification

    from training.export import Logits, export_fp32

    folder = copy_without_weights(CROSS_ENCODER, scratch / "cross-encoder")
    BertForSequenceClassification(BertConfig.from_pretrained(folder)).save_pretrained(folder)
    (folder / "onnx").mkdir()
    export_fp32(Logits(folder).eval(), folder / "onnx" / "model.onnx")
    return folder


def random_embedder(scratch: Path) -> Path:
    from transformers import BertConfig, BertModel

    folder = copy_without_weights(EMBEDDER, scratch / "embedder")
    BertModel(BertConfig.from_pretrained(folder), add_pooling_layer=False).save_pretrained(folder)
    return folder


def rerank_lab(_folder: Path) -> Score:
    return OnnxReranker(replace(find(RERANKERS, CROSS_ENCODER.name), pair_tokens=0)).score  # each pair in one run


def onnxruntime_float(folder: Path) -> Score:
    return OnnxReranker(Line(str(folder), "onnx", ("zh", "en"), 0, "")).score


def sentence_transformers(folder: Path) -> Score:
    from sentence_transformers import CrossEncoder

    model = CrossEncoder(str(folder), device="cpu", local_files_only=True)

    def score(query: str, texts: Sequence[str]) -> None:
        pairs = [(query, text) for text in sorted(texts, key=len)]
        model.predict(pairs, batch_size=BATCH, show_progress_bar=False)

    return score


def openvino(_folder: Path) -> Score:
    try:
        from openvino import AsyncInferQueue, Core
    except ImportError as error:
        raise NotAvailable("openvino is not installed") from error
    model = Core().compile_model(str(CROSS_ENCODER / "onnx" / "model.onnx"), "CPU", {"PERFORMANCE_HINT": "THROUGHPUT"})
    tokenizer, queue = padding_tokenizer(), AsyncInferQueue(model)

    def score(query: str, texts: Sequence[str]) -> None:
        for batch in sorted_batches(texts):
            encoded = tokenizer.encode_batch([(query, text) for text in batch])
            queue.start_async(
                {name: np.array([getattr(one, field) for one in encoded]) for name, field in FIELDS.items()}
            )
        queue.wait_all()

    return score


def sorted_batches(texts: Sequence[str]) -> Iterator[list[str]]:
    """Give the texts in batches of like length, the longest first: little is padded."""
    ordered = sorted(texts, key=len, reverse=True)
    for start in range(0, len(ordered), BATCH):
        yield ordered[start : start + BATCH]


def padding_tokenizer():
    from tokenizers import Tokenizer

    tokenizer = Tokenizer.from_file(str(CROSS_ENCODER / "tokenizer.json"))
    tokenizer.enable_truncation(512)
    tokenizer.enable_padding(pad_id=tokenizer.token_to_id("<pad>"))
    return tokenizer


def flashrank(folder: Path) -> Score:
    """It takes a folder under one of its own models' names."""
    try:
        from flashrank import Ranker, RerankRequest
        from flashrank.Config import model_file_map
    except ImportError as error:
        raise NotAvailable("flashrank is not installed") from error
    name = "ms-marco-TinyBERT-L-2-v2"
    home = folder.parent / "flashrank"
    if not home.exists():
        copy_without_weights(CROSS_ENCODER, home / name)
        special = {"cls_token": "<s>", "sep_token": "</s>", "pad_token": "<pad>", "unk_token": "<unk>"}
        (home / name / "special_tokens_map.json").write_text(json.dumps(special))
        shutil.copy(CROSS_ENCODER / "onnx" / "model.onnx", home / name / model_file_map[name])
    ranker = Ranker(model_name=name, cache_dir=str(home), max_length=512, log_level="ERROR")

    def score(query: str, texts: Sequence[str]) -> None:
        for batch in sorted_batches(texts):
            ranker.rerank(RerankRequest(query=query, passages=[{"text": text} for text in batch]))

    return score


ENGINES: dict[str, Callable[[Path], Score]] = {
    OURS: rerank_lab,
    TORCH: sentence_transformers,
    FLOAT: onnxruntime_float,
    OPENVINO: openvino,
    FLASHRANK: flashrank,
}
GIVEN = {
    TORCH: f"batches of {BATCH}, sorted by length",
    FLOAT: "the same path as ours, each pair in a run of its own",
    OPENVINO: f"asynchronous requests with its throughput hint, batches of {BATCH} of like length",
    FLASHRANK: f"requests of {BATCH} texts of like length",
}
"""What each was given so that it is at its best: all get pairs of like length together, as ours has them."""


def rerank_lab_embedder(_folder: Path) -> Embed:
    return OnnxEmbedder(find(EMBEDDERS, EMBEDDER.name)).embed_texts


def sentence_transformers_embedder(folder: Path) -> Embed:
    from sentence_transformers import SentenceTransformer

    model = SentenceTransformer(str(folder), device="cpu", local_files_only=True)
    return lambda texts: model.encode(list(texts), prompt="passage: ", show_progress_bar=False)


EMBEDDING_ENGINES: dict[str, Callable[[Path], Embed]] = {
    OURS: rerank_lab_embedder,
    TORCH: sentence_transformers_embedder,
}
