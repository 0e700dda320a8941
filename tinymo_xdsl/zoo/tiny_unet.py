"""U-Net (Ronneberger et al., "U-Net: Convolutional Networks for Biomedical Image Segmentation", 2015), made small."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from tinymo_xdsl.zoo.architecture import Architecture, ZooError, parameter
from tinymo_xdsl.zoo.builder import RELU, Layer, ModelBuilder

_CHANNELS: Final = (8, 16, 32, 64)
_SHRINKING: Final = 2 ** (len(_CHANNELS) - 1)


@dataclass(frozen=True, kw_only=True)
class TinyUNet(Architecture):
    """int8 image `[1, resolution, resolution, 3]` to a mask `[1, resolution, resolution, 1]` of probabilities."""

    name = "tiny-unet"
    summary = "Tiny U-Net for segmentation: 8 to 64 channels, three long skip connections"

    resolution: int = parameter(128, _SHRINKING, 512, f"rows and columns of the image, a multiple of {_SHRINKING}")

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.resolution % _SHRINKING:
            nearest = self.resolution // _SHRINKING * _SHRINKING
            raise ZooError(
                f"parameter 'resolution' of {self.name} is {self.resolution}, but must be a multiple of {_SHRINKING}:"
                f" try {nearest} or {nearest + _SHRINKING}"
            )

    def layers(self, build: ModelBuilder) -> Sequence[Layer]:
        """Down to the bottom, where no pool follows, and up along the skips."""
        layer = build.image("image", (self.resolution, self.resolution, 3))
        skips: list[Layer] = []
        for level, channels in enumerate(_CHANNELS[:-1]):
            skips.append(_two_convolutions(build, f"down_{level}", layer, channels))
            layer = build.max_pool(f"down_{level}/pool", skips[-1])
        layer = _two_convolutions(build, "bottom", layer, _CHANNELS[-1])
        for level, skip in reversed(list(enumerate(skips))):
            enlarged = build.transpose_conv(f"up_{level}/enlarge", layer, skip.channels, 2, like=skip)
            joined = build.concatenate(f"up_{level}/join", [enlarged, skip])
            layer = _two_convolutions(build, f"up_{level}", joined, skip.channels)
        return [build.logistic("mask", build.conv2d("head", layer, 1))]


def _two_convolutions(build: ModelBuilder, name: str, source: Layer, channels: int) -> Layer:
    layer = build.conv2d(f"{name}/conv_0", source, channels, 3, activation=RELU)
    return build.conv2d(f"{name}/conv_1", layer, channels, 3, activation=RELU)
