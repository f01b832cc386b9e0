"""The sections of params.yaml as types: every number that decides a result, with the values that it may have."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any, ClassVar, Literal, Self, TypeVar

from pydantic import AfterValidator, BaseModel, ConfigDict, Discriminator, Field, StrictBool, Tag, model_validator
from pydantic_core import PydanticCustomError

from fvae.errors import UserError

T = TypeVar("T")


def unique(values: tuple[T, ...]) -> tuple[T, ...]:
    """The values, none of which may stand twice."""
    for index, value in enumerate(values):
        if value in values[:index]:
            raise PydanticCustomError("repeated", "{value} stands twice", {"name": "", "value": value})
    return values


# Strict: `true` is no number, 1.0 is no whole number, and text is neither.
Count = Annotated[int, Field(gt=0, strict=True)]
Size = Count | Literal["match"]
Share = Annotated[float, Field(ge=0, lt=1, strict=True)]
Positive = Annotated[float, Field(gt=0, strict=True)]
Temperature = Annotated[float, Field(ge=0, le=2, strict=True)]
Seed = Annotated[int, Field(ge=0, lt=2**32, strict=True)]
ImageSize = Annotated[int, Field(ge=16, le=1024, strict=True)]  # pixels on a side
Pixel = Annotated[int, Field(strict=True)]
Steps = Annotated[int, Field(ge=2, strict=True)]  # of an interpolation, both ends included
AtLeastTwo = Annotated[int, Field(ge=2, strict=True)]
Name = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]*$")]


class Section(BaseModel):
    """A section of params.yaml: nothing missing, nothing unknown."""

    model_config = ConfigDict(extra="forbid", frozen=True, protected_namespaces=(), allow_inf_nan=False)
    merged_away: ClassVar[tuple[str, ...]] = ()  # keys that the file may have, of which inheritance.py takes care

    @model_validator(mode="before")
    @classmethod
    def known_names(cls, values: Any) -> Any:
        if isinstance(values, dict):
            for name in values:
                if name not in cls.model_fields:
                    raise PydanticCustomError(
                        "unknown",
                        "unknown; allowed here: {allowed}",
                        {"name": str(name), "allowed": ", ".join([*cls.model_fields, *cls.merged_away])},
                    )
        return values


class Portraits(Section):
    """The embedded data set, drawn from a seed."""

    kind: Literal["portraits"]
    size: ImageSize
    bits: Literal[5, 8]  # of a pixel
    train: Count
    validation: Count
    test: Count
    seed: Seed


class SharesSplit(Section):
    """Shares of the images or folders, each of which keeps its split when others are added."""

    validation: Share
    test: Share

    @model_validator(mode="after")
    def train_is_left(self) -> Self:
        if self.validation + self.test >= 1:
            raise PydanticCustomError("shares", "validation and test leave nothing to train on", {"name": "test"})
        return self


class HashSplit(SharesSplit):
    """By the hash of an image's content."""

    kind: Literal["hash"]


class FolderSplit(SharesSplit):
    """By the hash of the name of the folder that an image lies in, so that all images of a person are in one split."""

    kind: Literal["folder"]


class PublishedSplit(Section):
    """The source's own, as CelebA-HQ's 27,000 and 3,000."""

    kind: Literal["published"]
    validation: Share  # of train, by hash, where the source has none beside its test


class Images(Section):
    """Images as people have them: a folder, an archive, or hf://OWNER/NAME@REVISION."""

    kind: Literal["images"]
    path: Annotated[str, Field(min_length=1)]
    form: Literal["auto", "images"] = "auto"  # recognised by names, or plain images whatever their names
    size: ImageSize
    bits: Literal[5, 8]  # of a pixel
    crop: Literal["center", "none"] | tuple[Pixel, Pixel, Pixel, Pixel]  # left, top, right, bottom
    filter: Literal["lanczos", "area", "bilinear", "bicubic"]  # of the reduction, always antialiased
    split: Annotated[HashSplit | FolderSplit | PublishedSplit, Field(discriminator="kind")]
    limit: Count | None
    max_rejected: Share

    @model_validator(mode="after")
    def box_is_a_square(self) -> Images:
        if isinstance(self.crop, tuple):
            left, top, right, bottom = self.crop
            if min(left, top) < 0 or right - left != bottom - top or right - left < self.size:
                raise PydanticCustomError(
                    "box",
                    "{box} is no square box of left, top, right, bottom in pixels, at least {size} wide and high",
                    {"name": "crop", "box": list(self.crop), "size": self.size},
                )
        return self


class Dense(Section):
    """A latent without a place in the image."""

    dense: Count  # numbers in it


