"""The page of a report: complete in itself, true to the figures, harmless whatever names hold, the same each time."""

import base64
import hashlib
import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from html.parser import HTMLParser

import pytest
from chain_models import ChainBuilder
from flatbuffer_models import small_model

from tinymo_xdsl import zoo
from tinymo_xdsl.flatbuffer.model import Model, Operator, Subgraph, Tensor
from tinymo_xdsl.flatbuffer.offline_plan import UNPLANNED, with_plan
from tinymo_xdsl.flatbuffer.writer import write_model
from tinymo_xdsl.report.arena_layout import ArenaLayout, arena_layout
from tinymo_xdsl.report.build import analyze_file
from tinymo_xdsl.report.html import to_html
from tinymo_xdsl.report.markup import Markup, element, joined
from tinymo_xdsl.report.memory_picture import Rectangle, common_scale, labels, memory_picture, rectangles
from tinymo_xdsl.report.optimized_file import optimize_file
from tinymo_xdsl.report.report import Report
from tinymo_xdsl.search import OptimizeOptions
from tinymo_xdsl.verification import Verification
from tinymo_xdsl.verification.engines import ModelFile

HOSTILE = "</title><script>alert('&\"')</script>]]>\x00\x1b"


@dataclass(frozen=True)
class Tag:
    name: str
    attributes: dict[str, str | None]
    text: str


class Page(HTMLParser):
    """The elements of a page in order, each with the text that directly follows its start."""

    VOID = frozenset({"meta"})

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[Tag] = []
        self.open: list[str] = []
        self.feed(text)
        self.close()
        assert self.open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(Tag(tag, dict(attrs), ""))
        if tag not in self.VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        if self.open and self.tags[-1].name == self.open[-1]:
            self.tags[-1] = replace(self.tags[-1], text=self.tags[-1].text + data)

    def all(self, name: str) -> Iterator[Tag]:
        return (tag for tag in self.tags if tag.name == name)

    def of_class(self, name: str) -> list[Tag]:
        return [tag for tag in self.tags if name in (tag.attributes.get("class") or "").split()]

    def texts(self) -> str:
        return " ".join(" ".join(tag.text for tag in self.tags).split())


def analyzed(model: Model, name: str = "model.tflite") -> Report:
    return analyze_file(ModelFile.read(name, write_model(model)), measure=False)


@pytest.fixture(scope="module")
def optimized() -> Report:
    file = ModelFile.read("folder/lenet5.tflite", write_model(zoo.build("lenet5")))
    report = optimize_file(file, "small.tflite", OptimizeOptions(), None).report
    assert report.optimization is not None
    verification = Verification("tflite-micro", "1.2", 5, 30, 0, 3, None, ("a remark",))
    return replace(report, optimization=replace(report.optimization, verification=verification))


@pytest.fixture(scope="module")
def page(optimized: Report) -> Page:
    return Page(to_html(optimized))


