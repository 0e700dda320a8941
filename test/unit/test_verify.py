"""Two files in an engine: what is compared, what a difference looks like, and what happens when an engine fails."""

import os
import time
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from tinymo_xdsl.errors import BadModelError, MissingToolError
from tinymo_xdsl.flatbuffer.model import Metadata, Model, Operator, Quantization, Subgraph, Tensor
from tinymo_xdsl.flatbuffer.offline_plan import OFFLINE_PLAN
from tinymo_xdsl.flatbuffer.writer import write_model
from tinymo_xdsl.verification import EngineError, arena_use, compare_models, engines, load_error, smallest_arena
from tinymo_xdsl.verification.engines import LITERT, TFLITE_MICRO
from tinymo_xdsl.verification.inputs import sample
from tinymo_xdsl.verification.isolation import call

SHAPE = (1, 4, 4, 4)
NBYTES = 64

needs_tflite_micro = pytest.mark.skipif(
    not engines.is_installed(TFLITE_MICRO), reason="tflite-micro is not installed: it exists for Linux on x86-64"
)
needs_litert = pytest.mark.skipif(not engines.is_installed(LITERT), reason="ai-edge-litert is not installed")


def int8(name: str, shape: tuple[int, ...] = SHAPE, data: bytes | None = None, dtype: str = "INT8") -> Tensor:
    quantization = Quantization(np.array([0.5], np.float32), np.array([0], np.int64))
    return Tensor(name, dtype, shape, data, quantization)


def add(x: int, y: int, to: int) -> Operator:
    options = {"fused_activation_function": 0, "pot_scale_int16": True}
    return Operator("ADD", (x, y), (to,), options_type="AddOptions", options=options)


def minimum(x: int, y: int, to: int) -> Operator:
    return Operator("MINIMUM", (x, y), (to,), options_type="MaximumMinimumOptions")


def model(tensors: Sequence[Tensor], inputs: tuple[int, ...], outputs: tuple[int, ...], *ops: Operator) -> Model:
    return Model((Subgraph(tuple(tensors), inputs, outputs, ops),))


def chain(offset: int = 3, top: int = 127, dtype: str = "INT8") -> Model:
    """`shifted = input + offset; doubled = shifted + shifted; sum = doubled + shifted; output = min(sum, top)`."""
    tensors = (
        int8("input", dtype=dtype),
        int8("offset", data=bytes([offset] * NBYTES), dtype=dtype),
        int8("shifted", dtype=dtype),
        int8("doubled", dtype=dtype),
        int8("sum", dtype=dtype),
        int8("top", data=bytes([top % 256] * NBYTES), dtype=dtype),
        int8("output", dtype=dtype),
    )
    return model(tensors, (0,), (6,), add(0, 1, 2), add(2, 2, 3), add(3, 2, 4), minimum(4, 5, 6))


def with_plan(planned: Model, *offsets: int) -> Model:
    """A model with a memory plan: an offset for each tensor, or -1."""
    data = np.array([0, 1, len(offsets), *offsets], "<i4").tobytes()
    return replace(planned, metadata=(Metadata(OFFLINE_PLAN, data),))


def right_plan(planned: Model) -> Model:
    return with_plan(planned, 0, -1, 64, 128, 0, -1, 64)


def wrong_plan(planned: Model) -> Model:
    """`doubled` is written over `shifted`, which is read once more."""
    return with_plan(planned, 0, -1, 64, 64, 0, -1, 64)


def with_variable(shown: tuple[int, int], kept: int) -> Model:
    """`output` is the sum of the tensors `shown`, then `state = kept`. Tensors: 0 input, 2 state, 3 output, 4 zero."""
    resource = Tensor("state", "RESOURCE", ())
    tensors = (int8("input"), resource, int8("read"), int8("output"), int8("zero", data=bytes(NBYTES)))
    handle = Operator(
        "VAR_HANDLE", (), (1,), options_type="VarHandleOptions", options={"container": "", "shared_name": "state"}
    )
    read = Operator("READ_VARIABLE", (1,), (2,), options_type="ReadVariableOptions")
    assign = Operator("ASSIGN_VARIABLE", (1, kept), (), options_type="AssignVariableOptions")
    return model(tensors, (0,), (3,), handle, read, add(*shown, 3), assign)


