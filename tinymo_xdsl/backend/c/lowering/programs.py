"""
Kernels whose ops all work on elements, as one C expression after the other.

What differs between kernels of the same ops, zero points and multipliers, becomes parameters, so that they share a
function.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Final

import numpy as np
from xdsl.ir import Operation, SSAValue

from tinymo_xdsl.analysis.kernels import is_constant
from tinymo_xdsl.backend.c.arithmetic import CLAMP, CLAMP_FLOAT, Rounding
from tinymo_xdsl.backend.c.body import Body, dtype_of, shape_of
from tinymo_xdsl.backend.c.layer import Helper, Value
from tinymo_xdsl.dialects import tosa

_Write = Callable[["Program", Operation, list[str]], str]


@dataclass
class Program:
    """The lines of C that compute one element, and what they need."""

    body: Body
    sources: dict[SSAValue, tuple[int, ...]] = field(default_factory=dict[SSAValue, tuple[int, ...]])
    """The tensors that are read, called a, b and so on, and the shape in which their elements are taken."""
    lines: list[str] = field(default_factory=list[str])
    fields: list[tuple[str, str]] = field(default_factory=list[tuple[str, str]])
    values: list[Value] = field(default_factory=list[Value])
    helpers: dict[Helper, None] = field(default_factory=dict[Helper, None])
    kinds: list[str] = field(default_factory=list[str])
    """The ops, for names."""
    _texts: dict[SSAValue, str] = field(default_factory=dict[SSAValue, str])

    def run(self) -> str:
        """Writes all ops; the element of the kernel's result."""
        for op in self.body.kernel.ops:
            if (write := _WRITERS.get(type(op))) is None:
                raise self.body.error(f"there is none for {op.name}")
            if isinstance(op, tosa.ReshapeOp) and op.input1.owner not in self.body.kernel.ops:
                self._texts[op.output] = self.read(op.input1, shape_of(op.output))
            else:
                self._define(op, write(self, op, [self.text(operand) for operand in _elements(op)]))
        (result,) = self.body.kernel.results
        return self._texts[result]

    def _define(self, op: Operation, text: str) -> None:
        """A line for the result of `op`, unless there is one that says the same."""
        if text.isidentifier():
            self._texts[op.results[0]] = text
            return
        name = f"v{len(self.lines)}"
        self.lines.append(f"const {_operand_type(op.results[0])} {name} = {text};")
        self._texts[op.results[0]] = name

    def text(self, value: SSAValue) -> str:
        """An operand: what a line has computed, an element of a tensor, or a parameter."""
        if value not in self._texts:
            if is_constant(value) and np.prod(shape_of(value)) == 1:
                number = self.body.constant(value).reshape(-1)[0].item()
                ctype = _operand_type(value)
                return self.parameter(
                    f"{ctype} constant", "an operand", float(number) if ctype == "float" else int(number)
                )
            self.read(value, shape_of(value))
        return self._texts[value]

    def read(self, source: SSAValue, shape: tuple[int, ...]) -> str:
        """An element of a tensor, which is taken in `shape`."""
        if self.sources.setdefault(source, shape) != shape:
            raise self.body.error("it reads a tensor in two shapes")
        return self._texts.setdefault(source, chr(ord("a") + list(self.sources).index(source)))

    def parameter(self, declaration: str, meaning: str, value: Value) -> str:
        """A number that differs between kernels of the same ops."""
        name = f"{declaration.rpartition(' ')[2]}_{len(self.fields)}"
        self.fields.append((f"{declaration}_{len(self.fields)}", meaning))
        self.values.append(value)
        return f"p->{name}"

    def call(self, helper: Helper, *arguments: str) -> str:
        """A call of a helper."""
        self.helpers[helper] = None
        return f"{helper.name}({', '.join(arguments)})"


def _elements(op: Operation) -> list[SSAValue]:
    """The operands of `op` that it takes elements from."""
    match op:
        case tosa.RescaleOp() | tosa.ReshapeOp() | tosa.NegateOp():
            return [op.operands[0]]
        case tosa.MulOp():
            return list(op.operands[:2])
        case _:
            return list(op.operands)


def _operand_type(value: SSAValue) -> str:
    match dtype_of(value):
        case "float32":
            return "float"
        case "int64":
            return "int64_t"
        case _:
            return "int32_t"


def _is_float(value: SSAValue) -> bool:
    return dtype_of(value) == "float32"


def _rescale(program: Program, op: Operation, operands: list[str]) -> str:
    assert isinstance(op, tosa.RescaleOp)
    program.kinds.append("scale")
    scaling = program.body.scaling(op)
    if scaling.channels != 1 or not scaling.scale32:
        raise program.body.error("it has a factor for each channel, or sums of more than 32 bits")
    (text,) = operands
    if dtype_of(op.input) != "int32" or program.body.number(op.input_zp):
        zero_point = program.parameter("int32_t zero_point", "taken off", program.body.number(op.input_zp))
        text = f"({text} - {zero_point})"
    multiplier, shift = int(scaling.multiplier[0]), int(scaling.shift[0])
    left = multiplier.bit_length() - 1 - shift
    if multiplier > 0 and multiplier & (multiplier - 1) == 0 and 0 <= left <= 22:
        unit = program.parameter("int32_t unit", "a power of two, for precision", 1 << left) if left else ""
        text = f"{text} * {unit}" if unit else text
    else:
        rounding = Rounding.ANY if scaling.double_round else Rounding.ONCE
        factor = program.parameter("int32_t multiplier", "of the factor", multiplier)
        right = program.parameter("int32_t shift", "to the right after it", int(scaling.stored_shift(rounding)[0]))
        text = program.call(rounding.value, text, factor, right)
    if dtype_of(op.output) == "int32":
        return text
    text = f"{text} + {program.parameter('int32_t zero_point', 'of the result', scaling.zero_point)}"
    users = [use.operation for use in op.output.uses]
    if users and all(isinstance(user, tosa.ClampOp) for user in users):
        # Its bounds are within those of the type.
        return text
    return program.call(CLAMP, text, str(scaling.low), str(scaling.high))


