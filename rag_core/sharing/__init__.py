"""A finished comparison as a file."""
