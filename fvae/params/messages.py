"""What a validation found wrong, as one line that names the place the user wrote."""

from __future__ import annotations

from dataclasses import replace

from pydantic import ValidationError

from fvae.errors import UserError
from fvae.params.source import Entry, located

MAPPING = "must be a mapping of names to values"
MESSAGES = {  # by pydantic's names of errors, where its own words speak of Python
    **dict.fromkeys(("model_type", "dict_type", "model_attributes_type"), MAPPING),
    "tuple_type": "must be a list, such as [0, 1]",
    "string_pattern_mismatch": "a name has lower-case letters, digits and _ only, and begins with a letter",
    "union_tag_invalid": "kind: '{tag}' is not one of {expected_tags}",
}


def explain(error: ValidationError, file: Entry) -> UserError:
    """The first error of a validation of a file's entries."""
    first = error.errors()[0]
    names = place(first["loc"], file)
    context = first.get("ctx", {})
    if "name" in context:  # set by the checks of the schema: the parameter within the section
        return error_at(names, str(context["name"]), first["msg"], file)
    if first["type"] == "missing":
        return error_at(names, str(first["loc"][-1]), "missing", file)
    message = MESSAGES.get(first["type"], first["msg"].replace("Input should be", "must be")).format(**context)
    given = "" if isinstance(first["input"], dict) else f", not {first['input']!r}"
    return error_at(names, "", f"{message}{given}", file)


def place(parts: tuple[int | str, ...], file: Entry) -> list[str]:
    """The names in the file on the way to an error; pydantic also reports which member of a union it tried."""
    names, entry, kind_follows = [], file, False
    for part in parts:
        if kind_follows and part == entry.value["kind"].value:
            kind_follows = False
        elif isinstance(entry.value, dict) and part in entry.value:
            names.append(str(part))
            entry = entry.value[part]
            kind_follows = isinstance(entry.value, dict) and "kind" in entry.value
        elif isinstance(entry.value, list) and isinstance(part, int) and part < len(entry.value):
            names.append(str(part))
            entry = entry.value[part]
    return names


def error_at(section: list[str], parameter: str, message: str, file: Entry) -> UserError:
    """What is wrong with a parameter of a section, such as "match.model", at the place where the user wrote it.

    That is the section itself where the parameter is missing, and another experiment or `defaults` where the parameter
    is inherited: then the message names the experiment that inherits it.
    """
    names = [*section, *(parameter.split(".") if parameter else [])]
    entry, missing = file, []
    for index, name in enumerate(names):
        entries = dict(enumerate(entry.value)) if isinstance(entry.value, list) else entry.value
        key = int(name) if isinstance(entry.value, list) and name.isdigit() else name
        if not isinstance(entries, dict) or key not in entries:
            missing = names[index:]
            break
        entry = entries[key]
    written = replace(entry, value=None, place=".".join([*filter(None, [entry.place]), *missing]))
    experiment = ".".join(names[:2])
    if names[:1] == ["experiments"] and len(names) > 2 and not f"{written.place}.".startswith(f"{experiment}."):
        message = f"{message} (inherited by {experiment})"
    return located(written, message)
