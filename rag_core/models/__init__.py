"""What scores: the catalogue, embedders, cross-encoders, their tokens, self-test and baseline."""
