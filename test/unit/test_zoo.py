"""The zoo: known architectures, the same bytes each time, activations that are worth computing."""

import hashlib
import math
from collections import Counter
from collections.abc import Callable, Iterator

import numpy as np
import pytest
from flatbuffer_models import MODELS, NO_MODELS, plain

from tinymo_xdsl import zoo
from tinymo_xdsl.analysis.kernels import functions, kernels_of
from tinymo_xdsl.analysis.macs import total_macs
from tinymo_xdsl.backend.tflite import export_model
from tinymo_xdsl.dialects import tosa
from tinymo_xdsl.flatbuffer.model import Model, Operator, Tensor
from tinymo_xdsl.flatbuffer.reader import read_model
from tinymo_xdsl.flatbuffer.schema import ActivationFunctionType
from tinymo_xdsl.flatbuffer.writer import write_model
from tinymo_xdsl.frontend import import_model
from tinymo_xdsl.interpreter.executor import run_and_observe
from tinymo_xdsl.verification import load_error
from tinymo_xdsl.verification.engines import LITERT, TFLITE_MICRO, ModelFile, is_installed
from tinymo_xdsl.verification.inputs import sample
from tinymo_xdsl.zoo.builder import RELU, RELU6, VALID, Layer, ModelBuilder
from tinymo_xdsl.zoo.calibration import CALIBRATION_INPUTS, LOGITS, Affine, RandomBytes, round_up

SMALL = {
    "mobilenet-v2": {"resolution": 48, "classes": 100},
    "tiny-unet": {"resolution": 24},
    "resnet8": {"resolution": 16},
    "ds-cnn": {},
    "lenet5": {},
    "tiny-pyramid": {"resolution": 32},
}
"""A quick version of every network."""

RECORDED = {
    "mobilenet-v2": "fa6db3ec28323026",
    "tiny-unet": "de03b7c28e707b4a",
    "resnet8": "752961b20839745e",
    "ds-cnn": "c78fcdf2036d8559",
    "lenet5": "412dcbf026eae1e0",
    "tiny-pyramid": "0373b52afdeb4d95",
}
"""The beginning of the SHA-256 of all that the calibration of the quick version decides."""

RUNS = 8

every_network = pytest.mark.parametrize("name", zoo.ARCHITECTURES)


@pytest.fixture(scope="module")
def small() -> dict[str, Model]:
    return {name: zoo.build(name, **parameters) for name, parameters in SMALL.items()}


def constants(model: Model, suffix: str) -> Iterator[Tensor]:
    return (tensor for tensor in model.subgraphs[0].tensors if tensor.name.endswith(suffix))


def elements(model: Model, suffix: str) -> int:
    return sum(math.prod(tensor.shape) for tensor in constants(model, suffix))


def constant_bytes(model: Model) -> int:
    return sum(len(tensor.data or b"") for tensor in model.subgraphs[0].tensors)


def noise(model: Model, run: int) -> np.ndarray:
    (index,) = model.subgraphs[0].inputs
    return np.random.default_rng(run).integers(-128, 128, model.subgraphs[0].tensors[index].shape).astype(np.int8)


# The table of the authors' release counts weights, but no biases of convolutions, in millions.
@pytest.mark.parametrize(
    ("width", "millions"), [(0.35, 1.66), (0.5, 1.95), (0.75, 2.61), (1.0, 3.47), (1.3, 5.34), (1.4, 6.06)]
)
def test_mobilenet_v2_has_the_published_weights_for_each_width(width: float, millions: float) -> None:
    model = zoo.build("mobilenet-v2", width=width, resolution=32, classes=1000)
    assert round((elements(model, "/weights") + 1000) / 1e6, 2) == millions


def test_mobilenet_v2_has_the_parameters_of_keras_after_folding() -> None:
    # Keras trains 3,504,872 parameters, two of them for each of the 17,056 channels that are normalised. Folding makes
    # one bias of the two, and drops the 34,112 statistics that are not trained.
    model = zoo.build("mobilenet-v2", width=1.0, resolution=32, classes=1000)
    biases = elements(model, "/bias") - 1000
    assert biases == 34_112 // 2
    assert elements(model, "/weights") + 1000 + biases == 3_504_872 - biases


def test_mobilenet_v2_does_the_published_work() -> None:
    module = import_model(zoo.build("mobilenet-v2", width=0.35, resolution=96, classes=1000))
    # The same table gives whole millions of multiply-accumulates, fractions dropped.
    assert total_macs(kernels_of(next(iter(functions(module))))) // 1_000_000 == 11


