"""Errors that are shown to the user as one line."""


class UserError(Exception):
    """Bad input: one clear line that says which file or parameter is wrong and what to do."""


def memory_is_full(error: Exception) -> bool:
    """Whether an error says that there is no memory left: Python's own, or a RuntimeError of PyTorch's allocators."""
    said = str(error)
    pytorch = isinstance(error, RuntimeError) and ("allocate memory" in said or "out of memory" in said)
    return pytorch or isinstance(error, MemoryError)
