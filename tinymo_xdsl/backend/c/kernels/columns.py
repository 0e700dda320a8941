"""How a kernel moves over the columns of a row."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Columns:
    """Windows over the pixels of a row."""

    image: int
    """Pixels of the row that is read."""
    result: int
    """Pixels of the row that is written."""
    kernel: int
    stride: int
    dilation: int
    before: int
    """Pixels to the left of the image that the first window covers."""

    @property
    def span(self) -> int:
        """Pixels from the first tap to the one behind the last."""
        return (self.kernel - 1) * self.dilation + 1

    @property
    def inside(self) -> tuple[int, int]:
        """The half-open range of windows that lie in the image."""
        first = -(-self.before // self.stride) if self.before > 0 else 0
        last = (self.image - self.span + self.before) // self.stride
        return min(max(first, 0), self.result), max(min(last + 1, self.result), min(max(first, 0), self.result))

    @property
    def leaves_image(self) -> bool:
        """Whether a window covers pixels outside of the image."""
        return self.inside != (0, self.result)

    def left(self, x: str) -> str:
        """The image's pixel under the first tap of the window `x`, as a C expression."""
        moved = x if self.stride == 1 else f"{x} * {self.stride}"
        return f"{moved} - {self.before}" if self.before > 0 else f"{moved} + {-self.before}" if self.before else moved

    def tap(self, left: str, tap: str) -> str:
        """The image's pixel under a tap, as a C expression."""
        return f"{left} + {tap}" if self.dilation == 1 else f"{left} + {tap} * {self.dilation}"

    @property
    def text(self) -> str:
        """What tells functions with other windows apart, for names."""
        return f"s{self.stride}" + (f"d{self.dilation}" if self.dilation > 1 else "")
