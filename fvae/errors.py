"""The one exception whose message is meant for the person at the keyboard."""


class UserError(Exception):
    """Bad input: one clear line that says which file or parameter is wrong and what to do."""
