"""question → candidates: the index, words (BM25), expansions and the fusion of several rankings."""
