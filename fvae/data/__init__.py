"""Where images come from, how they are prepared, how they are read."""
