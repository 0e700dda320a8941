"""Which rows kernels read, as the planner sees them, and which runs of kernels are separable convolutions."""

from collections.abc import Callable

import pytest
from chain_models import SAME, VALID, ChainBuilder, DataType, Layer
from modules_in_text import in_main
from xdsl.dialects.builtin import ModuleOp

from tinymo_xdsl.analysis.chains import separable_chains
from tinymo_xdsl.analysis.kernels import kernels_of
from tinymo_xdsl.analysis.peak import main_function
from tinymo_xdsl.analysis.row_problem import RowProblem, row_problem
from tinymo_xdsl.analysis.rows import row_access
from tinymo_xdsl.flatbuffer.model import Model, Operator, Subgraph, Tensor
from tinymo_xdsl.frontend import import_model
from tinymo_xdsl.planner.rows import AllRows, Repeat, RowAccess, TransposedWindow, Window
from tinymo_xdsl.planner.stripes import Value


def rows_of(module: ModuleOp) -> RowProblem:
    return row_problem(main_function(module))


def accesses(layers: Callable[[ChainBuilder], Layer], dtype: DataType = "INT8") -> tuple[RowAccess | None, ...]:
    """How the last kernel of a model reads each of its operands."""
    build = ChainBuilder(dtype)
    problem = rows_of(import_model(build.model(layers(build)))).problem
    return tuple(operand.access for operand in problem.layers[-1].operands)


X = (8, 6, 4)
"""The shape of an image `x`: a padded row of it has 6 columns and the pads, of 4 bytes each."""


@pytest.mark.parametrize(
    ("layers", "access"),
    [
        (
            lambda build: build.conv("y", build.image("x", X), 5),
            Window(1, 1, same_columns=True, valid_columns=True, padded_row_bytes=24),
        ),
        (
            lambda build: build.conv("y", build.image("x", X), 5, 3),
            Window(3, 1, 1, 1, same_columns=True, valid_columns=False, padded_row_bytes=32),
        ),
        (
            lambda build: build.conv("y", build.image("x", X), 5, 3, padding=VALID),
            Window(3, 1, same_columns=False, valid_columns=True, padded_row_bytes=24),
        ),
        (
            lambda build: build.conv("y", build.image("x", X), 5, (3, 1)),
            Window(3, 1, 1, 1, same_columns=True, valid_columns=True, padded_row_bytes=24),
        ),
        (
            lambda build: build.depthwise("y", build.image("x", X), (5, 3), stride=2),
            Window(5, 2, 1, 2, same_columns=True, valid_columns=False, padded_row_bytes=28),
        ),
        (
            lambda build: build.depthwise("y", build.image("x", X), 3, dilation=2, multiplier=2),
            Window(5, 1, 2, 2, same_columns=True, valid_columns=False, padded_row_bytes=40),
        ),
        (
            lambda build: build.pool("y", build.image("x", X), 3, 2, SAME),
            Window(3, 2, 0, 1, same_columns=True, valid_columns=False),
        ),
        (
            lambda build: build.pool("y", build.image("x", X), 2, 2, average=True),
            Window(2, 2, same_columns=True, valid_columns=True),
        ),
    ],
    ids=["1x1", "SAME", "VALID", "one column", "stride", "dilation", "max pool", "average pool"],
)
@pytest.mark.parametrize("dtype", ["FLOAT32", "INT8"])
def test_windows(layers: Callable[[ChainBuilder], Layer], access: Window, dtype: DataType):
    if dtype == "FLOAT32" and access.padded_row_bytes is not None:
        access = Window(**{**vars(access), "padded_row_bytes": 4 * access.padded_row_bytes})
    assert accesses(layers, dtype) == (access,)


def test_rows_and_columns_that_no_window_reads_are_left_out_of_pads_alone():
    """VALID windows of 3 with stride 2 leave row 7 and column 5 unread; of SAME's pads nothing is left then either."""
    assert accesses(lambda build: build.conv("y", build.image("x", X), 5, 3, stride=2, padding=VALID)) == (
        Window(3, 2, same_columns=False, valid_columns=True, padded_row_bytes=24),
    )
    assert accesses(lambda build: build.conv("y", build.image("x", X), 5, 1, stride=2)) == (
        Window(1, 2, same_columns=True, valid_columns=True, padded_row_bytes=24),
    )


