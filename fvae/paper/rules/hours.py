"""Claim (c): how long the f-VAE trains on CelebA-HQ on one graphics card."""

from __future__ import annotations

from typing import Any

from fvae import layout
from fvae.data.dataset import Manifest
from fvae.data.forms import CELEBA_HQ, FORMS
from fvae.files import read_json
from fvae.paper import style
from fvae.paper.claim import FAILS, HOLDS, Claim
from fvae.paper.rules.comparison import listed
from fvae.paper.rules.draft import Draft
from fvae.paper.rules.measured import Measured
from fvae.paper.rules.similar import agree
from fvae.params import Images

CLAIM = "CelebA-HQ on a GTX 1060 takes 7 to 8 hours at 64×64, 1.5 days at 128×128"
CARD = "GTX 1060"
HOURS = {64: 8.0, 128: 36.0}  # by size, at most
IMAGES_SEEN = 4_800_000  # 150 'epochs' of 1,000 steps of 32 images
PARAMETERS = 95_830_082  # of the authors' f-VAE, at both sizes
NEAR = 1.10  # the largest ratio to the authors' images and parameters
COMPLETE = 1.01  # and to CelebA-HQ's number of images


def drafts(measured: Measured) -> list[Draft]:
    """The claim about each f-VAE."""
    return [Draft(claim(measured, model)) for model in measured.experiment.claims.fvae]


def claim(measured: Measured, model: str) -> Claim:
    """The claim about one f-VAE, decided."""
    size = measured.experiment.data.size
    seen, costs = measured.images(model), measured.costs[model]
    hours = [cost["seconds"] / 3600 * IMAGES_SEEN / images for cost, images in zip(costs, seen, strict=True)]
    devices = ", ".join(style.devices(costs))
    decided = Claim(
        "c",
        f"{CLAIM} ({style.label(model)})",
        "on one such card, on CelebA-HQ itself, with the authors' number of parameters and of images within 10 %: at "
        "most 8 hours at 64×64 or 36 at 128×128 in every training, scaled to 4.8 million images",
        numbers={"hours of 4.8 M images": hours, "images seen": seen, "device": devices, "size": size},
    )
    decided.evidence = [f"4.8 million images at {size}×{size} take {listed(hours)} hours on {devices}."]
    if other := differs(measured, model, seen, devices):
        decided.reason = f"The claim is about something else: here it is {', '.join(other)}."
        decided.change = "Trainings that meet these conditions."
        return decided
    within = [each <= HOURS[size] for each in hours]
    if all(within) or not any(within):
        decided.verdict, decided.change = HOLDS if all(within) else FAILS, "Other hours on such a card."
        decided.reason = f"{'Every' if all(within) else 'No'} training took at most {HOURS[size]:g} hours."
    else:
        decided.reason, decided.change = "The trainings differ.", "Trainings that agree."
    return decided


def differs(measured: Measured, model: str, seen: list[int], devices: str) -> list[str]:
    """What is not as the claim says."""
    experiment = measured.experiment
    conditions = {
        "another device": all(CARD in device for device in style.devices(measured.costs[model])),
        "several devices": experiment.training.devices == 1,
        "other images than CelebA-HQ": is_celeba_hq(measured),
        "another size of images": experiment.data.size in HOURS,
        "another number of parameters": agree(measured.sizes[model]["parameters"], PARAMETERS, NEAR),
        "another length of training": all(agree(images, IMAGES_SEEN, NEAR) for images in seen),
    }
    return [what for what, met in conditions.items() if not met]


def is_celeba_hq(measured: Measured) -> bool:
    """Whether the prepared images were read from files that are numbered as CelebA-HQ's, and are all of them."""
    if not isinstance(measured.experiment.data, Images):
        return False
    manifest: dict[str, Any] = read_json(
        layout.data(measured.name) / "manifest.json", f"prepare --experiment {measured.name}", Manifest
    )
    numbered = {form.name for form in FORMS if form.indexed}
    return manifest.get("form") in numbered and agree(sum(manifest["splits"].values()), CELEBA_HQ, COMPLETE)
