"""Models that answer over HTTP: a language model, rerankers; limits, addresses and what can go wrong."""
