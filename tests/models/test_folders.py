"""The bundled folders hold what others load models by, and a tokenizer that others can read too."""

from __future__ import annotations

import json
import sys

import pytest
from tokenizers import Regex, Tokenizer, normalizers

from rag_core.models.catalog import BUNDLED
from training.folder import POOLING, PROMPTS, SPECIALS, TOKENIZER, normalizer, write

FOLDERS = ("bilingual-cross-encoder", "bilingual-embedder")


def held(folder: str, file: str) -> object:
    return json.loads((BUNDLED / folder / file).read_text(encoding="utf-8"))


def test_the_normaliser_does_what_sentencepieces_rules_do():
    rules = normalizers.Sequence(
        [normalizers.Nmt(), normalizers.NFKC(), normalizers.Replace(Regex(" {2,}"), " ")],
    )
    points = [chr(code) for code in range(sys.maxunicode + 1) if not 0xD800 <= code < 0xE000]
    texts = [f"{''.join(points[i : i + 64])}\n a\u3000{points[i]}b" for i in range(0, len(points), 64)]
    ours = normalizer()
    assert [ours.normalize_str(text) for text in texts] == [rules.normalize_str(text) for text in texts]


@pytest.mark.parametrize("folder", FOLDERS)
def test_a_bundled_folder_names_what_is_known_everywhere(folder):
    assert held(folder, "tokenizer_config.json") == TOKENIZER
    assert held(folder, "special_tokens_map.json") == SPECIALS
    tokenizer = held(folder, "tokenizer.json")
    assert (tokenizer["truncation"], tokenizer["padding"]) == (None, None)
    assert "Nmt" not in {part["type"] for part in tokenizer["normalizer"]["normalizers"]}


def test_the_bundled_embedder_says_its_prompts_and_how_it_pools():
    assert held("bilingual-embedder", "config_sentence_transformers.json") == PROMPTS
    assert held("bilingual-embedder", "1_Pooling/config.json") == POOLING


@pytest.mark.parametrize("folder", FOLDERS)
def test_a_folder_written_again_is_the_same(folder, tmp_path):
    write(BUNDLED / folder, tmp_path, folder.removeprefix("bilingual-"))
    for file in (path for path in tmp_path.rglob("*") if path.is_file()):
        assert file.read_text("utf-8") == (BUNDLED / folder / file.relative_to(tmp_path)).read_text("utf-8")


def test_what_training_cut_off_is_not_cut_off_by_the_folder(tmp_path):
    cut = Tokenizer.from_file(str(BUNDLED / "bilingual-cross-encoder" / "tokenizer.json"))
    cut.enable_truncation(16)
    cut.save(str(tmp_path / "tokenizer.json"))
    (tmp_path / "config.json").write_text("{}")
    (tmp_path / "other").mkdir()
    write(tmp_path, tmp_path / "other", "cross-encoder")
    assert len(Tokenizer.from_file(str(tmp_path / "other" / "tokenizer.json")).encode("word " * 100).ids) > 100


@pytest.mark.slow
@pytest.mark.torch
@pytest.mark.parametrize("folder", FOLDERS)
def test_transformers_tells_question_and_text_apart_as_the_app_does(folder):
    from transformers import AutoTokenizer

    pair = ("Who pays?", "The owner pays.\nIn full.")
    ours = Tokenizer.from_file(str(BUNDLED / folder / "tokenizer.json")).encode(*pair)
    theirs = AutoTokenizer.from_pretrained(BUNDLED / folder)(*pair)
    assert (theirs["input_ids"], theirs["token_type_ids"]) == (ours.ids, ours.type_ids)
    assert 1 in ours.type_ids
