"""Portraits are painted in layers from back to front; a signed distance gives each layer's opacity."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from fvae.data.portraits.canvas import SAMPLES, Canvas, Fields
from fvae.data.portraits.people import factors, rgb, words
from fvae.data.portraits.shapes import (
    Array,
    bump,
    choose,
    dome,
    ellipse,
    smooth_max,
    wave,
)
from fvae.errors import UserError

SIZES = (16, 1024)
LANES = np.uint64(0x0000FFFF0000FFFF)
CHUNK = 2**17  # samples painted at a time: arrays of this length stay in a processor's cache

# Hair: opacity, lift above the skull, width beside it, where it ends (y), how far the hairline is lowered, its arch,
# half the width of the face's window, curl, bun
STYLE = ("hair_cover", "lift", "side", "end", "low", "arch", "window_width", "curl", "bun")
STYLES = {
    "bald": (0.0, 0.0, 0.0, 0.0, 0.0, 0.6, 0.58, 0.0, 0.0),
    "buzz": (0.75, 0.012, 0.008, -0.06, -0.03, 0.8, 0.52, 0.0, 0.0),
    "crop": (1.0, 0.1, 0.03, -0.02, -0.02, 1.0, 0.5, 0.15, 0.0),
    "quiff": (1.0, 0.19, 0.012, -0.06, -0.07, 0.35, 0.51, 0.1, 0.0),
    "afro": (1.0, 0.22, 0.22, 0.28, 0.0, 0.6, 0.49, 1.0, 0.0),
    "curly": (1.0, 0.16, 0.13, 0.3, 0.02, 0.6, 0.47, 0.8, 0.0),
    "bob": (1.0, 0.09, 0.12, 0.52, 0.02, 1.0, 0.45, 0.0, 0.0),
    "long": (1.0, 0.08, 0.1, 1.6, 0.0, 1.25, 0.44, 0.06, 0.0),
    "wavy": (1.0, 0.12, 0.17, 1.6, 0.0, 1.1, 0.44, 0.5, 0.0),
    "fringe": (1.0, 0.09, 0.11, 0.75, 0.21, 0.1, 0.45, 0.0, 0.0),
    "bun": (1.0, 0.03, 0.012, -0.05, -0.06, 0.75, 0.52, 0.0, 1.0),
}


def draw(indices: Sequence[int] | NDArray[np.integer], size: int, seed: int) -> NDArray[np.uint8]:
    """Portraits by number: each depends only on seed, index and size, whatever else is drawn beside it.

    Args:
        indices: (N,) numbers of portraits, from 0.
        size: height and width in pixels, 16 to 1024; another size shows the same people, with other grain.
        seed: names the set.

    Returns:
        (N, 3, size, size) RGB, uint8.

    Raises:
        UserError: if the size is out of range or an index is negative.
    """
    indices = np.asarray(indices, dtype=np.int64).reshape(-1)
    if not SIZES[0] <= size <= SIZES[1]:
        raise UserError(f"size: {size} pixels; drawn portraits have {SIZES[0]} to {SIZES[1]}")
    if (indices < 0).any():
        raise UserError(f"indices: {indices.min()}; portraits are numbered from 0")
    people = factors(indices, seed)
    images = np.empty((len(indices), 3, size, size), dtype=np.uint8)
    step = max(1, CHUNK // (SAMPLES * size) ** 2)
    for start in range(0, len(indices), step):
        part = slice(start, start + step)
        some = {name: values[part] for name, values in people.items()}
        bits = words(seed, indices[part], f"grain {size}", 3 * size * size).T
        images[part] = _develop(_paint(some, size), some["grain"], bits)
    return images


def _develop(linear: Array, grain: Array, bits: NDArray[np.uint64]) -> NDArray[np.uint8]:
    """Linear light (N, 3, S, S) to 8-bit pixels, with grain of a standard deviation (N,) from words (N, 3·S·S)."""
    pairs = (bits & LANES) + (bits >> np.uint64(16) & LANES)  # of four uniform numbers of 16 bits each
    bell = (pairs + (pairs >> np.uint64(32)) & np.uint64(2**32 - 1)).astype(np.int64) - 2 * 65535
    bell = bell.reshape(linear.shape)
    scale = (grain * 3**0.5 / 65536).astype(np.float32).reshape(-1, 1, 1, 1)
    levels = 255 * np.sqrt(np.minimum(linear, 1)) + scale * bell.astype(np.float32)
    return np.clip(np.rint(levels), 0, 255).astype(np.uint8)


def _paint(people: dict[str, Array], size: int) -> Array:
    """Factors to linear light (N, 3, size, size)."""
    f = _fields(people, size)
    c = Canvas(np.empty((3, *f.shape), dtype=np.float32), size)
    _background(c, f)
    f.window = _window(f)
    hair = f.only(_near_hair(c, f))
    c.within(hair, _hair_shape, _hair_behind)
    c.within(f.only(_near_body(c, f)), _body)
    c.within(f.only(_near_ears(c, f)), _ears)
    c.within(f.only(_near_face(c, f)), _face)
    c.within(hair, _hair_before)
    c.within(f.only(f.hat > 0), _hat)
    warmth = np.stack([1 + f.light_warmth, np.ones_like(f.light_warmth), 1 - f.light_warmth])
    c.image *= warmth * f.light_strength
    return c.pixels()


def _fields(people: dict[str, Array], size: int) -> Fields:
    """The factors, in single precision and linear light, and what follows from them for all layers."""
    f = Fields(len(people["grain"]), SAMPLES * size)
    for name, values in people.items():
        colour = values.ndim == 2
        values = (np.minimum(values, 0.94) ** 2 if colour else values).astype(np.float32)
        setattr(f, name, values.T.reshape((3, -1, 1, 1) if colour else (-1, 1, 1)))
    _style(f)
    _pose(f)
    return f


def _colour(word: str) -> Array:
    return (rgb(word) ** 2).astype(np.float32).reshape(3, 1, 1, 1)


WHITE, CREAM, BLACK, SHADOW, GOLD = map(_colour, ("ffffff", "efe9e2", "161214", "3a1f1a", "e3c77c"))
FLUSH, LIPS, THROAT = map(_colour, ("c8504a", "e8a09a", "4a1a1c"))


def _style(f: Fields) -> None:
    """The numbers of each portrait's style of hair."""
    table = np.array(list(STYLES.values()), dtype=np.float32)[f.hair.astype(int)]
    for name, values in zip(STYLE, np.moveaxis(table, -1, 0), strict=True):
        setattr(f, name, values)
    f.side, f.lift = f.side * f.hair_volume, f.lift * f.hair_volume


