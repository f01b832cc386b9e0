"""Bits per dimension, FID and its kin."""
