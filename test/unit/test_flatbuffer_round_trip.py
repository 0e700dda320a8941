"""What is read is what was written, in files that the engines accept."""

import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
import raw_flatbuffer as raw
import tflite
from flatbuffer_models import NO_MODELS, PROJECT, model_files, plain, quantized, small_model
from one_operator import run_in_tflm

from tinymo_xdsl.flatbuffer import schema
from tinymo_xdsl.flatbuffer.model import Model, Operator, OptionValue, Quantization, Subgraph, Tensor
from tinymo_xdsl.flatbuffer.reader import read_file, read_model
from tinymo_xdsl.flatbuffer.writer import write_file, write_model

real_models = pytest.mark.parametrize(
    "path",
    model_files() or [pytest.param(None, marks=pytest.mark.skip(reason=NO_MODELS))],
    ids=lambda path: path.stem if path else "absent",
)


def buffers(data: bytes) -> list[bytes]:
    """The contents of all buffers of a file."""
    file = tflite.Model.GetRootAs(data)
    arrays = [file.Buffers(index).DataAsNumpy() for index in range(file.BuffersLength())]
    return [b"" if isinstance(array, int) else array.tobytes() for array in arrays]


def assert_sound_file(data: bytes) -> None:
    """The rules that readers other than ours rely on."""
    file = tflite.Model.GetRootAs(data)
    assert tflite.Model.ModelBufferHasIdentifier(data, 0)
    assert file.Buffers(0).DataLength() == 0
    for index in range(file.BuffersLength()):
        buffer = file.Buffers(index)
        if buffer.DataLength():
            assert buffer._tab.Vector(buffer._tab.Offset(4)) % 16 == 0, f"buffer {index} is not aligned"


def one_operator_model(operator: Operator, *tensors: Tensor) -> Model:
    first, last = operator.inputs[0], operator.outputs[0]
    return Model((Subgraph(tensors, (first,), (last,), (operator,)),))


def unary(**changes: object) -> Model:
    """A model of one operator on one tensor, with `changes` to the operator."""
    operator = replace(Operator("LOGISTIC", (0,), (1,)), **changes)
    return one_operator_model(operator, Tensor("x", "INT8", (1, 4)), Tensor("y", "INT8", (1, 4)))


def test_small_model_survives() -> None:
    model = small_model()
    data = write_model(model)
    assert_sound_file(data)
    assert plain(read_model(data)) == plain(model)


def test_equal_constants_share_a_buffer_but_never_with_variables_or_metadata() -> None:
    same = bytes(range(16))
    tensors = (
        Tensor("x", "INT8", (1, 16)),
        Tensor("a", "INT8", (1, 16), same),
        Tensor("b", "UINT8", (16,), bytes(bytearray(same))),
        Tensor("state", "INT8", (1, 16), same, is_variable=True),
        Tensor("y", "INT8", (1, 16)),
    )
    operator = Operator("CUSTOM_SUM", (0, 1, 2, 3), (4,), custom=True)
    model = replace(one_operator_model(operator, *tensors), metadata=small_model().metadata, unnamed_metadata=(same,))
    data = write_model(model)
    graph = tflite.Model.GetRootAs(data).Subgraphs(0)
    used = [graph.Tensors(index).Buffer() for index in range(graph.TensorsLength())]
    assert used == [0, 1, 1, 2, 0]
    assert buffers(data).count(same) == 3
    assert plain(read_model(data)) == plain(model)


def test_empty_constant_has_an_empty_buffer_of_its_own() -> None:
    """A reshape to a scalar reads a constant without elements; no buffer tells it from a computed tensor."""
    tensors = (
        Tensor("x", "INT8", (1,)),
        Tensor("shape", "INT32", (0,), b""),
        Tensor("y", "INT8", ()),
    )
    model = one_operator_model(Operator("RESHAPE", (0, 1), (2,)), *tensors)
    data = write_model(model)
    assert tflite.Model.GetRootAs(data).Subgraphs(0).Tensors(1).Buffer() == 1
    assert plain(read_model(data)) == plain(model)


