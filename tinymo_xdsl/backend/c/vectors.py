"""Inputs that follow from a number: the same values in Python and in the generated self-test."""

from typing import Final

import numpy as np
import numpy.typing as npt

from tinymo_xdsl.backend.c.layer import Table
from tinymo_xdsl.backend.c.library import Tensor

KINDS: Final = ((256, 1), (96, 64), (256, 509), (32, 5))
"""How wide the values of a vector spread, of 256, and how many elements in a row have the same one, in turn."""

_MULTIPLIER: Final = 1664525
_INCREMENT: Final = 1013904223
_BITS: Final = (1 << 32) - 1


class Generator:
    """A linear congruential generator (Numerical Recipes) and a range of bytes, both of which `vector` fixes."""

    def __init__(self, vector: int) -> None:
        self._state = vector
        self.spread, self.hold = KINDS[vector % len(KINDS)]
        self._base = (self._byte() * (256 - self.spread)) >> 8

    def _byte(self) -> int:
        self._state = (self._state * _MULTIPLIER + _INCREMENT) & _BITS
        return self._state >> 24

    def elements(self, tensor: Tensor) -> npt.NDArray[np.generic]:
        """The values of the next input."""
        count = int(np.prod(tensor.shape, dtype=np.int64))
        distinct = -(-count // self.hold)
        numbers = np.array([self._base + ((self._byte() * self.spread) >> 8) for _ in range(distinct)], np.int64)
        flat = np.repeat(numbers, self.hold)[:count]
        return stored(flat, tensor.dtype).reshape(tensor.shape)


def stored(numbers: npt.NDArray[np.int64], dtype: str) -> npt.NDArray[np.generic]:
    """Numbers from 0 to 255 as elements: over the range of 8 and 16 bits, -1 to 1 as floats, else 0 or 1."""
    match dtype:
        case "int8":
            return (numbers - 128).astype(np.int8)
        case "uint8":
            return numbers.astype(np.uint8)
        case "int16":
            return ((numbers - 128) * 256).astype(np.int16)
        case "float32":
            return ((numbers - 128) / 128).astype(np.float32)
        case _:
            return (numbers % 2).astype(dtype)


def c_expression(dtype: str) -> str:
    """`stored` in C, of `next(&generator)`."""
    number = "(int32_t)generate(&generator)"
    match dtype:
        case "int8":
            return f"(int8_t)({number} - 128)"
        case "uint8":
            return f"(uint8_t)({number})"
        case "int16":
            return f"(int16_t)(({number} - 128) * 256)"
        case "float32":
            return f"(float)({number} - 128) / 128.0f"
        case _:
            return f"({Table(dtype, b'').ctype})({number} % 2)"
