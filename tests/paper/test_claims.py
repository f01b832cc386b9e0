"""All claims together: what is written, in numbers and in words."""

from seeds import around, curves, with_seeds

from fvae import layout

CLEAR = {
    "detail": {"fvae": around(0.9), "vae": around(0.3)},
    "deviation": {"fvae": around(0.5), "vae": around(6.0)},
    "swd": {"fvae": around(20.0), "glow": around(30.0)},
    "curve": {"fvae": curves([60, 30, 25]), "glow": curves([60, 50, 40]), "vae": curves([60, 50, 40])},
}
NAMES = [
    *("a", "b", "b, level over images", "b, images to the threshold", "b, level over seconds"),
    *("b, seconds to the threshold", "c", "d", "e"),
]


def test_every_claim_says_its_verdict_its_reason_and_what_would_change_it(decided):
    found = decided(**CLEAR)
    assert [each["name"] for each in found] == NAMES
    for each in found:
        assert each["verdict"] in ("holds", "does not hold", "not decided here")
        assert each["reason"].endswith(".")
        assert each["change"].endswith(".")
        assert not each["test"].endswith(".")
    text = layout.claims("demo", "md").read_text()
    assert text.startswith("# The paper's claims in `demo`\n\nDecided from 5 seeds of each model by the rules of docs/")
    for each in found:
        assert f"**({each['name']}) {each['claim']}: {each['verdict']}.** {each['reason']}\n" in text
        assert all(f"\n* {sentence}\n" in text for sentence in each["evidence"])


def test_all_tests_of_an_experiment_are_corrected_together(decided):
    """Two tests each of five comparisons: detail, deviation, distance, and the level over images and seconds."""
    found = decided(**CLEAR)
    words = (
        "10 tests of 5 comparisons were made and corrected together by Holm's method: the smallest p was multiplied by"
    )
    assert words in layout.claims("demo", "md").read_text()
    tests = [
        (each["p"][name], each["corrected p"][name])
        for claim in found
        for each in claim["numbers"].get("comparisons", [])
        for name in each["p"]
        if not each["refused"]
    ]
    assert len(tests) == 10
    smallest = min(tests)
    assert abs(smallest[1] / smallest[0] - 5) < 1e-9  # as many can be true together as there are comparisons


def test_one_seed_decides_the_identity_alone(decided, experiments):
    found = decided(with_seeds(experiments["demo"], 1))
    assert {each["name"] for each in found if each["verdict"] != "not decided here"} == {"d"}
    assert "1 seed of each model" in layout.claims("demo", "md").read_text()
    assert "No test could be made." in layout.claims("demo", "md").read_text()
