"""What the bundled models read, counted with their own tokenizers."""

from __future__ import annotations

from rag_core.models import tokens

EMBEDDER, RERANKER = "bilingual-embedder", "bilingual-cross-encoder"


def test_question_and_chunk_are_read_apart_each_with_its_prefix():
    read = tokens.alone(EMBEDDER, "How much?", "收入增长8.2%。")
    assert read.question.tokens == ("<s>", "▁que", "ry", ":", "▁How", "▁much", "?", "</s>")
    assert "".join(read.chunk.tokens).startswith("<s>▁passage:")
    assert "".join(read.chunk.tokens).endswith("8.2%。</s>")


def test_question_and_chunk_are_read_together_as_asked():
    read = tokens.together(RERANKER, "How much did it grow?", "Tax revenue grew by 8.2%")
    assert " ".join(read.tokens) == "<s> ▁How ▁much ▁did ▁it ▁grow ? </s> ▁Tax ▁revenue ▁gre w ▁by ▁8. 2% </s>"
    assert (len(read), read.whole, read.cut) == (16, 16, False)


def test_the_counts_are_those_of_the_models_themselves(embedder, reranker):
    question, chunk = "去年市里的财政收入为什么没有收够？", "差额主要来自两个方面。"
    line = embedder.line
    alone = tokens.alone(EMBEDDER, question, chunk)
    assert list(alone.question.tokens) == embedder.model.tokenizer.encode(line.query_prefix + question).tokens
    assert list(alone.chunk.tokens) == embedder.model.tokenizer.encode(line.text_prefix + chunk).tokens
    together = tokens.together(RERANKER, question, chunk)
    assert list(together.tokens) == reranker.model.tokenizer.encode(question, chunk).tokens


def test_what_is_too_long_is_cut_and_counted():
    read = tokens.together(RERANKER, "How much?", "word " * 2000)
    assert (len(read), read.whole, read.cut) == (512, 2007, True)


def test_a_question_of_one_character():
    assert tokens.alone(EMBEDDER, "税", "x").question.tokens == ("<s>", "▁que", "ry", ":", "▁", "税", "</s>")


def test_other_models_are_not_guessed():
    assert tokens.alone("intfloat/multilingual-e5-small", "q", "c") is None
    assert tokens.alone("text-embedding-3-small", "q", "c") is None
    assert tokens.together("BAAI/bge-reranker-base", "q", "c") is None
