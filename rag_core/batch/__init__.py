"""The same stages over folders, here or on a Ray cluster."""