Latent = Literal["full"] | Count | Dense  # as large as the image, or so many channels of its coarsest level, or dense
Expansion = Positive | Literal["match"]  # channels within a residual step or block, as a multiple of those around it


class ResidualEncoder(Section):
    """E and, mirrored, the decoder G of the authors' code."""

    networks: Literal["residual"] = "residual"
    levels: Count  # each halves the image
    steps: Size  # of a level
    expansion: Expansion
    latent: Literal["full"] | Count


class ConvEncoder(Section):
    """An ordinary convolutional E and, mirrored, the decoder G."""

    networks: Literal["conv"]
    channels: Annotated[tuple[Annotated[int, Field(gt=0, multiple_of=8, strict=True)], ...], Field(min_length=1)]
    blocks: Count  # of a level
    block: Literal["residual", "network_in_network", "pggan"] = "residual"
    expansion: Expansion
    latent: Latent

    @property
    def levels(self) -> int:
        """How often the image is halved: once for each number of `channels`."""
        return len(self.channels)


def _networks(section: Any) -> str:
    """The kind of networks that a section asks for."""
    found = section.get("networks", "residual") if isinstance(section, dict) else getattr(section, "networks", "")
    return str(found)


EncoderSpec = Annotated[
    Annotated[ResidualEncoder, Tag("residual")] | Annotated[ConvEncoder, Tag("conv")],
    Discriminator(
        _networks,
        custom_error_type="networks",
        custom_error_message="networks must be 'residual' or 'conv'",
    ),
]


class FlowSpec(Section):
    """The multi-scale flow F."""

    levels: Count
    steps: Size
    width: Size
    coupling: Literal["additive", "affine"]
    mixing: Literal["swap", "shuffle", "conv1x1", "checkerboard"]
    actnorm: StrictBool  # in every step; one stands at the end in any case
    split_bound: Positive | None = 4.0  # of the log-scale of what leaves after a level (CondActnorm); null: unbounded


Quantity = Literal["parameters", "macs"]  # those that ever get a gradient; multiply-accumulates of (6) for one image


Divergence = Literal["restart", "ignore"]  # from the last validation at half the learning rate, or train on
TRAINING_OF_A_MODEL = ("dequantise", "divergence")  # keys of a model that replace those of `training`
NOT_OF_SIZE = {"learning_rate", "init", *TRAINING_OF_A_MODEL}  # keys of a model on which its size does not depend


class ModelSpecBase(Section):
    merged_away = ("extends",)

    learning_rate: Positive
    match: Quantity | None = None  # in place of the experiment's match.quantity
    init: Literal["data", "authors"]  # actnorms and σ from a first batch, or as the authors' code starts them
    dequantise: StrictBool | None = None  # in place of training.dequantise
    divergence: Divergence | None = None  # in place of training.divergence


class AutoencoderSpec(ModelSpecBase):
    sigma_floor: Annotated[float, Field(ge=0, lt=1, strict=True)] = 1e-3  # of σ₁ and σ₂: an eighth of an 8-bit level
    sigma_rate: Positive = 1.0  # the learning rate of log σ₁ and log σ₂, as a multiple of learning_rate
    sigma1: Literal["learned"] | Positive = "learned"  # or a constant
    sigma2: Literal["image", "channel"] = "image"  # one for the image, or one for each colour


class VAESpec(AutoencoderSpec):
    """Equation (10)."""

    kind: Literal["vae"]
    encoder: EncoderSpec


class FlowModelSpec(ModelSpecBase):
    """Equation (13): Glow, RealNVP, NICE."""

    kind: Literal["flow"]
    flow: FlowSpec


class MixtureSpec(AutoencoderSpec):
    """Equation (16)."""

    kind: Literal["mixture"]
    encoder: EncoderSpec
    flow: FlowSpec  # of each of the two


class PlanarSteps(Section):
    """Planar steps, each for the whole latent."""

    steps: Count


class PlanarSpec(AutoencoderSpec):
    """Planar flows (Rezende & Mohamed 2015)."""

    kind: Literal["planar"]
    encoder: EncoderSpec
    flow: PlanarSteps


class AutoregressiveSteps(Section):
    """Autoregressive steps, each with a masked network of one hidden layer."""

    steps: Size
    width: Size


class IAFSpec(AutoencoderSpec):
    """Inverse autoregressive flow (Kingma et al. 2016)."""

    kind: Literal["iaf"]
    encoder: EncoderSpec
    flow: AutoregressiveSteps


class AutoregressiveFlowSpec(AutoregressiveSteps):
    """An autoregressive F, as the prior of the variational lossy autoencoder (Chen et al. 2017) has."""

    kind: Literal["autoregressive"]


