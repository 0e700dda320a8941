"""
The memory of one inference as a picture: operators from left to right, offsets in the arena from bottom to top.

Each buffer is a rectangle: as wide as it lives, as high as it has bytes, at its place. Pictures of one `Scale` can be
compared by eye. Colours are classes that the style of the page fills.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import chain

from tinymo_xdsl.analysis.memory_table import shorten
from tinymo_xdsl.report.arena_layout import ArenaLayout, PlacedBuffer
from tinymo_xdsl.report.markup import Markup, element

_LEFT = 62.0
"""Pixels for the labels of offsets."""
_RIGHT = 104.0
"""Pixels for the labels of the lines."""
_TOP = 40.0
"""Pixels for the label of the peak."""
_BOTTOM = 34.0
_LEAST_WIDTH = 150.0
"""Pixels of the plot, so that its labels have room."""
_LEAST_STEP, _LARGEST_STEP = 5.0, 40.0
"""Pixels of a step."""
_LEAST_RECTANGLE = 1.5
"""Pixels that a rectangle is high, so that it can be seen and pointed at."""
_CHARACTER = 6.1
"""Pixels of a character of a label, on average."""
_SHORTEST_LABEL = 14
"""Characters of a name below which it says nothing."""
_LINE = 13.0
"""Pixels of a line of a label."""
LONGEST_NAME = 120
"""Characters of a name where all of it should be seen: converters make names of hundreds."""


@dataclass(frozen=True)
class Scale:
    """How large steps and bytes are in pixels."""

    step: float
    height: float
    """Pixels of the plot."""
    bytes_: int
    """What these show."""

    def y(self, offset: float) -> float:
        """Pixels from the top of the picture to `offset`."""
        return _TOP + self.height * (1 - offset / self.bytes_)

    def x(self, step: float) -> float:
        """Pixels from the left of the picture to the start of `step`."""
        return _LEFT + self.step * step


@dataclass(frozen=True)
class Label:
    """Lines of text in pixels."""

    x: float
    y: float
    lines: tuple[str, ...]

    @property
    def width(self) -> float:
        return _CHARACTER * max(map(len, self.lines))

    @property
    def height(self) -> float:
        return _LINE * len(self.lines)

    def meets(self, other: "Label") -> bool:
        """Whether one would be written over the other."""
        is_beside = self.x + self.width <= other.x or other.x + other.width <= self.x
        return not (is_beside or self.y + self.height <= other.y or other.y + other.height <= self.y)


@dataclass(frozen=True)
class Rectangle:
    """One buffer in pixels."""

    x: float
    y: float
    width: float
    height: float
    buffer: PlacedBuffer
    style: str
    """Its classes."""


def common_scale(layouts: Sequence[ArenaLayout], width: float, height: float) -> Scale:
    """The scale at which pictures of all layouts, side by side, are about `width` pixels wide, and readable."""
    step = _step_width([len(layout.steps) for layout in layouts], width - len(layouts) * (_LEFT + _RIGHT))
    return Scale(min(max(step, _LEAST_STEP), _LARGEST_STEP), height, max(layout.head for layout in layouts))


def _step_width(counts: Sequence[int], room: float) -> float:
    """How wide a step may be if plots of `counts` steps, each of the least width at least, share `room`."""
    step = room / sum(counts)
    wide = [count for count in counts if step * count >= _LEAST_WIDTH]
    if len(wide) in (0, len(counts)):
        return step
    return _step_width(wide, room - _LEAST_WIDTH * (len(counts) - len(wide)))


def rectangles(layout: ArenaLayout, scale: Scale) -> tuple[Rectangle, ...]:
    """The buffers of `layout`, what lies below others first."""
    below_first = sorted(layout.buffers, key=lambda buffer: -buffer.size * (buffer.last - buffer.first + 1))
    return tuple(_rectangle(layout, buffer, scale) for buffer in below_first)


def _rectangle(layout: ArenaLayout, buffer: PlacedBuffer, scale: Scale) -> Rectangle:
    style = ["buffer", buffer.kind.value]
    if buffer.is_alive(layout.peak_index):
        style.append("at-peak")
    if layout.shares_bytes(buffer):
        style.append("shared")
    height = max(scale.height * buffer.size / scale.bytes_, _LEAST_RECTANGLE)
    width = scale.step * (buffer.last - buffer.first + 1)
    return Rectangle(scale.x(buffer.first), scale.y(buffer.offset) - height, width, height, buffer, " ".join(style))


def memory_picture(layout: ArenaLayout, lower_bound: int | None, scale: Scale, title: str) -> Markup:
    """The picture as an SVG element; `lower_bound` is drawn as a line where it is known."""
    plot = max(scale.step * len(layout.steps), _LEAST_WIDTH)
    width, height = _LEFT + plot + _RIGHT, _TOP + scale.height + _BOTTOM
    drawn = rectangles(layout, scale)
    return element(
        "svg",
        element("title", title),
        *_grid(scale, plot),
        *_step_axis(layout, scale),
        *_peak_band(layout, scale),
        *(_drawn(rectangle, layout) for rectangle in drawn),
        *chain.from_iterable(map(_written, labels(drawn))),
        *_levels(layout, lower_bound, scale, plot),
        *_peak_label(layout, scale, plot),
        class_="memory",
        role="img",
        aria_label=title,
        width=round(width),
        height=round(height),
        view_box=f"0 0 {round(width)} {round(height)}",
    )


def _drawn(rectangle: Rectangle, layout: ArenaLayout) -> Markup:
    rect = element("rect", x=rectangle.x, y=rectangle.y, width=rectangle.width, height=rectangle.height)
    return element("g", element("title", describe(rectangle.buffer, layout)), rect, class_=rectangle.style)


def labels(drawn: Sequence[Rectangle]) -> list[Label]:
    """Names and sizes of those rectangles that have room for them, the largest first; none is over another one."""
    placed: list[Label] = []
    for rectangle in sorted(drawn, key=lambda rectangle: -rectangle.width * rectangle.height):
        label = _label(rectangle)
        if label.lines and not any(map(label.meets, placed)):
            placed.append(label)
    return placed


def _label(rectangle: Rectangle) -> Label:
    characters = int((rectangle.width - 8) / _CHARACTER)
    name, size = rectangle.buffer.name, f"{rectangle.buffer.size:,}"
    lines = [size] if len(size) <= characters else []
    if characters >= min(_SHORTEST_LABEL, len(name)):
        lines.insert(0, shorten(name, characters))
    return Label(rectangle.x + 4, rectangle.y, tuple(lines[: int((rectangle.height - 2) / _LINE)]))


def _written(label: Label) -> Iterator[Markup]:
    for number, line in enumerate(label.lines):
        yield element("text", line, x=label.x, y=label.y + _LINE * (number + 1) - 1, class_="label")


def describe(buffer: PlacedBuffer, layout: ArenaLayout) -> str:
    """A buffer in words: name, bytes, offset and lifetime."""
    first, last = layout.steps[buffer.first].number, layout.steps[buffer.last].number
    when = f"operator {first}" if first == last else f"operators {first} to {last}"
    shared = ", shares bytes" if layout.shares_bytes(buffer) else ""
    name = shorten(buffer.name, LONGEST_NAME)
    return f"{name}\n{buffer.kind.value}, {buffer.size:,} bytes at offset {buffer.offset:,}{shared}, {when}"


def _grid(scale: Scale, plot: float) -> Iterator[Markup]:
    tick = _tick(scale.bytes_, scale.height / 36)
    for offset in range(0, scale.bytes_ + 1, tick):
        y = scale.y(offset)
        yield element("line", x1=_LEFT, x2=_LEFT + plot, y1=y, y2=y, class_="grid")
        yield element("text", _short_bytes(offset), x=_LEFT - 8, y=y + 4, class_="axis end")


def _tick(most: int, ticks: float) -> int:
    """A round number of bytes, of which at most about `ticks` are in `most`."""
    tick = 16
    while tick * ticks < most:
        tick *= 2
    return tick


def _short_bytes(count: int) -> str:
    return f"{count / 1024:g} KiB" if count >= 1024 else f"{count} B"


def _step_axis(layout: ArenaLayout, scale: Scale) -> Iterator[Markup]:
    y = _TOP + scale.height
    room = _CHARACTER * max(len(step.number) for step in layout.steps) + 10
    every = next(every for every in (1, 2, 5, 10, 20, 50) if every * scale.step >= room)
    for step in range(0, len(layout.steps), every):
        number = layout.steps[step].number
        yield element("text", number, x=scale.x(step + 0.5), y=y + 15, class_="axis middle")
    yield element("text", "operator", x=_LEFT - 8, y=y + 15, class_="axis end")


def _peak_band(layout: ArenaLayout, scale: Scale) -> Iterator[Markup]:
    x, height = scale.x(layout.peak_index), scale.height + 10
    yield element("rect", x=x, y=_TOP - 10, width=scale.step, height=height, class_="peak-band")


def _peak_label(layout: ArenaLayout, scale: Scale, plot: float) -> Iterator[Markup]:
    peak = layout.steps[layout.peak_index]
    text = f"peak: operator {peak.number}, {shorten(peak.operator, 24)}"
    x = scale.x(layout.peak_index + 0.5)
    is_left = x < _LEFT + plot / 2
    yield element("path", d=f"M{x - 5:.1f} {_TOP - 19:.1f}h10l-5 7z", class_="peak-mark")
    style = "peak-label" if is_left else "peak-label end"
    yield element("text", text, x=x + 9 if is_left else x - 9, y=_TOP - 13, class_=style)


def _levels(layout: ArenaLayout, lower_bound: int | None, scale: Scale, plot: float) -> Iterator[Markup]:
    """Lines at the top of the arena's head, and at what no plan goes below."""
    right = _LEFT + plot
    head = scale.y(layout.head)
    yield element("line", x1=_LEFT, x2=right, y1=head, y2=head, class_="level")
    yield element("text", f"head {layout.head:,}", x=right + 6, y=head + 4, class_="level-label")
    if lower_bound is None:
        return
    if lower_bound == layout.head:
        yield element("text", "= lower bound", x=right + 6, y=head + 4 + _LINE, class_="bound-label")
        return
    bound = scale.y(lower_bound)
    # Above or below the line where it is too close to the other label.
    side = max(bound, head + _LINE) if bound >= head else min(bound, head - _LINE)
    yield element("line", x1=_LEFT, x2=right, y1=bound, y2=bound, class_="level bound")
    yield element("text", f"bound {lower_bound:,}", x=right + 6, y=side + 4, class_="bound-label")
