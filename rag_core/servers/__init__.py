"""Models that answer over HTTP: a language model, embedders, rerankers; addresses, limits and what can go wrong."""
