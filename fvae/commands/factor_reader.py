"""The `factor-reader` command: train the network of the portrait distance again, and describe it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from fvae.evaluation.factor_reader.network import SHA256, WEIGHTS
from fvae.evaluation.factor_reader.training import train
from fvae.files import write_json, write_text
from fvae.provenance import package_versions

CARD = """# The factor reader

A convolutional network of {parameters:,} parameters that reads the factors of a drawn portrait from 32×32 pixels:
kinds, such as the style of hair, and numbers, such as the turn of the head. Its last layer but one has 64 features. The
portrait distance is a Fréchet distance in them. Images of another size are brought to 32×32 by area.

* **Data**: portraits 0 to {last:,} of seed {seed:,}, which no experiment can have, {epochs} times each; half of them
  mirrored, a quarter of them with 5 bits. No image was blurred, noisy or otherwise corrupted, so that the features
  are free to change where an image does.
* **Command**: `python -m fvae factor-reader`, {minutes:.0f} minutes of one processor core.
* **Weights**: `weights.safetensors`, SHA-256 `{weights_sha256}`.
* **Limits**: it knows only drawn portraits. Of photographs it says nothing.

This page and `card.json`, which has the numbers, are written by that command.

## Kinds: the share of held-out portraits that is read rightly

A guess of the most frequent kind would reach the last column. Some kinds cannot always be seen: a hat hides hair, hair
hides earrings.

{kinds}

## Numbers: the share of the variance that is explained (R²)

Of a colour it is the mean over red, green and blue.

{numbers}
"""


def run(folder: Path | None = None) -> None:
    """Write weights.safetensors, card.json and card.md to a folder, by default that of the package.

    Says how to adopt the weights where they are new.
    """
    folder = folder or WEIGHTS.parent
    made = train(folder) | {"versions": package_versions()}
    write_json(folder / "card.json", made)
    write_text(folder / "card.md", card(made))
    if made["weights_sha256"] == SHA256:
        print(f"fvae: {folder}: the same weights as before")
    else:
        place = f"put the files into {WEIGHTS.parent} and set SHA256 in network.py"
        print(f"fvae: {folder}: other weights than before; to use them {place}")


def card(made: dict[str, Any]) -> str:
    """card.md from the content of card.json."""
    views = made["held_out"]
    first = next(iter(views.values()))
    heads = [f"{name} ({view['images']:,})" for name, view in views.items()]
    kinds = [
        [
            name,
            *(f"{view['kinds'][name]['read_rightly']:.1%}" for view in views.values()),
            f"{guess['most_frequent']:.1%}",
        ]
        for name, guess in first["kinds"].items()
    ]
    numbers = [[name, *(f"{view['numbers'][name]:.2f}" for view in views.values())] for name in first["numbers"]]
    return CARD.format(
        **made,
        last=made["portraits"] - 1,
        minutes=made["processor_seconds"] / 60,
        kinds=table(["factor", *heads, "most frequent"], kinds),
        numbers=table(["factor", *heads], numbers),
    )


def table(head: list[str], rows: list[list[str]]) -> str:
    """A table in Markdown."""
    lines = [head, ["---"] * len(head), *([cell.replace("_", " ") for cell in row] for row in rows)]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)
