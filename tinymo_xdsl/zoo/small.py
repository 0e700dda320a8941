"""Small networks, each with other ways to use memory: residuals, separable convolutions, plain layers, a pyramid."""

from collections.abc import Sequence
from dataclasses import dataclass

from tinymo_xdsl.zoo.architecture import Architecture, ZooError, parameter
from tinymo_xdsl.zoo.builder import NONE, RELU, SAME, VALID, Layer, ModelBuilder
from tinymo_xdsl.zoo.calibration import LOGITS, POSITIVE


@dataclass(frozen=True, kw_only=True)
class ResNet8(Architecture):
    """int8 image `[1, resolution, resolution, 3]` to probabilities `[1, classes]`, as in MLPerf Tiny v1.0."""

    name = "resnet8"
    summary = "ResNet-8 of MLPerf Tiny for image classification: three residual blocks"

    resolution: int = parameter(32, 8, 256, "rows and columns of the input image")
    classes: int = parameter(10, 2, 4000, "number of classes")

    def layers(self, build: ModelBuilder) -> Sequence[Layer]:
        """Convolution, three blocks, pool, classifier."""
        image = build.image("image", (self.resolution, self.resolution, 3))
        layer = build.conv2d("first", image, 16, 3, activation=RELU)
        for index, (channels, stride) in enumerate(((16, 1), (32, 2), (64, 2))):
            layer = _residual(build, f"block_{index}", layer, channels, stride)
        return [_classify(build, build.global_average("features", layer), self.classes)]


def _residual(build: ModelBuilder, name: str, source: Layer, channels: int, stride: int) -> Layer:
    """Two convolutions beside the source, or beside a 1x1 convolution of it where the shape changes."""
    layer = build.conv2d(f"{name}/conv_0", source, channels, 3, stride, activation=RELU)
    layer = build.conv2d(f"{name}/conv_1", layer, channels, 3, target=POSITIVE)
    shortcut = source
    if layer.shape != source.shape:
        shortcut = build.conv2d(f"{name}/shortcut", source, channels, 1, stride, target=POSITIVE)
    return build.add(f"{name}/add", shortcut, layer, RELU)


@dataclass(frozen=True, kw_only=True)
class DsCnn(Architecture):
    """int8 spectrogram `[1, 49, 10, 1]` to probabilities `[1, classes]`, as in MLPerf Tiny v1.0."""

    name = "ds-cnn"
    summary = "DS-CNN of MLPerf Tiny for keyword spotting: four separable convolutions"

    classes: int = parameter(12, 2, 4000, "number of keywords")

    def layers(self, build: ModelBuilder) -> Sequence[Layer]:
        """Convolution, four separable convolutions, pool, classifier."""
        layer = build.image("spectrogram", (49, 10, 1))
        layer = build.conv2d("first", layer, 64, (10, 4), 2, activation=RELU)
        for index in range(4):
            layer = build.depthwise_conv2d(f"block_{index}/depthwise", layer, activation=RELU)
            layer = build.conv2d(f"block_{index}/pointwise", layer, 64, activation=RELU)
        return [_classify(build, build.global_average("features", layer), self.classes)]


@dataclass(frozen=True, kw_only=True)
class LeNet5(Architecture):
    """
    int8 image `[1, 28, 28, 1]` to probabilities `[1, classes]`.

    LeCun et al., "Gradient-Based Learning Applied to Document Recognition", 1998, with RELU, and with all maps of the
    first pool connected to all of the second convolution.
    """

    name = "lenet5"
    summary = "LeNet-5 for digits: convolutions, pools, fully connected layers"

    classes: int = parameter(10, 2, 4000, "number of classes")

    def layers(self, build: ModelBuilder) -> Sequence[Layer]:
        """Twice convolution and pool, then three fully connected layers."""
        layer = build.image("image", (28, 28, 1))
        for index, (channels, padding) in enumerate(((6, SAME), (16, VALID))):
            layer = build.conv2d(f"conv_{index}", layer, channels, 5, activation=RELU, padding=padding)
            layer = build.average_pool(f"pool_{index}", layer, 2)
        layer = build.reshape("flat", layer, (1, 400))
        for index, channels in enumerate((120, 84)):
            layer = build.fully_connected(f"dense_{index}", layer, channels, activation=RELU)
        return [_classify(build, layer, self.classes)]


@dataclass(frozen=True, kw_only=True)
class TinyPyramid(Architecture):
    """int8 image `[1, resolution, resolution, 3]` to two maps `[1, H, W, 18]`, at 1/8 and 1/4 of the resolution."""

    name = "tiny-pyramid"
    summary = "a detector's feature pyramid: explicit pads, an enlarged map joined to a finer one, two outputs"

    resolution: int = parameter(64, 16, 512, "rows and columns of the input image, a multiple of 8")

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.resolution % 8:
            raise ZooError(f"parameter 'resolution' of {self.name} is {self.resolution}, but must be a multiple of 8")

    def layers(self, build: ModelBuilder) -> Sequence[Layer]:
        """Three steps down, one up."""
        layer = build.image("image", (self.resolution, self.resolution, 3))
        layers: list[Layer] = []
        for index, channels in enumerate((8, 16, 32)):
            layer = build.pad(f"down_{index}/pad", layer, (0, 1), (0, 1))
            layer = build.conv2d(f"down_{index}", layer, channels, 3, 2, activation=RELU, padding=VALID)
            layers.append(layer)
        coarse = layers[2]
        enlarged = build.enlarge("up", coarse)
        beside = build.conv2d("beside", layers[1], 32, activation=NONE, like=enlarged)
        fine = build.concatenate("join", [enlarged, beside])
        return [build.conv2d("coarse_map", coarse, 18), build.conv2d("fine_map", fine, 18)]


def _classify(build: ModelBuilder, features: Layer, classes: int) -> Layer:
    return build.softmax("probabilities", build.fully_connected("logits", features, classes, target=LOGITS))
