"""Which chunks answer a question: known for the bundled samples."""

from collections.abc import Iterable

from pages.ui import cached
from rag_core.datatypes import Chunk


def relevant_ids(doc_id: str, query: str, chunks: Iterable[Chunk]) -> set[str] | None:
    """Return the ids of the chunks that answer, or None for a question that nobody has judged."""
    quotes = cached.sample_answers(doc_id).get(query)
    if quotes is None:
        return None
    return {chunk.id for chunk in chunks if any(answers(chunk, page, quote) for page, quote in quotes)}


def answers(chunk: Chunk, page: int, quote: str) -> bool:
    """Say whether a chunk holds the quote, or is a piece of it; white space does not count."""
    text, wanted = "".join(chunk.text.split()), "".join(quote.split())
    return chunk.page == page and bool(text) and (wanted in text or text in wanted)
