"""Cut the vocabulary: ``python -m training.vocabulary training/build/base TEXTS training/build/embedder``.

Chinese and English stay. TEXTS is the folder of training files: a Latin piece stays when those texts
use it often enough.
"""

import argparse
import json
import unicodedata
from collections import Counter
from pathlib import Path

import torch
from tokenizers import Tokenizer
from transformers import BertModel

from training.decode import build_tokenizer
from training.files import read_rows

LEAST_USES = 2
SPECIALS = ["<s>", "<pad>", "</s>", "<unk>"]
HAN = [(0x3400, 0x4DBF), (0x4E00, 0x9FFF), (0xF900, 0xFAFF), (0x20000, 0x323AF)]
CJK_MARKS = [(0x3000, 0x303F), (0xFF00, 0xFFEF), (0x2010, 0x2027), (0x2030, 0x205E), (0x2160, 0x217F), (0x2460, 0x2473)]
LATIN_AND_GREEK = [(0x0020, 0x024F), (0x0370, 0x03FF)]


def within(character: str, ranges: list[tuple[int, int]]) -> bool:
    return any(first <= ord(character) <= last for first, last in ranges)


def is_cjk(text: str) -> bool:
    return all(within(c, HAN) or within(c, CJK_MARKS) for c in text)


def kept(piece: str, uses: Counter[str]) -> bool:
    """Say whether a piece stays: Chinese, a single Latin or Greek letter, or anything in use but other scripts."""
    text = piece.removeprefix("▁")
    if text == "" or is_cjk(text) or (len(text) == 1 and within(text, LATIN_AND_GREEK)):
        return True
    other_script = any(unicodedata.category(c)[0] == "L" and not within(c, LATIN_AND_GREEK) for c in text)
    return uses[piece] >= LEAST_USES and not other_script


def count_uses(tokenizer: Tokenizer, folder: Path) -> Counter[str]:
    uses: Counter[str] = Counter()
    for file in sorted(folder.glob("*.jsonl.gz")):
        texts = {text for row in read_rows(file) for text in (row["query"], *row["positives"])}
        for encoding in tokenizer.encode_batch(sorted(texts), add_special_tokens=False):
            uses.update(encoding.tokens)
    return uses


def cut(base: Path, folder: Path, texts: Path) -> tuple[int, int]:
    """Write a copy of the model that knows only the kept pieces; return how many there were and are."""
    tokenizer = Tokenizer.from_file(str(base / "tokenizer.json"))
    pieces = json.loads(tokenizer.to_str())["model"]["vocab"]
    uses = count_uses(tokenizer, texts)
    ids = [i for i, (piece, _) in enumerate(pieces) if piece in SPECIALS or kept(piece, uses)]
    model = BertModel.from_pretrained(base, add_pooling_layer=False)
    words = model.get_input_embeddings().weight.data[torch.tensor(ids)]
    model.set_input_embeddings(torch.nn.Embedding.from_pretrained(words, padding_idx=1))
    model.config.vocab_size = len(ids)
    model.save_pretrained(folder)
    build_tokenizer([tuple(pieces[i]) for i in ids]).save_pretrained(folder)
    return len(pieces), len(ids)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("base", type=Path)
    parser.add_argument("texts", type=Path)
    parser.add_argument("folder", type=Path)
    arguments = parser.parse_args()
    before, after = cut(arguments.base, arguments.folder, arguments.texts)
    print(f"{after:,} of {before:,} pieces kept in {arguments.folder}")


if __name__ == "__main__":
    main()
