"""Buffers: what functions on them compute, which bytes they need when, and how reading a wrong one is seen."""

import pytest
from flatbuffer_models import MODELS, NO_MODELS
from modules_in_text import SPLIT, STATE, parse
from xdsl.context import Context
from xdsl.dialects.builtin import ModuleOp

from tinymo_xdsl.analysis.buffers import lifetimes
from tinymo_xdsl.analysis.peak import main_function
from tinymo_xdsl.errors import BadModelError, OutputsDifferError
from tinymo_xdsl.facts import name_of
from tinymo_xdsl.flatbuffer.model import Model
from tinymo_xdsl.flatbuffer.reader import read_model
from tinymo_xdsl.frontend import import_model
from tinymo_xdsl.interpreter.executor import run_and_observe
from tinymo_xdsl.interpreter.semantics import check_same, random_inputs
from tinymo_xdsl.passes.bufferize import BufferizePass
from tinymo_xdsl.passes.form_kernels import FormKernelsPass
from tinymo_xdsl.passes.legalize_for_tflite import LegalizeForTflitePass
from tinymo_xdsl.zoo import build
from tinymo_xdsl.zoo.random_model import random_recipe

NETWORKS = 8
SAMPLE = (
    "tflm_person_detect_int8",
    "ds_cnn_s_int16x8",
    "microwakeword_vad_stream_int8",
    "tflm_mnist_lstm_int8",
    "rnnoise_int8",
    "mediapipe_hand_recrop_f32",
)
"""Models of all kinds of state and elements."""


def bufferized(module: ModuleOp, bufferize: BufferizePass | None = None, *, legalize: bool = True) -> ModuleOp:
    """The module with buffers, verified; the given one stays as it is."""
    result = module.clone()
    FormKernelsPass().apply(Context(), result)
    if legalize:
        LegalizeForTflitePass().apply(Context(), result)
    (bufferize or BufferizePass()).apply(Context(), result)
    result.verify()
    return result


def check_model(model: Model, bufferize: BufferizePass | None = None) -> None:
    module = import_model(model)
    check_same(module, bufferized(module, bufferize), pass_name="bufferize")


@pytest.mark.parametrize("name", ["ds-cnn", "lenet5", "tiny-pyramid"])
def test_buffers_change_no_value_of_the_zoo(name: str) -> None:
    check_model(build(name))


@pytest.mark.parametrize("seed", range(NETWORKS))
def test_buffers_change_no_value_of_random_networks(seed: int) -> None:
    model = random_recipe(seed).model()
    check_model(model, BufferizePass(sharing="all", alignment=(1, 4, 16)[seed % 3]))
    check_model(model, BufferizePass(sharing="views", alignment=4))
    check_model(model, BufferizePass(sharing="none"))


@pytest.mark.skipif(not MODELS.is_dir(), reason=NO_MODELS)
@pytest.mark.parametrize("name", SAMPLE)
def test_buffers_change_no_value_of_real_models(name: str) -> None:
    check_model(read_model((MODELS / f"{name}.tflite").read_bytes(), name), BufferizePass(sharing="all"))


def test_splits_joins_spills_and_calls_need_not_be_operators() -> None:
    for text in (SPLIT, STATE):
        module = parse(text)
        for alignment in (1, 16):
            after = bufferized(module, BufferizePass(sharing="all", alignment=alignment), legalize=False)
            check_same(module, after, seeds=(0, 1))


ROWS = """
func.func @main() -> memref<3x4xi8> {
  %x = memref.alloc() {tinymo.tensor = {name = "x"}} : memref<4x4xi8>
  tinymo.input %x {index = 0 : i64} : memref<4x4xi8>
  %y = memref.alloc() {tinymo.tensor = {name = "y"}} : memref<3x4xi8>
  %first = memref.subview %x[0, 0] [2, 4] [1, 1] : memref<4x4xi8> to memref<2x4xi8, strided<[4, 1]>>
  %top = memref.subview %y[0, 0] [2, 4] [1, 1] : memref<3x4xi8> to memref<2x4xi8, strided<[4, 1]>>
  "memref.copy"(%first, %top) : (memref<2x4xi8, strided<[4, 1]>>, memref<2x4xi8, strided<[4, 1]>>) -> ()
  %third = memref.subview %x[2, 0] [1, 4] [1, 1] : memref<4x4xi8> to memref<1x4xi8, strided<[4, 1], offset: 8>>
  %bottom = memref.subview %y[2, 0] [1, 4] [1, 1] : memref<3x4xi8> to memref<1x4xi8, strided<[4, 1], offset: 8>>
  "memref.copy"(%third, %bottom)
    : (memref<1x4xi8, strided<[4, 1], offset: 8>>, memref<1x4xi8, strided<[4, 1], offset: 8>>) -> ()
  return %y : memref<3x4xi8>
}
"""
"""The rows of `y` are those of `x` but for the last, copied in two steps."""


