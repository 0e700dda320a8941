"""
Proof that a solution computes what the problem computes.

Every row of every tensor is simulated as a symbol: its number if it is the right row of its value, `WRONG` otherwise.
A row that a step makes is right if it reads the very symbols, padding included, that the unsplit layer reads for it.
Nothing here uses the row arithmetic that solutions are built with.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import TypeAlias

from tinymo_xdsl.planner.rows import LocalAccess, Padding, Rows, TransposedWindow, Window
from tinymo_xdsl.planner.stripes import (
    MAXIMUM_JOINED,
    Compute,
    Join,
    Problem,
    Region,
    Slice,
    Solution,
    Source,
    Step,
    Whole,
    sources_of,
)

WRONG = -1
"""A row that does not hold what its number says."""

PAD = -2
"""A row of padding."""

Reading: TypeAlias = tuple[tuple[int, int], ...]
"""What one output row reads of one operand: (position in the kernel, symbol) each."""


class InvalidSolutionError(ValueError):
    """The solution is malformed, or does not compute what the problem computes. A defect of who made it."""


@dataclass(frozen=True)
class Simulated:
    """A tensor: its first row's number in `value`, and the symbols of its rows."""

    value: int
    start: int
    symbols: tuple[int, ...]

    @property
    def rows(self) -> Rows:
        return Rows(self.start, self.start + len(self.symbols))


