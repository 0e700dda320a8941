"""The memory-over-time pictures of a page, and the same as tables for who cannot see them."""

from collections.abc import Iterator

from tinymo_xdsl.analysis.memory_table import shorten
from tinymo_xdsl.report.arena_layout import ArenaLayout, BufferKind
from tinymo_xdsl.report.figures import report_files
from tinymo_xdsl.report.markup import Markup, element
from tinymo_xdsl.report.memory_picture import LONGEST_NAME, Scale, common_scale, memory_picture
from tinymo_xdsl.report.page_tables import head_cell
from tinymo_xdsl.report.report import BestPlan, FileReport, Report

_WIDTH = 1165.0
_HEIGHT = 330.0
"""Pixels of the pictures."""
_ENLARGE_BELOW = 0.6
"""A result of less than this share of the original's bytes is shown once more at its own scale."""
_EXPLANATION = "Operators run from left to right; each rectangle is a tensor at its place in the arena's head."
_LOOPS = " Operators with numbers like 2.3 are in loops: they run many times, and are drawn once."
_HINT = "Point at a rectangle for its name, bytes, offset and lifetime."


def memory_section(report: Report) -> Markup:
    """One picture for each file, at the same scale, with a legend."""
    files = report_files(report)
    layouts = [file.layout for file in files]
    scale = common_scale(layouts, _WIDTH, _HEIGHT)
    names = ("Before", "After") if len(files) > 1 else ("The model",)
    pictures = [_picture(file, scale, name) for file, name in zip(files, names, strict=True)]
    return element(
        "section",
        element("h2", "Memory over one inference"),
        element("p", _EXPLANATION + (_LOOPS if any(map(_has_loops, layouts)) else ""), class_="muted"),
        _patterns(),
        element("div", *pictures, class_="pictures"),
        *_enlarged(layouts, report.result),
        _legend(layouts),
        *(_buffer_table(file.layout, name) for file, name in zip(files, names, strict=True)),
    )


def _enlarged(layouts: list[ArenaLayout], result: FileReport) -> Iterator[Markup]:
    head = result.layout.head
    if len(layouts) > 1 and head < _ENLARGE_BELOW * layouts[0].head:
        scale = common_scale([result.layout], _WIDTH, _HEIGHT)
        times = layouts[0].head / max(head, 1)
        yield element("div", _picture(result, scale, f"After, enlarged {times:.1f} times"), class_="pictures enlarged")


def _picture(file: FileReport, scale: Scale, name: str) -> Markup:
    layout = file.layout
    bound = file.plan.lower_bound if isinstance(file.plan, BestPlan) else None
    count = f"{len({step.number for step in layout.steps})} operators"
    title = f"{name}: {len(layout.buffers)} buffers over {count}, {layout.head:,} bytes of the arena's head"
    caption = element("figcaption", element("b", name), f", {layout.head:,} bytes, {count}")
    picture = memory_picture(layout, bound, scale, title)
    scroll = element("div", picture, class_="scroll", tabindex=0, role="region", aria_label=f"{name}, picture")
    return element("figure", caption, scroll, element("output", _HINT))


def _has_loops(layout: ArenaLayout) -> bool:
    return any("." in step.number for step in layout.steps)


def _patterns() -> Markup:
    lines = element("path", d="M0 6L6 0")
    ground = element("rect", width=6, height=6)
    hatch = element("pattern", ground, lines, id="hatch", width=6, height=6, pattern_units="userSpaceOnUse")
    return element("svg", element("defs", hatch), width=0, height=0, aria_hidden="true", class_="patterns")


def _legend(layouts: list[ArenaLayout]) -> Markup:
    kinds = {buffer.kind for layout in layouts for buffer in layout.buffers}
    is_shared = any(layout.shares_bytes(buffer) for layout in layouts for buffer in layout.buffers)
    entries = [
        ("in use at the peak", "buffer at-peak"),
        ("input", "buffer input"),
        ("output", "buffer output"),
        ("other tensors", "buffer tensor"),
    ]
    if BufferKind.SCRATCH in kinds:
        entries.append(("scratch of a kernel", "buffer scratch"))
    if is_shared:
        entries.append(("shares bytes with another", "buffer tensor shared"))
    swatches = [element("li", _swatch(style), what) for what, style in entries]
    line = element("line", x1=0, x2=20, y1=7, y2=7, class_="level")
    bound = element("line", x1=0, x2=20, y1=7, y2=7, class_="level bound")
    swatches.append(element("li", element("svg", line, width=20, height=14, aria_hidden="true"), "end of the head"))
    swatches.append(element("li", element("svg", bound, width=20, height=14, aria_hidden="true"), "no plan goes below"))
    return element("ul", *swatches, class_="legend", aria_label="Legend")


def _swatch(style: str) -> Markup:
    rect = element("rect", x=1, y=1, width=18, height=12, rx=2)
    return element("svg", element("g", rect, class_=style), width=20, height=14, aria_hidden="true")


def _buffer_table(layout: ArenaLayout, name: str) -> Markup:
    heads = ("tensor", "kind", "bytes", "offset", "operators")
    rows: list[Markup] = []
    for buffer in layout.buffers:
        first, last = layout.steps[buffer.first].number, layout.steps[buffer.last].number
        when = first if first == last else f"{first} to {last}"
        kind = f"{buffer.kind.value}, shared" if layout.shares_bytes(buffer) else buffer.kind.value
        rows.append(
            element(
                "tr",
                element("td", shorten(buffer.name, LONGEST_NAME), class_="name"),
                element("td", kind),
                *(element("td", f"{number:,}", class_="number") for number in (buffer.size, buffer.offset)),
                element("td", when, class_="number"),
            )
        )
    head = element("thead", element("tr", *map(head_cell, heads)))
    table = element("div", element("table", head, element("tbody", *rows)), class_="scroll")
    return element("details", element("summary", f"{name}: the picture as a table"), table)
