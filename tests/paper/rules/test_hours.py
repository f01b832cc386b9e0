"""Claim (c): hours count on that card, on those images, of that model, and are told otherwise."""

import pytest
from seeds import with_claims

CARD = "NVIDIA GeForce GTX 1060 6GB"
CELEBA_HQ = {"form": "CelebA-HQ, Kaggle's", "splits": {"train": 26_460, "validation": 540, "test": 3_000}}
CELEBA_HQ |= {"images_sha256": "0", "mean": [0.0] * 3, "std": [1.0] * 3}
AUTHORS = {"parameters": 95_830_082, "effective_parameters": 58_081_346, "macs": 10**9}


@pytest.fixture
def hours(claim, experiments):
    def decide(hours=7.5, experiment="celeba64", manifest=CELEBA_HQ, size=AUTHORS, images=4_800_000, device=CARD):
        changed = with_claims(experiments[experiment], vae=(), glow=())
        seconds = [3600 * each for each in (hours if isinstance(hours, list) else [hours] * 5)]
        return claim(
            "c",
            changed,
            sizes={"fvae": size},
            manifest=manifest,
            seconds={"fvae": seconds},
            images={"fvae": images},
            device={"fvae": device},
        )

    return decide


def test_the_paper_s_hours(hours):
    assert hours()["verdict"] == "holds"
    assert hours(5.0)["verdict"] == "holds"
    assert hours(11.0)["verdict"] == "does not hold"
    assert hours(35.0, "celeba128")["verdict"] == "holds"
    assert hours(37.0, "celeba128")["verdict"] == "does not hold"
    found = hours([7.0, 7.5, 9.0, 7.0, 7.1])
    assert found["verdict"] == "not decided here"
    assert "The trainings differ" in found["said"]


def test_hours_are_scaled_to_the_authors_images(hours):
    found = hours(7.5, images=4_400_000)  # 8.2 hours for 4.8 million
    assert found["verdict"] == "does not hold"
    assert found["numbers"]["hours of 4.8 M images"] == pytest.approx([7.5 * 48 / 44] * 5)


@pytest.mark.parametrize(
    ("values", "reason"),
    [
        ({"device": "NVIDIA H100"}, "another device"),
        ({"device": "Intel Core i7-1060G7, 4 threads"}, "another device"),
        ({"device": "NVIDIA GeForce GTX 1060; NVIDIA H100"}, "another device"),
        ({"images": 3_960_000}, "another length of training"),
        ({"size": AUTHORS | {"parameters": 10**6}}, "another number of parameters"),
        ({"manifest": CELEBA_HQ | {"form": "CelebA, aligned"}}, "other images than CelebA-HQ"),
        ({"manifest": CELEBA_HQ | {"form": "parquet"}}, "other images than CelebA-HQ"),
        ({"manifest": CELEBA_HQ | {"splits": {"train": 10_000, "test": 100}}}, "other images than CelebA-HQ"),
        ({"manifest": {key: CELEBA_HQ[key] for key in CELEBA_HQ if key != "form"}}, "other images than CelebA-HQ"),
    ],
)
def test_hours_of_something_else_are_told_and_not_decided(hours, values, reason):
    found = hours(**values)
    assert found["verdict"] == "not decided here"
    assert f"here it is {reason}." in found["said"]
    assert "4.8 million images at 64×64 take" in found["said"]


def test_drawn_portraits_are_not_celeba_hq(claim):
    found = claim("c")
    assert found["verdict"] == "not decided here"
    for part in ("another device", "other images than CelebA-HQ", "another size of images"):
        assert part in found["said"]
