"""
Consecutive layers that run as one loop: each round computes some rows of the result from a window of rows of the input.

All rounds run the same operators on tensors of the same heights, so that a file holds them once. A window is padded as
SAME pads it, or not at all: rows at its edges come out wrong where the tensor goes on, run along, and are left behind
when the rows that are wanted are cut out. At the edges of the tensor a window is moved inwards, and the rows are cut
out elsewhere. The last round may compute rows anew that the one before has computed.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from math import prod

from tinymo_xdsl.planner.rows import LocalAccess, Padding, Rows, Window
from tinymo_xdsl.planner.sharing import Overwrite
from tinymo_xdsl.planner.stripe_cost import planned_bytes
from tinymo_xdsl.planner.stripe_spans import Span, row_unit, span_result
from tinymo_xdsl.planner.stripes import Layer, Operand, Operator, Problem, Program, padded_size

LOOP_OPERATORS = 9
"""How many operators a loop has beside those that handle its rows."""
LOOP_UPKEEP = 1500
"""Bytes that all operators which make a loop of layers take of a TFLite Micro arena for good, about."""


@dataclass(frozen=True)
class Round:
    """
    One round of a loop: the rows of the input that it reads, the rows of the result that its last layer then makes,
    right or wrong, and those of them that are kept.
    """

    window: Rows
    made: Rows
    kept: Rows


@dataclass(frozen=True)
class LoopLayer:
    """One layer as each round runs it: rows that come out, and the pads around the rows that are fed."""

    rows: int
    pad_top: int = 0
    pad_bottom: int = 0


@dataclass(frozen=True)
class Loop:
    """
    The layers `first` to `last`, both included, in equal rounds.

    `source`: the one value that they read from outside. Windows, rows that are made and rows that are kept have the
    same heights in all rounds; what is kept in all of them together is the whole result.
    """

    first: int
    last: int
    source: int
    layers: tuple[LoopLayer, ...]
    rounds: tuple[Round, ...]

    @property
    def crops(self) -> bool:
        """Whether a round makes rows that are not kept."""
        return any(part.made != part.kept for part in self.rounds)


@dataclass(frozen=True)
class LoopCost:
    """
    What a loop costs. `peak`: bytes in use at its worst operator, all around it included; `body` of them are what a
    round makes. `macs`: those of all rounds. `operators`: those of the file. `upkeep`: bytes of an arena that they take
    for good.
    """

    peak: int
    body: int
    macs: int
    operators: int
    upkeep: int


def loop_source(problem: Problem, span: Span) -> int | None:
    """The one value from outside that the layers of a span read; None if they read several, or one of them whole."""
    layers = problem.layers[span.first : span.last + 1]
    inside = {value for layer in layers for value in layer.results}
    outside = [operand for layer in layers for operand in layer.operands if operand.value not in inside]
    is_local = all(isinstance(operand.access, LocalAccess) for operand in outside)
    values = {operand.value for operand in outside}
    return values.pop() if is_local and len(values) == 1 else None


def plan_loop(problem: Problem, span: Span, height: int) -> Loop | None:
    """The layers of a closed span in rounds that keep `height` rows each; None if one body does not fit all rounds."""
    source = loop_source(problem, span)
    rows = span_result(problem, span).rows
    if source is None or not 0 < height < rows:
        return None
    kept = [Rows(start, start + height) for start in (*range(0, rows - height, height), rows - height)]
    needed = [_needed(problem, span, part) for part in kept]
    lowest = max(len(rows[source]) for rows in needed)
    for window in range(lowest, min(problem.values[source].rows, lowest + 2 * _common_stride(problem, span) + 1)):
        runs = [_find_run(problem, span, source, window, rows) for rows in needed]
        layers = {None if run is None else run.layers for run in runs}
        if len(layers) == 1 and None not in layers:
            rounds = [
                Round(run.window, run.made, part) for run, part in zip(runs, kept, strict=True) if run is not None
            ]
            return Loop(span.first, span.last, source, layers.pop() or (), tuple(rounds))
    return None


def _common_stride(problem: Problem, span: Span) -> int:
    """By how many rows windows that are in step with each other lie apart, at most."""
    layers = problem.layers[span.first : span.last + 1]
    windows = [operand.access for layer in layers for operand in layer.operands if isinstance(operand.access, Window)]
    return prod(window.stride for window in windows) * row_unit(problem, span)


def _needed(problem: Problem, span: Span, rows: Rows) -> Mapping[int, Rows]:
    """For each value the rows that these rows of the span's result depend on."""
    needed = {problem.layers[span.last].results[0]: rows}
    for layer in reversed(problem.layers[span.first : span.last + 1]):
        for operand in layer.operands:
            if isinstance(operand.access, LocalAccess):
                part = operand.access.needed(needed[layer.results[0]], problem.values[operand.value].rows)
                needed[operand.value] = needed.get(operand.value, part).hull(part)
    return needed


@dataclass(frozen=True)
class _Run:
    """What comes of one window."""

    window: Rows
    layers: tuple[LoopLayer, ...]
    made: Rows


def _find_run(problem: Problem, span: Span, source: int, height: int, needed: Mapping[int, Rows]) -> _Run | None:
    """The run of a window of this height from which all rows that are needed come out."""
    lowest = max(needed[source].stop - height, 0)
    highest = min(needed[source].start, problem.values[source].rows - height)
    windows = [Rows(start, start + height) for start in range(highest, lowest - 1, -1)]
    runs = (_run(problem, span, source, window, needed) for window in windows)
    return next((run for run in runs if run is not None), None)