def _clamp(program: Program, op: Operation, operands: list[str]) -> str:
    assert isinstance(op, tosa.ClampOp)
    program.kinds.append("clamp")
    low, high = program.body.bounds(op)
    ctype = _operand_type(op.output)
    bounds = [low, high] if ctype == "float" else [int(low), int(high)]
    texts = [
        program.parameter(f"{ctype} {name}", f"the {name}est value", bound)
        for name, bound in zip(("low", "high"), bounds, strict=True)
    ]
    return program.call(CLAMP_FLOAT if ctype == "float" else CLAMP, *operands, *texts)


def _arithmetic(symbol: str, name: str) -> _Write:
    def write(program: Program, op: Operation, operands: list[str]) -> str:
        program.kinds.append(name)
        if isinstance(op, tosa.MulOp) and program.body.number(op.shift):
            raise program.body.error("a product that is shifted")
        if _is_float(op.results[0]) or all(operand.owner in program.body.kernel.ops for operand in op.operands[:2]):
            return f"{operands[0]} {symbol} {operands[1]}"
        # Integers of a tensor wrap.
        return f"(int32_t)((uint32_t){operands[0]} {symbol} (uint32_t){operands[1]})"

    return write


def _choice(symbol: str, name: str) -> _Write:
    def write(program: Program, op: Operation, operands: list[str]) -> str:
        program.kinds.append(name)
        first, second = operands
        return f"{first} {symbol} {second} ? {first} : {second}"

    return write


def _comparison(symbol: str, name: str) -> _Write:
    def write(program: Program, op: Operation, operands: list[str]) -> str:
        program.kinds.append(name)
        return f"{operands[0]} {symbol} {operands[1]}"

    return write


def _select(program: Program, op: Operation, operands: list[str]) -> str:
    program.kinds.append("select")
    return f"{operands[0]} ? {operands[1]} : {operands[2]}"


def _absolute(program: Program, op: Operation, operands: list[str]) -> str:
    program.kinds.append("absolute")
    (text,) = operands
    # Adding zero takes the sign off the negative zero.
    return f"{text} < 0 ? -{text} : {text}{' + 0.0f' if _is_float(op.results[0]) else ''}"


def _negate(program: Program, op: Operation, operands: list[str]) -> str:
    assert isinstance(op, tosa.NegateOp)
    program.kinds.append("negate")
    if not _is_float(op.output):
        raise program.body.error("only floats are negated")
    return f"-{operands[0]}"


def _not(program: Program, op: Operation, operands: list[str]) -> str:
    program.kinds.append("not")
    return f"!{operands[0]}"


def _same(program: Program, op: Operation, operands: list[str]) -> str:
    return operands[0]


def _cast(program: Program, op: Operation, operands: list[str]) -> str:
    assert isinstance(op, tosa.CastOp)
    if _is_float(op.output) and not _is_float(op.input):
        return f"(float){operands[0]}"
    if _is_float(op.input) != _is_float(op.output) or "int64" in (dtype_of(op.input), dtype_of(op.output)):
        raise program.body.error(f"a cast of {dtype_of(op.input)} to {dtype_of(op.output)}")
    return operands[0]


_WRITERS: Final = MappingProxyType[type[Operation], _Write](
    {
        tosa.AbsOp: _absolute,
        tosa.AddOp: _arithmetic("+", "add"),
        tosa.CastOp: _cast,
        tosa.ClampOp: _clamp,
        tosa.EqualOp: _comparison("==", "equal"),
        tosa.GreaterEqualOp: _comparison(">=", "at_least"),
        tosa.GreaterOp: _comparison(">", "greater"),
        tosa.LogicalAndOp: _comparison("&&", "and"),
        tosa.LogicalNotOp: _not,
        tosa.LogicalOrOp: _comparison("||", "or"),
        tosa.MaximumOp: _choice(">", "maximum"),
        tosa.MinimumOp: _choice("<", "minimum"),
        tosa.MulOp: _arithmetic("*", "multiply"),
        tosa.NegateOp: _negate,
        tosa.RescaleOp: _rescale,
        tosa.ReshapeOp: _same,
        tosa.SelectOp: _select,
        tosa.SubOp: _arithmetic("-", "subtract"),
    }
)
"""The ops that there is C for."""


def is_program(body: Body) -> bool:
    """Whether all ops of a kernel work on elements."""
    return all(type(op) in _WRITERS for op in body.kernel.ops)
