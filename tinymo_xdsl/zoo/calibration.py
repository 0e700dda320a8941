"""
Weights from a seed, and the scales that fit them.

Scales come from what a layer computes for a few made-up inputs, as a converter chooses them. Everything that decides a
stored byte is an exact integer or one rounded operation of IEEE doubles, elementwise, so that every machine stores the
same bytes: random bytes are those of the bit generator itself, whose stream numpy keeps from version to version; sums
are integers; statistics are order statistics; and a scale has 8 significant bits.
"""

import math
from dataclasses import dataclass
from typing import Any, Final, TypeAlias

import numpy as np
import numpy.typing as npt

from tinymo_xdsl.flatbuffer.schema import ActivationFunctionType
from tinymo_xdsl.numerics.fixed_point import Int32Array, IntegerArray

Int8Array: TypeAlias = npt.NDArray[np.int8]
Float64Array: TypeAlias = npt.NDArray[np.float64]

CALIBRATION_INPUTS: Final = 8
"""From noise to patches of 128 pixels, each twice as wide as the one before."""

_SCALE_BITS: Final = 8


class RandomBytes:
    """An endless stream of bytes from a seed."""

    def __init__(self, seed: int):
        self._generator = np.random.PCG64(seed)

    def int8(self, shape: tuple[int, ...]) -> Int8Array:
        """Values from -128 to 127."""
        size = math.prod(shape)
        words: npt.NDArray[Any] = self._generator.random_raw(-(-size // 8))
        return words.astype("<u8").view(np.int8)[:size].reshape(shape)

    def weights(self, shape: tuple[int, ...]) -> Int8Array:
        """Values from -127 to 127, as weights are stored."""
        return np.maximum(self.int8(shape), np.int8(-127))

    def images(self, shape: tuple[int, int, int]) -> Int8Array:
        """The inputs `[CALIBRATION_INPUTS, H, W, C]` on which an image `[H, W, C]` is calibrated."""
        return np.stack([self._patches(shape, 1 << index) for index in range(CALIBRATION_INPUTS)])

    def _patches(self, shape: tuple[int, int, int], side: int) -> Int8Array:
        height, width, channels = shape
        colours = self.int8((-(-height // side), -(-width // side), channels))
        return colours.repeat(side, axis=0).repeat(side, axis=1)[:height, :width]


@dataclass(frozen=True)
class Interval:
    """The real values that a layer should mostly give."""

    low: float
    high: float

    @property
    def span(self) -> float:
        """The distance of the ends."""
        return self.high - self.low

    @property
    def middle(self) -> float:
        """Half way between the ends."""
        return (self.low + self.high) / 2


POSITIVE: Final = Interval(0.5, 4.0)
"""Little of it is cut off by RELU, and little by RELU6."""
CENTRED: Final = Interval(-2.0, 2.0)
LOGITS: Final = Interval(-4.0, 4.0)
"""Wide enough that SOFTMAX over many classes prefers some."""


@dataclass(frozen=True, eq=False)
class Folded:
    """What a batch normalisation becomes when it is folded into the layer before it."""

    weight_scale: Float64Array
    """One scale, or one for each channel."""
    bias: Int32Array
    """In units of the input's scale times the weights' scale."""


def fold_normalization(sums: Int32Array, input_scale: float, target: Interval, per_channel: bool) -> Folded:
    """
    Scales and biases that bring the middle 80 % of each channel of `sums` `[..., C]` into `target`.

    With one scale for all channels it fits their average.
    """
    channels = np.ascontiguousarray(sums.reshape(-1, sums.shape[-1]).T)
    tail = channels.shape[1] // 10
    ordered = np.partition(channels, (tail, channels.shape[1] - 1 - tail), axis=1)
    low, high = ordered[:, tail].astype(np.int64), ordered[:, -1 - tail].astype(np.int64)
    spans = np.maximum(high - low, 1)
    span = spans if per_channel else spans.sum(keepdims=True) // len(spans)
    scale = round_up(target.span / (span * input_scale))
    bias = np.rint(target.middle / (scale * input_scale)).astype(np.int64) - (low + high) // 2
    return Folded(scale, bias.astype("<i4"))


def round_up(scale: Float64Array) -> Float64Array:
    """The next number of 8 significant bits."""
    mantissa, exponent = np.frexp(scale)
    return np.ldexp(np.ceil(np.ldexp(mantissa, _SCALE_BITS)), exponent - _SCALE_BITS)


@dataclass(frozen=True)
class Affine:
    """How int8 values stand for real ones: `real = scale * (stored - zero_point)`."""

    scale: float
    zero_point: int

    @staticmethod
    def covering(low: float, high: float) -> "Affine":
        """The finest one that holds zero and all from `low` to `high`."""
        low, high = min(low, 0.0), max(high, 0.0)
        scale = float(round_up(np.array((high - low) / 255 or 1.0)))
        return Affine(scale, max(-128, min(127, round(-128 - low / scale))))

    def stored(self, real: Float64Array) -> Int8Array:
        """`real`, rounded and limited to what int8 holds."""
        return np.clip(np.rint(real / self.scale) + self.zero_point, -128, 127).astype(np.int8)

    def real(self, stored: IntegerArray) -> Float64Array:
        """What `stored` stands for."""
        return (stored.astype(np.float64) - self.zero_point) * self.scale


def calibrate(real: Float64Array, activation: ActivationFunctionType, target: Interval | None = None) -> Affine:
    """
    The quantisation of a tensor that took the values `real` before its `activation`.

    Values further from `target` than its own width do not count.
    """
    low, high = float(real.min()), float(real.max())
    if target is not None:
        low, high = max(low, target.low - target.span), min(high, target.high + target.span)
    match activation:
        case ActivationFunctionType.RELU:
            return Affine.covering(0.0, high)
        case ActivationFunctionType.RELU6:
            return Affine.covering(0.0, min(high, 6.0))
        case _:
            return Affine.covering(low, high)
