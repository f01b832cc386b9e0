"""The version of the package, apart from `fvae` itself, so that reading it imports nothing else."""

__version__ = "0.1.0"
