"""Reports: the figures, the keys that other programs rely on, and what becomes of a model that is optimized."""

import json
import re
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from flatbuffer_models import small_model
from modules_in_text import parse

from tinymo_xdsl import zoo
from tinymo_xdsl.analysis.memory_table import ROWS_OF_SOME, in_bytes, shorten, table_lines
from tinymo_xdsl.analysis.peak import KernelMemory, Peak
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
    new_registrations,
    operator_uses,
    supported_operators,
)
from tinymo_xdsl.report.optimized_file import OptimizedFile, optimize_file
from tinymo_xdsl.report.report import Absent, MeasuredArena, Report
from tinymo_xdsl.report.text import analysis_text, optimization_text, verification_text
from tinymo_xdsl.search import OptimizeOptions
from tinymo_xdsl.verify import ArenaUse, Difference, EngineError, Verification, engines
from tinymo_xdsl.verify.engines import TFLITE_MICRO, ModelFile

needs_tflite_micro = pytest.mark.skipif(
    not engines.is_installed(TFLITE_MICRO), reason="tflite-micro is not installed: it exists for Linux on x86-64"
)

KEYS: Mapping[str, Mapping[str, type]] = {
    "model": {"file": str, "sha256": str, "ops": int, "macs": int},
    "before": {"live_peak": int, "lower_bound": int, "arena": int, "peak_op": str},
    "after": {
        "live_peak": int,
        "live_peak_copies": int,
        "lower_bound": int,
        "arena": int,
        "optimal": bool,
        "input": str,
        "peak_op": str,
    },
    "tflm": {
        "measured": bool,
        "kernels": str,
        "head": int,
        "scratch": int,
        "tail": int,
        "temporary": int,
        "min_arena": int,
    },
    "cost": {"extra_macs": int, "extra_flash": int, "spill_bytes": int},
    "verify": {"engine": str, "runs": int, "tensors": int, "distinct_outputs": int, "identical": bool},
}
"""The schema `tinymo-report/1`. A report may lack any part, but what it has is here, with this type."""


def check_keys(text: str) -> dict[str, Any]:
    """The report in `text`, which keeps to the schema."""
    report: dict[str, Any] = json.loads(text)
    assert report.pop("schema") == "tinymo-report/1"
    for outcome in report.get("passes", []):
        assert {key: type(value) for key, value in outcome.items()} == {"name": str, "applied": bool, "why": str}
    for part, entries in report.items():
        if part != "passes":
            assert {key: type(value) for key, value in entries.items()}.items() <= KEYS[part].items()
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


def with_arena(report: Report) -> Report:
    return replace(report, arena=MeasuredArena(ArenaUse(total=5000, head=4000, tail=1000), smallest=5008))


class TestAnalysis:
    @pytest.mark.usefixtures("no_engine")
    def test_the_figures_are_those_of_the_model(self):
        report = analyze_file(ModelFile.read("small.tflite", write_model(small_model())))
        assert (report.model.ops, report.model.macs) == (6, 4 * 4 * 3 * 3 * 3 * 2)
        assert [tensor.name for tensor in report.model.inputs] == ["image"]
        assert [(tensor.dtype, tensor.shape) for tensor in report.model.outputs] == [("INT8", (1, 48))]
        # The sum, both of its terms, and the handle of the variable.
        assert report.before.live_peak == 48 + 48 + 48 + 4

    @needs_tflite_micro
    def test_the_arena_is_measured(self, shrinks: ModelFile):
        arena = analyze_file(shrinks).arena
        assert isinstance(arena, MeasuredArena)
        assert arena.use.head + arena.use.tail == arena.use.total <= arena.smallest
        # The planner can do no better than the peak, and does no worse on a model without branches.
        assert arena.use.head == 5888

    @pytest.mark.usefixtures("no_engine")
    def test_without_an_engine_there_is_no_arena(self, shrinks: ModelFile):
        report = analyze_file(shrinks)
        assert isinstance(report.arena, Absent)
        assert "tflm" not in check_keys(to_json(report))
        assert "not installed" in analysis_text(report)

    def test_a_model_that_the_engine_refuses_is_reported_without_an_arena(
        self, shrinks: ModelFile, monkeypatch: pytest.MonkeyPatch
    ):
        def refuse(data: bytes, name: str) -> ArenaUse:
            raise EngineError("needs an operator that it has not")

        monkeypatch.setattr(build, "arena_use", refuse)
        assert analyze_file(shrinks).arena == Absent("needs an operator that it has not")

    @pytest.mark.usefixtures("no_engine")
    def test_json_has_the_figures_and_the_keys_of_the_schema(self, shrinks: ModelFile):
        report = with_arena(analyze_file(shrinks))
        values = check_keys(to_json(report))
        assert list(values) == ["model", "before", "tflm"]
        assert values["model"]["file"] == "lenet5.tflite"
        assert values["model"]["sha256"] == report.model.sha256
        # A plan's figures are in blocks of 16 bytes.
        assert values["before"] == {"live_peak": 5880, "lower_bound": 5888, "arena": 5888, "peak_op": "pool_0"}
        assert values["tflm"] == {
            "measured": True,
            "kernels": "reference",
            "head": 4000,
            "tail": 1000,
            "min_arena": 5008,
        }

    @pytest.mark.usefixtures("no_engine")
    def test_the_text_names_what_is_in_memory_at_the_peak(self, shrinks: ModelFile):
        lines = analysis_text(with_arena(analyze_file(shrinks))).splitlines()
        at = next(index for index, line in enumerate(lines) if "peak at operator" in line)
        assert lines[at].split(",")[0].split() == ["peak", "at", "operator", "1"]
        assert [line.split() for line in lines[at + 1 : at + 3]] == [["4,704", "conv_0"], ["1,176", "pool_0"]]
        assert any(line.split()[:2] == ["smallest", "5,008"] for line in lines if line)
        assert max(map(len, lines)) <= 120


