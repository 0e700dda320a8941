"""The TOSA dialect as Python code sees it: constructors, shape arithmetic, traits."""

from io import StringIO
from itertools import product

import numpy as np
import pytest
from xdsl.context import Context
from xdsl.dialects import tosa as xdsl_tosa
from xdsl.dialects.builtin import (
    DYNAMIC_INDEX,
    Builtin,
    BytesAttr,
    StringAttr,
    TensorType,
    f16,
    f32,
    i1,
    i8,
    i16,
    i32,
    i64,
)
from xdsl.ir import Attribute, Block, Operation, SSAValue
from xdsl.parser import Parser
from xdsl.printer import Printer
from xdsl.traits import ConstantLike, MemoryReadEffect, MemoryWriteEffect, Pure, SymbolOpInterface
from xdsl.utils.exceptions import VerifyException

from tinymo_xdsl.dialects import tosa
from tinymo_xdsl.dialects.tosa import shapes
from tinymo_xdsl.numerics import dense

ui8 = dense.ui8


def value(*shape: int, of: Attribute = i8) -> SSAValue:
    """A value of tensor type that comes from nowhere."""
    return Block(arg_types=[TensorType(of, shape)]).args[0]


def zero(of: Attribute = i8) -> tosa.ConstOp:
    return tosa.ConstOp(dense.from_numpy(np.zeros(1), of))


def result_of(op: Operation) -> Attribute:
    """The type that the constructor computed for the one result; the verifier has to agree."""
    op.verify()
    return op.results[0].type


def tensor(*shape: int, of: Attribute = i8) -> TensorType[Attribute]:
    return TensorType(of, shape)


# Shape arithmetic


def test_windows_are_those_that_fit_when_counted_one_by_one():
    for size, kernel, before, after, stride, dilation in product(
        range(1, 9), range(1, 4), range(3), range(3), range(1, 4), range(1, 3)
    ):
        reach = (kernel - 1) * dilation
        starts = range(-before, size + after - reach, stride)
        if not starts:
            continue
        assert shapes.windowed(size, kernel, (before, after), stride, dilation) == len(starts)


def test_transposed_windows_reach_to_the_last_tap_of_the_last_window():
    for size, kernel, before, after, stride in product(range(1, 6), range(1, 5), (-1, 0, 2), (-1, 0, 2), range(1, 4)):
        touched = {position * stride + tap for position in range(size) for tap in range(kernel)}
        span = max(touched) + 1
        assert shapes.transposed_windowed(size, kernel, (before, after), stride) == before + span + after


def test_broadcasting_is_that_of_numpy():
    sizes = (1, 2, 3)
    for first, second in product(product(sizes, sizes), product(sizes, sizes)):
        try:
            expected = np.broadcast_shapes(first, second)
        except ValueError:
            with pytest.raises(VerifyException, match="cannot broadcast"):
                shapes.broadcast(first, second)
        else:
            assert shapes.broadcast(first, second) == expected


def test_broadcasting_of_unknown_sizes():
    assert shapes.broadcast((DYNAMIC_INDEX, DYNAMIC_INDEX), (1, 4)) == (DYNAMIC_INDEX, 4)


def test_what_is_computed_from_an_unknown_size_is_not_known():
    assert shapes.windowed(DYNAMIC_INDEX, 3, (0, 0), 1, 1) == DYNAMIC_INDEX
    assert shapes.transposed_windowed(DYNAMIC_INDEX, 3, (0, 0), 1) == DYNAMIC_INDEX
    assert shapes.resized(DYNAMIC_INDEX, 2, 1, 0, 1) == DYNAMIC_INDEX
    assert shapes.product((2, DYNAMIC_INDEX)) == DYNAMIC_INDEX
    assert shapes.total(2, DYNAMIC_INDEX) == DYNAMIC_INDEX


# Convolutions


def test_conv2d_infers_its_result():
    op = tosa.Conv2DOp(
        value(1, 9, 10, 4), value(6, 3, 3, 4), value(6, of=i32), zero(), zero(), pad=(0, 0, 1, 1), stride=(2, 3)
    )
    assert result_of(op) == tensor(1, 4, 4, 6, of=i32)


@pytest.mark.parametrize(
    ("element", "weights", "bias", "result"),
    [(i8, i8, i32, i32), (ui8, ui8, i32, i32), (i16, i8, i64, tosa.i48), (f32, f32, f32, f32), (f16, f16, f16, f16)],
)
def test_accumulators_follow_the_input(element: Attribute, weights: Attribute, bias: Attribute, result: Attribute):
    op = tosa.Conv2DOp(
        value(1, 2, 2, 4, of=element), value(6, 1, 1, 4, of=weights), value(6, of=bias), zero(element), zero(weights)
    )
    assert result_of(op) == tensor(1, 2, 2, 6, of=result)


