"""
A report as one HTML page that needs nothing else: no network, no script or font from elsewhere.

The page allows exactly its own style and script to take effect (a content security policy with their digests), so that
a name in a model can do nothing, whatever it holds. The same report gives the same bytes.
"""

import base64
import hashlib
from collections.abc import Iterator
from importlib.resources import files
from pathlib import PurePath

from tinymo_xdsl import __version__
from tinymo_xdsl import report as package
from tinymo_xdsl.report.figures import report_files
from tinymo_xdsl.report.markup import Markup, element, joined
from tinymo_xdsl.report.page_figures import cards, figures_table, verdict
from tinymo_xdsl.report.page_memory import memory_section
from tinymo_xdsl.report.page_tables import operator_section, pass_section, peak_section, registration_section
from tinymo_xdsl.report.report import FileReport, Report, TensorSummary


def to_html(report: Report) -> str:
    """The page."""
    style, script = _resource("page.css"), _resource("page.js")
    policy = f"default-src 'none'; style-src {_digest(style)}; script-src {_digest(script)}"
    head = element(
        "head",
        element("meta", charset="utf-8"),
        element("meta", http_equiv="Content-Security-Policy", content=policy),
        element("meta", name="viewport", content="width=device-width, initial-scale=1"),
        element("title", f"Memory of {_title(report)}"),
        element("style", style),
    )
    body = element("body", element("main", *_page(report)), element("script", script))
    return joined(Markup("<!DOCTYPE html>\n"), element("html", head, body, lang="en"), Markup("\n"))


def _resource(name: str) -> Markup:
    return Markup(files(package).joinpath(name).read_text("utf-8"))


def _digest(text: str) -> str:
    return f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}'"


def _title(report: Report) -> str:
    return " \N{RIGHTWARDS ARROW} ".join(PurePath(file.model.file).name for file in report_files(report))


def _page(report: Report) -> Iterator[Markup]:
    yield _header(report)
    yield cards(report)
    yield memory_section(report)
    yield element(
        "section", element("div", element("div", figures_table(report)), peak_section(report), class_="columns")
    )
    yield pass_section(report)
    yield operator_section(report)
    yield registration_section(report)
    yield _footer(report.original)


def _header(report: Report) -> Markup:
    model = report.original.model
    facts = (("operators", model.ops), ("MACs", model.macs), ("bytes", model.size))
    tensors = [("input", entry) for entry in model.inputs] + [("output", entry) for entry in model.outputs]
    return element(
        "header",
        element("p", f"TinyMo {'memory' if report.optimization is None else 'optimization'} report", class_="kicker"),
        element("h1", _title(report)),
        element(
            "ul",
            *(element("li", element("b", f"{value:,}"), f" {what}") for what, value in facts),
            *(element("li", f"{kind} ", element("b", f"{entry.dtype} {_shape(entry)}")) for kind, entry in tensors),
            class_="facts",
        ),
        *verdict(report),
    )


def _shape(tensor: TensorSummary) -> str:
    return "\N{MULTIPLICATION SIGN}".join(map(str, tensor.shape)) or "scalar"


def _footer(file: FileReport) -> Markup:
    explanation = (
        "Modelled figures are computed from the file, as TFLite Micro with its reference kernels allocates. Measured"
        " ones come from running the model there, on the machine that made this page. Tensors and scratch take whole"
        " blocks of 16 bytes."
    )
    source = element("p", "Original: SHA-256 ", element("code", file.model.sha256), f". Made by TinyMo {__version__}.")
    return element("footer", element("p", explanation), source)
