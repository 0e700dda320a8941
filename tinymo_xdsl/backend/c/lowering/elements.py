"""Operators on elements: sums and products, activations, conversions."""

from collections.abc import Sequence
from dataclasses import dataclass
from math import prod
from typing import Final

import numpy as np
from xdsl.ir import Operation, SSAValue

from tinymo_xdsl.backend.c.arithmetic import CLAMP, CLAMP_FLOAT, Requantized, Rounding, Scaling
from tinymo_xdsl.backend.c.body import Body, dtype_of, four_axes, shape_of
from tinymo_xdsl.backend.c.evaluate import evaluate
from tinymo_xdsl.backend.c.kernels.elementwise import MapRow, Spread, TableRow
from tinymo_xdsl.backend.c.layer import Helper, Layer, Operand, Structure, Table, Value
from tinymo_xdsl.backend.c.rows import RowAccess, Same, Window
from tinymo_xdsl.backend.c.text import C_TYPES
from tinymo_xdsl.dialects import tosa

_LIMITS: Final = (("float low", "the least value of the result"), ("float high", "the largest"))
_FLOAT_BINARY: Final = Structure("float_range", _LIMITS)
_SYMBOLS: Final = {tosa.AddOp: ("add", "+"), tosa.SubOp: ("subtract", "-"), tosa.MulOp: ("multiply", "*")}

BinaryOp = tosa.AddOp | tosa.SubOp | tosa.MulOp


@dataclass(frozen=True, eq=False)
class _Term:
    """An operand of an integer sum or product: less its zero point, shifted left, then perhaps scaled."""

    source: SSAValue
    zero_point: int
    left_shift: int
    scaling: Scaling | None


def binary(body: Body, op: BinaryOp) -> list[Layer]:
    """ADD, SUB and MUL."""
    if dtype_of(op.output) == "float32":
        return [_float_binary(body, op)]
    ending = body.ending(op.output)
    if (scaling := ending.scaling) is None:
        raise body.error("its sums are not rescaled")
    if scaling.channels != 1 or not scaling.scale32:
        raise body.error("it has a factor for each channel")
    terms = [_term(body, value) for value in op.operands[:2]]
    name, symbol = _SYMBOLS[type(op)]
    product = isinstance(op, tosa.MulOp)
    if product and any(term.scaling is not None or term.left_shift for term in terms):
        raise body.error("the factors of its product are scaled")
    output = Requantized(Rounding.ONCE if not scaling.double_round else Rounding.ANY, per_channel=False)
    total = f"{_centred('a', product)} {symbol} {_centred('b', product)}"
    dtype, result = dtype_of(terms[0].source), dtype_of(ending.result)
    fields = [field for letter in "ab" for field in _term_fields(letter, product)]
    parameters = [value for term in terms for value in _term_values(body, term, product)]
    structure = Structure(f"{'product' if product else 'sum'}_{result}", (*fields, *output.fields))
    helpers = (CLAMP, output.rounding.value, *(() if product else (Rounding.ANY.value,)))
    element = output.element(total, "0", C_TYPES[result])
    return [
        _map(
            body,
            _Function(f"{name}_{dtype}", f"Elements: {name}", element, "int32_t", structure, helpers),
            [term.source for term in terms],
            ending.result,
            (*parameters, *output.values(scaling)),
        )
    ]


def _centred(letter: str, product: bool) -> str:
    less = f"({letter} - p->{letter}_zero_point)"
    if product:
        return less
    return f"requantize_any({less} * p->{letter}_unit, p->{letter}_multiplier, p->{letter}_shift)"


def _term_fields(letter: str, product: bool) -> list[tuple[str, str]]:
    which = "first" if letter == "a" else "second"
    zero_point = (f"int32_t {letter}_zero_point", f"of the {which} operand")
    if product:
        return [zero_point]
    return [
        zero_point,
        (f"int32_t {letter}_unit", "a power of two, for precision"),
        (f"int32_t {letter}_multiplier", "to the common scale"),
        (f"int32_t {letter}_shift", "to the right after it"),
    ]


def _term_values(body: Body, term: _Term, product: bool) -> list[Value]:
    if product:
        return [term.zero_point]
    if term.scaling is None:
        # Twice a half: the number itself.
        return [term.zero_point, 1 << term.left_shift, 1 << 30, -1]
    if not term.scaling.double_round:
        raise body.error("an operand that is rounded once")
    shift = term.scaling.stored_shift(Rounding.ANY)
    return [term.zero_point, 1 << term.left_shift, int(term.scaling.multiplier[0]), int(shift[0])]


def _term(body: Body, value: SSAValue) -> _Term:
    """Follows an operand back through the rescales that widen it."""
    rescales: list[tosa.RescaleOp] = []
    while isinstance(op := value.owner, Operation) and op in body.kernel.ops:
        match op:
            case tosa.RescaleOp():
                rescales.insert(0, op)
            case tosa.ReshapeOp():
                pass
            case _:
                raise body.error(f"an operand is computed by '{op.name}'")
        value = op.operands[0]
    if not 1 <= len(rescales) <= 2:
        raise body.error(f"an operand is rescaled {len(rescales)} times")
    scaling = body.scaling(rescales[0])
    left = _power_of_two(scaling)
    if left is None or any(scale.channels != 1 for scale in map(body.scaling, rescales)):
        raise body.error("an operand is not widened by a power of two")
    return _Term(
        value, body.number(rescales[0].input_zp), left, body.scaling(rescales[1]) if len(rescales) == 2 else None
    )


def _power_of_two(scaling: Scaling) -> int | None:
    multiplier, shift = int(scaling.multiplier[0]), int(scaling.shift[0])
    left = multiplier.bit_length() - 1 - shift
    is_power = multiplier > 0 and multiplier & (multiplier - 1) == 0
    return left if is_power and 0 <= left <= 22 else None