def test_elementwise_kernels_read_a_row_for_a_row_and_what_is_broadcast_whole():
    def residual(build: ChainBuilder) -> Layer:
        x = build.image("x", X)
        return build.add("y", build.conv("z", x, 4), x)

    def excited(build: ChainBuilder) -> Layer:
        return build.multiply("y", build.image("x", X), build.image("weights", (1, 1, 4)))

    def scaled_columns(build: ChainBuilder) -> Layer:
        return build.multiply("y", build.image("x", X), build.image("columns", (8, 1, 4)))

    assert accesses(residual) == (Window(), Window())
    assert accesses(excited) == (Window(), AllRows())
    assert accesses(scaled_columns) == (Window(), Window())


def test_other_kernels():
    def concatenated(axis: int) -> Callable[[ChainBuilder], Layer]:
        return lambda build: build.concatenate("y", [build.image("a", X), build.image("b", X)], axis)

    def rows_one_below_the_other(build: ChainBuilder) -> Layer:
        return build.concatenate("y", [build.image("a", (1, 6, 4)), build.image("b", (1, 6, 4))], axis=1)

    assert accesses(concatenated(3), "FLOAT32") == (Window(), Window())
    assert accesses(concatenated(2), "FLOAT32") == (Window(), Window())
    assert accesses(concatenated(1), "FLOAT32") == (None, None)
    assert accesses(rows_one_below_the_other, "FLOAT32") == (None, None)
    assert accesses(lambda build: build.enlarge("y", build.image("x", X), 3)) == (Repeat(3),)
    valid = accesses(lambda build: build.transpose_conv("y", build.image("x", X), 5, 3, 2, VALID))
    assert valid == (TransposedWindow(3, 2),)
    same = accesses(lambda build: build.transpose_conv("y", build.image("x", X), 5, 4, 2, SAME))
    assert same == (TransposedWindow(4, 2, 1, 1),)


def test_kernels_that_mix_rows():
    assert accesses(lambda build: build.reshape("y", build.image("x", X), (1, 6, 8, 4))) == (None,)
    assert accesses(lambda build: build.reshape("y", build.image("x", X), (1, 192))) == (None,)
    assert accesses(lambda build: build.custom("y", build.image("x", X))) == (None,)
    assert accesses(lambda build: build.pad("y", build.image("x", X), (1, 1, 1, 1))) == (None,)


def in_text(arguments: str, result: str, body: str) -> tuple[RowAccess | None, ...]:
    """How the last kernel of a function whose values are all internal, but for the last, reads each of its operands."""
    module = in_main(arguments, result, f"{body} return %y : {result}")
    kernel = kernels_of(main_function(module))[-1]
    return tuple(row_access(kernel, value) for value in kernel.inputs)


CONSTANTS = """
    %z = "tosa.const"() <{values = dense<0> : tensor<1xi8>}> : () -> tensor<1xi8>
    %b = "tosa.const"() <{values = dense<0> : tensor<2xi32>}> : () -> tensor<2xi32>
    %w = "tosa.const"() <{values = dense<1> : tensor<2x3x3x2xi8>}> : () -> tensor<2x3x3x2xi8>
    %one = "tosa.const"() <{values = dense<1> : tensor<2x1x1x2xi8>}> : () -> tensor<2x1x1x2xi8>
"""


def convolution(
    image: str, height: int, weights: str, kernel: int, pads: str, result: int, stride: int = 1, name: str = "y"
) -> str:
    """A convolution of `[1, height, 5, 2]`; it has facts if it is called `y`, and else belongs to the kernel behind."""
    facts = ', tinymo.tensor = {name = "y"}' if name == "y" else ""
    return f"""
        %{name} = tosa.conv2d %{image}, %{weights}, %b, %z, %z {{acc_type = i32, dilation = array<i64: 1, 1>,
            pad = array<i64: {pads}>, stride = array<i64: {stride}, {stride}>{facts}}}
          : (tensor<1x{height}x5x2xi8>, tensor<2x{kernel}x{kernel}x2xi8>, tensor<2xi32>, tensor<1xi8>, tensor<1xi8>)
          -> tensor<1x{result}x{(5 - kernel) // stride + 1}x2xi32>
    """


