"""The strict reader of parameter files: YAML 1.2 by ruamel.yaml, with which DVC reads the same file.

Each value keeps the place where it was written. What ruamel.yaml and other readers of YAML take for different values,
such as 010, is refused, and so is a key that stands twice.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML
from ruamel.yaml.error import MarkedYAMLError, YAMLError
from ruamel.yaml.nodes import MappingNode, Node, ScalarNode, SequenceNode

from fvae.errors import UserError

TAG = "tag:yaml.org,2002:"  # of YAML's own types
WHOLE_NUMBER = re.compile(r"-?(0|[1-9][0-9]*)")
NUMBER = re.compile(r"-?((0|[1-9][0-9]*)(\.[0-9]*)?|\.[0-9]+)([eE][-+]?[0-9]+)?")


@dataclass(frozen=True)
class Entry:
    """A value of the file and where it was written."""

    value: Any  # a scalar, a list of entries, or a dict of entries by name
    file: Path
    place: str  # such as "experiments.demo.training.images"
    line: int  # from 1

    def plain(self) -> Any:
        """The value as scalars, lists and dicts."""
        if isinstance(self.value, dict):
            return {name: entry.plain() for name, entry in self.value.items()}
        if isinstance(self.value, list):
            return [entry.plain() for entry in self.value]
        return self.value


def files(path: Path) -> list[Path]:
    """A parameter file, and those in the folder `experiments` beside it."""
    return [path, *sorted(path.parent.glob("experiments/*.yaml"))]


def read_all(path: Path) -> Entry:
    """The entries of a parameter file, with the experiments of those in the folder `experiments` beside it.

    Raises UserError where one of them holds anything but experiments, or one that stands in another file.
    """
    main, *others = map(read, files(path))
    experiments = main.value.get("experiments") if isinstance(main.value, dict) else None
    if experiments is None or not isinstance(experiments.value, dict):
        return main  # validation says what is wrong with it
    found = dict(experiments.value)
    for other in others:
        for name, entry in experiments_of(other).items():
            if name in found:
                raise located(entry, f"stands twice, first in {found[name].file}:{found[name].line}")
            found[name] = entry
    return replace(main, value=main.value | {"experiments": replace(experiments, value=found)})


def experiments_of(file: Entry) -> dict[str, Entry]:
    """The experiments of a file that holds nothing else. Raises UserError where it does."""
    sections = file.value if isinstance(file.value, dict) else {}
    for name, entry in sections.items():
        if name != "experiments":
            raise located(entry, "unknown; a file in this folder has only experiments")
    if "experiments" not in sections or not isinstance(sections["experiments"].value, dict):
        raise located(file, "must be a mapping with experiments by name under `experiments`")
    return sections["experiments"].value


def read(path: Path) -> Entry:
    """The file's entries. Raises UserError, with the line, where it is no UTF-8, no YAML, or ambiguous."""
    try:
        return parse(path, path.read_text(encoding="utf-8"))
    except FileNotFoundError as error:
        raise UserError(f"{path}: missing; run this in the project's folder") from error
    except OSError as error:
        raise UserError(f"{path}: {error.strerror}") from error
    except UnicodeDecodeError as error:
        line = error.object.count(b"\n", 0, error.start) + 1
        raise UserError(f"{path}:{line}: the text is not UTF-8; save the file as UTF-8") from error
    except YAMLError as error:
        place = f":{error.problem_mark.line + 1}" if isinstance(error, MarkedYAMLError) and error.problem_mark else ""
        raise UserError(f"{path}{place}: not YAML: {' '.join(str(error).split())}") from error


@lru_cache(maxsize=16)
def parse(path: Path, text: str) -> Entry:
    """The entries of a file's text, which is parsed once: ruamel.yaml takes 20 ms for params.yaml."""
    yaml = YAML(typ="safe", pure=True)
    document = yaml.compose(text)
    return Reader(path, yaml).entry(document, ()) if document else Entry(None, path, "", 1)


class Reader:
    """Turns nodes of YAML into entries."""

    def __init__(self, path: Path, yaml: YAML) -> None:
        self.path, self.yaml = path, yaml

    def entry(self, node: Node, place: tuple[str, ...]) -> Entry:
        """A node and all that is in it."""
        line = node.start_mark.line + 1
        if node.anchor:
            raise self.error(node, place, f"&{node.anchor}: anchors and aliases are not read; use `extends`")
        value: Any
        if isinstance(node, MappingNode) and node.tag == f"{TAG}map":
            value = dict(self.pairs(node, place))
        elif isinstance(node, SequenceNode) and node.tag == f"{TAG}seq":
            value = [self.entry(item, (*place, str(index))) for index, item in enumerate(node.value)]
        elif isinstance(node, ScalarNode):
            value = self.scalar(node, place)
        else:
            raise self.error(node, place, f"the tag {node.tag} is not read")
        return Entry(value, self.path, ".".join(place), line)

    def pairs(self, node: MappingNode, place: tuple[str, ...]) -> Iterator[tuple[str, Entry]]:
        """The entries of a mapping by name; each has the line of its name."""
        lines: dict[str, int] = {}
        for key, item in node.value:
            name = key.value
            if not isinstance(key, ScalarNode) or key.tag != f"{TAG}str" or key.anchor:
                raise self.error(key, place, f"a name must be text, not {name if isinstance(name, str) else 'a list'}")
            line = key.start_mark.line + 1
            if name in lines:
                raise self.error(key, (*place, name), f"stands twice, first in line {lines[name]}")
            lines[name] = line
            entry = self.entry(item, (*place, name))
            yield name, replace(entry, line=line)

    def scalar(self, node: ScalarNode, place: tuple[str, ...]) -> str | int | float | bool | None:
        """The value of a scalar as ruamel.yaml, and with it DVC, reads it."""
        kind, text = str(node.tag).removeprefix(TAG), node.value
        if kind not in ("str", "int", "float", "bool", "null"):
            raise self.error(node, place, f"{text} is read as a {kind}; put it in quotes if it is text")
        if kind == "int" and not WHOLE_NUMBER.fullmatch(text):
            raise self.error(node, place, f"{text} is ambiguous; write a whole number in decimal digits, as in 8 or -1")
        if kind == "float" and not NUMBER.fullmatch(text):
            raise self.error(node, place, f"{text} is no finite number, or ambiguous; write it as in 0.5 or 1.0e-3")
        return self.yaml.constructor.construct_object(node)

    def error(self, node: Node, place: tuple[str, ...], message: str) -> UserError:
        """An error at a node."""
        return located(Entry(None, self.path, ".".join(place), node.start_mark.line + 1), message)


def located(entry: Entry, message: str) -> UserError:
    """An error at an entry: `params.yaml:37: experiments.demo.training.images: message`."""
    return UserError(f"{entry.file}:{entry.line}: {entry.place or 'the file'}: {message}")
