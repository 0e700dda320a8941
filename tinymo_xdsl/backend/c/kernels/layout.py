"""Rows whose bytes are copied: part of a row, several rows as one, a row with a frame, pixels repeated."""

from collections.abc import Sequence
from dataclasses import dataclass

from tinymo_xdsl.backend.c.layer import Helper, Structure
from tinymo_xdsl.backend.c.text import fill, lines


@dataclass(frozen=True)
class BytesRow:
    """What all of them share: elements are bytes, and there are no parameters."""

    @property
    def element_in(self) -> str:
        return "uint8_t"

    @property
    def element_out(self) -> str:
        return "uint8_t"

    @property
    def structure(self) -> Structure | None:
        return None

    @property
    def helpers(self) -> tuple[Helper, ...]:
        return ()


@dataclass(frozen=True)
class SliceRow(BytesRow):
    """
    `count` bytes of each of `pixels` pixels, of which the first begins at `start`.

    Pixels that are read are `pitch` bytes apart, those that are written `result_pitch`.
    """

    pixels: int
    pitch: int
    start: int
    count: int
    result_pitch: int

    @property
    def stem(self) -> str:
        return f"copy_{self.pixels}x{self.count}" + (f"_of_{self.pitch}" if self.pixels > 1 else "")

    def definition(self, name: str, structure: str) -> str:
        start = f" + {self.start}" if self.start else ""
        copy = f"memcpy(out, rows[0]{start}, {self.count}u);"
        if self.pixels > 1:
            copy = fill(
                """
                for (int32_t x = 0; x < $pixels; ++x) {
                    memcpy(out + x * $result_pitch, rows[0] + x * $pitch$start, ${count}u);
                }
                """,
                pixels=self.pixels,
                count=self.count,
                pitch=self.pitch,
                result_pitch=self.result_pitch,
                start=start,
            )
        return _function(name, f"Copies {self.count} bytes of each of {self.pixels} pixels", copy)


@dataclass(frozen=True)
class GatherRow(BytesRow):
    """`count` elements of `unit` bytes for each of `pixels` pixels, read at distances of so many bytes."""

    pixels: int
    pixel_pitch: int
    count: int
    pitch: int
    unit: int

    @property
    def stem(self) -> str:
        return f"gather_{self.pixels}x{self.count}"

    def definition(self, name: str, structure: str) -> str:
        body = fill(
            """
            for (int32_t x = 0; x < $pixels; ++x) {
                for (int32_t c = 0; c < $count; ++c) {
                    memcpy(out, rows[0] + x * $pixel_pitch + c * $pitch, ${unit}u);
                    out += $unit;
                }
            }
            """,
            pixels=self.pixels,
            pixel_pitch=self.pixel_pitch,
            count=self.count,
            pitch=self.pitch,
            unit=self.unit,
        )
        return _function(
            name, f"Takes {self.pixels * self.count} elements of {self.unit} bytes from their places", body
        )


@dataclass(frozen=True)
class ConcatRow(BytesRow):
    """For each of `pixels` pixels, some bytes of each operand in turn."""

    pixels: int
    parts: tuple[int, ...]

    @property
    def stem(self) -> str:
        return f"concat_{self.pixels}x{'_'.join(map(str, self.parts[:4]))}"

    def definition(self, name: str, structure: str) -> str:
        copies: list[str] = []
        at = 0
        for number, count in enumerate(self.parts):
            # A part may lie in the result already.
            copies.append(f"memmove(out{f' + {at}' if at else ''}, rows[{number}] + x * {count}, {count}u);")
            at += count
        body = fill(
            """
            for (int32_t x = 0; x < $pixels; ++x) {
                $copies
                out += $total;
            }
            """,
            pixels=self.pixels,
            copies=lines(copies),
            total=at,
        )
        return _function(name, f"Puts {len(self.parts)} rows of {self.pixels} pixels together", body)


@dataclass(frozen=True)
class PadRow(BytesRow):
    """
    A row of `pixels` pixels of `count` bytes with a frame of one value.

    Pads are in bytes: `left` and `right` of the row, `before` and `after` each pixel.
    """

    pixels: int
    count: int
    left: int
    right: int
    before: int
    after: int
    value: int

    @property
    def stem(self) -> str:
        return f"pad_{self.left}_{self.right}_{self.pixels}x{self.count}"

    def definition(self, name: str, structure: str) -> str:
        parts = [self._fill(self.left), self._pixels(), self._fill(self.right)]
        text = f"A row of {self.pixels * self.count} bytes with a frame of {self.value}"
        return _function(name, text, lines([part for part in parts if part]))

    def _fill(self, count: int) -> str:
        return f"memset(out, {self.value}, {count}u);\nout += {count};" if count else ""

    def _pixels(self) -> str:
        if not self.before and not self.after:
            whole = self.pixels * self.count
            return f"memcpy(out, rows[0], {whole}u);" + (f"\nout += {whole};" if self.right else "")
        return fill(
            """
            for (int32_t x = 0; x < $pixels; ++x) {
                $before
                memcpy(out, rows[0] + x * $count, ${count}u);
                out += $count;
                $after
            }
            """,
            pixels=self.pixels,
            before=self._fill(self.before),
            after=self._fill(self.after),
            count=self.count,
        )


@dataclass(frozen=True)
class RepeatRow(BytesRow):
    """Each of `pixels` pixels of `count` bytes `factor` times."""

    pixels: int
    count: int
    factor: int

    @property
    def stem(self) -> str:
        return f"repeat_{self.factor}_{self.pixels}x{self.count}"

    def definition(self, name: str, structure: str) -> str:
        body = fill(
            """
            for (int32_t x = 0; x < $pixels; ++x) {
                memcpy(out + x * $count, rows[0] + x / $factor * $count, ${count}u);
            }
            """,
            pixels=self.pixels * self.factor,
            factor=self.factor,
            count=self.count,
        )
        return _function(name, f"Repeats each pixel of {self.count} bytes {self.factor} times", body)


def _function(name: str, title: str, body: str) -> str:
    text = fill(
        """
        /* $title. */
        static void $name(uint8_t *out, const uint8_t *const *rows)
        {
            $body
        }
        """,
        name=name,
        title=title,
        body=body,
    )
    return text + "\n"


def uniform_byte(data: Sequence[int]) -> int | None:
    """The byte that all of `data` are, if they are alike."""
    return data[0] if len(set(data)) == 1 else None
