"""f-VAEs: Improve VAEs with Conditional Flows (Su & Wu 2018, arXiv 1809.05861)."""

__version__ = "0.1.0"
