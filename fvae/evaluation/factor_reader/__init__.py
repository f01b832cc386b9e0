"""A small network that reads the factors of a drawn portrait, such as hair, glasses and pose; card.md describes it."""
