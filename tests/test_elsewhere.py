"""What leaves the app works without it: copied code, and the bundled models' folders, in environments of their own."""

from __future__ import annotations

import json
from collections.abc import Sequence
from functools import partial
from pathlib import Path

import elsewhere
import numpy as np
import pytest
import tiny_models
from pdfs import text_pdf

from rag_core.datatypes import ChunkSettings, Comparison, Expansion, Settings
from rag_core.lab import Lab
from rag_core.models import catalog, parts
from rag_core.models.embed import load_embedder
from rag_core.models.rerank import load_reranker
from rag_core.sharing import code

pytestmark = [pytest.mark.slow, pytest.mark.torch]

SAMPLES = Path(__file__).parents[1] / "data" / "samples"
QUESTION = "地区生产总值是多少？"
PASSAGES = [
    "全市地区生产总值增长5.2%、约4.4万亿元",
    "新建公园\n二十处\u3000Ａ１",
    "Tax revenue rose by 8%\nin 2024",
    "Gross domestic product grew. " * 30,
]
TINY_PAGES = (
    ["revenue grew by 8 percent.", "what schools opened?", "how much did 2 schools grew by.", "新建学校所很好。"],
    [
        "一般公共预算收入增长了多少。",
        "今天天气很好。",
        "revenue opened. " * 3 + "schools grew by 8 percent much much. " * 12,
    ],
)


def compared(folder: Path, data: bytes, how: Settings, question: str, wordings: Sequence[str]) -> Comparison:
    """Compare as the app does, and leave in a folder what it offers under *Copy as code*."""
    lab = Lab(folder / "home")
    try:
        opened = lab.open(lab.add(data, "a document").id, how, load_embedder(how.embedder))
        reranker = load_reranker(how.reranker)
        made = opened.compare(question, [Expansion(text, "typed") for text in wordings], reranker)
        chunks = opened.distinct_chunks
    finally:
        lab.close()
    cut = partial(parts.texts, limit=reranker.limit, encode=reranker.encode)
    (folder / code.CHUNKS).write_bytes(code.chunks_file(made, chunks, cut))
    (folder / "copied.py").write_text(code.script("chroma", made, len(chunks)), encoding="utf-8")
    return made


def of_sample(folder: Path, name: str, wordings: Sequence[str] = (), depth: int = 50) -> Comparison:
    question = json.loads((SAMPLES / f"{name}.questions.json").read_text(encoding="utf-8"))[3]["question"]
    how = Settings(chunks=ChunkSettings("window", 700, 100), depth=depth)
    return compared(folder, (SAMPLES / f"{name}.pdf").read_bytes(), how, question, wordings)


def of_tiny_models(folder: Path) -> Comparison:
    models = (tiny_models.bi_encoder(folder / "embedder"), tiny_models.cross_encoder(folder / "reranker"))
    for model in models:  # transformers 5 wrote these, and transformers 4, which is there, knows no such class
        file = Path(model) / "tokenizer_config.json"
        described = json.loads(file.read_text()) | {"tokenizer_class": "BertTokenizerFast"}
        file.write_text(json.dumps(described))
    how = Settings(*models, chunks=ChunkSettings("window", 300, 60), depth=5)
    return compared(folder, text_pdf(*TINY_PAGES), how, "how much did revenue grew?", ["schools opened"])


IN_TRANSFORMERS = """
import json, runpy, os, contextlib, io
import numpy as np
from sentence_transformers import CrossEncoder, SentenceTransformer
from torch.nn import Identity

ran = {}
for name in %(folders)r:
    os.chdir(name)
    with contextlib.redirect_stdout(io.StringIO()) as shown:
        done = runpy.run_path("copied.py")
    scores = [float(done["scores"][id]) for id in done["after"]]
    ran[name] = [done["before"], done["after"], scores, shown.getvalue()]
question, passages = %(question)r, %(passages)r
model = CrossEncoder(%(reranker)r, backend="onnx")
logits = model.predict([(question, text) for text in passages], activation_fn=Identity())
embedder = SentenceTransformer(%(embedder)r, backend="onnx")
cosines = embedder.encode_document(passages) @ embedder.encode_query(question)
print(json.dumps([ran, logits.tolist(), cosines.tolist()]))
"""