# 17 blocks, of which the first expands nothing, and 10 have the shape of their source.
MOBILENET_V2 = {
    ("CONV_2D", "RELU6"): 1 + 16 + 1,
    ("DEPTHWISE_CONV_2D", "RELU6"): 17,
    ("CONV_2D", "NONE"): 17,
    ("ADD", "NONE"): 10,
    ("AVERAGE_POOL_2D", "NONE"): 1,
    ("FULLY_CONNECTED", "NONE"): 1,
}
RESNET8 = {
    ("CONV_2D", "RELU"): 1 + 3,
    ("CONV_2D", "NONE"): 3 + 2,
    ("ADD", "RELU"): 3,
    ("AVERAGE_POOL_2D", "NONE"): 1,
    ("FULLY_CONNECTED", "NONE"): 1,
}


@pytest.mark.parametrize(("name", "expected"), [("mobilenet-v2", MOBILENET_V2), ("resnet8", RESNET8)])
def test_residual_networks_have_their_blocks(
    name: str, expected: dict[tuple[str, str], int], small: dict[str, Model]
) -> None:
    key = "fused_activation_function"
    operators = [operator for operator in small[name].subgraphs[0].operators if key in operator.options]
    assert Counter((op.name, ActivationFunctionType(op.options[key]).name) for op in operators) == expected


def test_a_resolution_that_is_no_multiple_of_32_rounds_up() -> None:
    model = zoo.build("mobilenet-v2", resolution=33, classes=2)
    shapes = {tensor.name: tensor.shape for tensor in model.subgraphs[0].tensors}
    assert shapes["first"] == (1, 17, 17, 16)
    assert shapes["last"] == (1, 2, 2, 1280)


# Constants, of which the two sizes of the reshape take 8 bytes, as in the reference models of MLPerf Tiny.
@pytest.mark.parametrize(("name", "size"), [("ds-cnn", 24_376), ("resnet8", 78_752)])
def test_mlperf_tiny_models_have_the_constants_of_the_originals(name: str, size: int) -> None:
    assert constant_bytes(zoo.build(name)) == size


def test_lenet5_has_the_known_number_of_parameters() -> None:
    model = zoo.build("lenet5")
    assert elements(model, "/weights") + elements(model, "/bias") == 61_706


def test_tiny_unet_joins_each_level_with_its_skip(small: dict[str, Model]) -> None:
    model = small["tiny-unet"]
    graph = model.subgraphs[0]
    shapes = {tensor.name: tensor.shape[1:] for tensor in graph.tensors}
    downwards = [shapes[f"down_{level}/conv_1"] for level in range(3)]
    assert downwards == [(24, 24, 8), (12, 12, 16), (6, 6, 32)]
    assert shapes["bottom/conv_1"] == (3, 3, 64)
    assert [shapes[f"up_{level}/enlarge"] for level in range(3)] == downwards
    assert [shapes[f"up_{level}/join"] for level in range(3)] == [(24, 24, 16), (12, 12, 32), (6, 6, 64)]
    assert shapes["mask"] == (24, 24, 1)
    joined = [op.inputs for op in graph.operators if op.name == "CONCATENATION"]
    assert [graph.tensors[skip].name for _, skip in joined] == [f"down_{level}/conv_1" for level in (2, 1, 0)]
    three_by_three = [(3, 8), (8, 8), (8, 16), (16, 16), (16, 32), (32, 32), (32, 64), (64, 64)]
    three_by_three += [(64, 32), (32, 32), (32, 16), (16, 16), (16, 8), (8, 8)]
    two_by_two = [(64, 32), (32, 16), (16, 8)]
    weights = sum(9 * a * b for a, b in three_by_three) + sum(4 * a * b for a, b in two_by_two) + 8
    assert elements(model, "/weights") == weights


def signature(model: Model, operator: Operator) -> str:
    """What an operator is, but for the values of weights, and for options that change nothing here."""
    tensors = model.subgraphs[0].tensors
    shape = tensors[operator.outputs[0]].shape
    # Padding is SAME or VALID where both are no padding, and a window that has one position takes no step.
    ignored = {"padding", "pot_scale_int16", "new_shape"} | (
        {"stride_h", "stride_w"} if shape[1:3] == (1, 1) else set[str]()
    )
    options = {key: value for key, value in operator.options.items() if key not in ignored}
    weights = [tensors[index].shape for index in operator.inputs if tensors[index].data is not None]
    return repr((operator.name, shape, weights, plain(options)))