def cut(start: int, height: int) -> str:
    return f"""
        %start = tosa.const_shape {{values = dense<[0, {start}, 0, 0]> : tensor<4xindex>}} : () -> !tosa.shape<4>
        %size = tosa.const_shape {{values = dense<[1, {height}, 5, 2]> : tensor<4xindex>}} : () -> !tosa.shape<4>
        %cut = tosa.slice %x, %start, %size
          : (tensor<1x8x5x2xi8>, !tosa.shape<4>, !tosa.shape<4>) -> tensor<1x{height}x5x2xi8>
    """


@pytest.mark.parametrize(
    ("start", "height", "pads", "result", "access"),
    [
        (0, 7, "0, 0, 0, 0", 3, Window(3, 2, same_columns=False, padded_row_bytes=10)),
        (1, 7, "0, 0, 0, 0", 3, None),
        (0, 5, "0, 0, 0, 0", 2, None),
        (0, 7, "0, 2, 0, 0", 4, None),
        (0, 7, "1, 1, 0, 0", 4, None),
    ],
    ids=["the unread row", "the first row", "rows that are read", "a row that padding takes the place of", "the same"],
)
def test_a_slice_in_front_of_a_window_may_cut_unread_rows_alone(
    start: int, height: int, pads: str, result: int, access: Window | None
):
    """Windows of 3 with stride 2 over 8 rows leave row 7 unread, without padding."""
    body = CONSTANTS + cut(start, height) + convolution("cut", height, "w", 3, pads, result, stride=2)
    assert in_text("%x : tensor<1x8x5x2xi8>", f"tensor<1x{result}x2x2xi32>", body) == (access,)


def test_a_slice_behind_a_window_mixes_rows():
    body = f"""
        {CONSTANTS}
        {convolution("x", 8, "one", 1, "0, 0, 0, 0", 8, name="sum")}
        %start = tosa.const_shape {{values = dense<[0, 1, 0, 0]> : tensor<4xindex>}} : () -> !tosa.shape<4>
        %size = tosa.const_shape {{values = dense<[1, 7, 5, 2]> : tensor<4xindex>}} : () -> !tosa.shape<4>
        %y = tosa.slice %sum, %start, %size {{tinymo.tensor = {{name = "y"}}}}
          : (tensor<1x8x5x2xi32>, !tosa.shape<4>, !tosa.shape<4>) -> tensor<1x7x5x2xi32>
    """
    assert in_text("%x : tensor<1x8x5x2xi8>", "tensor<1x7x5x2xi32>", body) == (None,)


def test_what_is_read_behind_a_window_would_have_to_be_cut():
    body = f"""
        {CONSTANTS}
        {convolution("x", 8, "one", 1, "0, 0, 0, 0", 8, name="sum")}
        %y = tosa.add %sum, %r {{tinymo.tensor = {{name = "y"}}}}
          : (tensor<1x8x5x2xi32>, tensor<1x8x5x2xi32>) -> tensor<1x8x5x2xi32>
    """
    arguments = "%x : tensor<1x8x5x2xi8>, %r : tensor<1x8x5x2xi32>"
    assert in_text(arguments, "tensor<1x8x5x2xi32>", body) == (None, None)


def test_weights_that_are_computed_are_read_whole():
    arguments = "%x : tensor<1x8x5x2xi8>, %k : tensor<2x3x3x2xi8>"
    body = CONSTANTS + convolution("x", 8, "k", 3, "0, 0, 0, 0", 6)
    window = Window(3, 1, same_columns=False, padded_row_bytes=10)
    assert in_text(arguments, "tensor<1x6x3x2xi32>", body) == (window, AllRows())