def _pose(f: Fields) -> None:
    """Coordinates of the frame (right, down), from -1 to 1, and of the body; and the light.

    Those of the head are (hx, hy), upright in its own plane, and (u, v) on its front as it turns.
    """
    samples = f.shape[-1]
    ticks = ((np.arange(samples) + 0.5) * 2 / samples - 1).astype(np.float32)
    f.right, f.down = (np.ascontiguousarray(np.broadcast_to(each, f.shape)) for each in (ticks, ticks[:, None]))
    f.body_x, f.body_y = x, y = (f.right - f.x) / f.scale, (f.down - f.y) / f.scale
    cos = 1 / np.sqrt(1 + f.roll * f.roll)
    sin = f.roll * cos
    f.hx, f.hy = cos * x + sin * y, cos * y - sin * x
    px, py = f.hx / f.head_width, f.hy / f.head_length
    depth = np.sqrt(np.clip(1 - 0.85 * (px * px + py * py), 0.02, 1))
    f.u = f.hx - f.head_width * f.yaw * depth
    f.v = f.hy - f.head_length * f.pitch * depth
    length = np.sqrt(f.light_x * f.light_x + f.light_y * f.light_y + 1)
    f.light = np.stack([f.light_x / length, f.light_y / length, 1 / length])
    f.wide = f.head_width / 0.535
    f.skull = 0.9 * f.head_length


def _lit(f: Fields, nx: Array, ny: Array | float) -> Array:
    """How bright a surface is whose normal is (nx, ny, ·): light that wraps around, and light from everywhere."""
    lx, ly, lz = f.light
    facing = nx * lx + ny * ly + np.sqrt(np.clip(1 - nx * nx - ny * ny, 0, 1)) * lz
    wrapped = np.maximum(0.35 + 0.65 * facing, 0)
    return 1 - f.contrast + f.contrast * 1.25 * wrapped


