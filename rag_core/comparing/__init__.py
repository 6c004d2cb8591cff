"""Two orders of the same candidates, two comparisons of one document, and the answers from either."""