def _run(problem: Problem, span: Span, source: int, window: Rows, needed: Mapping[int, Rows]) -> _Run | None:
    """
    The layers of a span on a window of their input; None if they cannot run on it, or a row that is needed is missing.

    What is needed is then right: it is computed from rows that are needed themselves, and padded where a tensor ends.
    """
    held = {source: window}
    layers: list[LoopLayer] = []
    for layer in problem.layers[span.first : span.last + 1]:
        (result,) = layer.results
        found = _run_layer(problem, layer, held)
        if found is None or not found[1].contains(needed[result]):
            return None
        layers.append(found[0])
        held[result] = found[1]
    return _Run(window, tuple(layers), held[problem.layers[span.last].results[0]])


def _run_layer(problem: Problem, layer: Layer, held: Mapping[int, Rows]) -> tuple[LoopLayer, Rows] | None:
    """One layer on the rows that a round holds, and the rows that come out; None if it cannot run on them."""
    fed = held[layer.operands[0].value]
    if any(held[operand.value] != fed for operand in layer.operands):
        return None
    access, rows = layer.operands[0].access, problem.values[layer.operands[0].value].rows
    if not isinstance(access, LocalAccess):
        return None
    for pads in _pads(access, rows, len(fed)):
        try:
            made = access.computed(fed, *pads)
        except ValueError:
            continue
        # A row beyond the end of the tensor would not be padding for the layers behind.
        if Rows(0, problem.values[layer.results[0]].rows).contains(made):
            return LoopLayer(len(made), *pads), made
    return None


def _pads(access: LocalAccess, rows: int, fed: int) -> Iterator[tuple[int, int]]:
    """Pads (top, bottom) around `fed` of the `rows` rows of an operand: none, or SAME, or else those of a PAD."""
    if not isinstance(access, Window) or access.is_elementwise:
        yield (0, 0)
        return
    whole = access.padding(rows, access.pad_top, access.pad_bottom)
    if whole is Padding.VALID:
        yield (0, 0)
    elif access.same_columns:
        yield access.same_padding(fed)
    if whole is Padding.EXPLICIT:
        yield (access.pad_top, access.pad_bottom)


def loop_cost(problem: Problem, span: Span, loop: Loop) -> LoopCost:
    """What a loop costs: its input and its result whole, and beside them what the operators of one round make."""
    body = _body(problem, loop)
    source = problem.values[loop.source].size if loop.source in span.released else 0
    own = max(planned_bytes(body))
    peak = span.resident + source + span_result(problem, span).size + own
    macs = sum(
        layer.macs * len(loop.rounds) * run.rows // problem.values[layer.results[0]].rows
        for layer, run in zip(problem.layers[loop.first : loop.last + 1], loop.layers, strict=True)
    )
    upkeep = LOOP_UPKEEP + sum(operator.upkeep for operator in body.operators)
    return LoopCost(peak, own, macs, len(body.operators) + LOOP_OPERATORS, upkeep)


def _body(problem: Problem, loop: Loop) -> Program:
    """The operators of one round that handle rows: a slice for the window, the layers, a slice for what is kept."""
    body = _Body(problem, [0] * len(problem.values), [])
    source, result = problem.values[loop.source], problem.values[problem.layers[loop.last].results[0]]
    body.sizes[loop.source] = len(loop.rounds[0].window) * source.row_bytes
    body.operators.append(Operator(loop.first, (), (loop.source,)))
    for number, run in enumerate(loop.layers, loop.first):
        body.add_layer(number, run)
    if loop.crops:
        kept = body.make_tensor(len(loop.rounds[0].kept) * result.row_bytes)
        body.operators.append(Operator(loop.last, problem.layers[loop.last].results, (kept,)))
    body.operators.append(Operator(loop.last, body.operators[-1].makes, ()))
    return Program(tuple(body.sizes), tuple(body.operators), (), ())


@dataclass(frozen=True)
class _Body:
    """A round in the making. The problem's values stand for the parts of them that a round holds."""

    problem: Problem
    sizes: list[int]
    operators: list[Operator]

    def make_tensor(self, size: int) -> int:
        self.sizes.append(size)
        return len(self.sizes) - 1

    def add_layer(self, number: int, run: LoopLayer) -> None:
        layer = self.problem.layers[number]
        reads = [self.padded(number, operand, run) for operand in layer.operands]
        (result,) = layer.results
        self.sizes[result] = run.rows * self.problem.values[result].row_bytes
        wishes = [wish for wish in layer.wishes if isinstance(wish, Overwrite) and wish.operand in reads]
        scratch = layer.scratch + run.rows * layer.scratch_per_row
        self.operators.append(Operator(number, tuple(reads), (result,), scratch, layer.upkeep, tuple(wishes)))

    def padded(self, number: int, operand: Operand, run: LoopLayer) -> int:
        """What a layer reads: the rows that a round holds, or a padded copy of them."""
        fed = self.sizes[operand.value] // self.problem.values[operand.value].row_bytes
        size = padded_size(operand.access, fed, run.pad_top, run.pad_bottom)
        if size is None:
            return operand.value
        copy = self.make_tensor(size)
        self.operators.append(Operator(number, (operand.value,), (copy,), upkeep=self.problem.upkeep.pad))
        return copy