def test_halves_summed_in_singles_are_halves():
    op = tosa.Conv2DOp(
        value(1, 2, 2, 4, of=f16), value(6, 1, 1, 4, of=f16), value(6, of=f16), zero(f16), zero(f16), acc_type=f32
    )
    assert result_of(op) == tensor(1, 2, 2, 6, of=f16)
    assert op.acc_type == f32


def test_the_other_convolutions_infer_their_results():
    bias, wide = value(8, of=i32), value(6, of=i32)
    depthwise = tosa.DepthwiseConv2DOp(value(1, 8, 8, 4), value(3, 3, 4, 2), bias, zero(), zero(), pad=(1, 1, 1, 1))
    assert result_of(depthwise) == tensor(1, 8, 8, 8, of=i32)
    transposed = tosa.TransposeConv2DOp(
        value(1, 4, 4, 3), value(6, 3, 4, 3), wide, zero(), zero(), out_pad=(0, -1, -1, -1), stride=(2, 2)
    )
    assert result_of(transposed) == tensor(1, 8, 8, 6, of=i32)
    volume = tosa.Conv3DOp(value(1, 4, 8, 8, 3), value(6, 2, 3, 3, 3), wide, zero(), zero(), dilation=(1, 2, 1))
    assert result_of(volume) == tensor(1, 3, 4, 6, 6, of=i32)


# Layout


def test_operands_of_the_wrong_kind_are_named():
    shape = tosa.ConstShapeOp([2, 3])
    with pytest.raises(VerifyException, match=r"expected a ranked tensor, got !tosa.shape<2>"):
        tosa.AbsOp(shape)
    with pytest.raises(VerifyException, match=r"expected a !tosa.shape, got tensor<2xi32>"):
        tosa.ReshapeOp(value(4, 6), value(2, of=i32))


def test_ops_that_move_elements_infer_their_results():
    x, shape = value(4, 6), tosa.ConstShapeOp
    assert result_of(tosa.ReshapeOp(x, shape([2, 12]))) == tensor(2, 12)
    assert result_of(tosa.ReshapeOp(x, shape([-1, 3]))) == tensor(8, 3)
    assert result_of(tosa.ReshapeOp(value(DYNAMIC_INDEX, 6), shape([-1, 3]))) == tensor(DYNAMIC_INDEX, 3)
    assert result_of(tosa.TransposeOp(value(1, 8, 6, 4), (0, 3, 1, 2))) == tensor(1, 4, 8, 6)
    assert result_of(tosa.PadOp(x, shape([1, 0, 0, 2]), zero())) == tensor(5, 8)
    assert result_of(tosa.SliceOp(x, shape([1, 3]), shape([2, 3]))) == tensor(2, 3)
    assert result_of(tosa.TileOp(x, shape([2, 3]))) == tensor(8, 18)
    assert result_of(tosa.ReverseOp(x, 1)) == tensor(4, 6)
    assert result_of(tosa.IdentityOp(x)) == tensor(4, 6)
    assert result_of(tosa.GatherOp(value(1, 5, 2), value(1, 3, of=i32))) == tensor(1, 3, 2)
    assert result_of(tosa.ScatterOp(value(1, 5, 2), value(1, 3, of=i32), value(1, 3, 2))) == tensor(1, 5, 2)


@pytest.mark.parametrize("permutation", [(0, 1, 2), (2, 0, 1), (1, 2, 0)])
def test_a_transposition_is_that_of_numpy(permutation: tuple[int, ...]):
    assert result_of(tosa.TransposeOp(value(2, 3, 5), permutation)) == tensor(
        *np.empty((2, 3, 5)).transpose(permutation).shape
    )


def test_a_shape_that_is_no_constant_leaves_the_result_unknown():
    shape = Block(arg_types=[tosa.ShapeType(2)]).args[0]
    assert result_of(tosa.ReshapeOp(value(4, 6), shape)) == tensor(DYNAMIC_INDEX, DYNAMIC_INDEX)
    assert tosa.constant_shape(shape) is None


def test_constant_shapes_are_read_as_they_were_written():
    for sizes in ((), (1,), (1, -1, 64), (2**40,)):
        op = tosa.ConstShapeOp(sizes)
        op.verify()
        assert tosa.constant_shape(op.output) == sizes


# The rest


