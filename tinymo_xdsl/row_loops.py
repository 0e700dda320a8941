"""
Writes a loop of the stripe planner into the IR: a WHILE in the place of its kernels, and the functions that it runs.

A loop carries three tensors: where the entries of the round begin in its tables, the whole input, and the whole result
as far as it is computed. TFLite Micro copies them from round to round, except where a plan puts them on the same bytes.
The graph does not rely on that: any engine that runs it computes the same.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
from xdsl.dialects.builtin import FunctionType, ModuleOp, TensorType, f32, i1, i8, i32
from xdsl.dialects.func import FuncOp, ReturnOp
from xdsl.ir import Attribute, Block, Region, SSAValue

from tinymo_xdsl.analysis.kernels import functions
from tinymo_xdsl.analysis.row_problem import RowProblem
from tinymo_xdsl.analysis.rows import ROW_AXIS, shape_of
from tinymo_xdsl.dialects import tinymo, tosa
from tinymo_xdsl.errors import BadModelError
from tinymo_xdsl.facts import (
    OperatorFacts,
    SubgraphFacts,
    TensorFacts,
    set_argument_facts,
    set_operator_facts,
    set_subgraph_facts,
    set_tensor_facts,
    tensor_facts,
)
from tinymo_xdsl.numerics import dense
from tinymo_xdsl.operators.base import Emitter
from tinymo_xdsl.operators.custom import DOMAIN
from tinymo_xdsl.planner.loops import Loop, Round
from tinymo_xdsl.row_stripes import kernel_over_rows

CARRIED_ELEMENTS = (i8, f32)
"""What SLICE, FILL and DYNAMIC_UPDATE_SLICE of TFLite Micro all take: FILL takes no 16-bit integers."""

_AXES = 4
_TO_THE_END = -1
"""A size that makes SLICE take all that is left."""
_OPTIONS = {
    "ADD": "AddOptions",
    "DYNAMIC_UPDATE_SLICE": "DynamicUpdateSliceOptions",
    "FILL": "FillOptions",
    "LESS": "LessOptions",
    "SLICE": "SliceOptions",
    "WHILE": "WhileOptions",
}
_VERSIONS: Mapping[tuple[str, Attribute], int] = {("SLICE", i8): 2, ("FILL", i8): 3}
"""Versions by element type of the result, where they are not 1."""


def write_loop(problem: RowProblem, loop: Loop, module: ModuleOp, emitter: Emitter) -> SSAValue:
    """
    The ops that run `loop`, and the value that takes the place of its last kernel's result.

    Two functions are added to `module`. The kernels that the loop replaces stay, for the caller to erase. Raises
    `BadModelError` where a tensor states no facts: a loop is an operator of a `.tflite` file.
    """
    condition_index = sum(1 for _ in functions(module))
    writer = _LoopWriter(problem, loop, f"loop_{condition_index}")
    module.body.block.add_ops([writer.condition(), writer.body()])
    return writer.call(emitter, condition_index)


@dataclass
class _Emitter:
    """Emits operators of a `.tflite` file into one function, as the frontend would import them."""

    emitter: Emitter
    name: str
    """What the names of new tensors begin with."""
    _numbers: dict[tuple[int, ...], SSAValue] = field(default_factory=dict[tuple[int, ...], SSAValue])

    def constant(self, name: str, array: dense.Array, element: Attribute, like: TensorFacts) -> SSAValue:
        """A constant tensor that holds the same kind of numbers as the one with the facts `like`."""
        op = tosa.ConstOp(dense.from_numpy(array, element))
        set_tensor_facts(op, like.renamed(f"{self.name}/{name}"))
        return self.emitter.emit(op).output

    def numbers(self, name: str, numbers: Sequence[int]) -> SSAValue:
        """A list of numbers; equal lists are one tensor."""
        key = tuple(numbers)
        if key not in self._numbers:
            self._numbers[key] = self.constant(name, np.array(key, np.int32), i32, TensorFacts(name))
        return self._numbers[key]

    def operator(
        self, name: str, operands: Sequence[SSAValue], *results: tuple[Attribute, TensorFacts], **options: int
    ) -> Sequence[SSAValue]:
        """The results of an operator, each of a type and with facts."""
        op = self.emitter.emit(tosa.CustomOp(name, DOMAIN, "", operands, [type_ for type_, _ in results]))
        set_tensor_facts(op, *(facts for _, facts in results))
        version = _VERSIONS.get((name, _tensor_type(op.results[0]).element_type), 1)
        set_operator_facts(op, OperatorFacts(version=version, options=options, options_type=_OPTIONS[name]))
        return list(op.results)


@dataclass(frozen=True)
class _LoopWriter:
    problem: RowProblem
    loop: Loop
    name: str
    """What the names of the functions, and of the tensors in them, begin with."""

    @property
    def source(self) -> SSAValue:
        """The whole input."""
        return self.problem.values[self.loop.source]

    @property
    def result(self) -> SSAValue:
        """The whole result, as the kernels that the loop replaces compute it."""
        return self.problem.kernels[self.loop.last].outputs[0]

    def call(self, emitter: Emitter, condition_index: int) -> SSAValue:
        """The WHILE, whose body is the function behind its condition."""
        emit = _Emitter(emitter, self.name)
        source, result = _facts(self.source), _facts(self.result)
        element = _tensor_type(self.result).element_type
        shape = emit.numbers("shape", shape_of(self.result))
        filler = emit.constant("filler", np.zeros((), dense.numpy_dtype(element)), element, result)
        empty = emit.operator("FILL", [shape, filler], (self.result.type, result.renamed(f"{self.name}/empty")))
        place = emit.numbers("start", [0])
        carried = emit.operator(
            "WHILE",
            [place, self.source, *empty],
            (place.type, TensorFacts(f"{self.name}/place")),
            (self.source.type, source.renamed(f"{self.name}/source")),
            (self.result.type, result),
            cond_subgraph_index=condition_index,
            body_subgraph_index=condition_index + 1,
        )
        return carried[-1]

    def condition(self) -> FuncOp:
        """Whether there is a round left."""
        name = f"{self.name}_condition"
        block = self._block()
        emit = _Emitter(Emitter(block.add_op), name)
        end = emit.numbers("end", [_AXES * len(self.loop.rounds)])
        goes_on = TensorType(i1, [1]), TensorFacts(f"{name}/goes_on")
        return self._function(name, block, emit.operator("LESS", [block.args[0], end], goes_on))

    def body(self) -> FuncOp:
        """One round."""
        name = f"{self.name}_body"
        block = self._block()
        body = _BodyWriter(self, _Emitter(Emitter(block.add_op), name), block.args[0])
        return self._function(name, block, body.write(block.args[1], block.args[2]))

    def _block(self) -> Block:
        return Block(arg_types=[TensorType(i32, [1]), self.source.type, self.result.type])

    def _function(self, name: str, block: Block, results: Sequence[SSAValue]) -> FuncOp:
        block.add_op(ReturnOp(*results))
        signature = FunctionType.from_lists([value.type for value in block.args], [value.type for value in results])
        function = FuncOp(name, signature, Region(block))
        source, result = _facts(self.source), _facts(self.result)
        arguments = source.renamed(f"{name}/source"), result.renamed(f"{name}/result")
        set_argument_facts(function, [TensorFacts(f"{name}/place"), *arguments])
        set_subgraph_facts(function, SubgraphFacts(name))
        return function


@dataclass(frozen=True)
class _BodyWriter:
    loop: _LoopWriter
    emit: _Emitter
    place: SSAValue
    """Where the entries of this round begin."""

    @property
    def rounds(self) -> Sequence[Round]:
        """All rounds of the loop."""
        return self.loop.loop.rounds

    def write(self, source: SSAValue, result: SSAValue) -> Sequence[SSAValue]:
        """What the next round is given."""
        windows, kept = [entry.window for entry in self.rounds], [entry.kept for entry in self.rounds]
        facts = _facts(self.loop.source)
        made = self._kernels(self._cut(source, facts, "window", [rows.start for rows in windows], len(windows[0])))
        facts = _facts(self.loop.result)
        if self.loop.loop.crops:
            starts = [entry.kept.start - entry.made.start for entry in self.rounds]
            made = self._cut(made, facts, "kept", starts, len(kept[0]))
        begin = self._begin("row", [rows.start for rows in kept])
        updated = result.type, facts.renamed(f"{self.emit.name}/updated")
        whole = self.emit.operator("DYNAMIC_UPDATE_SLICE", [result, made, begin], updated)
        following = self.place.type, TensorFacts(f"{self.emit.name}/next_place")
        place = self.emit.operator("ADD", [self.place, self.emit.numbers("axes", [_AXES])], following)
        return [*place, source, *whole]

    def _cut(self, whole: SSAValue, facts: TensorFacts, name: str, starts: Sequence[int], rows: int) -> SSAValue:
        """So many rows of `whole`, from where `starts` says for the round."""
        begin = self._begin(name, starts)
        size = self.emit.numbers(f"{name}_size", _on_rows(rows, elsewhere=_TO_THE_END))
        part = tinymo.resized(_tensor_type(whole), ROW_AXIS, rows), facts.renamed(f"{self.emit.name}/{name}")
        return self.emit.operator("SLICE", [whole, begin, size], part)[0]

    def _begin(self, name: str, starts: Sequence[int]) -> SSAValue:
        """Where a window of this round begins on each axis, out of a table of all rounds."""
        table = self.emit.numbers(f"{name}_table", [number for start in starts for number in _on_rows(start, 0)])
        begin = TensorType(i32, [_AXES]), TensorFacts(f"{self.emit.name}/{name}_begin")
        return self.emit.operator("SLICE", [table, self.place, self.emit.numbers("axes", [_AXES])], begin)[0]

    def _kernels(self, window: SSAValue) -> SSAValue:
        """The kernels of the loop on the window of one round."""
        loop, problem = self.loop.loop, self.loop.problem
        values = {self.loop.source: window}
        for kernel, layer in zip(problem.kernels[loop.first : loop.last + 1], loop.layers, strict=True):
            values.update((value, self._copy(value)) for value in kernel.constants if value not in values)
            pads = (layer.pad_top, layer.pad_bottom)
            op = kernel_over_rows(kernel, values, pads, layer.rows, self.emit.emitter)
            facts = _facts(kernel.outputs[0])
            set_tensor_facts(op, facts.renamed(f"{self.emit.name}/{facts.name}"))
            values[kernel.outputs[0]] = op.results[0]
        return values[self.loop.result]

    def _copy(self, constant: SSAValue) -> SSAValue:
        """A constant of the calling function, whose bytes both functions share."""
        assert isinstance(constant.owner, tosa.ConstOp | tosa.ConstShapeOp)
        return self.emit.emitter.emit(constant.owner.clone()).results[0]


def _on_rows(number: int, elsewhere: int) -> list[int]:
    """A number for each axis."""
    return [number if axis == ROW_AXIS else elsewhere for axis in range(_AXES)]


def _tensor_type(value: SSAValue) -> TensorType:
    assert isinstance(value.type, TensorType)
    return value.type


def _facts(value: SSAValue) -> TensorFacts:
    facts = tensor_facts(value)
    if facts is None:
        raise BadModelError("a loop of rows needs the TFLite facts of every tensor in it, as 'tinymo.tensor'")
    return facts