def _background(c: Canvas, f: Fields) -> None:
    t = np.clip(0.5 + 0.5 * (f.right * f.gradient_x + f.down * f.gradient_y), 0, 1)
    c.image[:] = f.background + (f.background_2 - f.background) * (t * t * (3 - 2 * t))
    c.within(f.only(f.texture == 1), _spots)
    c.within(f.only(f.texture == 2), _panels)


def _spots(c: Canvas, f: Fields) -> None:
    """Lights out of focus."""
    place, spots = f.texture_place, np.zeros_like(f.right)
    for k in range(5):
        x, y = wave(place * (3 + k) + 0.31 * k), wave(place * (5 - k) + 0.17 * k) - 0.3
        spots = spots + c.cover(ellipse(f.right - x, f.down - y, 0.16 + 0.03 * k, 0.16 + 0.03 * k), 0.06)
    c.paint(WHITE, f.texture_weight * np.minimum(spots, 1.6) * (f.texture == 1) * 0.8)


def _panels(c: Canvas, f: Fields) -> None:
    panels = c.cover(0.25 * wave(0.9 * f.right + f.texture_place), 0.08)
    c.paint(BLACK, f.texture_weight * panels * (f.texture == 2) * 1.4)


def _hair_size(f: Fields) -> tuple[Array, Array]:
    """Half the width of the hair, in each line, and its height above the eyes."""
    below = np.maximum(f.hy, 0)
    return f.head_width + f.side + 0.08 * below * (f.end > 0.4), f.skull + 0.02 + f.lift


def _near_hair(c: Canvas, f: Fields) -> NDArray[np.bool_]:
    width, height = _hair_size(f)
    beside = np.abs(f.hx + 0.1 * f.yaw) < width + 0.1 + c.step
    above = f.hy > -height - 0.06 - 0.2 * f.bun - c.step
    return beside & above & (f.hy < f.end + c.step) & (f.hair_cover > 0)


def _hair_shape(c: Canvas, f: Fields) -> None:
    """The outline of the hair, its strands and its light."""
    x, y = f.hx + 0.1 * f.yaw, f.hy
    curls = wave(3.4 * x + f.strands) + wave(3.1 * y - 2 * f.strands)
    curls = curls + 0.6 * wave(6.3 * (x + y) + 3 * f.strands)
    width, height = _hair_size(f)
    outline = dome(x, y, width, height) + 0.016 * f.curl * curls
    outline = smooth_max(outline, y - f.end, 0.15)
    bun = ellipse(x - 0.1 * f.parting, y + height + 0.05, 0.2, 0.17)
    f.hair_distance = np.maximum(np.minimum(outline, bun + 1 - f.bun), -_hat_line(f) - 9 * (1 - f.hat))
    fall = (x - f.parting) / (y + height + 0.45)
    strands = sum(c.fine(0.8 * k) * wave(k * fall + k * f.strands) for k in (9, 17, 31))
    clumps = wave(4.3 * fall + 5 * f.strands)
    texture = strands + clumps + f.curl * (0.8 * curls - strands)
    nx, ny = np.clip(x / width, -1, 1), np.clip(np.minimum(y, 0) / height, -1, 1)
    shine = bump(((ny + 0.62 - 0.2 * nx * nx + 0.03 * strands) / 0.3) ** 2) * (1 - 0.7 * f.curl)
    f.hair_shade = _lit(f, nx, ny) * (1 + 0.11 * texture) + 0.28 * shine * np.maximum(1 - nx * nx, 0)


def _window(f: Fields) -> Array:
    """The distance to the window that the hair leaves to the face."""
    across = f.u - f.parting
    tufts = (0.01 + 0.035 * f.low) * (wave(6.1 * f.u + f.strands) + wave(14.3 * f.u))
    edge = f.hairline + f.low + f.arch * across * across + tufts
    edge -= 0.05 * bump(((np.abs(f.u) - 0.3) / 0.16) ** 2) * (f.end < 0.2)
    sides = np.abs(f.u) - f.wide * (f.window_width - 0.1 * np.maximum(f.v, 0))
    return smooth_max(edge - f.v, sides, 0.12)