def test_elementwise_ops_infer_their_results():
    row, column = value(1, 6), value(4, 1)
    assert result_of(tosa.MaximumOp(row, column)) == tensor(4, 6)
    assert result_of(tosa.ArithmeticRightShiftOp(row, column, round=True)) == tensor(4, 6)
    assert result_of(tosa.GreaterOp(row, column)) == tensor(4, 6, of=i1)
    assert result_of(tosa.SelectOp(value(4, 1, of=i1), row, column)) == tensor(4, 6)
    assert result_of(tosa.AbsOp(row)) == tensor(1, 6)
    assert result_of(tosa.NegateOp(row, zero(), zero())) == tensor(1, 6)
    assert result_of(tosa.SigmoidOp(value(4, of=f32))) == tensor(4, of=f32)
    assert result_of(tosa.CastOp(row, i32)) == tensor(1, 6, of=i32)
    assert result_of(tosa.ArgMaxOp(value(4, 5, 6), 1)) == tensor(4, 6, of=i32)


def test_tables_of_16_bits_give_more_bits():
    assert result_of(tosa.TableOp(value(4), value(256))) == tensor(4)
    assert result_of(tosa.TableOp(value(4, of=ui8), value(256, of=ui8))) == tensor(4, of=ui8)
    assert result_of(tosa.TableOp(value(4, of=i16), value(513, of=i16))) == tensor(4, of=i32)


@pytest.mark.parametrize(
    ("element", "mode", "result"),
    [
        (i8, tosa.ResizeMode.NEAREST_NEIGHBOR, i8),
        (i8, tosa.ResizeMode.BILINEAR, i32),
        (i16, tosa.ResizeMode.BILINEAR, tosa.i48),
        (f32, tosa.ResizeMode.BILINEAR, f32),
    ],
)
def test_resize_infers_its_result(element: Attribute, mode: tosa.ResizeMode, result: Attribute):
    scale, offset, border = map(tosa.ConstShapeOp, ([4, 2, 2, 1], [-1, 0], [1, 1]))
    op = tosa.ResizeOp(value(1, 4, 5, 2, of=element), scale, offset, border, mode)
    assert result_of(op) == tensor(1, 8, 10, 2, of=result)


@pytest.mark.parametrize(
    ("options", "attribute"),
    [
        ("", StringAttr("")),
        (b"", StringAttr("")),
        (b"plain \x00", StringAttr("plain \x00")),
        ("größer", BytesAttr("größer".encode())),
        (b"\x00\xff\x22", BytesAttr(b"\x00\xff\x22")),
    ],
)
def test_options_of_custom_operators_survive_the_text(options: str | bytes, attribute: Attribute):
    op = tosa.CustomOp("SOFTMAX", "TFL", options, [], [tensor(4)])
    op.verify()
    assert op.implementation_attrs == attribute
    text = StringIO()
    Printer(text).print_op(op)
    context = Context()
    context.load_dialect(Builtin)
    context.load_dialect(tosa.TOSA)
    again = Parser(context, text.getvalue()).parse_op()
    assert isinstance(again, tosa.CustomOp)
    assert again.properties == op.properties
    assert again.implementation_bytes() == (options.encode() if isinstance(options, str) else options)


def test_a_variable_keeps_its_type():
    for type_ in (tensor(1, 8), tensor(DYNAMIC_INDEX, 8), tensor()):
        op = tosa.VariableOp("state", type_)
        op.verify()
        assert op.tensor_type() == type_


# The dialect


def test_every_op_says_what_it_does_besides_computing():
    """An op without a trait about effects is never removed: of all ops, only what other code runs may be like that."""
    effects = (Pure, MemoryReadEffect, MemoryWriteEffect, SymbolOpInterface)
    unknown = {op.name for op in tosa.TOSA.operations if not any(op.has_trait(trait) for trait in effects)}
    assert unknown == {"tosa.custom", "tosa.cond_if"}


def test_constants_are_constant_like():
    assert tosa.ConstOp.has_trait(ConstantLike)
    assert tosa.ConstShapeOp.has_trait(ConstantLike)


def test_classes_of_xdsl_are_kept():
    assert set(xdsl_tosa.TOSA.operations) <= set(tosa.TOSA.operations)
    names = [op.name for op in tosa.TOSA.operations]
    assert len(names) == len(set(names))


def test_every_op_is_exported():
    assert all(getattr(tosa, op.__name__) is op for op in tosa.TOSA.operations)
    assert {op.__name__ for op in tosa.TOSA.operations} <= set(tosa.__all__)
