"""The commands of `python -m fvae`, one module each."""