def _hair_behind(c: Canvas, f: Fields) -> None:
    c.paint(f.hair_colour, c.cover(f.hair_distance) * (f.hair_cover > 0.9), 0.55 * f.hair_shade)


def _shoulders(f: Fields) -> Array:
    ax = np.abs(f.body_x)
    return 0.76 + 0.08 * ax + 0.26 * ax * ax - f.body_y


def _near_body(c: Canvas, f: Fields) -> NDArray[np.bool_]:
    neck = np.abs(f.body_x) < 0.29 + c.step
    return (f.body_y > -c.step) & (neck | (_shoulders(f) < c.step))


def _body(c: Canvas, f: Fields) -> None:
    x, y = f.body_x, f.body_y
    ax = np.abs(x)
    neck = ax - 0.235 - 0.25 * np.maximum(y - 0.72, 0)
    chin = ellipse(f.hx + 0.06 * f.light_x, f.hy - 0.14, 0.85 * f.head_width, f.head_length)
    shadow = 1 - 0.5 * c.cover(chin, 0.3)
    shade = _lit(f, np.clip(x / 0.3, -1, 1), 0.3) * shadow
    c.paint(f.skin, c.cover(np.maximum(neck, -y)), shade)
    shoulders = _shoulders(f)
    kind = f.neckline
    cut = np.where(kind == 0, ellipse(x, y - 0.72, 0.31, 0.2), ax + 0.55 * (y - 1.08))
    high = np.maximum(ax - 0.275, 0.66 - y)
    cloth = np.where(kind == 3, np.minimum(shoulders, high), np.maximum(shoulders, -cut))
    folds = 0.05 * wave(1.6 * x + 0.5 * y + f.strands)
    stripes = 0.25 * f.stripes * c.cover(0.04 * wave(7 * y - 1.2 * x * x))
    hem = np.where(kind == 2, np.abs(cut - 0.11), np.abs(cut - 0.02)) - 0.012
    hem = 1 - 0.3 * c.cover(hem, 0.015) * (kind != 3)
    shade = (_lit(f, np.clip(0.7 * x, -1, 1), -0.25) + folds) * (1 - stripes) * hem * (0.75 + 0.25 * shadow)
    c.paint(f.clothes, c.cover(cloth), shade)


def _beside_head(f: Fields) -> Array:
    return np.abs(f.hx + 0.12 * f.yaw) - f.head_width - 0.005


def _near_ears(c: Canvas, f: Fields) -> NDArray[np.bool_]:
    height = (f.hy > -0.12 - 1.2 * c.step) & (f.hy < 0.23 + 1.2 * c.step)
    return height & (np.abs(_beside_head(f)) < 0.065 + 0.6 * c.step)


def _ears(c: Canvas, f: Fields) -> None:
    """Both at once; the head, painted over them, hides the one on the side that it turns to."""
    ex = _beside_head(f)
    ear = ellipse(ex, f.hy - 0.02, 0.06, 0.135)
    inner = bump((ex / 0.035) ** 2 + ((f.hy - 0.01) / 0.085) ** 2)
    c.paint(f.skin, c.cover(ear), _lit(f, np.clip(f.hx, -0.9, 0.9), 0) * (0.88 - 0.3 * inner))
    ring = ellipse(ex - 0.005, f.hy - 0.19, 0.028, 0.034)
    c.paint(GOLD, c.cover(ring) * f.earrings, 1 - 8 * ex)


def _near_face(c: Canvas, f: Fields) -> NDArray[np.bool_]:
    """The head with a beard, which reaches over its edge; and eyes and glasses, which do where it turns far."""
    _head_shape(c, f)
    eyes = (np.abs(f.u) < (0.5 + c.step) * f.wide) & (np.abs(f.v + 0.08) < 0.27 + 1.5 * c.step)
    return eyes | (f.head < 0.05 + c.step)


def _face(c: Canvas, f: Fields) -> None:
    _skin_shade(c, f)
    _skin(c, f)
    c.within(f.only(_near_nose(c, f)), _nose)
    c.within(f.only(_near_eyes(c, f)), _eyes)
    c.within(f.only(_near_mouth(c, f)), _mouth)
    c.within(f.only(_near_beard(c, f)), _beard)
    c.within(f.only(_near_brows(c, f)), _brows)
    c.within(f.only(_near_glasses(c, f)), _glasses)