def written_pads(access: Window, rows: int, pad_top: int, pad_bottom: int) -> tuple[int, int]:
    """The pads (top, bottom) that an engine applies to the file in which these pads were written."""
    padding = access.padding(rows, pad_top, pad_bottom)
    if padding is None:
        raise InvalidSolutionError(f"a file cannot express {pad_top} and {pad_bottom} rows of padding")
    if padding is Padding.SAME:
        total = max((-(-rows // access.stride) - 1) * access.stride + access.kernel - rows, 0)
        return total // 2, total - total // 2
    return (0, 0) if padding is Padding.VALID else (pad_top, pad_bottom)


def read_window(access: Window, symbols: Sequence[int], pad_top: int, pad_bottom: int) -> list[Reading]:
    """What each output row of a window reads."""
    padded = [*[PAD] * pad_top, *symbols, *[PAD] * pad_bottom]
    starts = range(0, len(padded) - access.kernel + 1, access.stride)
    return [tuple(enumerate(padded[start : start + access.kernel])) for start in starts]


def read_transposed(access: TransposedWindow, symbols: Sequence[int]) -> list[Reading]:
    """What each output row of a transposed convolution sums up."""
    height = (len(symbols) - 1) * access.stride + access.kernel
    readings: list[list[tuple[int, int]]] = [[] for _ in range(height)]
    for row, symbol in enumerate(symbols):
        for tap in range(access.kernel):
            readings[row * access.stride + tap].append((tap, symbol))
    return [tuple(reading) for reading in readings[access.crop_top : height - access.crop_bottom]]


def read_operand(access: LocalAccess, symbols: Sequence[int], pad_top: int, pad_bottom: int) -> list[Reading]:
    """What each output row reads of one operand."""
    if isinstance(access, Window):
        return read_window(access, symbols, pad_top, pad_bottom)
    if isinstance(access, TransposedWindow):
        return read_transposed(access, symbols)
    return [((0, symbol),) for symbol in symbols for _ in range(access.factor)]


def read_step(access: LocalAccess, symbols: Sequence[int], step: Compute) -> list[Reading]:
    """What each output row of a step reads of one operand."""
    pads = (step.pad_top, step.pad_bottom)
    if isinstance(access, Window):
        pads = written_pads(access, len(symbols), *pads)
    return read_operand(access, symbols, *pads)


def read_unsplit(access: LocalAccess, rows: int) -> list[Reading]:
    """What each output row of the unsplit layer reads of an operand of this height."""
    pads = (access.pad_top, access.pad_bottom) if isinstance(access, Window) else (0, 0)
    return read_operand(access, range(rows), *pads)


class _RegionSimulation:
    """Runs the steps of one region."""

    def __init__(self, problem: Problem, region: Region) -> None:
        self.problem = problem
        self.region = region
        self.made: list[Simulated] = []

    def fetch(self, source: Source) -> Simulated:
        if isinstance(source, Whole):
            producer = self.problem.producers[source.value]
            if producer is not None and producer >= self.region.first:
                raise InvalidSolutionError(f"value {source.value} is not there before the region")
            return Simulated(source.value, 0, tuple(range(self.problem.values[source.value].rows)))
        if not 0 <= source.step < len(self.made):
            raise InvalidSolutionError(f"step {source.step} is read before it is made")
        return self.made[source.step]

    def run(self, step: Step) -> None:
        operands = [self.fetch(source) for source in sources_of(step)]
        if isinstance(step, Compute):
            result = self.compute(step, operands)
        else:
            if any(operand.value != step.value for operand in operands):
                raise InvalidSolutionError("rows of different values are mixed")
            result = self.slice(step, operands[0]) if isinstance(step, Slice) else self.join(step, operands)
        if result.rows != step.rows:
            raise InvalidSolutionError(f"a step yields rows {result.rows}, not {step.rows}")
        self.made.append(result)

    def slice(self, step: Slice, operand: Simulated) -> Simulated:
        if not operand.rows.contains(step.rows) or len(step.rows) == 0:
            raise InvalidSolutionError(f"rows {step.rows} are cut out of rows {operand.rows}")
        start = step.rows.start - operand.start
        return Simulated(step.value, step.rows.start, operand.symbols[start : start + len(step.rows)])

    def join(self, step: Join, operands: Sequence[Simulated]) -> Simulated:
        if not 2 <= len(operands) <= MAXIMUM_JOINED:
            raise InvalidSolutionError(f"{len(operands)} tensors are joined")
        if any(before.rows.stop != behind.rows.start for before, behind in pairwise(operands)):
            raise InvalidSolutionError("tensors that are not adjacent are joined")
        symbols = tuple(symbol for operand in operands for symbol in operand.symbols)
        return Simulated(step.value, operands[0].start, symbols)

    def compute(self, step: Compute, operands: Sequence[Simulated]) -> Simulated:
        layer = self.problem.layers[step.layer]
        if not (self.region.first <= step.layer <= self.region.last and layer.can_split):
            raise InvalidSolutionError(f"layer {layer.name} cannot run in this region")
        if layer.results != (step.value,) or [operand.value for operand in layer.operands] != [
            o.value for o in operands
        ]:
            raise InvalidSolutionError(f"layer {layer.name} is fed other values than its own")
        seen: list[list[Reading]] = []
        right: list[list[Reading]] = []
        for operand, simulated in zip(layer.operands, operands, strict=True):
            height = self.problem.values[operand.value].rows
            if isinstance(operand.access, LocalAccess):
                seen.append(read_step(operand.access, simulated.symbols, step))
                right.append(read_unsplit(operand.access, height))
            elif simulated.symbols != tuple(range(height)):
                raise InvalidSolutionError(f"layer {layer.name} is not fed all rows of what it reads whole")
        if len({len(readings) for readings in seen}) != 1:
            raise InvalidSolutionError(f"layer {layer.name} is fed operands of different heights")
        expected = dict(enumerate(zip(*right, strict=True)))
        symbols = (
            row if expected.get(row) == readings else WRONG
            for row, readings in enumerate(zip(*seen, strict=True), step.rows.start)
        )
        return Simulated(step.value, step.rows.start, tuple(symbols))


def validate_region(problem: Problem, region: Region) -> None:
    """Raise InvalidSolutionError unless the region yields the whole right result of its last layer, and only that."""
    inner = [value for layer in problem.layers[region.first : region.last] for value in layer.results]
    leaking = [problem.values[value].name for value in inner if problem.last_use(value) > region.last]
    if leaking:
        raise InvalidSolutionError(f"{leaking[0]} is used behind the region that makes it in stripes")
    simulation = _RegionSimulation(problem, region)
    for step in region.steps:
        simulation.run(step)
    value = problem.layers[region.last].results[0]
    whole = Simulated(value, 0, tuple(range(problem.values[value].rows)))
    if not simulation.made or simulation.made[-1] != whole:
        raise InvalidSolutionError(f"the region does not end in {problem.values[value].name}, whole and right")


def validate(problem: Problem, solution: Solution) -> None:
    """Raise InvalidSolutionError unless the solution's file computes all that the problem's does."""
    done = 0
    for region in solution.regions:
        if not done <= region.first <= region.last < len(problem.layers):
            raise InvalidSolutionError("regions overlap, or are not in execution order")
        validate_region(problem, region)
        done = region.last + 1