@needs_tflite_micro
class TestComparison:
    def test_a_model_equals_itself(self):
        verification = compare_models(chain(), chain())
        assert verification.identical
        assert verification.engine == "tflite-micro"
        assert (verification.runs, verification.tensors, verification.not_comparable) == (5, 4, 0)
        assert verification.distinct_outputs == 5

    def test_the_first_tensor_that_differs_is_named(self):
        difference = compare_models(chain(offset=3), chain(offset=5)).first_difference
        assert difference is not None
        assert difference.tensor == "shifted"
        assert (difference.index, difference.run, difference.planned) == ((0, 0, 0, 0), 0, False)
        assert difference.values[1] - difference.values[0] == 2

    def test_one_different_element_is_found(self):
        other = chain()
        (main,) = other.subgraphs
        changed = int8("offset", data=bytes([3] * 37 + [4] + [3] * 26))
        other = replace(other, subgraphs=(replace(main, tensors=(main.tensors[0], changed, *main.tensors[2:])),))
        difference = compare_models(chain(), other).first_difference
        assert difference is not None
        assert difference.index == (0, 2, 1, 1)

    def test_alike_outputs_hide_no_difference_and_are_reported(self):
        verification = compare_models(chain(3, top=-128), chain(5, top=-128))
        assert verification.distinct_outputs == 1
        assert verification.notes == ("all outputs are alike, so they prove little; 3 inner tensors were compared",)
        assert not verification.identical

    def test_renamed_tensors_are_not_compared(self):
        renamed = chain(offset=5, top=-128)
        (main,) = renamed.subgraphs
        tensors = tuple(replace(tensor, name=f"new {tensor.name}") for tensor in main.tensors)
        verification = compare_models(chain(3, top=-128), replace(renamed, subgraphs=(replace(main, tensors=tensors),)))
        assert verification.identical
        assert verification.tensors == 1

    def test_tensors_of_another_shape_are_counted(self):
        flat = chain()
        (main,) = flat.subgraphs
        shape = (1, 1, 16, 4)
        tensors = [replace(tensor, shape=shape if tensor.name == "doubled" else SHAPE) for tensor in main.tensors]
        flat = replace(flat, subgraphs=(replace(main, tensors=tuple(tensors)),))
        verification = compare_models(chain(), flat)
        assert verification.not_comparable == 1
        assert verification.tensors == 3

    def test_different_inputs_are_an_error(self):
        with pytest.raises(BadModelError, match=r"b takes UINT8 1x4x4x4, but a takes INT8 1x4x4x4"):
            compare_models(chain(), chain(dtype="UINT8"), names=("a", "b"))


@needs_tflite_micro
class TestPlans:
    def test_a_right_plan_changes_nothing(self):
        verification = compare_models(chain(), right_plan(chain()))
        assert verification.identical

    def test_a_wrong_plan_is_found_in_the_outputs(self):
        difference = compare_models(chain(), wrong_plan(chain())).first_difference
        assert difference is not None
        assert (difference.tensor, difference.planned) == ("output", True)

    def test_a_wrong_plan_is_found_behind_alike_outputs(self):
        verification = compare_models(chain(top=-128), wrong_plan(chain(top=-128)))
        assert verification.distinct_outputs == 1
        assert verification.first_difference is not None
        assert (verification.first_difference.tensor, verification.first_difference.planned) == ("sum", True)

    def test_an_input_that_is_read_after_the_cut_does_no_harm(self):
        (main,) = chain(top=-128).subgraphs
        tensors = tuple(replace(tensor, data=None) if tensor.name == "top" else tensor for tensor in main.tensors)
        late = replace(chain(), subgraphs=(replace(main, tensors=tensors, inputs=(0, 5)),))
        assert compare_models(late, with_plan(late, 0, -1, 64, 128, 0, 192, 64)).identical

    def test_a_plan_outside_the_arena_is_an_error_of_the_second_file(self):
        lost = with_plan(chain(), 0, -1, -(1 << 30), 128, 0, -1, 64)
        with pytest.raises(BadModelError, match=r"^b: tflite-micro .*; it runs a$"):
            compare_models(chain(), lost, names=("a", "b"))

    def test_the_arena_grows_with_the_plan(self):
        tight, loose = write_model(right_plan(chain())), write_model(with_plan(chain(), 0, -1, 64, 4096, 0, -1, 64))
        assert (arena_use(tight).head, arena_use(loose).head) == (192, 4096 + 64)
        assert smallest_arena(loose) >= arena_use(loose).total > 4096 + 64


@needs_tflite_micro
class TestState:
    def test_state_is_carried_between_inferences(self):
        accumulator, forgetful = with_variable(shown=(0, 2), kept=3), with_variable(shown=(0, 4), kept=3)
        difference = compare_models(accumulator, forgetful).first_difference
        assert difference is not None
        assert (difference.tensor, difference.run, difference.step) == ("output", 0, 1)

    def test_runs_start_afresh(self):
        delay = with_variable(shown=(2, 4), kept=0)
        verification = compare_models(delay, delay, runs=2)
        assert verification.identical
        # Of four inferences in each run, the first shows the zeros that the variable starts with.
        assert verification.distinct_outputs == 1 + 3 + 3


