"""Sizes, live ranges, peaks and multiply-accumulates against hand counts."""

import pytest
from chain_models import SAME, VALID, ChainBuilder
from modules_in_text import SPLIT, in_main, parse
from xdsl.context import Context
from xdsl.dialects.builtin import ModuleOp

from tinymo_xdsl.analysis.kernels import kernels_of
from tinymo_xdsl.analysis.liveness import function_live_bytes, live_ranges, merge_aliases
from tinymo_xdsl.analysis.macs import kernel_macs, op_macs, total_macs
from tinymo_xdsl.analysis.peak import KernelMemory, main_function, peak_of
from tinymo_xdsl.analysis.sizes import byte_size
from tinymo_xdsl.errors import BadModelError
from tinymo_xdsl.facts import name_of
from tinymo_xdsl.flatbuffer.model import Model, Operator, Subgraph, Tensor
from tinymo_xdsl.frontend import import_model
from tinymo_xdsl.passes.form_kernels import FormKernelsPass

# Sizes


@pytest.mark.parametrize(
    ("type_", "size"),
    [
        ("tensor<1x4x4x3xi8>", 48),
        ("tensor<2x3xi16>", 12),
        ("tensor<5xf32>", 20),
        ("tensor<5xf16>", 10),
        ("tensor<3xi48>", 18),
        ("tensor<3xi64>", 24),
        ("tensor<7xi1>", 7),
        ("tensor<7xi4>", 7),
        ("tensor<7xui8>", 7),
        ("tensor<i32>", 4),
        ("tensor<0x4xi8>", 0),
        ("!tinymo.spilled<tensor<1x8x8x16xi8>>", 4),
        ("!tosa.shape<4>", 0),
    ],
)
def test_sizes(type_: str, size: int):
    function = main_function(in_main(f"%x : {type_}", "", "return"))
    assert byte_size(function.args[0]) == size


# Live ranges


def ranges(module: ModuleOp) -> dict[str, tuple[int, int]]:
    function = main_function(module)
    return {name_of(entry.value): (entry.first, entry.last) for entry in live_ranges(function, kernels_of(function))}


EXAMPLE = """
    %w = "tosa.const"() <{values = dense<3> : tensor<8xi8>}> : () -> tensor<8xi8>
    %a = tosa.maximum %x, %w : (tensor<8xi8>, tensor<8xi8>) -> tensor<8xi8>
    %unused = tosa.concat %a, %a, %a {axis = 0 : i32} : (tensor<8xi8>, tensor<8xi8>, tensor<8xi8>) -> tensor<24xi8>
    %b = tosa.concat %a, %a {axis = 0 : i32} : (tensor<8xi8>, tensor<8xi8>) -> tensor<16xi8>
    %c = tosa.abs %b : (tensor<16xi8>) -> tensor<16xi8>
    %d = tosa.maximum %c, %b : (tensor<16xi8>, tensor<16xi8>) -> tensor<16xi8>
    return %d, %a : tensor<16xi8>, tensor<8xi8>
"""
"""
Five kernels. `a`, 8 bytes, is returned and so stays; `x` goes after its use, `idle` right away, `unused` too.

kernel    alive
maximum   x a idle        8 + 8 + 100
concat    a unused        8 + 24
concat    a b             8 + 16
abs       a b c           8 + 16 + 16
maximum   a b c d         8 + 16 + 16 + 16
"""


def example() -> ModuleOp:
    return in_main("%x : tensor<8xi8>, %idle : tensor<100xi8>", "tensor<16xi8>, tensor<8xi8>", EXAMPLE)


def test_live_ranges_by_hand():
    assert ranges(example()) == {
        "%x": (0, 0),
        "%idle": (0, 0),
        "%a": (0, 4),
        "%unused": (1, 1),
        "%b": (2, 4),
        "%c": (3, 4),
        "%d": (4, 4),
    }
    assert function_live_bytes(main_function(example())) == [116, 32, 24, 40, 56]


def test_level_2_has_the_same_ranges():
    module = example()
    FormKernelsPass().apply(Context(), module)
    assert function_live_bytes(main_function(module)) == [116, 32, 24, 40, 56]


def test_an_argument_lasts_until_its_last_use_and_a_returned_one_to_the_end():
    body = """
        %a = tosa.abs %x : (tensor<8xi8>) -> tensor<8xi8>
        %b = tosa.abs %a : (tensor<8xi8>) -> tensor<8xi8>
        %c = tosa.maximum %b, %x : (tensor<8xi8>, tensor<8xi8>) -> tensor<8xi8>
        %d = tosa.abs %c : (tensor<8xi8>) -> tensor<8xi8>
        return %d, %y : tensor<8xi8>, tensor<8xi8>
    """
    module = in_main("%x : tensor<8xi8>, %y : tensor<8xi8>", "tensor<8xi8>, tensor<8xi8>", body)
    assert ranges(module)["%x"] == (0, 2)
    assert ranges(module)["%y"] == (0, 3)


def test_a_variable_lasts_all_along():
    """It is read by the second operator alone, but keeps its values for the next run."""
    tensors = (
        Tensor("x", "FLOAT32", (1, 4)),
        Tensor("y", "FLOAT32", (1, 4)),
        Tensor("state", "FLOAT32", (1, 100), is_variable=True),
        Tensor("z", "FLOAT32", (1, 4)),
        Tensor("out", "FLOAT32", (1, 4)),
    )
    operators = (
        Operator("LOGISTIC", (0,), (1,)),
        Operator("KEEPER", (1, 2), (3,), custom=True, mutating_variable_inputs=(False, True)),
        Operator("LOGISTIC", (3,), (4,)),
    )
    module = import_model(Model((Subgraph(tensors, (0,), (4,), operators, "main"),)))
    function = main_function(module)
    assert ranges(module)["state"] == (0, 3)
    # Beside the variable: x y, y, y z, z out.
    assert function_live_bytes(function) == [432, 416, 432, 432]


