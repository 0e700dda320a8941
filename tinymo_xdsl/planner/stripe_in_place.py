"""
The bytes that one stripe needs where an arena plan makes copies unnecessary.

Slices are views, elementwise operators write over operands that die, what a stripe yields lies in the whole result, and
the rows of the region's inputs that no later stripe reads die with it.
"""

from dataclasses import dataclass

from tinymo_xdsl.planner.rows import AllRows, Rows
from tinymo_xdsl.planner.sharing import Overwrite
from tinymo_xdsl.planner.stripe_build import StripePlan
from tinymo_xdsl.planner.stripe_spans import Span
from tinymo_xdsl.planner.stripes import (
    Compute,
    Part,
    Problem,
    Region,
    Slice,
    Source,
    Whole,
    compute_padded_sizes,
    rows_of,
    sources_of,
)


@dataclass(frozen=True)
class StripeUse:
    """
    What the operators of a stripe use.

    `peak`: bytes at the worst of them, but for what is resident and what there is of the result. `operators`: how many.
    `upkeep`: bytes that they take for good.
    """

    peak: int
    operators: int
    upkeep: int


def stripe_use(problem: Problem, span: Span, stripe: Region, following: StripePlan | None) -> StripeUse:
    """
    What a stripe of `span` uses.

    `stripe`: its steps. `following`: what all stripes behind it read; None for the last one.
    """
    work = _StripeAtWork(problem, stripe)
    work.release(span, following)
    return StripeUse(work.peak(), work.operators, work.upkeep)


@dataclass
class _Buffer:
    """Bytes, and the times of their first and last use."""

    size: int
    first: int
    last: int


class _StripeAtWork:
    """Goes through the steps of a stripe; each operator is a unit of time."""

    def __init__(self, problem: Problem, stripe: Region) -> None:
        self.problem = problem
        self.stripe = stripe
        self.time = 0
        self.operators = 0
        self.upkeep = 0
        self.buffers: list[_Buffer] = []
        self.homes: list[_Buffer | None] = []
        """Where the result of each step lies; None inside a value from before the region."""
        self.read: dict[int, tuple[Rows, int]] = {}
        """For each value from before the region the rows that are read, and the time when it is read last."""
        self.last_reader: dict[Source, int] = {}
        for number, step in enumerate(stripe.steps):
            self.last_reader.update(dict.fromkeys(sources_of(step), number))
        for number, step in enumerate(stripe.steps):
            if isinstance(step, Slice):
                self.homes.append(self._slice(number, step))
            elif isinstance(step, Compute):
                self.homes.append(self._compute(number, step))

    def _slice(self, number: int, step: Slice) -> _Buffer | None:
        self.operators += 1
        self.upkeep += self.problem.upkeep.slice
        home = None if isinstance(step.source, Whole) else self.homes[step.source.step]
        if home is not None and self.last_reader[step.source] == number:
            # What is cut off is dead as soon as it has been read, as a rule when it is made.
            kept = len(step.rows) * self.problem.values[step.value].row_bytes
            self._add(home.size - kept, home.first, home.last)
            home.size = kept
        return home

    def _compute(self, number: int, step: Compute) -> _Buffer:
        layer = self.problem.layers[step.layer]
        start = self.time
        for size in compute_padded_sizes(self.problem, self.stripe, step):
            if size is not None:
                self._add(size, self.time, self.time + 1)
                self.time += 1
                self.upkeep += self.problem.upkeep.pad
        operands = [self._read(source, start) for source in step.sources]
        made = len(step.rows) * self.problem.values[step.value].row_bytes
        overwritten = {wish.operand for wish in layer.wishes if isinstance(wish, Overwrite)}
        homes = (
            home
            for operand, source, home in zip(layer.operands, step.sources, operands, strict=True)
            if operand.value in overwritten
            and home is not None
            and home.size == made
            and self.last_reader[source] == number
        )
        home = next(homes, None) or self._add(made, self.time, self.time)
        home.last = self.time
        self._add(layer.scratch + len(step.rows) * layer.scratch_per_row, self.time, self.time)
        self.time += 1
        self.operators += self.time - start
        self.upkeep += layer.upkeep
        return home

    def _read(self, source: Source, time: int) -> _Buffer | None:
        """Notes that a source is read; the place where it lies."""
        home = self.homes[source.step] if isinstance(source, Part) else None
        if home is not None:
            home.last = time
            return home
        value = source.value if isinstance(source, Whole) else self.stripe.steps[source.step].value
        rows = rows_of(self.problem, self.stripe, source)
        before, _ = self.read.get(value, (rows, time))
        self.read[value] = (rows.hull(before), time)
        return None

    def _add(self, size: int, first: int, last: int) -> _Buffer:
        self.buffers.append(_Buffer(size, first, last))
        return self.buffers[-1]

    def release(self, span: Span, following: StripePlan | None) -> None:
        """Adds the rows of the values that the span releases: those that die with this stripe, and those that stay."""
        read_whole = {
            operand.value
            for layer in self.problem.layers[span.first : span.last + 1]
            for operand in layer.operands
            if isinstance(operand.access, AllRows)
        }
        for index in span.released:
            value = self.problem.values[index]
            stays = Rows(0, 0)
            if following is not None:
                stays = Rows(0, value.rows) if index in read_whole else following.needed[index]
            rows, last = self.read.get(index, (stays, 0))
            self._add(len(stays) * value.row_bytes, 0, self.time - 1)
            self._add((len(rows) - len(rows.intersection(stays))) * value.row_bytes, 0, last)

    def peak(self) -> int:
        """Bytes in use at the worst time."""
        in_use = [0] * self.time
        for buffer in self.buffers:
            for time in range(buffer.first, buffer.last + 1):
                in_use[time] += buffer.size
        return max(in_use)
