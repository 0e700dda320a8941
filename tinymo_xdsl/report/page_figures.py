"""The figures of a report as parts of a page: cards for the most important ones, and a table of all."""

from collections.abc import Iterator, Sequence

from tinymo_xdsl.report.figures import ARENA_LINES, change, machines, report_files
from tinymo_xdsl.report.markup import Markup, element
from tinymo_xdsl.report.report import Absent, BestPlan, FileReport, Report
from tinymo_xdsl.report.text import comparison_scope
from tinymo_xdsl.verification import Verification


def verdict(report: Report) -> Iterator[Markup]:
    """Whether the optimized model computes what the original computes."""
    optimization = report.optimization
    if optimization is None:
        return
    found = optimization.verification
    if optimization.is_original:
        yield _verdict("Unchanged", "", "nothing made the model smaller: the file is the original, byte for byte")
    elif isinstance(found, Verification):
        chip = ("Outputs identical", "good") if found.identical else ("Outputs differ", "bad")
        yield _verdict(*chip, f"bit for bit: {comparison_scope(found)}")
        yield from (element("p", note, class_="muted") for note in found.notes)
    else:
        yield _verdict("Not compared", "", found.why)


def _verdict(label: str, style: str, what: str) -> Markup:
    return element("p", element("span", label, class_=f"chip {style}".strip()), element("span", what), class_="verdict")


def cards(report: Report) -> Markup:
    """What a reader looks for first."""
    small, here = machines(report)
    files = report_files(report)
    return element(
        "div",
        _card(f"32-bit arena, {small.how}", [figures.arena for figures in small.files], "bytes"),
        _card(f"Arena here, {here.how}", [figures.arena for figures in here.files], "bytes"),
        _card(f"Activations, {_proof(report.result)}", [file.layout.head for file in files], "bytes"),
        _card("Work", [file.model.macs for file in files], "MACs", is_cost=True),
        _card("File", [file.model.size for file in files], "bytes", is_cost=True),
        class_="cards",
    )


def _proof(file: FileReport) -> str:
    plan = file.plan
    if not isinstance(plan, BestPlan):
        return "no plan"
    if file.layout.head == plan.head:
        return "proven least" if plan.optimal else f"bound {plan.lower_bound:,}"
    return f"{plan.head:,} planned"


def _card(what: str, values: Sequence[int], unit: str, *, is_cost: bool = False) -> Markup:
    label = element("div", what, class_="what")
    value = element("div", f"{values[-1]:,} ", element("small", unit), class_="value")
    if len(values) == 1:
        return element("div", label, value, class_="card")
    source = element("div", f"from {values[0]:,} ", delta(values[0], values[1], is_cost=is_cost), class_="from")
    return element("div", label, value, source, class_="card")


def delta(before: int, after: int, *, is_cost: bool = False) -> Markup:
    """The change in percent. More memory is bad; more of a cost is the price for less memory."""
    percent = change(before, after)
    style = "good" if after < before else "bad" if after > before and not is_cost else ""
    return element("span", percent or "no change", class_=f"chip {style}".strip())


def figures_table(report: Report) -> Markup:
    """Every figure of the arena, for each machine before and after."""
    columns = machines(report)
    is_pair = report.optimization is not None
    heads = [
        element("th", f"{machine.name}, {machine.how}", class_="number", scope="colgroup", colspan=len(machine.files))
        for machine in columns
    ]
    rows = [element("tr", element("td"), *heads)]
    if is_pair:
        pair = [element("th", when, class_="number", scope="col") for when in ("before", "after")]
        rows.append(element("tr", element("td"), *pair * len(columns)))
    lines: list[Markup] = []
    for name, what, figure in ARENA_LINES:
        values = [figure(figures) for machine in columns for figures in machine.files]
        cells = [element("td", "\N{EN DASH}" if value is None else f"{value:,}", class_="number") for value in values]
        label = element("th", name, element("small", f" {what}"), scope="row")
        lines.append(element("tr", label, *cells, **({"class_": "total"} if name == "arena" else {})))
    table = element("table", element("thead", *rows), element("tbody", *lines))
    title = element("h2", "TFLite Micro's arena, in bytes")
    return element("div", title, element("div", table, class_="scroll"), *_storage(report.result), *_absent(report))


def _storage(file: FileReport) -> Iterator[Markup]:
    for memory, size in file.storage:
        yield element("p", f"Storage in {memory}: {size:,} bytes; a run copies {file.spilled:,} bytes.")


def _absent(report: Report) -> Iterator[Markup]:
    measured = report.result.measured
    if isinstance(measured, Absent):
        yield element("p", f"Not measured: {measured.why}.", class_="muted")