def _float_binary(body: Body, op: BinaryOp) -> Layer:
    name, symbol = _SYMBOLS[type(op)]
    ending = body.ending(op.output)
    element = f"clamp_float(a {symbol} b, p->low, p->high)"
    function = _Function(f"{name}_float", f"Elements: {name}", element, "float", _FLOAT_BINARY, (CLAMP_FLOAT,))
    return _map(body, function, op.operands[:2], ending.result, (ending.low, ending.high))


def prelu(body: Body, op: tosa.SelectOp) -> list[Layer]:
    """PRELU: what is not positive is multiplied by a slope."""
    greater, product = body.only(tosa.GreaterOp), body.only(tosa.MulOp)
    data, slope = product.input1, product.input2
    is_prelu = (
        greater.input1 is data
        and not body.constant(greater.input2).any()
        and op.input1 is greater.output
        and op.input2 is data
        and op.input3 is product.output
    )
    if not is_prelu or dtype_of(op.output) != "float32":
        raise body.error("only PRELU of floats selects")
    function = _Function("prelu_float", "Elements: prelu", "a > 0.0f ? a : a * b", "float", None, ())
    return [_map(body, function, [data, slope], body.ending(op.output).result, ())]


def clamp(body: Body, op: tosa.ClampOp) -> list[Layer]:
    """RELU and its relatives of floats."""
    low, high = body.bounds(op)
    if dtype_of(op.output) != "float32":
        raise body.error("only 8-bit integers and floats are clamped")
    function = _Function(
        "limit_float", "Elements: clamp", "clamp_float(a, p->low, p->high)", "float", _FLOAT_BINARY, (CLAMP_FLOAT,)
    )
    return [_map(body, function, [op.input], body.ending(op.output).result, (low, high))]


def table(body: Body) -> list[Layer] | None:
    """Any function of one 8-bit tensor, element by element, as a table; `None` if the kernel is none."""
    kernel = body.kernel
    if len(kernel.inputs) != 1 or len(kernel.results) != 1:
        return None
    (source,), (result,) = kernel.inputs, kernel.results
    dtype = dtype_of(source)
    if dtype not in ("int8", "uint8") or prod(shape_of(source)) != prod(shape_of(result)):
        return None
    if not all(map(_is_elementwise, kernel.ops)) or all(isinstance(op, tosa.ReshapeOp) for op in kernel.ops):
        return None
    limits = np.iinfo(dtype)
    inputs = np.arange(limits.min, limits.max + 1).astype(dtype)
    (values,) = evaluate(kernel, [inputs])
    function = TableRow(dtype, dtype_of(result))
    images, rows, pixels, channels = four_axes(shape_of(result))
    count = pixels * channels
    operand = Operand(source, Window(rows), count, rows * count)
    return [Layer(function, (count, Table.of(values, function.result)), (operand,), result, images, rows, count)]


_TABLE_OPERATORS: Final = frozenset({"DEQUANTIZE", "HARD_SWISH", "LEAKY_RELU", "LOGISTIC", "QUANTIZE", "TANH"})


def _is_elementwise(op: Operation) -> bool:
    """Whether each element of the result follows from one element, by the same function everywhere."""
    match op:
        case tosa.ClampOp() | tosa.TableOp() | tosa.ReshapeOp():
            return True
        case tosa.RescaleOp():
            return not op.per_channel.value.data
        case tosa.CustomOp():
            return op.operator_name.data in _TABLE_OPERATORS
        case _:
            return False


@dataclass(frozen=True)
class _Function:
    """What a function of elements computes, whatever is broadcast."""

    stem: str
    title: str
    element: str
    operand: str
    parameters: Structure | None
    helpers: tuple[Helper, ...]


def _map(
    body: Body, function: _Function, sources: Sequence[SSAValue], result: SSAValue, parameters: tuple[Value, ...]
) -> Layer:
    images, rows, pixels, channels = shape = four_axes(shape_of(result))
    operands = [body.operand(source) for source in sources]
    shapes = [four_axes(_broadcast_shape(body, source, result)) for source in sources]
    is_flat = all(given == shape for given in shapes)
    row = MapRow(
        function.stem,
        function.title,
        dtype_of(sources[0]),
        dtype_of(result),
        function.element,
        function.operand,
        function.parameters,
        tuple(_spread(given[2:], shape[2:]) for given in shapes),
        0 if is_flat else pixels,
        0 if is_flat else channels,
        function.helpers,
    )
    count: tuple[Value, ...] = (pixels * channels,) if is_flat else ()
    read = tuple(_operand(value, given, rows) for value, given in zip(operands, shapes, strict=True))
    return Layer(row, (*count, *parameters), read, result, images, rows, pixels * channels)


def _broadcast_shape(body: Body, source: SSAValue, result: SSAValue) -> tuple[int, ...]:
    shape = shape_of(source)
    whole = shape_of(result)
    if len(whole) > 4 and prod(shape) not in (1, prod(whole)):
        raise body.error("an operand is broadcast along more than four axes")
    return whole if prod(shape) == prod(whole) else shape


def _spread(given: tuple[int, int], whole: tuple[int, int]) -> Spread:
    if given == whole:
        return Spread.EACH
    if given == (1, 1):
        return Spread.ONE
    return Spread.CHANNELS if given[0] == 1 else Spread.PIXELS


def _operand(value: SSAValue | Table, shape: tuple[int, int, int, int], rows: int) -> Operand:
    images, height, width, depth = shape
    row = width * depth
    access: RowAccess = Window(height) if height == rows else Same()
    return Operand(value, access, row, height * row if images > 1 else 0)