def _head_shape(c: Canvas, f: Fields) -> None:
    """A dome above, a jaw between pointed and square below."""
    below = np.maximum(f.hy, 0) / f.head_length
    b2 = below * below
    taper = 1 - (0.3 - 0.2 * f.jaw) * b2
    px = f.hx / (f.head_width * taper)
    jaw = b2 + (0.2 + 0.5 * f.jaw) * (b2 * b2 - b2)
    radius = np.sqrt(px * px + jaw)
    chin = (radius - 1) * (f.head_width + (f.head_length - f.head_width) * np.minimum(b2, 1))
    f.head = np.where(f.hy < 0, dome(f.hx, f.hy, f.head_width, f.skull), chin)
    f.face, f.px = c.cover(f.head), px


def _skin_shade(c: Canvas, f: Fields) -> None:
    """The light on the face, with its hollows and ridges."""
    u, v = f.u / f.wide, f.v
    px, py = f.px, f.hy / np.where(f.hy < 0, f.skull, f.head_length)
    nx, ny = np.clip(px, -1, 1) * 0.92, np.clip(py, -1, 1) * 0.75
    along = np.clip((v + 0.22) / (f.nose_length + 0.22), 0, 1)
    nose_end = c.cover(v - f.nose_length - 0.03, 0.07) * (v > -0.25)
    flank = u / (0.035 + (f.nose_width - 0.02) * along * along)
    nx = nx + 1.5 * flank * bump(flank * flank / 3.2) * nose_end * (0.45 + 0.55 * along)
    shade = _lit(f, np.clip(nx, -1, 1), ny)
    m = np.abs(u)
    socket = bump(((m - f.eye_spacing + 0.03) / 0.2) ** 2 + ((v + 0.13) / 0.14) ** 2)
    under = bump((u / (1.5 * f.nose_width)) ** 2 + ((v - f.nose_length - 0.055) / 0.06) ** 2)
    fold = np.abs(m - f.nose_width - 0.035 - 0.25 * (v - f.nose_length)) / 0.035
    fold = bump(fold * fold) * bump(((v - 0.29) / 0.12) ** 2) * np.clip(9 * f.smile + 0.5 * f.age, 0.05, 0.9)
    bag = bump(((m - f.eye_spacing) / 0.12) ** 2 + ((v - 0.03) / 0.045) ** 2)
    lines = c.cover(0.03 * wave(11 * v + 0.5 * u * u) + 0.012, 0.02)
    lines = lines * bump((u / 0.3) ** 2 + ((v + 0.39) / 0.1) ** 2)
    chin = bump((u / 0.2) ** 2 + ((v - 0.51) / 0.045) ** 2)
    rim = np.clip(1 + f.head / 0.16, 0, 1)
    shade = (
        shade
        * (1 - 0.22 * socket)
        * (1 - 0.4 * under)
        * (1 - 0.3 * fold)
        * (1 - 0.16 * chin)
        * (1 - f.age * (0.2 * bag + 0.14 * lines))
        * (1 - 0.22 * rim * rim)
    )
    f.cast = c.cover(-f.window - 0.04 + 0.05 * f.light[1], 0.16) * (f.hair_cover > 0.9)
    f.skin_shade = shade * (1 - 0.4 * f.cast)


def _skin(c: Canvas, f: Fields) -> None:
    """The skin of the face with its highlights, a blush and freckles."""
    u, v = f.u / f.wide, f.v
    m, lx = np.abs(u), f.light[0]
    c.paint(f.skin, f.face, f.skin_shade)
    tip = bump(((u - 0.03 * lx) / 0.05) ** 2 + ((v - f.nose_length + 0.04) / 0.055) ** 2)
    brow = bump(((f.hx - 0.35 * lx) / 0.3) ** 2 + ((f.hy + 0.42) / 0.2) ** 2)
    cheek = bump(((m - 0.3) / 0.15) ** 2 + ((v - 0.12) / 0.13) ** 2)
    gloss = 0.3 * tip + 0.16 * brow * (1 - f.cast) + 0.1 * cheek * (0.5 + u * lx)
    c.paint(0.45 * WHITE + 0.75 * f.skin, f.face * gloss)
    glow = bump(((m - 0.33) / 0.19) ** 2 + ((v - 0.2) / 0.17) ** 2)
    c.paint(FLUSH, f.face * glow * (0.03 + 0.16 * f.blush))
    f.glow = glow
    c.within(f.only((f.freckles > 0) & (glow > 0)), _freckles)


