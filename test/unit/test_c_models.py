"""Real models as C libraries compute what TFLite Micro computes, in every tensor where it keeps them."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from c_libraries import Array, assert_same, load, random_inputs, with_all_outputs
from flatbuffer_models import MODELS, NO_MODELS

from tinymo_xdsl.flatbuffer.offline_plan import without_plan
from tinymo_xdsl.flatbuffer.reader import read_model
from tinymo_xdsl.flatbuffer.writer import write_model

pytestmark = pytest.mark.skipif(not MODELS.is_dir(), reason=NO_MODELS)

RUNS = 10
ARENA_BYTES = 16 << 20
SMALL = (
    "ds_cnn_s_int16x8",
    "mlperf_ad_fcae_int8",
    "mlperf_ic_resnet8_int8",
    "mlperf_kws_dscnn_int8",
    "mlperf_vww_mobilenetv1_025_96_int8",
    "fomo_mnv2_035_96_int8",
    "mltk_kws_tenet_alexa_int8",
    "rnnoise_int8",
    "tflm_micro_speech_int8",
    "tflm_person_detect_int8",
)


def interpreter_of(data: bytes) -> Any:
    """The model in TFLite Micro."""
    runtime = pytest.importorskip(
        "tflite_micro.python.tflite_micro.runtime", reason="tflite-micro is not installed (extra `verify`)"
    )
    return runtime.Interpreter.from_bytes(data, arena_size=ARENA_BYTES)


@pytest.mark.parametrize("name", SMALL)
def test_a_real_model_in_c_computes_what_tflite_micro_computes(name: str, tmp_path: Path) -> None:
    """The model's own outputs alone would be a weak test: those of classifiers saturate."""
    path = MODELS / f"{name}.tflite"
    model = with_all_outputs(without_plan(read_model(path.read_bytes(), name)))
    micro = interpreter_of(write_model(model))
    loaded = load({"net": model}, tmp_path)["net"]
    distinct: set[bytes] = set()
    for seed in range(RUNS):
        inputs = random_inputs(loaded.library, seed)
        for index, values in enumerate(inputs):
            micro.set_input(values, index)
        micro.invoke()
        wanted = [np.array(micro.get_output(index)) for index in range(len(loaded.library.outputs))]
        assert_same(loaded.run(inputs), wanted, loaded.library)
        distinct.update(values.tobytes() for values in wanted[:1])
    assert len(distinct) == RUNS


@pytest.mark.parametrize("name", ["heartkit_ecg_seg_unet512_int8", "mlperf_kws_dscnn_int8", "rnnoise_int8"])
def test_tensors_that_share_the_arena_do_not_disturb_each_other(name: str, tmp_path: Path) -> None:
    data = (MODELS / f"{name}.tflite").read_bytes()
    micro = interpreter_of(data)
    loaded = load({"net": read_model(data, name)}, tmp_path)["net"]
    for seed in range(RUNS):
        inputs = random_inputs(loaded.library, seed)
        for index, values in enumerate(inputs):
            micro.set_input(values, index)
        micro.invoke()
        wanted = [np.array(micro.get_output(index)) for index in range(len(loaded.library.outputs))]
        assert_same(loaded.run(inputs), wanted, loaded.library)


@pytest.mark.parametrize("name", ["microwakeword_vad_stream_int8", "tflm_mnist_lstm_int8"])
def test_a_model_remembers_what_tflite_micro_remembers(name: str, tmp_path: Path) -> None:
    """Each run depends on the ones before; initialising again forgets them all."""
    model = read_model((MODELS / f"{name}.tflite").read_bytes(), name)
    if len(model.subgraphs) == 1:
        model = with_all_outputs(model)
    micro = interpreter_of(write_model(model))
    loaded = load({"net": model}, tmp_path)["net"]
    steps = [random_inputs(loaded.library, seed) for seed in range(RUNS)]

    def outputs(inputs: list[Array]) -> bytes:
        return b"".join(output.tobytes() for output in loaded.run(inputs))

    first: list[bytes] = []
    for inputs in steps:
        micro.set_input(inputs[0], 0)
        micro.invoke()
        wanted = [np.array(micro.get_output(index)) for index in range(len(loaded.library.outputs))]
        first.append(outputs(inputs))
        assert first[-1] == b"".join(output.tobytes() for output in wanted)
    assert len(set(first)) > 1
    assert [outputs(inputs) for inputs in steps] != first
    loaded.initialize()
    assert [outputs(inputs) for inputs in steps] == first