def test_an_image_that_is_its_own_kernel_mixes_rows():
    body = """
        %z = "tosa.const"() <{values = dense<0> : tensor<1xi8>}> : () -> tensor<1xi8>
        %b = "tosa.const"() <{values = dense<0> : tensor<1xi32>}> : () -> tensor<1xi32>
        %y = tosa.conv2d %x, %x, %b, %z, %z {acc_type = i32, dilation = array<i64: 1, 1>, pad = array<i64: 1, 1, 1, 1>,
            stride = array<i64: 1, 1>, tinymo.tensor = {name = "y"}}
          : (tensor<1x3x3x2xi8>, tensor<1x3x3x2xi8>, tensor<1xi32>, tensor<1xi8>, tensor<1xi8>)
          -> tensor<1x3x3x1xi32>
    """
    assert in_text("%x : tensor<1x3x3x2xi8>", "tensor<1x3x3x1xi32>", body) == (None,)


@pytest.mark.parametrize(("shape", "is_split"), [("1x1x5x2", True), ("1x8x1x1", False)])
def test_constants_with_rows_would_have_to_be_cut(shape: str, is_split: bool):
    body = f"""
        %c = "tosa.const"() <{{values = dense<1> : tensor<{shape}xi8>}}> : () -> tensor<{shape}xi8>
        %y = tosa.maximum %x, %c {{tinymo.tensor = {{name = "y"}}}}
          : (tensor<1x8x5x2xi8>, tensor<{shape}xi8>) -> tensor<1x8x5x2xi8>
    """
    (access,) = in_text("%x : tensor<1x8x5x2xi8>", "tensor<1x8x5x2xi8>", body)
    assert (access is not None) == is_split


@pytest.mark.parametrize(("shape", "is_split"), [("1x1x5x2", True), ("1x8x1x1", False)])
def test_constants_with_rows_behind_a_window_too(shape: str, is_split: bool):
    body = f"""
        {CONSTANTS}
        {convolution("x", 8, "one", 1, "0, 0, 0, 0", 8, name="sum")}
        %c = "tosa.const"() <{{values = dense<1> : tensor<{shape}xi32>}}> : () -> tensor<{shape}xi32>
        %y = tosa.add %sum, %c {{tinymo.tensor = {{name = "y"}}}}
          : (tensor<1x8x5x2xi32>, tensor<{shape}xi32>) -> tensor<1x8x5x2xi32>
    """
    (access,) = in_text("%x : tensor<1x8x5x2xi8>", "tensor<1x8x5x2xi32>", body)
    assert (access is not None) == is_split


@pytest.mark.parametrize(
    ("scale", "offset", "border", "height", "access"),
    [
        ("4, 2, 4, 2", "-1, -1", "1, 1", 8, Repeat(2)),
        ("6, 2, 6, 2", "-2, -2", "2, 2", 12, Repeat(3)),
        ("2, 1, 2, 1", "0, 0", "0, 0", 7, None),
        ("6, 2, 6, 2", "-2, -2", "4, 4", 13, None),
        ("4, 2, 4, 2", "-3, -3", "1, 1", 9, None),
    ],
    ids=["twice", "three times", "rounded", "a row more", "a row more at the top"],
)
def test_a_resize_repeats_rows_or_mixes_them(scale: str, offset: str, border: str, height: int, access: Repeat | None):
    shape = f"tensor<1x{height}x{height}x2xi8>"
    body = f"""
        %scale = tosa.const_shape {{values = dense<[{scale}]> : tensor<4xindex>}} : () -> !tosa.shape<4>
        %offset = tosa.const_shape {{values = dense<[{offset}]> : tensor<2xindex>}} : () -> !tosa.shape<2>
        %border = tosa.const_shape {{values = dense<[{border}]> : tensor<2xindex>}} : () -> !tosa.shape<2>
        %y = tosa.resize %x, %scale, %offset, %border {{mode = NEAREST_NEIGHBOR, tinymo.tensor = {{name = "y"}}}}
          : (tensor<1x4x4x2xi8>, !tosa.shape<4>, !tosa.shape<2>, !tosa.shape<2>) -> {shape}
    """
    assert in_text("%x : tensor<1x4x4x2xi8>", shape, body) == (access,)