def _freckles(c: Canvas, f: Fields) -> None:
    u, v = f.u / f.wide, f.v
    specks = np.maximum(wave(11.1 * u + 3 * v) * wave(12.3 * v - 4 * u) + 0.4 * wave(5 * u + 7 * v) - 0.5, 0)
    c.paint(SHADOW, f.face * f.freckles * specks * f.glow * 0.9)


def _near_nose(c: Canvas, f: Fields) -> NDArray[np.bool_]:
    beside = np.abs(f.u) < (0.2 + 1.2 * c.step) * f.wide
    return beside & (np.abs(f.v - f.nose_length) < 0.12 + 1.2 * c.step)


def _nose(c: Canvas, f: Fields) -> None:
    """The outline of the nose."""
    u, v = f.u / f.wide, f.v
    m = np.abs(u)
    wing = ellipse(m - 0.55 * f.nose_width, v - f.nose_length + 0.012, 0.55 * f.nose_width, 0.05)
    wing = c.cover(np.abs(wing) - 0.004, 0.03) * c.cover(0.8 * f.nose_width - m, 0.03)
    c.paint(SHADOW, f.face * wing * 0.3)
    nostril = ellipse(m - 0.5 * f.nose_width, v - f.nose_length - 0.012, 0.36 * f.nose_width, 0.02)
    c.paint(SHADOW, f.face * c.cover(nostril, 0.02) * 0.5)


def _near_eyes(c: Canvas, f: Fields) -> NDArray[np.bool_]:
    beside = np.abs(np.abs(f.u) - f.eye_spacing * f.wide) < (1.1 * f.eye_size + 0.03 + 1.5 * c.step) * f.wide
    return beside & (np.abs(f.v + 0.085) < 0.25 + 1.5 * c.step)


def _eyes(c: Canvas, f: Fields) -> None:
    """Both eyes at once: m runs outwards from the middle of each."""
    u, v = f.u / f.wide, f.v + 0.085
    side = choose(u < 0, -1, 1)
    m = np.abs(u) - f.eye_spacing
    v = v + f.eye_tilt * m
    s2 = (m / f.eye_size) ** 2
    opening = f.eye_size * f.eye_open
    upper = -opening * (1 - s2) - v
    lower = v - 0.72 * opening * (1 - s2)
    slope = np.sqrt(1 + 4 * opening * opening * s2 / (f.eye_size * f.eye_size))
    almond = np.maximum(upper, lower) / slope
    inside = c.cover(almond)
    c.paint(CREAM, inside, f.skin_shade * (0.95 - 0.3 * c.cover(-upper - 0.02, 0.05)))
    radius = 0.06 + 0.1 * (f.eye_size - 0.128)
    gx, gy = m - side * (f.gaze_x + 0.02 * f.yaw), v - f.gaze_y
    r = np.sqrt(gx * gx + gy * gy)
    c.paint(f.eye_colour, inside * c.cover(r - radius), 0.5 + 8 * r + 4 * gy)
    c.paint(BLACK, inside * c.cover(np.abs(r - radius) - 0.002, 0.012) * 0.6)
    c.paint(BLACK, inside * c.cover(r - 0.5 * radius))
    glint = ellipse(side * gx + 0.018 - 0.02 * f.light_x, gy + 0.02, 0.014, 0.014)
    c.paint(WHITE, inside * c.cover(glint) * 0.9)
    ends = c.cover(np.abs(m) - 1.08 * f.eye_size, 0.03)
    lid = np.abs(upper / slope) - 0.008 - 0.012 * f.lashes
    c.paint(BLACK, ends * c.cover(lid, 0.012) * (0.6 + 0.35 * f.lashes))
    c.paint(SHADOW, ends * c.cover(np.abs(lower / slope) - 0.004, 0.014) * 0.35)
    crease = np.abs(upper / slope - 0.035) - 0.004
    c.paint(SHADOW, ends * c.cover(crease, 0.025) * 0.4)


