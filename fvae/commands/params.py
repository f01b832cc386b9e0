"""The command `params`: an experiment with all that it inherits."""

from __future__ import annotations

import sys

from ruamel.yaml import YAML

from fvae.params import load


def run(experiment: str) -> None:
    """Print the resolved section of an experiment as YAML. Raises UserError where there is no such experiment."""
    yaml = YAML(typ="safe", pure=True)
    yaml.default_flow_style = False
    yaml.sort_base_mapping_type_on_output = False  # type: ignore[assignment] # which ruamel.yaml declares as None
    yaml.dump(load().experiment(experiment).model_dump(mode="json"), sys.stdout)
