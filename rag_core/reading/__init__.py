"""bytes → pages → chunks."""
