"""The rules by which the paper's claims are decided, a module for each claim; docs/protocol.md gives their reasons."""
