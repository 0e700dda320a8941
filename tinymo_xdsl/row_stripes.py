"""
Writes a plan of the stripe planner into the IR: kernels over some of their rows, splits and joins between them.

The planner numbers kernels and values as `analysis.row_problem` does, and has decided everything: this module
only builds the ops, in the plan's order, which becomes the schedule.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

from xdsl.dialects.builtin import TensorType
from xdsl.ir import Attribute, Operation, SSAValue

from tinymo_xdsl.analysis.kernels import Kernel
from tinymo_xdsl.analysis.row_problem import RowProblem
from tinymo_xdsl.analysis.rows import ROW_AXIS, WindowOp, shape_of, window_shape
from tinymo_xdsl.dialects import tinymo, tosa
from tinymo_xdsl.dialects.tosa.base import ints
from tinymo_xdsl.facts import set_tensor_facts, tensor_facts
from tinymo_xdsl.operators.base import Emitter
from tinymo_xdsl.operators.windows import cut_unread, grid_of, pads_attribute
from tinymo_xdsl.planner.rows import Rows
from tinymo_xdsl.planner.stripes import Compute, Join, Region, Slice, Source, Step, Whole, rows_of


def write_region(problem: RowProblem, region: Region, emitter: Emitter) -> SSAValue:
    """
    The ops of `region`, and the value that takes the place of its last kernel's result.

    The kernels that they replace stay, for the caller to erase.
    """
    return _RegionWriter(problem, region, emitter).write()


@dataclass
class _RegionWriter:
    problem: RowProblem
    region: Region
    emitter: Emitter
    parts: list[SSAValue] = field(default_factory=list[SSAValue])
    """What each step yields."""

    def write(self) -> SSAValue:
        for step in self.region.steps:
            match step:
                case Slice():
                    self.parts.append(self._slice(step))
                case Join():
                    self.parts.append(self._join(step))
                case Compute():
                    self.parts.append(self._compute(step))
        return self.parts[-1]

    def _value(self, source: Source) -> SSAValue:
        return self.problem.values[source.value] if isinstance(source, Whole) else self.parts[source.step]

    def _slice(self, step: Slice) -> SSAValue:
        first_row = rows_of(self.problem.problem, self.region, step.source).start
        window = (step.rows.start - first_row, step.rows.stop - first_row)
        split = self.emitter.emit(tinymo.SplitOp(self._value(step.source), ROW_AXIS, [window]))
        self._state_facts(split, step)
        return split.parts[0]

    def _join(self, step: Join) -> SSAValue:
        join = self.emitter.emit(tinymo.JoinOp([self._value(source) for source in step.sources], ROW_AXIS))
        self._state_facts(join, step)
        return join.result

    def _compute(self, step: Compute) -> SSAValue:
        kernel = self.problem.kernels[step.layer]
        inputs = {value: self._value(source) for value, source in zip(kernel.inputs, step.sources, strict=True)}
        op = kernel_over_rows(kernel, inputs, (step.pad_top, step.pad_bottom), len(step.rows), self.emitter)
        self._state_facts(op, step)
        return op.results[0]

    def _state_facts(self, op: Operation, step: Step) -> None:
        """A part is a tensor of its own; the whole keeps the name that it had."""
        value = self.problem.values[step.value]
        facts = tensor_facts(value)
        if facts is None:
            return
        whole = step.rows == Rows(0, shape_of(value)[ROW_AXIS])
        is_result = self.region.steps[-1] is step and whole
        set_tensor_facts(op, facts if is_result else facts.renamed(_rows_name(facts.name, step)))


def _rows_name(name: str, step: Step) -> str:
    return f"{name}/rows_{step.rows.start}_{step.rows.stop}"


def kernel_over_rows(
    kernel: Kernel, inputs: Mapping[SSAValue, SSAValue], pads: tuple[int, int], rows: int, emitter: Emitter
) -> Operation:
    """
    The op that yields `rows` rows of the kernel's result, computed from `inputs`: the stripe that is read, by value.

    `pads` (top, bottom) take the place of the pads of the rows; those of the columns stay.
    """
    values = dict(inputs)
    whole_rows = shape_of(kernel.results[0])[ROW_AXIS]
    last: Operation = kernel.ops[-1]
    for op in kernel.ops:
        if isinstance(op, tosa.SliceOp):
            values[op.output] = values[op.input1]
            continue
        changed = _window_changes(op, values, pads, emitter) if isinstance(op, WindowOp) else {}
        types = [_resized(result, whole_rows, rows) for result in op.results]
        operands = [values.get(operand, operand) for operand in op.operands]
        last = emitter.emit(
            type(op).create(
                operands=operands, result_types=types, properties={**op.properties, **changed}, attributes=op.attributes
            )
        )
        values.update(zip(op.results, last.results, strict=True))
    return last


def _window_changes(
    op: WindowOp, values: dict[SSAValue, SSAValue], pads: tuple[int, int], emitter: Emitter
) -> dict[str, Attribute]:
    """Cuts the stripe to what the windows read, and gives the pads that remain."""
    image = values[op.input]
    kernel, stride, dilation = window_shape(op)
    grid = grid_of(shape_of(image), kernel, stride, dilation)
    values[op.input], rest = cut_unread(emitter, image, grid, (*pads, *pads_attribute(op)[2:]))
    return {"pad": ints(rest)}


def _resized(result: SSAValue, whole_rows: int, rows: int) -> Attribute:
    shape = shape_of(result)
    assert isinstance(result.type, TensorType)
    if len(shape) != 4 or shape[ROW_AXIS] != whole_rows:
        return result.type
    return tinymo.resized(result.type, ROW_AXIS, rows)