class TestEngines:
    @needs_tflite_micro
    @needs_litert
    def test_litert_runs_what_tflite_micro_does_not(self):
        # TFLite Micro's ADD has no uint8.
        verification = compare_models(chain(dtype="UINT8"), chain(offset=5, dtype="UINT8"))
        assert verification.engine == "litert"
        assert any("tflite-micro could not run it" in note for note in verification.notes)
        assert verification.first_difference is not None
        assert verification.first_difference.tensor == "shifted"

    @needs_tflite_micro
    def test_the_engine_does_not_change_for_the_second_file(self):
        stranger = chain()
        (main,) = stranger.subgraphs
        operators = (*main.operators[:3], Operator("NOT_AN_OPERATOR", (4,), (6,), custom=True))
        stranger = replace(stranger, subgraphs=(replace(main, operators=operators),))
        with pytest.raises(BadModelError, match=r"^b: tflite-micro could not load it: .* op code CUSTOM; it runs a$"):
            compare_models(chain(), stranger, names=("a", "b"))

    @needs_litert
    def test_the_engine_can_be_chosen(self):
        assert compare_models(chain(), chain(), engine="litert").engine == "litert"
        assert load_error(write_model(chain()), "litert") is None

    @needs_tflite_micro
    def test_no_engine_runs_it(self):
        with pytest.raises(BadModelError, match=r"^a: tflite-micro could not run it: .*UINT8.* not supported"):
            compare_models(chain(dtype="UINT8"), chain(dtype="UINT8"), engine="tflite-micro", names=("a", "b"))

    def test_without_an_engine_the_extra_is_named(self, monkeypatch: pytest.MonkeyPatch):
        def nothing_is_installed(engine: engines.Engine) -> bool:
            return False

        monkeypatch.setattr(engines, "is_installed", nothing_is_installed)
        with pytest.raises(MissingToolError, match=r"tinymo-xdsl\[verify\]"):
            compare_models(chain(), chain())


class TestIsolation:
    def test_a_result_comes_back(self):
        assert call(60, divmod, 7, 2) == ((3, 1), "")

    def test_a_crash_is_an_error(self):
        with pytest.raises(EngineError, match=r"^crashed \(SIGABRT\)"):
            call(60, os.abort)

    def test_an_exception_is_an_error_with_its_last_line(self):
        with pytest.raises(EngineError, match=r"failed with exit status 1; .*ZeroDivisionError"):
            call(60, divmod, 1, 0)

    def test_a_call_that_does_not_return_is_an_error(self):
        with pytest.raises(EngineError, match=r"^took longer than 0.5 s$"):
            call(0.5, time.sleep, 60)


class TestInputs:
    def test_values_depend_on_every_part_of_the_seed_and_on_nothing_else(self):
        def values(*key: int) -> bytes:
            return sample(int8("x"), *key).tobytes()

        assert values(0, 0, 0, 0) == sample(int8("other"), 0, 0, 0, 0).tobytes()
        assert (
            len({values(0, 0, 0, 0), values(1, 0, 0, 0), values(0, 2, 0, 0), values(0, 0, 2, 0), values(0, 0, 0, 1)})
            == 5
        )

    @pytest.mark.parametrize(
        ("dtype", "low", "high"),
        [("INT8", -128, 127), ("UINT8", 0, 255), ("INT16", -32768, 32767), ("INT32", 0, 1), ("FLOAT32", -1, 1)],
    )
    def test_runs_use_the_whole_range(self, dtype: str, low: int, high: int):
        runs = [sample(Tensor("x", dtype, (1, 32, 32, 3)), 0, run, 0, 0) for run in range(8)]
        assert (min(values.min() for values in runs), max(values.max() for values in runs)) == (low, high)
        assert (runs[4] == low).all()
        assert (runs[7] == high).all()

    def test_some_runs_are_smooth(self):
        def step(run: int) -> float:
            values = sample(Tensor("x", "INT8", (1, 32, 32, 3)), 0, run, 0, 0).astype(np.int64)
            return float(np.abs(np.diff(values, axis=1)).mean())

        assert step(0) > 50
        assert step(1) < 10

    def test_a_type_without_numbers_is_an_error(self):
        with pytest.raises(BadModelError, match="input 'x' is a STRING"):
            sample(Tensor("x", "STRING", (1,)), 0, 0, 0, 0)


MODELS = Path(os.environ.get("TINYMO_MODELS", Path(__file__).parents[2].parent / "shared" / "models"))


@needs_tflite_micro
@needs_litert
@pytest.mark.skipif(not MODELS.is_dir(), reason="no folder of real models: set TINYMO_MODELS")
@pytest.mark.parametrize(
    ("name", "engine", "tensors"),
    [
        # Variables and a subgraph that sets them up.
        ("microwakeword_vad_stream_int8", "tflite-micro", 23),
        # Weights in float16.
        ("mediapipe_blazeface_short_f16w", "litert", 164),
        # Its biases are marked in a way that LiteRT refuses.
        ("tflm_person_detect_int8", "tflite-micro", 31),
    ],
)
def test_real_models_equal_themselves(name: str, engine: str, tensors: int):
    data = (MODELS / f"{name}.tflite").read_bytes()
    verification = compare_models(data, data, runs=2)
    assert (verification.engine, verification.tensors, verification.identical) == (engine, tensors, True)