def test_bytes_are_needed_from_their_write_to_their_last_read() -> None:
    """Rows of a source die one by one, rows of a result are born one by one; a row that nobody reads dies at once."""
    needed = {
        name_of(buffer): [(piece.offset, piece.top, piece.start, piece.end) for piece in pieces]
        for buffer, pieces in lifetimes(main_function(parse(ROWS))).items()
    }
    assert needed == {
        "x": [(0, 8, 0, 2), (8, 12, 0, 3), (12, 16, 0, 1)],
        "y": [(0, 8, 1, 4), (8, 12, 2, 4)],
    }


def test_rows_with_a_pitch_keep_what_lies_between() -> None:
    """Both columns are written by copies that leave the other one as it is, so the first copy's bytes live on."""
    text = """
    func.func @main() -> memref<2x2xi8> {
      %x = memref.alloc() : memref<2x1xi8>
      tinymo.input %x {index = 0 : i64} : memref<2x1xi8>
      %y = memref.alloc() {tinymo.tensor = {name = "y"}} : memref<2x2xi8>
      %a = memref.subview %y[0, 0] [2, 1] [1, 1] : memref<2x2xi8> to memref<2x1xi8, strided<[2, 1]>>
      %b = memref.subview %y[0, 1] [2, 1] [1, 1] : memref<2x2xi8> to memref<2x1xi8, strided<[2, 1], offset: 1>>
      "memref.copy"(%x, %a) : (memref<2x1xi8>, memref<2x1xi8, strided<[2, 1]>>) -> ()
      "memref.copy"(%x, %b) : (memref<2x1xi8>, memref<2x1xi8, strided<[2, 1], offset: 1>>) -> ()
      return %y : memref<2x2xi8>
    }"""
    module = parse(text)
    (pieces,) = (pieces for buffer, pieces in lifetimes(main_function(module)).items() if name_of(buffer) == "y")
    assert [(piece.offset, piece.top, piece.start, piece.end) for piece in pieces] == [(0, 3, 1, 4), (3, 4, 2, 4)]
    inputs = random_inputs(main_function(module))
    ((output,), _) = run_and_observe(module, inputs)
    assert output.tolist() == [[row, row] for (row,) in inputs[0].tolist()]


def test_what_nothing_has_written_cannot_be_read() -> None:
    copied = "(memref<2x4xi8, strided<[4, 1]>>, memref<2x4xi8, strided<[4, 1]>>) -> ()"
    missing = ROWS.replace(f'"memref.copy"(%first, %top) : {copied}', "")
    assert missing != ROWS
    module = parse(missing)
    with pytest.raises(BadModelError, match=r"output 0 reads bytes that hold nothing: 8 of 12 elements, \[0, 0\]"):
        run_and_observe(module, random_inputs(main_function(module)))


KERNEL = """
func.func @main() -> memref<4xi8> {{
  %x = memref.alloc() {{tinymo.tensor = {{name = "x"}}}} : memref<8xi8>
  tinymo.input %x {{index = 0 : i64}} : memref<8xi8>
  %a = memref.subview %x[0] [4] [1] : memref<8xi8> to memref<4xi8, strided<[1]>>
  %b = memref.subview %x[{offset}] [4] [1] : memref<8xi8> to memref<4xi8, strided<[1], offset: {offset}>>
  tinymo.kernel ins(%a : memref<4xi8, strided<[1]>>) outs(%b : memref<4xi8, strided<[1], offset: {offset}>>) {{
  ^bb0(%0: tensor<4xi8>):
    %1 = {op} : (tensor<4xi8>) -> tensor<4xi8>
    tinymo.yield %1 : tensor<4xi8>
  }}
  %y = memref.alloc() : memref<4xi8>
  "memref.copy"(%b, %y) : (memref<4xi8, strided<[1], offset: {offset}>>, memref<4xi8>) -> ()
  return %y : memref<4xi8>
}}
"""


ABS = "tosa.abs %0"
REVERSE = "tosa.reverse %0 {axis = 0 : i32}"


@pytest.mark.parametrize(("offset", "op"), [(0, ABS), (4, ABS), (4, REVERSE)])
def test_an_elementwise_result_may_lie_on_its_operand(offset: int, op: str) -> None:
    module = parse(KERNEL.format(offset=offset, op=op))
    run_and_observe(module, random_inputs(main_function(module)))


@pytest.mark.parametrize(("offset", "op", "lost"), [(2, ABS, 2), (0, REVERSE, 4)])
def test_other_results_over_an_operand_are_seen(offset: int, op: str, lost: int) -> None:
    """Elements that are read after others were written would be wrong, though numpy reads all of them first."""
    module = parse(KERNEL.format(offset=offset, op=op))
    with pytest.raises(BadModelError, match=f"'.*': the kernel of .* reads bytes that hold nothing: {lost} of 4"):
        run_and_observe(module, random_inputs(main_function(module)))


def test_a_tensor_in_a_buffer_is_compared_as_it_is_read() -> None:
    """The view of `first` begins a row late: no tensor that a kernel yields shows it, but what is read there does."""
    named = ROWS.replace("%x[0, 0] [2, 4] [1, 1] :", '%x[0, 0] [2, 4] [1, 1] {tinymo.tensor = {name = "first"}} :')
    shifted = named.replace("%x[0, 0]", "%x[1, 0]")
    with pytest.raises(OutputsDifferError, match="tensor 'first'"):
        check_same(parse(named), parse(shifted))
