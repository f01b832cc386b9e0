"""Training: the loop, its parts, and the files that it writes."""