def test_output_is_deterministic_in_another_process(tmp_path: Path) -> None:
    script = "import flatbuffer_models as f, sys; from tinymo_xdsl.flatbuffer.writer import write_file;"
    script += "write_file(f.small_model(), sys.argv[1])"
    for seed in ("1", "2"):
        environment = {"PYTHONHASHSEED": seed, "PYTHONPATH": f"{PROJECT}:{Path(__file__).parent}"}
        target = str(tmp_path / f"{seed}.tflite")
        subprocess.run([sys.executable, "-c", script, target], check=True, env=environment)
    assert (tmp_path / "1.tflite").read_bytes() == (tmp_path / "2.tflite").read_bytes() == write_model(small_model())


def test_file_gives_what_the_bytes_give(tmp_path: Path) -> None:
    write_file(small_model(), tmp_path / "small.tflite")
    assert plain(read_file(tmp_path / "small.tflite")) == plain(small_model())


def test_small_model_computes_in_tflm() -> None:
    """By hand: the convolution plus a variable that starts as a real zero, in other units."""
    image = np.random.default_rng(0).integers(-128, 128, (1, 4, 4, 2)).astype(np.int8)
    filters = np.arange(-27, 27).reshape(3, 3, 3, 2)
    padded = np.pad(image[0].astype(np.int64) + 3, ((1, 1), (1, 1), (0, 0)))
    windows = np.lib.stride_tricks.sliding_window_view(padded, (3, 3), axis=(0, 1))
    sums = np.einsum("hwcij,oijc->hwo", windows, filters) + np.array([7, -9, 1000])
    features = np.clip(np.round(sums * np.array([0.01, 0.005, 0.25]) / 0.75) + 5, 5, 127)
    scores = np.clip(np.round((features - 5) * 0.75 / 1.5) + 4, -128, 127)
    result = run_in_tflm(write_model(small_model()), image)
    assert len(np.unique(result)) > 10
    # Floating point decides halves otherwise than fixed point does.
    assert np.abs(result[0] - scores.reshape(-1)).max() <= 1


def sample(field: schema.Field, step: int) -> OptionValue:
    """A value that is no default, another for each `step`."""
    if field.type == "string":
        return f"text {step} \N{GREEK SMALL LETTER MU}"
    value = {"bool": not field.default, "float": 0.1 + step, "long": -(2**40) - step}.get(field.type, 3 + step)
    if field.type == "float":
        value = float(np.float32(value))
    if field.type == "ubyte":
        return bytes([step, 255])
    return (value, value) if field.vector else value


@pytest.mark.parametrize("table", schema.OPTIONS.values(), ids=lambda table: table.name)
def test_every_option_survives(table: schema.Table) -> None:
    values = {field.name: sample(field, step) for step, field in enumerate(table.fields)}
    indices = {field.name: 1 for field in table.fields if field.refers_to_subgraph and not field.vector}
    vectors = {field.name: (1, 1) for field in table.fields if field.refers_to_subgraph and field.vector}
    model = unary(options_type=table.name, options={**values, **indices, **vectors})
    model = replace(model, subgraphs=(*model.subgraphs, Subgraph((), (), (), (), "called")))
    assert plain(read_model(write_model(model))) == plain(model)


@pytest.mark.parametrize("table", schema.OPTIONS.values(), ids=lambda table: table.name)
def test_options_left_out_are_the_defaults(table: schema.Table) -> None:
    # Subgraph 0, which a default may name, must not be the one that calls.
    model = Model(unary().subgraphs + unary(options_type=table.name).subgraphs)
    defaults = {f.name: None if f.vector or f.type == "string" else f.default for f in table.fields}
    operator = read_model(write_model(model)).subgraphs[1].operators[0]
    assert (operator.options_type, plain(operator.options)) == (table.name, plain(defaults))


def test_empty_vector_is_not_an_absent_one() -> None:
    for shape in ((), None):
        model = unary(options_type="ReshapeOptions", options={"new_shape": shape})
        assert read_model(write_model(model)).subgraphs[0].operators[0].options == {"new_shape": shape}