def test_what_shares_bytes_is_one_range():
    """Windows of `x` lie in `x`, also the one that is joined; the other joined part, a reload, lies in the result."""
    function = main_function(parse(SPLIT))
    merged = merge_aliases(live_ranges(function, kernels_of(function)))
    found = [(name_of(entry.value), entry.first, entry.last) for entry in merged]
    assert found == [("x", 0, 5), ("largest", 1, 2), ("%h", 2, 3), ("y", 3, 5)]


# Peaks


def test_peak_by_hand():
    peak = peak_of(main_function(example()))
    assert (peak.live_peak, peak.live_peak_copies, peak.lower_bound, peak.peak_index) == (116, 116, 116, 0)
    assert peak.alive == (("%idle", 100), ("%a", 8), ("%x", 8))
    assert peak.kernels[1] == KernelMemory("%unused", "tosa.concat", 32)
    assert peak.peak_kernel == peak.kernels[0]


def test_windows_and_parts_share_bytes_but_are_copies_in_a_file():
    """
    `SPLIT` has tensors of 4, 3 or 1 rows of 2 bytes; a token is 4 bytes.

    kernel    alive as copies       alive with shared bytes
    split     x a b      20         x                8
    kernel    x a b k    26         x k             14
    spill     x k token  18         x k token       18
    reload    x token l  18         x token y       20
    split     x l first  16         x y             16
    join      l first y  16         x y             16
    """
    peak = peak_of(main_function(parse(SPLIT)))
    assert [kernel.live_bytes for kernel in peak.kernels] == [20, 26, 18, 18, 16, 16]
    assert (peak.live_peak_copies, peak.live_peak, peak.lower_bound) == (26, 20, 20)
    assert peak.alive == (("x", 8), ("%a", 6), ("%b", 6), ("largest", 6))


def test_a_function_without_kernels_has_the_bytes_of_its_arguments():
    peak = peak_of(main_function(in_main("%x : tensor<8xi8>", "tensor<8xi8>", "return %x : tensor<8xi8>")))
    assert (peak.live_peak, peak.live_peak_copies, peak.kernels, peak.peak_kernel) == (8, 8, (), None)
    assert peak.alive == (("%x", 8),)
    assert peak_of(main_function(in_main("", "", "return"))).live_peak_copies == 0


def test_a_module_without_functions_has_no_main_one():
    with pytest.raises(BadModelError, match="the module has no function"):
        main_function(parse("module {}"))
    with pytest.raises(BadModelError, match="the module has no function"):
        main_function(parse("func.func private @declared()"))


# Multiply-accumulates


def macs_by_name(module: ModuleOp) -> dict[str, int]:
    return {name_of(kernel.results[0]): kernel_macs(kernel) for kernel in kernels_of(main_function(module))}


def test_macs_by_hand():
    build = ChainBuilder("INT8")
    x = build.image("x", (8, 6, 3))
    convolution = build.conv("convolution", x, 5, (3, 2), stride=2)
    depthwise = build.depthwise("depthwise", convolution, 3, multiplier=2)
    transposed = build.transpose_conv("transposed", depthwise, 4, 3, 2, VALID)
    pool = build.pool("pool", transposed, 3, 2, SAME)
    module = import_model(build.model(build.multiply("product", pool, pool)))
    assert macs_by_name(module) == {
        "convolution": 4 * 3 * 5 * (3 * 2 * 3),
        "depthwise": 4 * 3 * 10 * (3 * 3),
        # Each of 4 x 3 x 10 input elements goes into 3 x 3 x 4 sums.
        "transposed": 4 * 3 * 10 * (3 * 3 * 4),
        "pool": 0,
        "product": 0,
    }
    assert total_macs(kernels_of(main_function(module))) == 1080 + 1080 + 4320


def test_macs_of_what_files_do_not_have():
    body = """
        %zp = "tosa.const"() <{values = dense<0.0> : tensor<1xf32>}> : () -> tensor<1xf32>
        %p = tosa.matmul %a, %b, %zp, %zp
          : (tensor<1x3x4xf32>, tensor<1x4x5xf32>, tensor<1xf32>, tensor<1xf32>) -> tensor<1x3x5xf32>
        %q = tosa.conv3d %x, %w, %c, %zp, %zp {acc_type = f32, dilation = array<i64: 1, 1, 1>,
            pad = array<i64: 0, 0, 0, 0, 0, 0>, stride = array<i64: 1, 1, 1>}
          : (tensor<1x4x4x4x2xf32>, tensor<3x2x2x2x2xf32>, tensor<3xf32>, tensor<1xf32>, tensor<1xf32>)
          -> tensor<1x3x3x3x3xf32>
        return
    """
    arguments = (
        "%a : tensor<1x3x4xf32>, %b : tensor<1x4x5xf32>, "
        "%x : tensor<1x4x4x4x2xf32>, %w : tensor<3x2x2x2x2xf32>, %c : tensor<3xf32>"
    )
    ops = list(main_function(in_main(arguments, "", body)).body.block.ops)
    assert [op_macs(op) for op in ops] == [0, 3 * 5 * 4, (3 * 3 * 3 * 3) * (2 * 2 * 2 * 2), 0]