IN_FASTEMBED = """
import json
from pathlib import Path
import flashrank.Config
import numpy as np
from fastembed import TextEmbedding
from fastembed.common.model_description import ModelSource, PoolingType
from fastembed.rerank.cross_encoder import TextCrossEncoder
from flashrank import Ranker, RerankRequest

question, passages, reranker, embedder = %(question)r, %(passages)r, %(reranker)r, %(embedder)r
none = ModelSource(hf="none/none")
TextCrossEncoder.add_custom_model("bilingual-cross-encoder", none, model_file="onnx/model.onnx")
logits = list(TextCrossEncoder("bilingual-cross-encoder", specific_model_path=reranker).rerank(question, passages))
mean = PoolingType.MEAN
TextEmbedding.add_custom_model("bilingual-embedder", mean, True, none, 384, model_file="onnx/model.onnx")
model = TextEmbedding("bilingual-embedder", specific_model_path=embedder)
asked, *texts = model.embed(["query: " + question, *("passage: " + text for text in passages)])
cosines = [float(text @ asked) for text in texts]
flashrank.Config.model_file_map["bilingual-cross-encoder"] = "onnx/model.onnx"
ranker = Ranker("bilingual-cross-encoder", cache_dir=str(Path(reranker).parent), max_length=512)
ranked = ranker.rerank(RerankRequest(question, [{"id": n, "text": text} for n, text in enumerate(passages)]))
by_id = {row["id"]: float(row["score"]) for row in ranked}
print(json.dumps([list(map(float, logits)), cosines, [by_id[n] for n in range(len(passages))]]))
"""


def asked(script: str, **more: object) -> str:
    """Fill a script with the folders, and the question and passages whose scores are compared."""
    folders = {"embedder": str(catalog.EMBEDDERS[0].folder), "reranker": str(catalog.RERANKERS[0].folder)}
    return script % {"question": QUESTION, "passages": PASSAGES, **folders, **more}


def our_logits(reranker) -> np.ndarray:
    return reranker.score_pairs([(QUESTION, text) for text in PASSAGES])


def our_cosines(embedder) -> np.ndarray:
    return embedder.embed_texts(PASSAGES) @ embedder.embed_queries([QUESTION])[0]


def test_copied_code_and_model_folders_do_in_sentence_transformers_what_the_app_does(tmp_path, embedder, reranker):
    place = elsewhere.python(tmp_path / "env", "sentence-transformers[onnx]==5.7.0", "chromadb")
    made = {}
    for name, make in {
        "zh": partial(of_sample, name="city-report-zh"),
        "en": partial(of_sample, name="annual-report-en", wordings=["leakage", 'the "new" pipes'], depth=20),
        "tiny": of_tiny_models,
    }.items():
        (folder := tmp_path / name).mkdir()
        made[str(folder)] = make(folder)
    ran, logits, cosines = elsewhere.answer(place, asked(IN_TRANSFORMERS, folders=[*made]), tmp_path)
    for folder, comparison in made.items():
        before, after, scores, shown = ran[folder]
        assert (before, after) == (comparison.before.ids, comparison.reranked.ids)
        assert scores == pytest.approx([move.after_score for move in comparison.moves], abs=1e-4)
        assert [line.split()[0] for line in shown.splitlines()] == list("12345")[: len(after)]
    assert any(comparison.pairs > len(comparison.moves) for comparison in made.values())
    assert logits == pytest.approx(our_logits(reranker), abs=1e-4)
    assert cosines == pytest.approx(our_cosines(embedder), abs=1e-5)


def test_model_folders_do_in_fastembed_and_flashrank_what_the_app_does(tmp_path, embedder, reranker):
    place = elsewhere.python(tmp_path / "env", "fastembed==0.9.1", "flashrank==0.2.10")
    logits, cosines, chances = elsewhere.answer(place, asked(IN_FASTEMBED), tmp_path)
    assert logits == pytest.approx(our_logits(reranker), abs=1e-4)
    assert cosines == pytest.approx(our_cosines(embedder), abs=1e-5)
    assert chances == pytest.approx(1 / (1 + np.exp(-our_logits(reranker))), abs=1e-5)
