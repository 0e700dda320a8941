"""Reports: the figures, the keys that other programs rely on, and what becomes of a model that is optimized."""

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from flatbuffer_models import NO_MODELS, PROJECT, model_files, small_model
from modules_in_text import parse

from tinymo_xdsl import zoo
from tinymo_xdsl.analysis.memory_table import (
    ROWS_OF_ALL,
    ROWS_OF_SOME,
    WIDTH,
    Row,
    in_bytes,
    rows_to_show,
    shorten,
    sized_names,
    table_lines,
    table_of_lines,
)
from tinymo_xdsl.errors import BadModelError, BudgetError, MissingToolError, OutputsDifferError
from tinymo_xdsl.flatbuffer.model import Metadata, Model, Operator, Subgraph, Tensor
from tinymo_xdsl.flatbuffer.offline_plan import OFFLINE_PLAN
from tinymo_xdsl.flatbuffer.schema import BUILTIN_OPERATORS
from tinymo_xdsl.flatbuffer.writer import write_model
from tinymo_xdsl.interpreter.executor import run_function
from tinymo_xdsl.operators.registry import FAMILIES
from tinymo_xdsl.report import build, optimized_file
from tinymo_xdsl.report.build import analyze_file
from tinymo_xdsl.report.json_report import to_json
from tinymo_xdsl.report.operators import (
    OperatorUse,
    added_operators,
    new_operators,
    operator_uses,
    statements,
    supported_operators,
)
from tinymo_xdsl.report.optimized_file import OptimizedFile, optimize_file
from tinymo_xdsl.report.report import Absent, FileReport, MeasuredArena, Report
from tinymo_xdsl.report.text import SCREEN, analysis_text, optimization_text, verification_text
from tinymo_xdsl.search import OptimizeOptions
from tinymo_xdsl.verification import ArenaUse, Difference, EngineError, Verification, engines
from tinymo_xdsl.verification.engines import TFLITE_MICRO, ModelFile

DOCS = PROJECT / "docs"

needs_tflite_micro = pytest.mark.skipif(
    not engines.is_installed(TFLITE_MICRO), reason="tflite-micro is not installed: it exists for Linux on x86-64"
)

DOCUMENTED: Mapping[str, str] = {
    row[0].strip("`"): row[1]
    for row in (line.strip("| ").split(" | ") for line in DOCS.joinpath("report.md").read_text("utf-8").splitlines())
    if len(row) == 3 and row[0].startswith("`")
}
"""Key and type of each entry of the schema."""

OBJECTS = {"file", "arena"}
"""Types that have keys of their own."""


def keys_of(value: Any, name: str = "") -> Iterator[tuple[str, str]]:
    """The keys in a report with their types, as the documentation writes them."""
    match value:
        case dict() if name in DOCUMENTED and DOCUMENTED[name] in OBJECTS:
            yield name, DOCUMENTED[name]
            yield from keys_of(value, DOCUMENTED[name])
        case dict() if name in DOCUMENTED:
            yield name, "object"
        case dict():
            for key, entry in value.items():
                yield from keys_of(entry, f"{name}.{key}" if name else key)
        case list():
            for entry in value:
                yield from keys_of(entry, f"{name}[]")
        case _:
            yield name, {str: "string", int: "integer", bool: "boolean"}[type(value)]


def check_keys(text: str) -> dict[str, Any]:
    """The report in `text`, which keeps to the schema."""
    report: dict[str, Any] = json.loads(text)
    assert set(keys_of(report)) <= DOCUMENTED.items()
    assert report.pop("schema") == "tinymo-report/1"
    return report


@pytest.fixture(scope="module")
def shrinks() -> ModelFile:
    """A model whose peak stripes can lower."""
    return ModelFile.read("lenet5.tflite", write_model(zoo.build("lenet5")))


@pytest.fixture(scope="module")
def stays() -> ModelFile:
    """A model that nothing makes smaller. It has a memory plan, which an optimized model would lose."""
    model = zoo.build("ds-cnn")
    count = len(model.subgraphs[0].tensors)
    plan = np.array([0, 0, count, *[-1] * count], "<i4").tobytes()
    return ModelFile.read("ds-cnn.tflite", write_model(replace(model, metadata=(Metadata(OFFLINE_PLAN, plan),))))


@pytest.fixture(scope="module")
def unmeasured(shrinks: ModelFile) -> OptimizedFile:
    return optimize_file(shrinks, "small.tflite", OptimizeOptions(), None)