def test_a_kernel_that_nobody_reads_is_not_split():
    build = ChainBuilder("INT8")
    x = build.image("x", X)
    build.conv("unused", x, 4)
    rows = rows_of(import_model(build.model(build.conv("y", x, 4))))
    assert [layer.can_split for layer in rows.problem.layers] == [False, True]


def test_values_and_layers_are_numbered_as_kernels_and_tensors():
    build = ChainBuilder("INT8")
    x = build.image("x", X)
    wide = build.depthwise("wide", x, multiplier=2)
    rows = rows_of(import_model(build.model(build.reshape("flat", build.conv("y", wide, 3), (1, 144)), wide)))
    assert rows.problem.values == (
        Value("x", 8, 24, is_input=True),
        Value("wide", 8, 48, is_output=True),
        Value("y", 8, 18),
        Value("flat", 1, 144, is_output=True),
    )
    assert [layer.name for layer in rows.problem.layers] == ["wide", "y", "flat"]
    assert [layer.macs for layer in rows.problem.layers] == [8 * 6 * 8 * 9, 8 * 6 * 3 * 8, 0]
    assert [kernel.outputs[0] for kernel in rows.kernels] == list(rows.values[1:])


def test_a_variable_is_there_before_and_behind():
    tensors = (
        Tensor("x", "FLOAT32", (1, 4)),
        Tensor("state", "FLOAT32", (1, 4), is_variable=True),
        Tensor("y", "FLOAT32", (1, 4)),
    )
    keeper = Operator("KEEPER", (0, 1), (2,), custom=True, mutating_variable_inputs=(False, True))
    rows = rows_of(import_model(Model((Subgraph(tensors, (0,), (2,), (keeper,), "main"),))))
    assert Value("state", 1, 16, is_input=True, is_output=True, is_variable=True) in rows.problem.values


# Separable convolutions


def chains(layers: Callable[[ChainBuilder], Layer], dtype: DataType = "FLOAT32") -> set[tuple[str, str]]:
    build = ChainBuilder(dtype)
    rows = rows_of(import_model(build.model(layers(build))))
    names = [layer.name for layer in rows.problem.layers]
    return {(names[first], names[last]) for first, last in separable_chains(rows)}


def test_a_chain_with_all_its_parts_can_begin_and_end_in_several_places():
    def block(build: ChainBuilder) -> Layer:
        x = build.conv("stem", build.image("x", X), 4, 3)
        expanded = build.multiply("gate", build.conv("expanded", x, 8), build.image("gains", (1, 1, 8)))
        projected = build.conv("projected", build.depthwise("filtered", expanded), 4)
        return build.pool("pool", build.add("sum", projected, x), 2, 2)

    assert chains(block) == {
        ("expanded", "projected"),
        ("expanded", "sum"),
        ("filtered", "projected"),
        ("filtered", "sum"),
    }


def test_what_is_no_separable_convolution():
    def without_projection(build: ChainBuilder) -> Layer:
        return build.depthwise("filtered", build.conv("expanded", build.image("x", X), 8))

    def dense(build: ChainBuilder) -> Layer:
        return build.conv("b", build.conv("a", build.image("x", X), 8, 3), 4)

    def pooled(build: ChainBuilder) -> Layer:
        return build.conv("b", build.pool("pool", build.depthwise("a", build.image("x", X)), 3, 1, SAME), 4)

    def strided(build: ChainBuilder) -> Layer:
        return build.conv("b", build.depthwise("a", build.image("x", X)), 4, 1, stride=2)

    def wide_kernel(build: ChainBuilder) -> Layer:
        return build.conv("b", build.depthwise("a", build.image("x", X)), 4, 3)

    for layers in (without_projection, dense, pooled, strided, wide_kernel):
        assert chains(layers) == set(), layers.__name__


def test_only_a_pointwise_convolution_in_front_belongs_to_the_chain():
    def block(build: ChainBuilder) -> Layer:
        stem = build.conv("stem", build.image("x", X), 8, 3)
        return build.conv("projected", build.depthwise("filtered", stem), 4)

    assert chains(block) == {("filtered", "projected")}
    assert chains(block, "INT8") == {("filtered", "projected")}
