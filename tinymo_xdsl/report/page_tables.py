"""The tables of a page: what is in memory at the peak, what passes did, every operator, and what to register."""

import re
from collections.abc import Iterator, Sequence

from tinymo_xdsl.analysis.memory_table import shorten
from tinymo_xdsl.report.arena_layout import ArenaLayout
from tinymo_xdsl.report.figures import report_files
from tinymo_xdsl.report.markup import Markup, element
from tinymo_xdsl.report.memory_picture import LONGEST_NAME
from tinymo_xdsl.report.operators import statements
from tinymo_xdsl.report.report import Report

_NAME = 72
"""Characters of a name; the browser shows more of it where the pointer rests."""
_QUOTED_NAME = re.compile(r"'([^']*)'")
_WHEN = ("Before", "After")


def _named_layouts(report: Report) -> list[tuple[str, ArenaLayout]]:
    layouts = [file.layout for file in report_files(report)]
    return list(zip(_WHEN if len(layouts) > 1 else ("",), layouts, strict=True))


def peak_section(report: Report) -> Markup:
    """What is in use at the peak, before and after."""
    parts = [part for when, layout in _named_layouts(report) for part in _peak(layout, when)]
    return element("div", element("h2", "At the peak"), *parts)


def _peak(layout: ArenaLayout, when: str) -> Iterator[Markup]:
    step = layout.steps[layout.peak_index]
    start = f"{when}: " if when else ""
    yield element("h3", f"{start}{step.used:,} bytes at operator {step.number}, {step.operator}")
    rows = [
        element(
            "tr",
            element("td", f"{buffer.size:,}", class_="number"),
            element("td", shorten(buffer.name, _NAME), class_="name", title=shorten(buffer.name, LONGEST_NAME)),
        )
        for buffer in layout.at_peak
    ]
    yield element("table", element("tbody", *rows))


def pass_section(report: Report) -> Markup:
    """What came of each pass and why, or what may help."""
    optimization = report.optimization
    if optimization is None:
        title = "What would help"
        entries = [(hint.name, "may help" if hint.helps else "no", hint.helps, hint.why) for hint in report.hints]
    else:
        title = "Passes, and why"
        entries = [
            (outcome.name, "applied" if outcome.applied else "not applied", outcome.applied, outcome.why)
            for outcome in optimization.passes
        ]
    rows = [_pass(*entry) for entry in entries]
    return element("section", element("h2", title), element("table", element("tbody", *rows), class_="passes"))


def _pass(name: str, verdict: str, is_good: bool, why: str) -> Markup:
    chip = element("span", verdict, class_="chip good" if is_good else "chip")
    return element(
        "tr",
        element("td", element("code", name)),
        element("td", chip),
        element("td", _QUOTED_NAME.sub(_shortened, why)),
    )


def _shortened(quoted: re.Match[str]) -> str:
    return f"'{shorten(quoted[1], _NAME)}'"


def operator_section(report: Report) -> Markup:
    """Every operator with the bytes in use while it runs: of the file that the report ends with, then of the other."""
    *others, (when, layout) = _named_layouts(report)
    title = "Bytes in use, operator by operator"
    tables = [
        element("details", element("summary", f"{name}: {len(other.steps)} steps"), _operators(other))
        for name, other in others
    ]
    start = element("h3", f"{when}: {len(layout.steps)} steps") if others else ""
    return element("section", element("h2", title), start, _operators(layout), *tables)


def _operators(layout: ArenaLayout) -> Markup:
    heads = element("tr", *map(head_cell, ("", "operator", "bytes", "", "first output")))
    rows: list[Markup] = []
    for place, step in enumerate(layout.steps):
        cells = (
            element("td", step.number, class_="number"),
            element("td", step.operator),
            element("td", f"{step.used:,}", class_="number"),
            element("td", _bar(step.used, layout.peak), class_="bar-cell"),
            element("td", shorten(step.name, _NAME), class_="name"),
        )
        rows.append(element("tr", *cells, **({"class_": "peak"} if place == layout.peak_index else {})))
    table = element("table", element("thead", heads), element("tbody", *rows), class_="operators")
    return element("div", table, class_="scroll tall", tabindex=0, role="region", aria_label="Operators")


def head_cell(what: str) -> Markup:
    """The head of a column, above its numbers if it has numbers."""
    style = "number" if what in ("bytes", "offset", "operators") else "words"
    return element("th", what, scope="col", class_=style)


def _bar(used: int, most: int) -> Markup:
    bar = element("rect", width=100 * used / max(most, 1), height=10, rx=0.5)
    return element("svg", bar, class_="bar", view_box="0 0 100 10", preserveAspectRatio="none", aria_hidden="true")


def registration_section(report: Report) -> Markup:
    """What an application registers to run the file, and what of it is new."""
    operators = report.result.operators
    new = () if report.optimization is None else statements(report.optimization.unknown)
    calls = [f"{statement}  // new" if statement in new else statement for statement in statements(operators)]
    code = "\n".join([f"tflite::MicroMutableOpResolver<{len(operators)}> resolver;", *calls])
    parts: Sequence[Markup] = ()
    if report.optimization is not None and report.optimization.added:
        added = ", ".join(f"{use.name} \N{MULTIPLICATION SIGN}{use.count}" for use in report.optimization.added)
        parts = (element("p", f"Operators added: {added}", class_="muted"),)
    return element(
        "section", element("h2", "What an application registers"), *parts, element("pre", element("code", code))
    )
