"""Predict and reveal, alone or in a room."""
