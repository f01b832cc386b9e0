"""The API pages: they list every module, and the docstrings that they show say what a reader needs."""

import importlib
import inspect
import pkgutil
import re
from pathlib import Path

import pytest

import fvae.flows
import fvae.library
import fvae.models
import fvae.networks
import fvae.objective

API = "\n".join(path.read_text() for path in (Path(__file__).parents[1] / "docs/api").glob("*.md"))
SHOWN = set(re.findall(r"^::: ([\w.]+)", API, re.M))
PACKAGES = (fvae.flows, fvae.models, fvae.networks)
MODULES = sorted(
    f"{package.__name__}.{module.name}" for package in PACKAGES for module in pkgutil.iter_modules(package.__path__)
)
IN_THE_PAGE = {"fvae.objective.LatentModel.posterior", "fvae.objective.LatentModel.log_likelihood"}  # said in its text
# They keep the shape of what they are given, or, the last one, take what `objective` takes.
SAME_SHAPE = {
    "fvae.flows.coupling.halves",
    "fvae.flows.coupling.reordered",
    "fvae.flows.layer.soft_clamp",
    "fvae.networks.blocks.pixel_norm",
    "fvae.objective.objective_of",
}
SHAPE = re.compile(r"\((N|n|C|C'|outputs|steps)[,)]|scalar|dimension|→")


def public(module):
    """(name, object, its class) of each public class, function and method that a module defines."""
    for name, found in vars(module).items():
        if name.startswith("_") or getattr(found, "__module__", None) != module.__name__:
            continue
        yield f"{module.__name__}.{name}", found, None
        if inspect.isclass(found):
            for method, value in vars(found).items():
                if not method.startswith("_") and (inspect.isfunction(value) or isinstance(value, property)):
                    yield f"{module.__name__}.{name}.{method}", getattr(found, method), found


LISTED = [
    entry
    for name in [*MODULES, "fvae.objective", "fvae.networks", "fvae.library.trained_model", "fvae.library.images"]
    for entry in public(importlib.import_module(name))
    if entry[0] not in IN_THE_PAGE
]


def test_every_module_is_on_a_page():
    assert set(MODULES) <= SHOWN
    assert {f"fvae.library.{name}" for name in fvae.library.__all__} - {"fvae.library.load_model"} <= SHOWN


def signature(found):
    """How a function or property is called, as text; empty for a class."""
    if inspect.isclass(found):
        return ""
    return str(inspect.signature(found.fget if isinstance(found, property) else found))


@pytest.mark.parametrize(("name", "found", "owner"), LISTED, ids=[entry[0] for entry in LISTED])
def test_a_public_name_says_what_it_takes_and_gives(name, found, owner):
    """The shapes of a method's tensors may stand in the docstring of its class or of the class that this extends."""
    text = inspect.getdoc(found)
    assert text, f"{name} has no docstring"
    if re.search("Tensor|ndarray", signature(found)) and name not in SAME_SHAPE:
        classes = [each for each in (owner.__mro__ if owner else ()) if each.__module__.startswith("fvae.")]
        said = "\n".join([text, *(inspect.getdoc(each) or "" for each in classes)])
        assert SHAPE.search(said), f"{name} does not say the shapes of its tensors"