def test_the_table_shows_all_kernels_of_a_short_schedule_and_the_largest_of_a_long_one():
    def peak(count: int) -> Peak:
        kernels = tuple(KernelMemory(f"t{index}", "ADD", 100 + index) for index in range(count))
        return Peak(99 + count, 99 + count, 99 + count, kernels, count - 1, ())

    assert [line.split()[0] for line in table_lines(peak(40))] == [str(index) for index in range(40)]
    first, *rows = table_lines(peak(50))
    assert first.split() == ["...", str(50 - ROWS_OF_SOME), "with", "less"]
    assert [int(line.split()[0]) for line in rows] == list(range(50 - ROWS_OF_SOME, 50))
    assert len(table_lines(peak(50), 50)) == 50
    # The bars are to scale: the largest is full.
    assert table_lines(peak(1))[0].count("#") == 24
    assert [line.count("#") for line in table_lines(peak(101), 101)[::100]] == [12, 24]


def test_names_and_numbers_are_short_and_on_one_line():
    assert shorten("a" * 400, 20) == f"{'a' * 9}...{'a' * 8}"
    assert shorten("two\nlines") == "two?lines"
    assert (in_bytes(1023), in_bytes(55296)) == ("1,023 bytes", "55,296 bytes (54.0 KiB)")


class TestOptimization:
    def test_the_peak_comes_down_and_the_report_says_by_what(self, shrinks: ModelFile, unmeasured: OptimizedFile):
        values = check_keys(to_json(unmeasured.report))
        assert list(values) == ["model", "before", "after", "cost", "passes"]
        assert values["after"]["live_peak_copies"] < values["before"]["live_peak"]
        assert values["cost"]["extra_flash"] == len(unmeasured.data) - len(shrinks.data)
        assert values["cost"]["extra_macs"] >= 0
        applied = [outcome["name"] for outcome in values["passes"] if outcome["applied"]]
        assert applied == ["split-sepconv", "plan-memory"]
        assert values["after"]["lower_bound"] <= values["after"]["arena"] < values["before"]["arena"]
        # The report is of the file: it says the same when the file is read again.
        again = analyze_file(ModelFile.read("small.tflite", unmeasured.data))
        assert again.before.live_peak_copies == values["after"]["live_peak_copies"]
        assert again.model.macs == values["model"]["macs"] + values["cost"]["extra_macs"]

    def test_the_text_shows_before_and_after(self, shrinks: ModelFile, unmeasured: OptimizedFile):
        text = optimization_text(unmeasured.report, shrinks.model)
        assert text.startswith("lenet5.tflite -> small.tflite\n")
        assert "live peak, bytes (modelled)              5,880         3,528   -40.0 %" in text
        assert re.search(
            r"operators added: .*SLICE x\d+.*\n  a MicroMutableOpResolver needs them: .*AddSlice\(\);", text
        )
        assert "outputs not compared: not asked for" in text
        with pytest.raises(ValueError, match="no optimization"):
            optimization_text(replace(unmeasured.report, optimization=None), shrinks.model)

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
        assert "the original, byte for byte" in optimization_text(kept.report, stays.model)

    def test_a_budget_that_is_not_met_names_the_best_peak(self, shrinks: ModelFile):
        with pytest.raises(BudgetError, match=r"lenet5.tflite: .* 100 bytes; the least .* is \d,\d\d\d bytes"):
            optimize_file(shrinks, "small.tflite", OptimizeOptions(ram=100), None)

    @needs_tflite_micro
    def test_the_result_is_compared_and_measured(self, shrinks: ModelFile):
        optimized = optimize_file(shrinks, "small.tflite", OptimizeOptions(), 2)
        values = check_keys(to_json(optimized.report))
        assert (values["verify"]["engine"], values["verify"]["runs"]) == ("tflite-micro", 2)
        assert values["verify"]["identical"] is True
        assert values["verify"]["tensors"] > 1
        before, after = optimized.report.arena, optimized.report.optimization
        assert isinstance(before, MeasuredArena)
        assert after is not None
        assert isinstance(after.arena, MeasuredArena)
        assert values["tflm"]["head"] == after.arena.use.head < before.use.head
        assert "outputs identical, bit for bit" in optimization_text(optimized.report, shrinks.model)

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
        assert not {"verify", "tflm"} & check_keys(to_json(optimized.report)).keys()
        assert "outputs not compared: no engine to run models with" in optimization_text(
            optimized.report, shrinks.model
        )

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

    def test_a_larger_arena_is_warned_about(self, shrinks: ModelFile, unmeasured: OptimizedFile):
        report, optimization = unmeasured.report, unmeasured.report.optimization
        assert optimization is not None
        before = MeasuredArena(ArenaUse(5000, 4000, 1000), 5000)
        for smallest, warned in ((5000, True), (4984, False)):
            after = replace(optimization, arena=MeasuredArena(ArenaUse(5000, 2000, 3000), smallest))
            text = optimization_text(replace(report, arena=before, optimization=after), shrinks.model)
            assert ("warning: the peak is lower, but the arena of TFLite Micro is not" in text) == warned


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
        assert new_registrations(before, added) == ("AddSlice()",)

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
