"""The model of TFLite Micro's arena against TFLite Micro itself."""

from dataclasses import replace

import pytest
from flatbuffer_models import MODELS, NO_MODELS, quantized

from tinymo_xdsl.flatbuffer.model import Model, Operator, Subgraph, Tensor
from tinymo_xdsl.flatbuffer.offline_plan import UNPLANNED, with_plan
from tinymo_xdsl.flatbuffer.reader import read_model
from tinymo_xdsl.flatbuffer.writer import write_model
from tinymo_xdsl.tflm.arena import BITS_32, BITS_64, arena_need
from tinymo_xdsl.verification import arena_use, engines, smallest_arena

needs_engine = pytest.mark.skipif(
    not engines.is_installed(engines.TFLITE_MICRO), reason="tflite-micro is not installed"
)

ALIGNED = 32
"""Bytes that the tail may be off: where the runtime's structures happen to be aligned."""


def model_file(name: str) -> bytes:
    path = MODELS / f"{name}.tflite"
    if not path.exists():
        pytest.skip(NO_MODELS)
    return path.read_bytes()


def chain(length: int, shape: tuple[int, ...] = (1, 2, 2, 4)) -> Model:
    """RELUs one after the other: all operators, hardly any bytes of tensors."""
    tensors = tuple(Tensor(f"t{index}", "INT8", shape, quantization=quantized(0.5)) for index in range(length + 1))
    operators = tuple(Operator("RELU", (index,), (index + 1,)) for index in range(length))
    return Model((Subgraph(tensors, (0,), (length,), operators),))


@needs_engine
@pytest.mark.parametrize(
    "name",
    [
        "ds_cnn_s_int16x8",
        "fomo_mnv2_035_96_int8",
        "heartkit_ecg_seg_unet512_int8",
        "mediapipe_hand_recrop_f32",
        "mlperf_ic_resnet8_int8",
        "rnnoise_int8",
        "tflm_mnist_lstm_int8",
    ],
)
def test_head_and_tail_are_those_of_the_runtime(name: str) -> None:
    data = model_file(name)
    use, need = arena_use(data), arena_need(read_model(data), BITS_64)
    assert need.head == use.head
    assert abs(need.tail - use.tail) <= ALIGNED


@needs_engine
def test_control_flow_and_resource_variables_are_near() -> None:
    data = model_file("microwakeword_vad_stream_int8")
    use, need = arena_use(data), arena_need(read_model(data), BITS_64)
    assert abs(need.head - use.head) <= 16
    assert need.tail == pytest.approx(use.tail, rel=0.02)


@needs_engine
@pytest.mark.parametrize("length", [4, 128])
def test_planning_may_need_more_than_running(length: int) -> None:
    model = chain(length)
    need = arena_need(model, BITS_64)
    assert need.total == pytest.approx(smallest_arena(write_model(model)), rel=0.02)
    assert need.total > need.head + need.tail


@needs_engine
def test_the_planned_head_is_the_last_byte_of_any_tensor() -> None:
    model = with_plan(chain(3), [64, 0, 4096, UNPLANNED])
    use, need = arena_use(write_model(model)), arena_need(model, BITS_64)
    assert use.head == need.head == 4096 + 16


@needs_engine
def test_scratch_lies_around_what_is_planned() -> None:
    data = model_file("heartkit_ecg_seg_unet512_int8")
    model = read_model(data)
    main = model.subgraphs[0]
    offsets = [UNPLANNED] * len(main.tensors)
    last = next(operator for operator in reversed(main.operators) if operator.name == "TRANSPOSE_CONV")
    offsets[last.outputs[0]] = 16
    planned = with_plan(model, offsets)
    need = arena_need(planned, BITS_64)
    assert need.head > arena_need(model, BITS_64).head
    assert need.head == arena_use(write_model(planned)).head


def test_tensors_of_subgraphs_that_run_count_and_constants_do_not() -> None:
    called = chain(1, (1, 8, 8, 16)).subgraphs[0]
    main = chain(1).subgraphs[0]
    constant = Tensor("c", "INT8", (1, 64, 64, 64), b"\0" * (1 << 18), quantized(0.5))
    call = Operator("CALL_ONCE", (), (), options_type="CallOnceOptions", options={"init_subgraph_index": 1})
    main = replace(main, tensors=(*main.tensors, constant), operators=(call, *main.operators))
    assert arena_need(Model((main, called)), BITS_64).head == 2 * 1024 + 16


def test_a_microcontroller_needs_less_for_the_same_structures() -> None:
    # The tail of person_detect on a Cortex-M4, as TFLite Micro's own benchmark reports it.
    need = arena_need(read_model(model_file("tflm_person_detect_int8")), BITS_32)
    assert (need.head, need.tail) == (55_296, 26_996)
