"""See what reranking does to a vector search: read ``pipeline.py`` first."""