@pytest.mark.parametrize(
    ("name", "parameters", "original", "dropped"),
    [
        # The original first scales its input, by two operators.
        ("mobilenet-v2", {"resolution": 160, "classes": 2}, "mobilenetv2_035_160_int8.tflite", 2),
        ("resnet8", {}, "mlperf_ic_resnet8_int8.tflite", 0),
        ("ds-cnn", {}, "mlperf_kws_dscnn_int8.tflite", 0),
    ],
)
def test_every_operator_is_that_of_a_real_model(
    name: str, parameters: dict[str, int], original: str, dropped: int
) -> None:
    if not (MODELS / original).exists():
        pytest.skip(NO_MODELS)
    real = read_model((MODELS / original).read_bytes(), original)
    ours = zoo.build(name, **parameters)
    expected = [signature(real, operator) for operator in real.subgraphs[0].operators[dropped:]]
    assert Counter(map(repr, (signature(ours, op) for op in ours.subgraphs[0].operators))) == Counter(
        map(repr, expected)
    )


@every_network
def test_the_same_parameters_give_the_same_bytes(name: str, small: dict[str, Model]) -> None:
    data = write_model(small[name])
    assert write_model(zoo.build(name, **SMALL[name])) == data


@every_network
def test_another_seed_gives_other_weights_and_the_same_network(name: str, small: dict[str, Model]) -> None:
    model, other = small[name], zoo.build(name, **SMALL[name], seed=1)
    assert [op.name for op in other.subgraphs[0].operators] == [op.name for op in model.subgraphs[0].operators]
    for ours, theirs in zip(constants(model, "/weights"), constants(other, "/weights"), strict=True):
        assert (ours.name, ours.shape) == (theirs.name, theirs.shape)
        assert ours.data != theirs.data


@every_network
def test_weights_and_scales_do_not_depend_on_the_machine(name: str, small: dict[str, Model]) -> None:
    digest = hashlib.sha256()
    for tensor in sorted(small[name].subgraphs[0].tensors, key=lambda tensor: tensor.name):
        digest.update(repr((tensor.name, tensor.shape, tensor.data, plain(tensor.quantization))).encode())
    assert digest.hexdigest()[:16] == RECORDED[name]


@every_network
def test_the_model_survives_frontend_and_backend(name: str, small: dict[str, Model]) -> None:
    model = small[name]
    assert plain(export_model(import_model(model))) == plain(model)
    assert plain(read_model(write_model(model), name)) == plain(model)


@every_network
def test_all_but_softmax_has_a_meaning_in_tosa(name: str, small: dict[str, Model]) -> None:
    whole = {op.operator_name.data for op in import_model(small[name]).walk() if isinstance(op, tosa.CustomOp)}
    assert whole <= {"SOFTMAX"}


@every_network
def test_frontend_and_backend_keep_what_was_built(name: str) -> None:
    network = zoo.ARCHITECTURES[name](**SMALL[name])
    built = ModelBuilder(network.seed)
    outputs = network.layers(built)
    before, after = (model.subgraphs[0] for model in (built.model(outputs, ""), network.build()))
    assert {tensor.name: plain(tensor) for tensor in before.tensors} == {
        tensor.name: plain(tensor) for tensor in after.tensors
    }
    for old, new in zip(before.operators, after.operators, strict=True):
        assert (old.name, old.version, plain(old.options)) == (new.name, new.version, plain(new.options))
        assert [before.tensors[index].name for index in old.inputs] == [
            after.tensors[index].name for index in new.inputs
        ]


IMAGE = (7, 6, 4)