def _flow(section: Any) -> str:
    """The kind of flow that a section asks for: the multi-scale one has no name."""
    named = "kind" in section if isinstance(section, dict) else isinstance(section, AutoregressiveFlowSpec)
    return "autoregressive" if named else "multiscale"


LatentFlowSpec = Annotated[
    Annotated[FlowSpec, Tag("multiscale")] | Annotated[AutoregressiveFlowSpec, Tag("autoregressive")],
    Discriminator(_flow),
]


class FVAESpec(AutoencoderSpec):
    """Equation (17)."""

    kind: Literal["fvae"]
    encoder: EncoderSpec
    flow: LatentFlowSpec


ModelSpec = VAESpec | FlowModelSpec | MixtureSpec | FVAESpec | PlanarSpec | IAFSpec
TaggedModelSpec = Annotated[ModelSpec, Field(discriminator="kind")]


class Match(Section):
    """What 'a similar size' means: the other models' free sizes are solved for, to agree with `model`."""

    quantity: Quantity
    model: Name
    tolerance: Share


class Training(Section):
    images: Count  # the length of a training: images seen, each as often as it is taken
    batch_size: Count
    accumulate: Count  # parts in which a device takes its share of a batch, whose gradients are added
    warmup_steps: Annotated[int, Field(ge=0, strict=True)]
    cooldown_images: Annotated[int, Field(ge=0, strict=True)]  # the last images, over which the learning rate falls
    hold_out: StrictBool  # train only on the training images; false: also on those of validation and test
    dequantise: StrictBool  # uniform noise, one level wide; false: levels as they are, from -1 to 1
    clip_norm: Positive | None  # of the gradient's norm; null: no clipping
    divergence: Divergence
    ema: Share
    batch_norm: Literal["estimated", "running"]  # statistics for evaluation: anew from training images, or of training
    keep: Literal[
        "validation", "training", "last"
    ]  # weights with the lowest bits/dim of those images, or the last ones
    flip: StrictBool
    precision: Literal["32-true", "bf16-mixed"]
    channels_last: StrictBool  # the memory format of images and activations
    compile: StrictBool  # by torch.compile: a minute or more before the first step, and then less for each
    reversible: StrictBool  # recompute a flow's activations from its output: less memory, more time
    devices: Count  # processes, each with its GPU where there are GPUs
    threads: Count  # of each process on a CPU
    validate_every_images: Count
    validation_images: Count


class RandomSamples(Section):
    images: Count
    draws: Count  # sets of so many images, by which the error of a distance is measured
    temperature: Temperature
    decoder_noise: StrictBool  # that of q(x|z), σ₂, is added to the decoded images; false: as in the paper


class SheetSamples(Section):
    images: AtLeastTwo  # they are shown on two sheets
    temperature: Temperature


class TemperatureSweep(Section):
    images: Count
    temperatures: Annotated[tuple[Temperature, ...], Field(min_length=1), AfterValidator(unique)]


class Reconstructions(Section):
    images: Count


class InterpolationSamples(Section):
    pairs: Count
    steps: Steps
    encoder_noise: StrictBool  # the latents of images are F_x(u) with random u; false: F_x(0)


class InterpolationFourSamples(Section):
    sheets: Count
    steps: Steps
    encoder_noise: StrictBool  # as for two images


class Sources(Section):
    images: Count  # of each source of latents


class Grain(Section):
    images: Annotated[
        int, Field(ge=25, strict=True)
    ]  # at least those of the figure; each is decoded without the noise of q(x|z) and with it


class Sampling(Section):
    """What is generated from a trained model: one file of images for each task."""

    batch_norm: Literal["stored", "prior"]  # statistics in G for samples: those with the weights, or of prior draws
    random: RandomSamples
    sheets: SheetSamples
    temperatures: TemperatureSweep
    reconstructions: Reconstructions
    interpolation: InterpolationSamples
    interpolation_four: InterpolationFourSamples
    sources: Sources
    grain: Grain


class BitsPerDim(Section):
    images: AtLeastTwo  # one has no standard error
    importance_samples: Count


class SWD(Section):
    images: Count
    patches: Count


class PortraitDistance(Section):
    """Only of drawn portraits."""

    images: AtLeastTwo  # of each draw of random samples


class FID(Section):
    """FID, KID, precision and recall: whatever needs Inception features."""

    mode: Literal["optional", "required", "off"]
    images: AtLeastTwo  # of the random samples


class Sharpness(Section):
    images: Count  # test images to reconstruct; of each draw at most as many samples as test images


