"""What is kept: documents and all that was made from them, in one SQLite file."""