LAYERS: dict[str, Callable[[ModelBuilder, Layer], Layer]] = {
    "conv2d": lambda build, image: build.conv2d("it", image, 5, (3, 2), (2, 1), activation=RELU6),
    "conv2d without activation": lambda build, image: build.conv2d("it", image, 5, 3, 2, padding=VALID),
    "depthwise": lambda build, image: build.depthwise_conv2d("it", image, 3, 2, activation=RELU),
    "transpose_conv": lambda build, image: build.transpose_conv("it", image, 3, 2, _positive(build, image)),
    "fully_connected": lambda build, image: build.fully_connected("it", _flat(build, image), 9),
    "add": lambda build, image: build.add("it", image, build.conv2d("other", image, 4), RELU),
    "concatenate": lambda build, image: build.concatenate("it", [image, build.conv2d("other", image, 2, like=image)]),
    "max_pool": lambda build, image: build.max_pool("it", image, (2, 3)),
    "average_pool": lambda build, image: build.average_pool("it", image, 2),
    "global_average": lambda build, image: build.global_average("it", image),
    "reshape": lambda build, image: _flat(build, image),
    "pad": lambda build, image: build.pad("it", image, (0, 1), (2, 3)),
    "enlarge": lambda build, image: build.enlarge("it", image, 3),
    "softmax": lambda build, image: build.softmax("it", build.fully_connected("logits", _flat(build, image), 9)),
    "logistic": lambda build, image: build.logistic("it", build.conv2d("head", image, 1, target=LOGITS)),
}


def _positive(build: ModelBuilder, image: Layer) -> Layer:
    return build.conv2d("positive", image, 3, activation=RELU)


def _flat(build: ModelBuilder, image: Layer) -> Layer:
    return build.reshape("flat", image, (1, math.prod(IMAGE)))


@pytest.mark.parametrize("kind", LAYERS)
def test_calibration_computes_what_the_layer_computes(kind: str) -> None:
    build = ModelBuilder(0)
    layer = LAYERS[kind](build, build.image("image", IMAGE))
    images = RandomBytes(0).images(IMAGE)
    assert len(images) == CALIBRATION_INPUTS
    module = import_model(build.model([layer], ""))
    for index in range(CALIBRATION_INPUTS):
        (result,), _ = run_and_observe(module, [images[index : index + 1]])
        # Kernels round twice, the calibration once.
        assert np.abs(layer.values[index].astype(int) - result[0]).max() <= 1