class Evaluation(Section):
    bpd: BitsPerDim
    sharpness: Sharpness
    swd: SWD
    portrait_distance: PortraitDistance
    fid: FID


class Figures(Section):
    """How figures look; nothing here changes a number."""

    model: Name  # the one that the figures of a single model show
    width: Positive  # inches
    font_size: Positive  # points
    dpi: Count  # of the PNG
    sheet: tuple[Count, Count]  # rows, columns of the comparison's sheets
    real_images: bool  # whether the comparison begins with a sheet of them


class Thresholds(Section):
    """Distances on the curves of the validations, which a training has to reach for the claim on speed."""

    portrait_distance: Positive
    swd: Positive


class Plausible(Section):
    """What samples must reach to count as faces; the first of these that was measured decides."""

    portrait_distance: Positive  # at most
    precision: Share  # at least
    swd: Positive  # at most


class Claims(Section):
    """What the paper's claims compare, fixed before any result."""

    fvae: Annotated[tuple[Name, ...], AfterValidator(unique)]
    vae: Annotated[tuple[Name, ...], AfterValidator(unique)]
    glow: Annotated[tuple[Name, ...], AfterValidator(unique)]
    threshold: Thresholds
    plausible: Plausible

    @model_validator(mode="after")
    def none_is_compared_with_itself(self) -> Claims:
        for ours in self.fvae:
            for role in ("vae", "glow"):
                if ours in getattr(self, role):
                    raise PydanticCustomError(
                        "reference", "{value} cannot be compared with itself", {"name": role, "value": ours}
                    )
        return self


class Experiment(Section):
    """All parameters of an experiment, with what it inherits."""

    merged_away = ("extends",)

    data: Annotated[Portraits | Images, Field(discriminator="kind")]
    seeds: Annotated[tuple[Seed, ...], Field(min_length=1), AfterValidator(unique)]
    match: Match
    models: Annotated[dict[Name, TaggedModelSpec], Field(min_length=1)]
    training: Training
    sampling: Sampling
    evaluation: Evaluation
    claims: Claims
    figures: Figures

    def training_of(self, model: str) -> Training:
        """How a model is trained: `training`, with what the model's own section replaces."""
        own = self.models[model].model_dump(include={*TRAINING_OF_A_MODEL}, exclude_none=True)
        return self.training.model_copy(update=own)

    @model_validator(mode="after")
    def names_agree(self) -> Experiment:
        claimed = [(f"claims.{role}", name) for role in ("fvae", "vae", "glow") for name in getattr(self.claims, role)]
        for path, name in (("match.model", self.match.model), ("figures.model", self.figures.model), *claimed):
            if name not in self.models:
                raise PydanticCustomError(
                    "reference",
                    "{value} is not one of the models: {allowed}",
                    {"name": path, "value": name, "allowed": ", ".join(self.models)},
                )
        for name, spec in self.models.items():
            if len(free_sizes(spec)) > 1:
                raise PydanticCustomError(
                    "reference",
                    "only one size of a model can be 'match', not {sizes}",
                    {"name": f"models.{name}", "sizes": " and ".join(".".join(size) for size in free_sizes(spec))},
                )
        if free_sizes(self.models[self.match.model]):
            raise PydanticCustomError(
                "reference", "the model that others match must itself have a size", {"name": "match.model"}
            )
        return self


class Inception(Section):
    """The weights of FID's network: a file, or null to fetch them once."""

    path: Path | None


class Params(Section):
    """All parameters, the defaults merged into the experiments."""

    merged_away = ("defaults",)

    build: Annotated[tuple[Name, ...], Field(min_length=1), AfterValidator(unique)]
    inception: Inception
    experiments: Annotated[dict[Name, Experiment], Field(min_length=1)]

    @model_validator(mode="after")
    def build_names_experiments(self) -> Params:
        for name in self.build:
            if name not in self.experiments:
                raise PydanticCustomError("reference", self.no_experiment(name), {"name": "build"})
        return self

    def no_experiment(self, name: str) -> str:
        """What to say of a name that no experiment has."""
        return f"no experiment '{name}'; the experiments are {', '.join(self.experiments)}"

    def experiment(self, name: str, place: str = "--experiment") -> Experiment:
        """The experiment of that name. Raises UserError where there is none."""
        if name not in self.experiments:
            raise UserError(f"{place}: {self.no_experiment(name)}")
        return self.experiments[name]


def free_sizes(spec: ModelSpec) -> list[tuple[str, str]]:
    """The sizes of a model that are left to the program, such as ("flow", "width")."""
    return [
        (section, size)
        for section, sizes in spec.model_dump(include={"encoder", "flow"}).items()
        for size, value in sizes.items()
        if value == "match"
    ]
