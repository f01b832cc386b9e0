"""Invertible layers, one a file, and the multi-scale flow built of them."""