class TestPage:
    def test_it_needs_nothing_else(self, optimized: Report):
        text = to_html(optimized)
        assert not re.search(r"https?:|//[a-z]|@import|<link|<img|<iframe|\bsrc=|\bhref=|\son[a-z]+=", text)
        # The pattern of scratch is in the page itself.
        assert set(re.findall(r"url\([^)]*\)", text)) == {"url(#hatch)"}
        assert 'id="hatch"' in text

    def test_it_allows_its_own_style_and_script_alone(self, page: Page):
        (policy,) = (tag.attributes["content"] for tag in page.all("meta") if "http-equiv" in tag.attributes)
        (style,), (script,) = page.all("style"), page.all("script")
        style_digest, script_digest = (
            base64.b64encode(hashlib.sha256(tag.text.encode()).digest()).decode() for tag in (style, script)
        )
        assert policy == f"default-src 'none'; style-src 'sha256-{style_digest}'; script-src 'sha256-{script_digest}'"
        # A policy of digests would not let these take effect.
        assert not [tag for tag in page.tags if "style" in tag.attributes]

    def test_it_has_a_title_a_language_and_both_colour_schemes(self, page: Page):
        assert next(page.all("html")).attributes["lang"] == "en"
        assert next(page.all("title")).text == "Memory of lenet5.tflite → small.tflite"
        (style,) = page.all("style")
        assert "prefers-color-scheme: dark" in style.text

    def test_the_same_report_gives_the_same_bytes(self, optimized: Report, page: Page):
        assert to_html(optimized) == to_html(optimized)

    def test_before_and_after_have_the_same_scale(self, optimized: Report, page: Page):
        pictures = [tag for tag in page.all("svg") if tag.attributes.get("class") == "memory"]
        assert len(pictures) == 2
        layouts = [optimized.original.layout, optimized.result.layout]
        assert pictures[0].attributes["height"] == pictures[1].attributes["height"]
        assert [picture.attributes["role"] for picture in pictures] == ["img", "img"]
        for picture, layout in zip(pictures, layouts, strict=True):
            assert f"{layout.head:,} bytes" in (picture.attributes["aria-label"] or "")
        assert len(page.of_class("buffer")) >= sum(len(layout.buffers) for layout in layouts)

    def test_figures_passes_and_the_comparison_are_there(self, optimized: Report, page: Page):
        text = page.texts()
        before, after = optimized.original, optimized.result
        for number in (before.microcontroller, after.microcontroller):
            assert f"{number.total:,}" in text
            assert f"{number.tail:,}" in text
        assert "Outputs identical" in text
        assert "30 tensors, 5 runs, 3 distinct outputs (tflite-micro 1.2)" in text
        assert "a remark" in text
        assert optimized.optimization is not None
        for outcome in optimized.optimization.passes:
            assert outcome.name in text
            assert outcome.why in text
        assert re.search(r"resolver\.AddSlice\(\); // new resolver", text)

    def test_every_operator_has_a_row_and_the_peak_is_marked(self, optimized: Report, page: Page):
        layouts = [optimized.result.layout, optimized.original.layout]
        assert len(page.of_class("bar")) == sum(len(layout.steps) for layout in layouts)
        numbers = [page.tags[at + 1].text for at in self.places(page, "peak")]
        assert numbers == [layout.steps[layout.peak_index].number for layout in layouts]
        bars = [float(page.tags[index + 1].attributes["width"] or 0) for index in self.places(page, "bar")]
        (first, _) = layouts
        assert max(bars[: len(first.steps)]) == 100
        assert bars[first.peak_index] == 100

    @staticmethod
    def places(page: Page, name: str) -> list[int]:
        return [at for at, tag in enumerate(page.tags) if tag.attributes.get("class") == name]

    def test_an_analysis_has_one_picture_and_hints(self):
        report = analyzed(zoo.build("lenet5"))
        page = Page(to_html(report))
        assert len([tag for tag in page.all("svg") if tag.attributes.get("class") == "memory"]) == 1
        assert "What would help" in page.texts()
        assert report.hints[0].why in page.texts()
        assert "Before" not in page.texts()

    def test_a_much_lower_result_is_enlarged(self, optimized: Report):
        assert optimized.optimization is not None
        layout = optimized.result.layout
        tiny = replace(layout, head=layout.head // 4)
        lower = replace(optimized.optimization, result=replace(optimized.result, layout=tiny))
        page = Page(to_html(replace(optimized, optimization=lower)))
        assert len([tag for tag in page.all("svg") if tag.attributes.get("class") == "memory"]) == 3
        assert "enlarged 6.7 times" in page.texts()

    def test_a_model_with_state_and_other_subgraphs_has_a_page(self):
        Page(to_html(analyzed(small_model())))

    def test_names_are_text_whatever_they_hold(self):
        tensors = tuple(Tensor(f"{HOSTILE}{index}", "INT8", (1, 64)) for index in range(3))
        operators = (Operator("RELU", (0,), (1,)), Operator(HOSTILE, (1,), (2,), custom=True))
        model = Model((Subgraph(tensors, (0,), (2,), operators),))
        text = to_html(analyzed(model, f"{HOSTILE}.tflite"))
        page = Page(text)
        assert len(list(page.all("script"))) == 1
        assert len(list(page.all("title"))) > 1
        assert "alert('&\"')" in page.texts()
        assert not re.search(r"[\x00-\x08\x0b-\x1f]", text)
        # A name that is no Unicode text either, as of a path.
        text.encode("utf-8")
        to_html(analyzed(model, "\udcff.tflite")).encode("utf-8")

    def test_a_page_of_many_operators_stays_small(self):
        builder = ChainBuilder("INT8")
        layer = builder.image("image", (8, 8, 2))
        for index in range(400):
            layer = builder.conv(f"{'a long name of a layer/' * 20}{index}", layer, 2)
        report = analyzed(builder.model(layer))
        text = to_html(report)
        assert len(text.encode()) < 1_000_000
        scale = common_scale([report.original.layout], 1000, 300)
        assert all(entry.width >= 5 for entry in rectangles(report.original.layout, scale))


class TestPicture:
    def layout(self) -> ArenaLayout:
        """Three tensors in a chain; the last one lies in the bytes of the first."""
        tensors = (Tensor("x", "INT8", (1, 64)), Tensor("a", "INT8", (1, 32)), Tensor("y", "INT8", (1, 64)))
        operators = (Operator("RELU", (0,), (1,)), Operator("ADD", (0, 1), (2,)))
        graph = Subgraph(tensors, (0,), (2,), operators)
        return arena_layout(with_plan(Model((graph,)), (0, 64, 0)))

    def test_rectangles_are_lifetimes_and_bytes(self):
        layout = self.layout()
        scale = common_scale([layout], 1000, 96)
        assert scale.bytes_ == layout.head == 96
        found = {entry.buffer.name: entry for entry in rectangles(layout, scale)}
        left, bottom = scale.x(0), scale.y(0)
        assert self.place(found["x"], left, bottom) == (0, 0, 2 * scale.step, 64)
        assert self.place(found["a"], left, bottom) == (0, 64, 2 * scale.step, 32)
        assert self.place(found["y"], left, bottom) == (scale.step, 0, scale.step, 64)

    @staticmethod
    def place(entry: Rectangle, left: float, bottom: float) -> tuple[float, float, float, float]:
        """Pixels to the right, and up."""
        return entry.x - left, bottom - entry.y - entry.height, entry.width, entry.height

    def test_what_shares_bytes_lies_above_what_it_shares_them_with(self):
        layout = self.layout()
        layout = replace(layout, buffers=layout.buffers[::-1])
        drawn = rectangles(layout, common_scale([layout], 1000, 96))
        names = [entry.buffer.name for entry in drawn]
        assert names.index("x") < names.index("y")
        styles = {entry.buffer.name: entry.style.split() for entry in drawn}
        assert styles["x"] == ["buffer", "input", "at-peak", "shared"]
        assert styles["y"] == ["buffer", "output", "shared"]
        assert "shared" not in styles["a"]

    def test_no_label_is_written_over_another(self):
        layout = self.layout()
        drawn = rectangles(layout, common_scale([layout], 1000, 300))
        # The input and the output begin at the same offset, the output above the input's second half.
        written = labels(drawn)
        assert {line for label in written for line in label.lines} == {"x", "64", "a", "32", "y"}
        assert not any(one.meets(other) for one in written for other in written if one is not other)
        stacked = [replace(entry, x=drawn[0].x, y=drawn[0].y) for entry in drawn]
        assert [label.lines for label in labels(stacked)] == [("x", "64")]

    def test_pictures_side_by_side_fit_the_width(self):
        few, many = self.layout(), replace(self.layout(), steps=self.layout().steps * 20)
        for layouts in ([few], [few, many], [many, few], [many, many]):
            scale = common_scale(layouts, 1000, 300)
            sizes = [re.search(r'width="(\d+)"', memory_picture(entry, None, scale, "t")) for entry in layouts]
            assert sum(int(size[1]) for size in sizes if size) <= 1000 + len(layouts)

    def test_tiny_tensors_can_be_seen(self):
        tensors = (Tensor("large", "INT8", (1, 1 << 20)), Tensor("tiny", "INT8", (1, 1)))
        layout = arena_layout(Model((Subgraph(tensors, (0,), (1,), (Operator("RELU", (0,), (1,)),)),)))
        heights = {e.buffer.name: e.height for e in rectangles(layout, common_scale([layout], 500, 300))}
        assert 1 <= heights["tiny"] < 2

    def test_the_lower_bound_is_a_line_of_its_own_unless_it_is_reached(self):
        layout = self.layout()
        scale = common_scale([layout], 1000, 300)
        apart, reached = (str(memory_picture(layout, bound, scale, "t")) for bound in (48, 96))
        assert ">head 96<" in apart
        assert ">bound 48<" in apart
        assert "= lower bound" not in apart
        assert "= lower bound" in reached
        assert ">bound" not in str(memory_picture(layout, None, scale, "t"))

    def test_what_is_pointed_at_is_described(self):
        layout = self.layout()
        picture = str(memory_picture(layout, None, common_scale([layout], 1000, 300), "t"))
        assert "<title>a\ntensor, 32 bytes at offset 64, operators 0 to 1</title>" in picture
        assert "<title>y\noutput, 64 bytes at offset 0, shares bytes, operator 1</title>" in picture
        assert "peak: operator " in picture

    def test_a_plan_that_leaves_all_to_the_runtime_is_none(self):
        model = zoo.build("lenet5")
        (graph,) = model.subgraphs
        assert arena_layout(with_plan(model, (UNPLANNED,) * len(graph.tensors))) == arena_layout(model)


def test_markup_is_escaped_once():
    inner = element("b", "1 < 2", title='"&"')
    assert inner == '<b title="&quot;&amp;&quot;">1 &lt; 2</b>'
    assert element("p", inner, " & more") == f"<p>{inner} &amp; more</p>"
    assert joined("a\x00b\nc", Markup("<hr>")) == "a\N{REPLACEMENT CHARACTER}b\nc<hr>"
    assert element("rect", x=1.0, y=0.123456, width=0, class_="a", stroke_width=2.50) == (
        '<rect x="1" y="0.12" width="0" class="a" stroke-width="2.5"></rect>'
    )
    assert element("meta", charset="utf-8") == '<meta charset="utf-8">'
