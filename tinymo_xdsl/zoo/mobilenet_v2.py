"""
MobileNetV2 (Sandler et al., "MobileNetV2: Inverted Residuals and Linear Bottlenecks", 2018).

Channels and strides are those of `keras.applications.MobileNetV2`, batch normalisations folded into the convolutions.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from tinymo_xdsl.zoo.architecture import Architecture, parameter
from tinymo_xdsl.zoo.builder import RELU6, Layer, ModelBuilder
from tinymo_xdsl.zoo.calibration import LOGITS

_FIRST_CHANNELS: Final = 32
_LAST_CHANNELS: Final = 1280


@dataclass(frozen=True)
class _Stage:
    """Blocks in a row; the first of them has the stride."""

    expansion: int
    channels: int
    blocks: int
    stride: int


_STAGES: Final = (
    _Stage(1, 16, 1, 1),
    _Stage(6, 24, 2, 2),
    _Stage(6, 32, 3, 2),
    _Stage(6, 64, 4, 2),
    _Stage(6, 96, 3, 1),
    _Stage(6, 160, 3, 2),
    _Stage(6, 320, 1, 1),
)


def scaled_channels(channels: float) -> int:
    """The multiple of 8 nearest to `channels`, but not under 90 % of it, nor under 8."""
    rounded = max(8, int(channels + 4) // 8 * 8)
    return rounded + 8 if rounded < 0.9 * channels else rounded


@dataclass(frozen=True, kw_only=True)
class MobileNetV2(Architecture):
    """int8 image `[1, resolution, resolution, 3]` to probabilities `[1, classes]`."""

    name = "mobilenet-v2"
    summary = "MobileNetV2 for image classification: inverted residuals, linear bottlenecks"

    width: float = parameter(0.35, 0.05, 2.0, "factor of all channel counts (the last layer's: only if over 1)")
    resolution: int = parameter(96, 32, 320, "rows and columns of the input image")
    classes: int = parameter(1000, 2, 4000, "number of classes")

    def layers(self, build: ModelBuilder) -> Sequence[Layer]:
        """Convolution, 17 inverted residuals, convolution, pool, classifier."""
        layer = build.image("image", (self.resolution, self.resolution, 3))
        first = scaled_channels(_FIRST_CHANNELS * self.width)
        layer = build.conv2d("first", layer, first, 3, 2, activation=RELU6)
        index = 0
        for stage in _STAGES:
            channels = scaled_channels(stage.channels * self.width)
            for stride in (stage.stride, *(1,) * (stage.blocks - 1)):
                layer = _inverted_residual(build, f"block_{index}", layer, stage.expansion, channels, stride)
                index += 1
        last = scaled_channels(_LAST_CHANNELS * max(self.width, 1.0))
        layer = build.conv2d("last", layer, last, activation=RELU6)
        layer = build.global_average("features", layer)
        layer = build.fully_connected("logits", layer, self.classes, target=LOGITS)
        return [build.softmax("probabilities", layer)]


def _inverted_residual(
    build: ModelBuilder, name: str, source: Layer, expansion: int, channels: int, stride: int
) -> Layer:
    """Expand, filter depthwise, project without activation; add the source where it has the result's shape."""
    layer = source
    if expansion != 1:
        layer = build.conv2d(f"{name}/expand", layer, expansion * source.channels, activation=RELU6)
    layer = build.depthwise_conv2d(f"{name}/depthwise", layer, 3, stride, activation=RELU6)
    layer = build.conv2d(f"{name}/project", layer, channels)
    return build.add(f"{name}/add", source, layer) if layer.shape == source.shape else layer