@every_network
def test_activations_use_their_range_and_outputs_differ(name: str, small: dict[str, Model]) -> None:
    model = small[name]
    module, graph = import_model(model), model.subgraphs[0]
    # A PAD adds values at the end of the range, and what a network says for sure is at an end too.
    given = {graph.tensors[op.outputs[0]].name for op in graph.operators if op.name == "PAD"}
    given |= {graph.tensors[index].name for index in (*graph.inputs, *graph.outputs)}
    outputs: set[bytes] = set()
    for run in range(RUNS):
        results, tensors = run_and_observe(module, [noise(model, run)])
        outputs.add(b"".join(result.tobytes() for result in results))
        for tensor, values in tensors.items():
            if tensor not in given:
                at_ends = np.mean((values == -128) | (values == 127))
                assert at_ends <= 0.2, f"{tensor} in run {run}"
                assert len(np.unique(values)) > min(16, values.size // 8), f"{tensor} in run {run}"
    assert len(outputs) >= 5


@every_network
def test_smooth_inputs_are_told_apart_too(name: str, small: dict[str, Model]) -> None:
    model = small[name]
    module, graph = import_model(model), model.subgraphs[0]
    inputs = [sample(graph.tensors[graph.inputs[0]], 0, run, 0, 0) for run in range(RUNS)]
    outputs = [run_and_observe(module, [values])[0] for values in inputs]
    assert len({b"".join(result.tobytes() for result in results) for results in outputs}) >= 5


@pytest.mark.skipif(not is_installed(TFLITE_MICRO), reason="tflite-micro is not installed (extra `verify`)")
@every_network
def test_tflite_micro_computes_every_tensor_as_the_interpreter_does(name: str, small: dict[str, Model]) -> None:
    model = small[name]
    graph = model.subgraphs[0]
    session = TFLITE_MICRO.load(ModelFile.read(name, write_model(model)), keep_tensors=True)
    for run in range(2):
        session.invoke([noise(model, run)])
        _, tensors = run_and_observe(import_model(model), [noise(model, run)])
        compared = 0
        for index, tensor in enumerate(graph.tensors):
            if tensor.data is None:
                np.testing.assert_array_equal(tensors[tensor.name], session.tensor(index), tensor.name)
                compared += 1
        assert compared == len(graph.operators) + 1


@pytest.mark.skipif(not is_installed(LITERT), reason="ai-edge-litert is not installed (extra `verify`)")
@every_network
def test_litert_runs_it(name: str, small: dict[str, Model]) -> None:
    assert load_error(write_model(small[name]), "litert", name) is None


@every_network
def test_parameters_say_what_they_are(name: str) -> None:
    network = zoo.ARCHITECTURES[name]
    parameters = network.parameters()
    assert network.name == name
    assert network.summary
    assert parameters[-1].name == "seed"
    for entry in parameters:
        assert entry.help
        assert type(entry.default) is entry.type
        assert entry.least <= entry.default <= entry.most


def test_parameters_have_types_and_defaults() -> None:
    found = [(entry.name, entry.type, entry.default) for entry in zoo.ARCHITECTURES["mobilenet-v2"].parameters()]
    assert found == [("width", float, 0.35), ("resolution", int, 96), ("classes", int, 1000), ("seed", int, 0)]


@pytest.mark.parametrize(
    ("name", "parameters", "message"),
    [
        ("mobilenet-v3", {}, "the zoo has no 'mobilenet-v3'; it has mobilenet-v2, tiny-unet, "),
        ("lenet5", {"width": 1.0}, "lenet5 has no parameter 'width'; it has classes, seed"),
        ("mobilenet-v2", {"resolution": 16}, "'resolution' is 16, but must be an integer from 32 to 320"),
        ("mobilenet-v2", {"resolution": 96.0}, r"'resolution' is 96\.0, but must be an integer"),
        ("mobilenet-v2", {"width": math.nan}, r"'width' is nan, but must be a number from 0\.05 to 2\.0"),
        ("mobilenet-v2", {"seed": -1}, "'seed' is -1, but must be an integer from 0"),
        ("tiny-unet", {"resolution": 100}, "'resolution' of tiny-unet is 100, .* multiple of 8: try 96 or 104"),
        ("tiny-pyramid", {"resolution": 68}, "'resolution' of tiny-pyramid is 68, .* multiple of 8"),
    ],
)
def test_bad_parameters_are_named_in_one_line(name: str, parameters: dict[str, float], message: str) -> None:
    with pytest.raises(zoo.ZooError, match=message) as caught:
        zoo.build(name, **parameters)
    assert "\n" not in str(caught.value)


def test_a_model_says_what_it_is() -> None:
    model = zoo.build("lenet5", seed=3)
    assert model.description == "lenet5: classes 10, seed 3"
    assert [signature.key for signature in model.signatures] == ["serving_default"]


def test_a_whole_number_is_the_same_width_however_it_is_written() -> None:
    whole, real = (zoo.build("mobilenet-v2", width=width, resolution=32, classes=2) for width in (1, 1.0))
    assert write_model(whole) == write_model(real)


def test_weights_are_symmetric() -> None:
    weights = RandomBytes(0).weights((10_000,))
    assert (weights.min(), weights.max()) == (-127, 127)


def test_scales_have_eight_bits_and_are_not_under_what_they_must_hold() -> None:
    exact = np.array([1.0, 0.99609375, 3 * 2.0**-20])
    np.testing.assert_array_equal(round_up(exact), exact)
    np.testing.assert_array_equal(round_up(np.array([1.0001, 6 / 255])), [1 + 2**-7, 193 / 8192])


def test_a_quantisation_covers_its_range_and_zero() -> None:
    affine = Affine.covering(-0.3, 1.7)
    assert affine.real(affine.stored(np.array([0.0])))[0] == 0.0
    ends = np.array([-0.3, 1.7])
    assert np.abs(affine.real(affine.stored(ends)) - ends).max() <= affine.scale
    assert Affine.covering(0.5, 2.0).zero_point == -128
    assert Affine.covering(0.0, 0.0) == Affine(1.0, -128)


def test_layers_of_different_scales_are_not_concatenated() -> None:
    build = ModelBuilder(0)
    image = build.image("image", (4, 4, 1))
    with pytest.raises(ValueError, match="'joined': concatenated layers need one quantisation"):
        build.concatenate("joined", [image, build.conv2d("conv", image, 1)])


def test_pads_are_those_asked_for() -> None:
    build = ModelBuilder(0)
    padded = build.pad("padded", build.image("image", (4, 4, 1)), (0, 1), (2, 3))
    (paddings,) = constants(build.model([padded], ""), "/paddings")
    assert np.frombuffer(paddings.data or b"", "<i4").reshape(paddings.shape).tolist() == [
        [0, 0],
        [0, 1],
        [2, 3],
        [0, 0],
    ]


def test_a_name_is_given_once() -> None:
    build = ModelBuilder(0)
    image = build.image("image", (4, 4, 1))
    build.max_pool("pool", image)
    with pytest.raises(ValueError, match="two tensors called 'pool'"):
        build.max_pool("pool", image)