@pytest.mark.parametrize("name", ["ABS", "CUMSUM", "STABLEHLO_CBRT", "GELU"])
def test_operator_codes_on_both_sides_of_127(name: str) -> None:
    data = write_model(unary(name=name, version=4))
    code = tflite.Model.GetRootAs(data).OperatorCodes(0)
    expected = schema.BUILTIN_OPERATORS[name]
    assert (code.BuiltinCode(), code.DeprecatedBuiltinCode(), code.Version()) == (expected, min(expected, 127), 4)
    assert read_model(data).subgraphs[0].operators[0].name == name


def test_operator_codes_are_listed_once_in_order_of_use() -> None:
    operators = (
        Operator("TANH", (0,), (1,)),
        Operator("TANH", (1,), (2,), version=2),
        Operator("TANH", (2,), (3,), custom=True),
        Operator("TANH", (3,), (4,)),
    )
    tensors = tuple(Tensor(str(index), "INT8", (1, 4)) for index in range(5))
    model = Model((Subgraph(tensors, (0,), (4,), operators),))
    data = write_model(model)
    file = tflite.Model.GetRootAs(data)
    codes = [file.OperatorCodes(index) for index in range(file.OperatorCodesLength())]
    assert [(code.BuiltinCode(), code.Version(), code.CustomCode()) for code in codes] == [
        (28, 1, None),
        (28, 2, None),
        (32, 1, b"TANH"),
    ]
    assert plain(read_model(data)) == plain(model)


def test_rare_fields_of_operators_and_subgraphs_survive() -> None:
    operator = Operator(
        "Detect",
        (0, -1, 3),
        (1,),
        custom=True,
        custom_options=bytes(range(256)),
        custom_options_format=1,
        intermediates=(2, -1),
        mutating_variable_inputs=(True, False, False),
        debug_metadata_index=7,
    )
    tensors = (
        Tensor("x", "INT4", (1, 3)),
        Tensor("y", "FLOAT16", (-1, 4)),
        Tensor("inner", "INT8", (0,)),
        Tensor("z", "BFLOAT16", ()),
    )
    model = Model((Subgraph(tensors, (0, 3), (1,), (operator,), "", debug_metadata_index=2),))
    assert plain(read_model(write_model(model))) == plain(model)


def test_ranges_and_scales_along_any_dimension_survive() -> None:
    ranges = replace(
        quantized(1.0),
        scale=np.zeros(0, np.float32),
        zero_point=np.zeros(0, np.int64),
        min=np.array([-1.5], np.float32),
        max=np.array([0.1], np.float32),
    )
    scales = Quantization(np.array([1, 2, 3, 4], np.float32), np.array([2**40, 0, -1, 1]), dimension=1)
    tensors = (Tensor("x", "FLOAT32", (1, 4), quantization=ranges), Tensor("y", "INT8", (1, 4), quantization=scales))
    model = one_operator_model(Operator("LOGISTIC", (0,), (1,)), *tensors)
    assert plain(read_model(write_model(model))) == plain(model)


@pytest.mark.parametrize("trailing", [b"\0" * 40, b"\0" * 9, b"PK\5\6", b"\0PK", b"x"])
@pytest.mark.parametrize("model", [small_model(), unary(), unary(name="TANH", custom=True)])
def test_bytes_behind_the_file_stay_what_they_are(model: Model, trailing: bytes) -> None:
    data = write_model(replace(model, trailing=trailing))
    assert read_model(data).trailing == trailing
    assert write_model(read_model(data)) == data


def test_padding_of_other_builders_is_no_content() -> None:
    data = raw.raw_file({"OperatorCode": {1: raw.text(b"unused")}})
    assert data.endswith(b"unused" + bytes(2))
    assert read_model(data).trailing == b""


@pytest.mark.parametrize(("deprecated", "code"), [(14, 0), (0, 14), (14, 14), (3, 14), (14, 3)])
def test_operator_code_is_the_larger_of_its_two_fields(deprecated: int, code: int) -> None:
    """Old files have the deprecated field only."""
    data = raw.raw_file({"OperatorCode": {0: ("Int8", deprecated), 3: ("Int32", code)}})
    assert read_model(data).subgraphs[0].operators[0].name == "LOGISTIC"


