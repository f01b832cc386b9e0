"""Results of an experiment that are made up, and the claims that follow from them."""

import json

import numpy as np
import pandas as pd
import pytest
from measurements import MEASURED_FID, NO_WEIGHTS, floor, write_json, write_metrics
from seeds import around, curves, with_seeds

from fvae import layout, params
from fvae.paper import claims

SIZE = {"parameters": 10**6, "effective_parameters": 10**6, "macs": 10**7, "noise": [1]}
MODELS = {"family": ("vae", "glow", "mixture", "fvae", "fvae_reduced")}
LATENT = {"dims": 3072, "shapes": []}


@pytest.fixture(scope="session")
def experiments():
    """Some of params.yaml with five seeds, few models, and limits of their own."""
    found = params.load("params.yaml").experiments
    return {name: with_seeds(pinned(found[name], MODELS.get(name, ("vae", "glow", "fvae"))), 5) for name in found}


def pinned(experiment, models):
    """An experiment with these models alone, and with claims that do not depend on params.yaml."""
    limits = {"portrait_distance": 400.0, "precision": 0.3, "swd": 80.0}
    claims = {"fvae": ["fvae"], "vae": ["vae"], "glow": ["glow"], "plausible": limits}
    claims |= {"threshold": {"portrait_distance": 200.0, "swd": 40.0}}
    kept = {name: experiment.models[name] for name in models if name in experiment.models}
    return experiment.model_copy(update={"models": kept, "claims": params.Claims.model_validate(claims)})


@pytest.fixture
def decided(experiments, tmp_path, monkeypatch):
    """A function that writes what was measured and gives the claims, by name and models.

    Each keyword has numbers of each seed by model; what is left out is plausible, and a clear difference for nobody.
    """
    monkeypatch.chdir(tmp_path)

    def decide(experiment=None, sizes=None, manifest=None, **values):
        experiment = experiment or experiments["demo"]
        seeds = len(experiment.seeds)
        for model, spec in experiment.models.items():
            size = SIZE | {"latent": LATENT} | (sizes or {}).get(model, {})
            write_json(layout.model("demo", model), {"spec": spec.model_dump(mode="json"), "size": size})
            for place, seed in enumerate(experiment.seeds):
                write_run(layout.Run("demo", model, seed), place, seeds, spec.kind, values)
        write_json(layout.floor("demo"), floor())
        if manifest:
            write_json(layout.data("demo") / "manifest.json", manifest)
        claims.write("demo", experiment)
        found = json.loads(layout.claims("demo", "json").read_text())
        for each in found:
            each["said"] = " ".join([each["reason"], *each["evidence"]])
        assert len({claim["claim"] for claim in found}) == len(found)
        return found

    return decide


def write_run(run, place, seeds, kind, values):
    """All files of one training that the claims read."""

    def of(name, fallback):
        return values.get(name, {}).get(run.model, fallback)[place]

    fid = values.get("fid", {}).get(run.model)
    inception = MEASURED_FID | {"fid": fid[place], "precision": of("precision", [0.5] * seeds)} if fid else NO_WEIGHTS
    write_metrics(
        run,
        exact=kind == "flow",
        swd={"mean": of("swd", around(30.0, 0.2, seeds))},
        fid=inception,
        sharpness={
            "deviation_db": of("deviation", around(2.0, 0.2, seeds)),
            "reconstructions": {"detail": of("detail", around(0.8, 0.2, seeds)), "high_frequency_db": 0.0}
            | {"psnr": 20.0, "ssim": 0.9, "images": 30},
        },
        special_case={"difference": of("difference", [1e-12] * seeds)},
        portrait_distance={
            "portrait_distance": of("portrait", [None] * seeds),
            "standard_deviation": None,
            "reason": values.get("portrait_reason", None if "portrait" in values else "these are photographs"),
        },
    )
    distances = of("curve", curves([60, 45, 35, 31, 30], 0.2, seeds))
    images = values.get("images", {}).get(run.model, 60_000)
    seconds = of("seconds", [500.0] * seeds)
    shares = np.linspace(1, len(distances), len(distances)) / len(distances)
    history = {"images": (images * shares).astype(int), "seconds": seconds * shares}
    history |= {"train_bpd": 5.0, "bpd": 5.0, "swd": distances}
    if "portrait_curve" in values:
        history["portrait_distance"] = of("portrait_curve", None)
    pd.DataFrame(history).to_csv(run.history, index=False)
    device = values.get("device", {}).get(run.model, "a toaster")
    write_json(run.training, {"seconds": seconds, "device": device, "peak_memory": 2**30})


@pytest.fixture
def claim(decided):
    """A function as `decided` that gives the only claim of a name."""

    def only(name, experiment=None, **values):
        (found,) = (each for each in decided(experiment, **values) if each["name"] == name)
        return found

    return only