def _near_mouth(c: Canvas, f: Fields) -> NDArray[np.bool_]:
    """On small images thin lips leave a trace on the cheeks, so the whole width of the face is near."""
    reach = 1.05 * np.abs(f.smile) + np.maximum(f.mouth_open, 0) + 1.2 * f.lip_fullness + 0.02
    return np.abs(f.v - 0.385) < reach + c.step


def _mouth(c: Canvas, f: Fields) -> None:
    u, v = f.u / f.wide, f.v - 0.385
    s = u / f.mouth_width
    s2 = np.minimum(s * s, 1.5)
    gap = np.maximum(f.mouth_open, 0)
    middle = f.smile * (0.45 - s2)
    parted = gap * (1 - s2)
    full = f.lip_fullness
    bow = np.maximum(1 - s2, -0.5) * (0.85 + 0.25 * np.minimum(s2 * 6, 1) - 0.2 * s2)
    top = middle - 0.35 * parted - 0.8 * full * bow
    bottom = middle + parted + 1.15 * full * (1 - s2)
    lips = np.maximum(top - v, v - bottom)
    inside = f.face * c.cover(lips, 0.012)
    colour = 0.5 * f.lip_colour + 0.45 * f.skin * LIPS
    fold = choose(v < middle, 0.82, 1.02)
    c.paint(colour, inside * 0.9, f.skin_shade * fold)
    gloss = bump((s / 0.5) ** 2 + ((v - middle - parted - 0.5 * full) / (0.45 * full)) ** 2)
    c.paint(WHITE, inside * gloss * 0.16)
    hole = np.maximum(middle - 0.35 * parted - v, v - middle - parted)
    hollow = f.face * c.cover(hole) * np.minimum(gap / 0.012, 1)
    c.paint(THROAT, hollow)
    teeth = np.maximum(hole, v - middle - 0.55 * parted) + 0.003
    c.paint(CREAM, hollow * c.cover(teeth), 0.92 - 0.35 * s2)
    seam = c.cover(np.abs(v - middle) - 0.005, 0.015) * c.cover(np.abs(u) - 1.03 * f.mouth_width, 0.03)
    c.paint(SHADOW, f.face * seam * (gap < 0.012) * 0.75)


def _near_beard(c: Canvas, f: Fields) -> NDArray[np.bool_]:
    return ((f.beard > 0) | (f.moustache > 0)) & (f.v > -0.1 - c.step)


def _beard(c: Canvas, f: Fields) -> None:
    u, v = f.u / f.wide, f.v
    m = np.abs(u)
    kind = f.beard
    cheeks = 0.3 - 0.75 * m * m * m - v - 0.25 * np.maximum(m - 0.4, 0)
    lips = ellipse(u, v - 0.4, 0.9 * f.mouth_width, 0.085)
    full = np.maximum(cheeks + 0.12 * bump((u / 0.3) ** 2), -lips)
    goatee = np.maximum(ellipse(u, v - 0.55, 0.19, 0.2), -lips)
    area = np.where(kind == 3, goatee, full)
    weight = choose(kind == 1, 0.33, 0.9) * (kind > 0)
    grow = choose(kind == 1, 0, 0.03) * np.clip(3 * v, 0, 1)
    hairs = 1 + 0.12 * c.fine(12) * (wave(11 * u + 2 * v + f.strands) + wave(19 * u - 3 * v))
    cover = c.cover(area, choose(kind == 1, 0.15, 0.05)) * c.cover(f.head - grow, 0.02)
    shade = (0.15 + 0.5 * f.skin_shade) * hairs
    c.paint(f.hair_colour, cover * weight, shade)
    arch = 0.325 + 0.8 * u * u - 0.02 * bump((u / 0.05) ** 2)
    moustache = np.maximum(np.abs(v - arch) - 0.04 * (1 - (u / 0.21) ** 2), m - 0.2)
    worn = np.maximum(f.moustache, choose(kind == 2, 1, 0)) * 0.9
    c.paint(f.hair_colour, f.face * c.cover(moustache, 0.02) * worn, shade)