@pytest.fixture
def no_engine(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(engines, "is_installed", lambda engine: False)


def measured(file: FileReport, tail: int, smallest: int) -> FileReport:
    """A report as TFLite Micro might have measured it."""
    head = file.layout.head
    return replace(file, measured=MeasuredArena(ArenaUse(head + tail, head, tail), smallest))


def with_arena(report: Report) -> Report:
    return replace(report, original=measured(report.original, 1000, 6900))


class TestAnalysis:
    @pytest.mark.usefixtures("no_engine")
    def test_the_figures_are_those_of_the_model(self):
        report = analyze_file(ModelFile.read("small.tflite", write_model(small_model())))
        model = report.original.model
        assert (model.ops, model.macs) == (6, 4 * 4 * 3 * 3 * 3 * 2)
        assert [tensor.name for tensor in model.inputs] == ["image"]
        assert [(tensor.dtype, tensor.shape) for tensor in model.outputs] == [("INT8", (1, 48))]
        # The sum, both of its terms, and the handle of the variable.
        assert report.original.peak.live_peak == 48 + 48 + 48 + 4

    @needs_tflite_micro
    def test_the_arena_is_measured(self, shrinks: ModelFile):
        arena = analyze_file(shrinks).original.measured
        assert isinstance(arena, MeasuredArena)
        assert arena.use.head + arena.use.tail == arena.use.total <= arena.smallest
        # The planner can do no better than the peak, and does no worse on a model without branches.
        assert arena.use.head == 5888

    @pytest.mark.usefixtures("no_engine")
    def test_without_an_engine_there_is_no_arena(self, shrinks: ModelFile):
        report = analyze_file(shrinks)
        assert isinstance(report.original.measured, Absent)
        assert check_keys(to_json(report))["tflm"]["measured"] is False
        assert "this machine, modelled" in analysis_text(report)
        assert "not measured: no engine" in analysis_text(report)

    def test_a_model_that_the_engine_refuses_is_reported_without_an_arena(
        self, shrinks: ModelFile, monkeypatch: pytest.MonkeyPatch
    ):
        def refuse(data: bytes, name: str) -> ArenaUse:
            raise EngineError("needs an operator that it has not")

        monkeypatch.setattr(build, "arena_use", refuse)
        assert analyze_file(shrinks).original.measured == Absent("needs an operator that it has not")

    @pytest.mark.usefixtures("no_engine")
    def test_json_has_the_figures_and_the_keys_of_the_schema(self, shrinks: ModelFile):
        report = with_arena(analyze_file(shrinks))
        values = check_keys(to_json(report))
        assert list(values) == ["model", "before", "tflm", "tflm32", "hints"]
        assert values["model"]["file"] == "lenet5.tflite"
        assert values["model"]["sha256"] == report.original.model.sha256
        before = values["before"]
        # A plan's figures are in blocks of 16 bytes.
        figures = {"live_peak": 5880, "lower_bound": 5888, "arena": 5888, "optimal": True, "peak_op": "pool_0"}
        assert figures.items() <= before.items()
        assert [step["used"] for step in before["steps"]][before["peak_step"]] == 5888
        assert [step["operator"] for step in before["steps"]][:2] == ["CONV_2D", "AVERAGE_POOL_2D"]
        assert before["buffers"][1]["kind"] == "tensor"
        assert "AddConv2D()" in before["resolver"]
        assert values["tflm"] == {
            "measured": True,
            "kernels": "reference",
            "head": 5888,
            "tail": 1000,
            "min_arena": 6900,
        }
        assert values["tflm32"]["min_arena"] == report.original.microcontroller.total
        assert [hint["name"] for hint in values["hints"]] == ["split-sepconv", "plan-memory"]

    @pytest.mark.usefixtures("no_engine")
    def test_the_text_fits_a_screen_and_names_what_is_in_memory_at_the_peak(self, shrinks: ModelFile):
        report = with_arena(analyze_file(shrinks))
        lines = analysis_text(report).splitlines()
        at = lines.index("peak: 5,888 bytes at operator 1, AVERAGE_POOL_2D")
        assert [line.split() for line in lines[at + 1 : at + 3]] == [["4,704", "conv_0"], ["1,184", "pool_0"]]
        assert any(
            line.split()[-3:] == ["works", f"{report.original.microcontroller.total:,}", "6,900"] for line in lines
        )
        assert any(line.startswith("> 1 AVERAGE_POOL_2D") for line in lines)
        assert "resolver.AddConv2D();" in " ".join(lines).split()
        assert max(map(len, lines)) <= WIDTH
        assert len(lines) <= SCREEN

    @pytest.mark.parametrize("path", model_files(), ids=lambda path: path.stem)
    @pytest.mark.skipif(not model_files(), reason=NO_MODELS)
    def test_real_models_fit_a_screen(self, path: Path):
        report = analyze_file(ModelFile.read(path.name, path.read_bytes()), measure=False)
        text = analysis_text(report)
        assert max(map(len, text.splitlines())) <= WIDTH
        assert text.count("\n") <= SCREEN
        check_keys(to_json(report))
        everything = analysis_text(report, everything=True)
        assert everything.count("\n") >= len(report.original.layout.steps)
        assert "... " not in everything


class TestTable:
    def test_all_rows_of_a_short_schedule_are_shown_and_the_largest_of_a_long_one(self):
        def rows(count: int) -> list[Row]:
            return [Row(str(index), "ADD", 100 + index, f"t{index}") for index in range(count)]

        assert [line.split()[-5:-4] for line in table_lines(rows(3), 3)][:2] == [["0"], ["1"]]
        assert (rows_to_show(ROWS_OF_ALL), rows_to_show(ROWS_OF_ALL + 1)) == (ROWS_OF_ALL, ROWS_OF_SOME)
        first, *shown = table_lines(rows(50), 20)
        assert first.split() == ["...", "30", "more"]
        assert [int(line.removeprefix(">").split()[0]) for line in shown] == list(range(30, 50))
        # The bars are to scale: the largest is full, and marked.
        assert [line.count("#") for line in table_lines(rows(101), 101)[::100]] == [10, 20]
        assert [line.startswith(">") for line in table_lines(rows(3), 3)] == [False, False, True]

    def test_a_table_of_lines_always_has_the_peak_and_no_gap_of_one(self):
        used = [1, 9, 1, 8, 1, 1, 1, 1, 7, 1, 1]
        rows = [Row(str(index), "ADD", size, "x") for index, size in enumerate(used)]
        assert [line.split()[0] for line in table_of_lines(rows, 11)] == ["0", ">", *map(str, range(2, 11))]
        numbers = [line.removeprefix(">").split()[0] for line in table_of_lines(rows, 7)]
        assert numbers == ["0", "1", "2", "3", "...", "8", "..."]
        # Where the next largest takes two lines more than there are, a smaller one beside the peak takes its place.
        numbers = [line.removeprefix(">").split()[0] for line in table_of_lines(rows, 5)]
        assert numbers == ["0", "1", "2", "3", "..."]
        assert [line.split()[0] for line in table_of_lines(rows, 1)] == ["0", ">", "..."]
        assert table_of_lines([], 5) == table_lines([], 5) == []
        assert table_lines(rows, 0) == ["  ... 11 more"]

    def test_what_does_not_fit_is_counted(self):
        entries = [("large", 1000), ("x" * 80, 20), ("small", 3), ("tiny", 1)]
        lines = sized_names(entries, 40, 3)
        assert lines == ["1,000  large", f"   20  {'x' * 15}...{'x' * 15}", "    4  in 2 more"]
        assert len(sized_names(entries, 40)) == len(entries)


def test_names_and_numbers_are_short_and_on_one_line():
    assert shorten("a" * 400, 20) == f"{'a' * 9}...{'a' * 8}"
    assert shorten("two\nlines") == "two?lines"
    assert (in_bytes(1023), in_bytes(55296)) == ("1,023 bytes", "55,296 bytes (54.0 KiB)")


class TestOptimization:
    def test_the_peak_comes_down_and_the_report_says_by_what(self, shrinks: ModelFile, unmeasured: OptimizedFile):
        values = check_keys(to_json(unmeasured.report))
        parts = ["model", "before", "after", "tflm", "tflm32", "cost", "added", "registrations", "passes"]
        assert list(values) == parts
        assert values["after"]["live_peak_copies"] < values["before"]["live_peak"]
        assert values["cost"]["extra_flash"] == len(unmeasured.data) - len(shrinks.data)
        assert values["cost"]["extra_macs"] >= 0
        applied = [outcome["name"] for outcome in values["passes"] if outcome["applied"]]
        assert applied == ["split-sepconv", "plan-memory"]
        assert values["after"]["lower_bound"] <= values["after"]["arena"] < values["before"]["arena"]
        # The report is of the file: it says the same when the file is read again.
        again = analyze_file(ModelFile.read("small.tflite", unmeasured.data))
        assert again.original.peak.live_peak_copies == values["after"]["live_peak_copies"]
        assert again.original.model.macs == values["model"]["macs"] + values["cost"]["extra_macs"]
        assert again.original.layout == unmeasured.report.result.layout
        # The plan in the file is the best that was found.
        assert values["tflm32"]["head"] == values["after"]["arena"] < values["before"]["tflm32"]["head"]

    def test_the_text_shows_before_and_after(self, unmeasured: OptimizedFile):
        text = optimization_text(unmeasured.report)
        lines = text.splitlines()
        assert lines[0] == "lenet5.tflite -> small.tflite"
        assert max(map(len, lines)) <= WIDTH
        assert len(lines) <= SCREEN
        old, new = (file.microcontroller for file in (unmeasured.report.original, unmeasured.report.result))
        tail = next(line for line in lines if line.startswith("  tail:"))
        assert f"{old.tail:,}" in tail.split()
        assert f"{new.tail:,}" in tail.split()
        assert re.search(
            r"peak before: 5,888 bytes +peak after: [\d,]+ bytes\n  at operator 1, AVERAGE_POOL_2D +at op", text
        )
        assert re.search(r"operators added: .*SLICE x\d+.*\na MicroMutableOpResolver needs them: .*AddSlice\(\);", text)
        assert "outputs not compared: not asked for" in text
        with pytest.raises(ValueError, match="no optimization"):
            optimization_text(replace(unmeasured.report, optimization=None))

    def test_the_same_model_and_options_give_the_same_bytes(self, shrinks: ModelFile, unmeasured: OptimizedFile):
        again = optimize_file(shrinks, "small.tflite", OptimizeOptions(), None)
        assert again.data == unmeasured.data
        assert to_json(again.report) == to_json(unmeasured.report)

    def test_a_model_that_nothing_makes_smaller_is_kept_byte_for_byte(self, stays: ModelFile):
        kept = optimize_file(stays, "kept.tflite", OptimizeOptions(), None)
        assert kept.data == stays.data
        values = check_keys(to_json(kept.report))
        assert values["after"]["live_peak"] == values["before"]["live_peak"]
        assert values["cost"] == {"extra_macs": 0, "extra_flash": 0}
        assert not any(outcome["applied"] for outcome in values["passes"])
        assert all(outcome["why"] for outcome in values["passes"])
        assert "the original, byte for byte" in optimization_text(kept.report)

    def test_a_budget_that_is_not_met_names_the_best_peak(self, shrinks: ModelFile):
        with pytest.raises(BudgetError, match=r"lenet5.tflite: .* 100 bytes; the least .* is \d,\d\d\d bytes"):
            optimize_file(shrinks, "small.tflite", OptimizeOptions(ram=100, plan=False), None)

    @needs_tflite_micro
    def test_the_result_is_compared_and_measured(self, shrinks: ModelFile):
        optimized = optimize_file(shrinks, "small.tflite", OptimizeOptions(), 2)
        values = check_keys(to_json(optimized.report))
        assert (values["verify"]["engine"], values["verify"]["runs"]) == ("tflite-micro", 2)
        assert values["verify"]["identical"] is True
        assert values["verify"]["tensors"] > 1
        before, after = optimized.report.original.measured, optimized.report.result.measured
        assert isinstance(before, MeasuredArena)
        assert isinstance(after, MeasuredArena)
        assert values["tflm"]["measured"] is True
        assert values["tflm"]["head"] == after.use.head < before.use.head == values["before"]["tflm"]["head"]
        assert "outputs identical, bit for bit" in optimization_text(optimized.report)

    @needs_tflite_micro
    def test_a_result_that_computes_something_else_is_refused(
        self, shrinks: ModelFile, monkeypatch: pytest.MonkeyPatch
    ):
        def spoil(model: Model) -> bytes:
            """Clears the largest weights."""
            graph = model.subgraphs[0]
            weights = max(
                (index for index, tensor in enumerate(graph.tensors) if tensor.data and tensor.dtype == "INT8"),
                key=lambda index: len(graph.tensors[index].data or b""),
            )
            tensors = list(graph.tensors)
            data = tensors[weights].data or b""
            tensors[weights] = replace(tensors[weights], data=bytes(len(data)))
            return write_model(replace(model, subgraphs=(replace(graph, tensors=tuple(tensors)),)))

        monkeypatch.setattr(optimized_file, "write_model", spoil)
        with pytest.raises(OutputsDifferError, match=r"lenet5.tflite: the optimized model computes other values, .* '"):
            optimize_file(shrinks, "small.tflite", OptimizeOptions(), 2)

    @pytest.mark.usefixtures("no_engine")
    def test_without_an_engine_nothing_is_compared_and_the_report_says_so(self, shrinks: ModelFile):
        optimized = optimize_file(shrinks, "small.tflite", OptimizeOptions(), 5)
        values = check_keys(to_json(optimized.report))
        assert "verify" not in values
        assert values["tflm"]["measured"] is False
        assert "outputs not compared: no engine to run models with" in optimization_text(optimized.report)

    @pytest.mark.parametrize("runs_original", [True, False])
    def test_only_an_original_that_no_engine_runs_goes_without_a_comparison(
        self, shrinks: ModelFile, monkeypatch: pytest.MonkeyPatch, runs_original: bool
    ):
        def fail(*args: object, **options: object) -> Verification:
            raise BadModelError("the engine crashed")

        def load_error(data: bytes, engine: str) -> str | None:
            return None if runs_original else "does not load"

        monkeypatch.setattr(optimized_file, "compare_models", fail)
        monkeypatch.setattr(optimized_file, "load_error", load_error)
        monkeypatch.setattr(optimized_file, "measure_arena", lambda file: Absent("not here"))
        monkeypatch.setattr(optimized_file, "installed_engines", lambda: [TFLITE_MICRO])
        if runs_original:
            with pytest.raises(BadModelError, match="the engine crashed"):
                optimize_file(shrinks, "small.tflite", OptimizeOptions(), 1)
            return
        optimization = optimize_file(shrinks, "small.tflite", OptimizeOptions(), 1).report.optimization
        assert optimization is not None
        assert optimization.verification == Absent("no engine runs the original: the engine crashed")

    def test_a_larger_arena_is_warned_about(self, unmeasured: OptimizedFile):
        report, optimization = unmeasured.report, unmeasured.report.optimization
        assert optimization is not None
        before = measured(report.original, 1000, 7000)
        for smallest, warned in ((7000, True), (6984, False)):
            after = replace(optimization, result=measured(report.result, 3000, smallest))
            text = optimization_text(replace(report, original=before, optimization=after))
            assert ("warning: TFLite Micro's arena is no smaller on this machine" in text) == warned
            assert "this machine, measured" in text

    def test_spilled_tensors_are_counted(self, unmeasured: OptimizedFile):
        report, optimization = unmeasured.report, unmeasured.report.optimization
        assert optimization is not None
        result = replace(report.result, storage=(("psram", 2048),), spilled=6144)
        spilled = replace(report, optimization=replace(optimization, result=result))
        values = check_keys(to_json(spilled))
        assert values["cost"]["spill_bytes"] == 6144
        assert values["after"]["storage"] == {"psram": 2048}
        line = "storage in 'psram': 2,048 bytes (2.0 KiB); a run copies 6,144 bytes (6.0 KiB)"
        assert line in optimization_text(spilled)

    def test_without_a_plan_there_is_no_arena_of_one(self, shrinks: ModelFile):
        values = check_keys(to_json(optimize_file(shrinks, "s.tflite", OptimizeOptions(plan=False), None).report))
        assert not {"arena", "optimal"} & {*values["before"], *values["after"]}
        assert values["tflm32"]["min_arena"] < values["before"]["tflm32"]["min_arena"]

    @needs_tflite_micro
    def test_every_documented_key_is_there(self, shrinks: ModelFile, unmeasured: OptimizedFile):
        optimized = optimize_file(shrinks, "small.tflite", OptimizeOptions(), 1).report
        assert optimized.optimization is not None
        spilled = replace(optimized.result, storage=(("psram", 16),), spilled=16)
        reports = [
            analyze_file(shrinks, measure=False),
            replace(optimized, optimization=replace(optimized.optimization, result=spilled)),
        ]
        found = {key for report in reports for key in keys_of(json.loads(to_json(report)))}
        # What `storage` has depends on the model: its names are those of memories.
        assert found == set(DOCUMENTED.items())


def test_a_comparison_says_what_was_compared_and_how_much_that_proves():
    equal = Verification("tflite-micro", "1.2", 5, 30, 0, 3, None)
    assert verification_text(equal) == (
        "outputs identical, bit for bit: 30 tensors, 5 runs, 3 distinct outputs (tflite-micro 1.2)\n"
    )
    difference = Difference("sum", (0, 3), 1, 0, (7, -8), planned=False)
    differs = replace(equal, first_difference=difference, not_comparable=2, notes=("all alike",))
    text = verification_text(differs)
    assert text.startswith("outputs differ: 'sum' [0, 3] is 7 in the first file, -8 in the second (run 1)\n")
    assert "note: all alike" in text
    assert "2 tensors" in text


class TestOperators:
    @pytest.mark.parametrize(
        ("name", "call"),
        [
            ("CONV_2D", "AddConv2D()"),
            ("DEPTHWISE_CONV_2D", "AddDepthwiseConv2D()"),
            ("L2_NORMALIZATION", "AddL2Normalization()"),
            ("RELU6", "AddRelu6()"),
            ("STRIDED_SLICE", "AddStridedSlice()"),
            ("BATCH_MATMUL", "AddBatchMatMul()"),
            ("CUMSUM", "AddCumSum()"),
            ("PADV2", "AddPadV2()"),
            ("UNIDIRECTIONAL_SEQUENCE_LSTM", "AddUnidirectionalSequenceLSTM()"),
        ],
    )
    def test_registrations_are_spelt_as_in_tflite_micro(self, name: str, call: str):
        assert OperatorUse(name, False, 1, (1,), ()).registration == call

    def test_custom_operators_are_registered_by_their_name(self):
        assert OperatorUse("MY_OP", True, 1, (1,), ()).registration == 'AddCustom("MY_OP", ...)'

    def test_spills_and_reloads_are_registered_by_one_statement(self):
        names = [("TINYMO_SPILL", True), ("ADD", False), ("TINYMO_RELOAD", True), ("TINYMO_SPILL", False)]
        uses = [OperatorUse(name, custom, 1, (1,), ()) for name, custom in names]
        spills = "tinymo::AddSpillOps<spill_memories>(resolver);"
        assert statements(uses) == (spills, "resolver.AddAdd();", "resolver.AddTinymoSpill();")

    def test_uses_are_counted_over_all_subgraphs_without_constants(self):
        tensors = (Tensor("x", "INT8", (1,)), Tensor("w", "INT32", (1,), bytes(4)), Tensor("y", "INT16", (1,)))
        graph = Subgraph(tensors, (0,), (2,), (Operator("ADD", (0, 1), (2,), version=2),))
        other = replace(graph, operators=(Operator("ADD", (0, -1), (2,)), Operator("ADD", (0,), (2,), custom=True)))
        add, custom = operator_uses(Model((graph, other)))
        assert add == OperatorUse("ADD", False, 2, (1, 2), ("INT8", "INT16"))
        assert (custom.custom, custom.count) == (True, 1)

    def test_what_is_added_and_what_must_be_registered_for_it(self):
        def chain(*names: str) -> Model:
            operators = tuple(Operator(name, (0,), (0,)) for name in names)
            return Model((Subgraph((Tensor("x", "INT8", (1,)),), (0,), (0,), operators),))

        before, after = chain("CONV_2D", "ADD"), chain("CONV_2D", "CONV_2D", "SLICE", "SLICE", "ADD")
        added = added_operators(before, after)
        assert [(use.name, use.count) for use in added] == [("CONV_2D", 1), ("SLICE", 2)]
        assert [use.registration for use in new_operators(before, added)] == ["AddSlice()"]

    def test_support_is_what_the_registries_and_the_interpreter_say(self):
        support = {entry.name: entry for entry in supported_operators()}
        assert support.keys() == BUILTIN_OPERATORS.keys()
        assert {name for name, entry in support.items() if entry.tosa} == FAMILIES.keys()
        kept_whole = {name for name, entry in support.items() if entry.interpreted} - FAMILIES.keys()
        assert kept_whole == {name for name in support.keys() - FAMILIES.keys() if is_interpreted(name)}
        assert {"SOFTMAX", "VAR_HANDLE"} <= kept_whole


def is_interpreted(name: str) -> bool:
    """Whether the interpreter has a meaning for the operator, be its operands as wrong as here."""
    operator = f'tosa.custom {{domain_name = "TFL", implementation_attrs = "", operator_name = "{name}"}} : () -> ()'
    try:
        run_function(parse(f"func.func @main() {{\n{operator}\nreturn\n}}"), [])
    except (BadModelError, IndexError) as error:
        return "the interpreter does not know this operator" not in str(error)
    return True


def test_missing_engines_are_what_they_seem(no_engine: None):
    """The fixture of these tests does what it says."""
    with pytest.raises(MissingToolError):
        engines.installed_engines()
