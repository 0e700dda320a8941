"""
Random int8 networks for tests: a few layers of all kinds, with branches, odd sizes and several inputs and outputs.

A network is a recipe of steps that can be built whatever is left out of it, so that one on which a test fails can be
made smaller.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from random import Random
from typing import Literal, TypeAlias

from tinymo_xdsl.flatbuffer.model import Model
from tinymo_xdsl.flatbuffer.schema import ActivationFunctionType, Padding
from tinymo_xdsl.zoo.builder import NONE, RELU, RELU6, SAME, VALID, Layer, ModelBuilder

Kind: TypeAlias = Literal[
    "conv",
    "pointwise",
    "depthwise",
    "separable",
    "residual",
    "add",
    "concatenate",
    "max_pool",
    "average_pool",
    "pad",
    "pad_conv",
    "enlarge",
    "transpose_conv",
    "logistic",
    "softmax",
]

_WEIGHTS: dict[Kind, int] = {
    "conv": 4,
    "pointwise": 3,
    "depthwise": 3,
    "separable": 6,
    "residual": 4,
    "add": 3,
    "concatenate": 3,
    "max_pool": 2,
    "average_pool": 2,
    "pad": 1,
    "pad_conv": 3,
    "enlarge": 2,
    "transpose_conv": 1,
    "logistic": 1,
    "softmax": 1,
}
"""How often each kind comes up, relative to the others."""

_MAXIMUM_PIXELS = 24 * 24
"""Larger images are not enlarged."""


@dataclass(frozen=True)
class Step:
    """A layer or a few, as choices that make sense after any other steps."""

    kind: Kind
    source: int
    """How far back in the list of images the source is, modulo its length; 0 is the last."""
    other: int
    """The same for the second source, among images of the same shape."""
    channels: int
    kernel: tuple[int, int]
    """At most; a source may be smaller."""
    stride: tuple[int, int]
    padding: Padding
    activation: ActivationFunctionType
    pads: tuple[int, int, int, int]
    """Above, below, left and right."""


@dataclass(frozen=True)
class Recipe:
    """A network."""

    seed: int
    """Of the weights."""
    images: tuple[tuple[int, int, int], ...]
    """The shapes `[H, W, C]` of the inputs."""
    steps: tuple[Step, ...]
    classes: int
    """Of a classifier behind the last step; 0 for none."""

    def model(self) -> Model:
        """The model, whose outputs are the layers that no other reads."""
        build = ModelBuilder(self.seed)
        images = [build.image(f"image_{index}", shape) for index, shape in enumerate(self.images)]
        for number, step in enumerate(self.steps):
            images.append(_append(build, f"{number}_{step.kind}", step, images))
        ends: list[Layer] = []
        if self.classes:
            features = build.global_average("features", images[-1])
            ends.append(build.fully_connected("logits", features, self.classes))
        model = build.model([images[-1], *ends], f"random network {self.seed}")
        return _with_unread_outputs(model)

    def smaller(self) -> Sequence["Recipe"]:
        """The recipes with one thing less."""
        without = [replace(self, steps=self.steps[:at] + self.steps[at + 1 :]) for at in range(len(self.steps))]
        fewer_inputs = [replace(self, images=self.images[:-1])] if len(self.images) > 1 else []
        return [*(recipe for recipe in without if recipe.steps), *fewer_inputs] + (
            [replace(self, classes=0)] if self.classes else []
        )


def random_recipe(seed: int, maximum_steps: int = 9) -> Recipe:
    """The network of a seed."""
    random = Random(seed)
    shapes = [(random.randint(5, 20), random.randint(3, 20), random.randint(1, 6)) for _ in range(2)]
    return Recipe(
        seed,
        tuple(shapes[: 1 + (random.random() < 0.2)]),
        tuple(_random_step(random) for _ in range(random.randint(2, maximum_steps))),
        random.choice((0, 0, 5)),
    )


def _random_step(random: Random) -> Step:
    kinds = list(_WEIGHTS)
    (kind,) = random.choices(kinds, list(_WEIGHTS.values()))
    return Step(
        kind,
        source=random.choice((0, 0, 0, 0, 1, 2, 3)),
        other=random.randint(0, 5),
        channels=random.randint(1, 12),
        kernel=(random.randint(1, 5), random.randint(1, 5)),
        stride=(random.choice((1, 1, 2, 3)), random.choice((1, 1, 2))),
        padding=random.choice((SAME, SAME, VALID)),
        activation=random.choice((NONE, RELU, RELU6)),
        pads=(random.randint(0, 2), random.randint(0, 2), random.randint(0, 2), random.randint(0, 2)),
    )


def _append(build: ModelBuilder, name: str, step: Step, images: Sequence[Layer]) -> Layer:
    """The layers of a step, the last of which is the result."""
    source = images[-1 - step.source % len(images)]
    kernel = _fitting(step.kernel, source)
    match step.kind:
        case "conv" | "pointwise":
            size, stride = (kernel, step.stride) if step.kind == "conv" else (1, 1)
            return build.conv2d(
                name, source, step.channels, size, stride, activation=step.activation, padding=step.padding
            )
        case "depthwise":
            return build.depthwise_conv2d(
                name, source, kernel, step.stride, activation=step.activation, padding=step.padding
            )
        case "separable":
            wide = build.depthwise_conv2d(
                f"{name}/depthwise", source, kernel, step.stride, activation=step.activation, padding=step.padding
            )
            return build.conv2d(name, wide, step.channels, activation=step.activation)
        case "pad" | "pad_conv":
            top, bottom, left, right = step.pads
            padded = build.pad(f"{name}/pad", source, (top, bottom), (left, right))
            if step.kind == "pad":
                return padded
            return build.conv2d(name, padded, step.channels, kernel, step.stride, padding=VALID)
        case "residual" | "add" | "concatenate":
            return _join(build, name, step, source, images)
        case _:
            return _resize(build, name, step, source)


def _join(build: ModelBuilder, name: str, step: Step, source: Layer, images: Sequence[Layer]) -> Layer:
    """A layer that reads two."""
    alike = [image for image in images if image.shape == source.shape]
    other = alike[step.other % len(alike)]
    kernel = _fitting(step.kernel, source)
    match step.kind:
        case "residual":
            branch = build.depthwise_conv2d(f"{name}/depthwise", source, kernel, activation=step.activation)
            branch = build.conv2d(f"{name}/project", branch, source.channels)
            return build.add(name, branch, source)
        case "concatenate":
            branch = build.conv2d(f"{name}/branch", other, step.channels, kernel, like=source)
            return build.concatenate(name, [source, branch])
        case _:
            return build.add(name, source, other, step.activation)


def _resize(build: ModelBuilder, name: str, step: Step, source: Layer) -> Layer:
    """A layer without weights, or one that enlarges."""
    _, rows, columns, _ = source.shape
    can_grow = rows * columns * 4 <= _MAXIMUM_PIXELS
    match step.kind:
        case "max_pool":
            return build.max_pool(name, source, _fitting(step.stride, source))
        case "average_pool":
            return build.average_pool(name, source, _fitting(step.stride, source))
        case "enlarge" if can_grow:
            return build.enlarge(name, source)
        case "transpose_conv" if can_grow:
            return build.transpose_conv(name, source, step.channels, 2, source)
        case "softmax":
            return build.softmax(name, source)
        case _:
            return build.logistic(name, source)


def _fitting(size: tuple[int, int], source: Layer) -> tuple[int, int]:
    """`size`, but not larger than the source."""
    _, rows, columns, _ = source.shape
    return min(size[0], rows), min(size[1], columns)


def _with_unread_outputs(model: Model) -> Model:
    """The model with every result that nothing reads as an output, as the last step need not read all others."""
    (graph,) = model.subgraphs
    read = {index for operator in graph.operators for index in operator.inputs}
    unread = (index for operator in graph.operators for index in operator.outputs if index not in read)
    outputs = tuple(dict.fromkeys((*graph.outputs, *unread)))
    return replace(model, subgraphs=(replace(graph, outputs=outputs),), signatures=())