def test_deprecated_fields_are_passed_over() -> None:
    options = {0: ("Int32", 8), 1: ("Int32", 9), 2: ("Bool", True)}
    data = raw.raw_file({"Operator": {3: ("Uint8", 15), 4: ("UOffsetTRelative", raw.table(options))}})
    operator = read_model(data).subgraphs[0].operators[0]
    assert (operator.options_type, operator.options) == (
        "ResizeBilinearOptions",
        {"align_corners": True, "half_pixel_centers": False},
    )


def test_data_behind_the_flatbuffer_is_brought_in() -> None:
    """Large files keep constants and custom options behind the FlatBuffer, and more may follow."""

    def file(start: int) -> bytes:
        outside = {
            "OperatorCode": {0: ("Int8", 32), 1: raw.text(b"Custom"), 3: ("Int32", 32)},
            "Buffer": {1: ("Uint64", start), 2: ("Uint64", 4)},
            "SubGraph": {1: raw.ints()},
            "Tensor": {2: ("Uint32", 1)},
            "Operator": {9: ("Uint64", start + 4), 10: ("Uint64", 3)},
        }
        return raw.raw_file(outside)

    start = len(file(1 << 20))
    model = read_model(file(start) + b"datacusPK")
    graph = model.subgraphs[0]
    assert (graph.tensors[0].data, graph.operators[0].custom_options, model.trailing) == (b"data", b"cus", b"PK")
    inline = write_model(model)
    assert plain(read_model(inline)) == plain(model)


@real_models
def test_real_model_survives(path: Path) -> None:
    original = path.read_bytes()
    model = read_model(original, path.name)
    data = write_model(model)
    assert_sound_file(data)
    assert plain(read_model(data)) == plain(model)
    assert len(data) <= 1.02 * len(original)
    # The original as the package reads it, so that reader and writer cannot be wrong together.
    theirs = tflite.Model.GetRootAs(original)
    contents = buffers(original)
    for index, graph in enumerate(model.subgraphs):
        for position, tensor in enumerate(graph.tensors):
            other = theirs.Subgraphs(index).Tensors(position)
            assert (tensor.data or b"") == contents[other.Buffer()]
            assert tensor.name.encode() == other.Name()


def real_model(stem: str) -> bytes:
    path = next((path for path in model_files() if path.stem == stem), None)
    if path is None:
        pytest.skip(NO_MODELS)
    return path.read_bytes()


def seeded_inputs(model: Model) -> list[npt.NDArray[Any]]:
    generator = np.random.default_rng(1)
    tensors = [model.subgraphs[0].tensors[index] for index in model.subgraphs[0].inputs]
    return [
        (60 * generator.standard_normal(tensor.shape)).clip(-128, 127).astype(schema.DATA_TYPES[tensor.dtype].numpy)
        for tensor in tensors
    ]


@pytest.mark.parametrize(
    "stem",
    ["mlperf_kws_dscnn_int8", "microwakeword_vad_stream_int8", "tflm_mnist_lstm_int8", "tflm_micro_speech_int8"],
)
def test_real_model_computes_the_same_in_tflm(stem: str) -> None:
    original = real_model(stem)
    model = read_model(original)
    inputs = seeded_inputs(model)
    assert np.array_equal(run_in_tflm(write_model(model), *inputs), run_in_tflm(original, *inputs))


@pytest.mark.parametrize("stem", ["ds_cnn_s_int16x8", "mediapipe_hand_recrop_f32", "nanou_tinyagri_seg_60x80_int8"])
def test_real_model_computes_the_same_in_litert(stem: str) -> None:
    litert = pytest.importorskip("ai_edge_litert.interpreter", reason="LiteRT is not installed (extra `verify`)")
    original = real_model(stem)
    model = read_model(original)

    def run(data: bytes) -> list[npt.NDArray[Any]]:
        resolver = litert.OpResolverType.BUILTIN_REF
        interpreter = litert.Interpreter(model_content=data, experimental_op_resolver_type=resolver)
        interpreter.allocate_tensors()
        for detail, array in zip(interpreter.get_input_details(), seeded_inputs(model), strict=True):
            interpreter.set_tensor(detail["index"], array)
        interpreter.invoke()
        return [interpreter.get_tensor(detail["index"]) for detail in interpreter.get_output_details()]

    assert plain(tuple(run(write_model(model)))) == plain(tuple(run(original)))