def _near_brows(c: Canvas, f: Fields) -> NDArray[np.bool_]:
    beside = np.abs(np.abs(f.u) - (f.eye_spacing + 0.015) * f.wide) < (0.165 + 0.6 * c.step) * f.wide
    return beside & (np.abs(f.v - f.brow_height) < 3 * np.abs(f.brow_arch) + 0.2 * np.abs(f.brow_tilt) + 0.1 + c.step)


def _brows(c: Canvas, f: Fields) -> None:
    u, v = f.u / f.wide, f.v - f.brow_height
    s = (np.abs(u) - f.eye_spacing - 0.015) / 0.15
    curve = f.brow_arch * (1.2 * (s - 0.25) ** 2 - 1) - f.brow_tilt * 0.15 * s + f.brow_arch
    thick = f.brow_weight * (1 - 0.45 * np.clip(s, -0.5, 1))
    brow = np.maximum(np.abs(v - curve) - thick, 0.15 * (np.abs(s) - 1))
    c.paint(0.4 * f.hair_colour, f.face * c.cover(brow, 0.02) * 0.8)


def _near_glasses(c: Canvas, f: Fields) -> NDArray[np.bool_]:
    return (f.glasses > 0) & (np.abs(f.v + 0.07) < 0.2 + c.step)


def _glasses(c: Canvas, f: Fields) -> None:
    u, v = f.u / f.wide, f.v + 0.07
    m = np.abs(u) - f.eye_spacing - 0.01
    worn, dark = f.glasses > 0, f.glasses == 3
    corner = choose(f.glasses == 1, 0.165, 0.06)
    qx = np.maximum(np.abs(m) - 0.175 + corner, 0)
    qy = np.maximum(np.abs(v) - choose(f.glasses == 1, 0.165, 0.13) + corner, 0)
    lens = np.sqrt(qx * qx + qy * qy) - corner
    tint = choose(dark, 0.9, 0.06) * worn
    c.paint(np.where(dark, BLACK, WHITE), c.cover(lens) * tint, 1 + 2 * np.maximum(-v - 0.3 * m, 0))
    rim = np.abs(lens) - 0.013
    bridge = np.maximum(np.abs(v + 0.03 + 1.5 * u * u) - 0.012, np.abs(u) - 0.09)
    arms = np.maximum(np.maximum(np.abs(v + 0.04) - 0.013, 0.16 - m), f.head - 0.01)
    frame = np.minimum(np.minimum(rim, bridge), arms)
    c.paint(f.glasses_colour, c.cover(frame) * worn, 0.7 + 0.5 * f.skin_shade)


def _hair_before(c: Canvas, f: Fields) -> None:
    shorn = f.hair_cover < 0.9
    cover = c.cover(f.hair_distance) * c.cover(-f.window, choose(shorn, 0.1, 0.03))
    cover = np.where(shorn, cover * f.face, cover)
    edge = 1 - 0.25 * c.cover(np.abs(f.window) - 0.01, 0.05)
    c.paint(f.hair_colour, cover * f.hair_cover, f.hair_shade * edge)


def _hat_line(f: Fields) -> Array:
    return f.v + 0.33 - 0.15 * f.u * f.u


def _hat(c: Canvas, f: Fields) -> None:
    """A knitted hat, its band turned up."""
    x, y = f.hx + 0.1 * f.yaw, f.hy
    shape, line = dome(x, y, f.head_width + 0.045, f.skull + 0.08), _hat_line(f)
    hat = np.maximum(shape, line)
    band = smooth_max(smooth_max(shape - 0.025, line, 0.06), -line - 0.17, 0.06)
    nx, ny = np.clip(x / 0.62, -1, 1), np.clip(y / 0.8, -1, 1)
    ribs = 1 + 0.1 * c.fine(9) * wave(9 * f.u / (1.3 - 0.4 * f.u * f.u))
    shade = _lit(f, nx, 0.8 * ny) * ribs
    c.paint(f.hat_colour, c.cover(hat) * f.hat, shade)
    c.paint(f.hat_colour, c.cover(band) * f.hat, 0.8 * shade)
