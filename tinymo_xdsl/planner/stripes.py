"""
A model as layers over row-addressed values, a plan that runs some of its layers in row stripes, and its operators.

A plan is executed on a problem operator by operator, as the written `.tflite` will be: every slice, padded copy and
join is a tensor. Which of them may share bytes is written down, too. `stripe_cost` says what a plan costs.
"""

from dataclasses import dataclass
from functools import cached_property
from itertools import accumulate
from typing import TypeAlias

from tinymo_xdsl.planner.rows import AllRows, Padding, RowAccess, Rows, Window
from tinymo_xdsl.planner.sharing import Copy, Overwrite, Wish

MAXIMUM_JOINED = 10
"""A CONCATENATION of TFLite Micro takes no more inputs; `Join`s of more are nested."""


@dataclass(frozen=True)
class Value:
    """
    A tensor that is not a constant: `rows` of `row_bytes` each (one row where axis 1 does not mean rows).

    A model input is alive from the start until its last use, a model output from where it is made to the end.
    `is_variable`: it is alive throughout, and no arena plan places it. `is_contiguous`: the bytes of neighbouring rows
    are neighbours, as in a batch of one.
    """

    name: str
    rows: int
    row_bytes: int
    is_input: bool = False
    is_output: bool = False
    is_variable: bool = False
    is_contiguous: bool = True

    @property
    def size(self) -> int:
        """Bytes of the whole tensor."""
        return self.rows * self.row_bytes


@dataclass(frozen=True)
class Operand:
    """A value that a layer reads; `access` is None if output rows and input rows have nothing to do with each other."""

    value: int
    access: RowAccess | None


@dataclass(frozen=True)
class Upkeep:
    """Bytes of a TFLite Micro arena that an operator takes for good: structures, and what its kernel keeps."""

    slice: int = 0
    join: int = 0
    pad: int = 0


@dataclass(frozen=True)
class Layer:
    """
    One operator of the model, its padding included. `macs` are those of the whole layer, the same for every row.

    If any operand has no row access, if a row of the result may come from padding alone, or if there is not exactly one
    result, the layer is never split.

    `scratch`: bytes that the kernel has beside its tensors while it runs, and `scratch_per_row` for each row of the
    result that it computes. `upkeep`: bytes that the operator takes for good. `wishes`: which of its tensors would like
    to share bytes, by the numbers of the values.
    """

    name: str
    operands: tuple[Operand, ...]
    results: tuple[int, ...]
    macs: int = 0
    scratch: int = 0
    scratch_per_row: int = 0
    upkeep: int = 0
    wishes: tuple[Wish, ...] = ()

    @property
    def can_split(self) -> bool:
        """Whether the layer can run on some of its rows: it is row-local in one operand, or elementwise in several."""
        accesses = [operand.access for operand in self.operands if not isinstance(operand.access, AllRows)]
        if len(self.results) != 1 or not accesses or None in accesses:
            return False
        if any(isinstance(access, Window) and access.reads_only_padding for access in accesses):
            return False
        return len(accesses) == 1 or all(isinstance(access, Window) and access.is_elementwise for access in accesses)


@dataclass(frozen=True)
class Problem:
    """
    The values and the layers, in execution order, of one model.

    `upkeep`: of the operators that stripes add.
    """

    values: tuple[Value, ...]
    layers: tuple[Layer, ...]
    upkeep: Upkeep = Upkeep()

    @cached_property
    def producers(self) -> tuple[int | None, ...]:
        """For every value the layer that makes it; None for model inputs."""
        made_by = {value: index for index, layer in enumerate(self.layers) for value in layer.results}
        return tuple(made_by.get(value) for value in range(len(self.values)))

    @cached_property
    def consumers(self) -> tuple[tuple[int, ...], ...]:
        """For every value the layers that read it, in execution order."""
        readers: list[list[int]] = [[] for _ in self.values]
        for index, layer in enumerate(self.layers):
            for value in {operand.value for operand in layer.operands}:
                readers[value].append(index)
        return tuple(tuple(layers) for layers in readers)

    def last_use(self, value: int) -> int:
        """The last layer that needs the value: one behind the last layer for a model output, -1 if none does."""
        if self.values[value].is_output:
            return len(self.layers)
        return max(self.consumers[value], default=-1)


@dataclass(frozen=True)
class Whole:
    """A whole value that was made before the region."""

    value: int


@dataclass(frozen=True)
class Part:
    """What step number `step` of the same region yields."""

    step: int


Source: TypeAlias = Whole | Part


@dataclass(frozen=True)
class Slice:
    """`rows` of `value` are copied out of `source`, which holds them and more."""

    value: int
    rows: Rows
    source: Source


@dataclass(frozen=True)
class Join:
    """`sources`, two to `MAXIMUM_JOINED` of them and adjacent in row order, become one tensor of `rows` of `value`."""

    value: int
    rows: Rows
    sources: tuple[Source, ...]


@dataclass(frozen=True)
class Compute:
    """
    Layer `layer` runs on `sources`, one for each operand, and yields `rows` of its result `value`.

    `pad_top` and `pad_bottom` are the pads around the operands that are read through a `Window`; other kinds of access
    ignore them. `rows` is exactly what comes out, `access.computed(...)`: it may hold wrong rows, which were computed
    from padding that is not there in the unsplit layer, and may even begin or end outside of the tensor. Nothing that
    leaves the region depends on a wrong row (`stripe_check.validate`).
    """

    value: int
    rows: Rows
    layer: int
    sources: tuple[Source, ...]
    pad_top: int = 0
    pad_bottom: int = 0


Step: TypeAlias = Slice | Join | Compute
"""One tensor that a region makes. It is dropped after the last step that reads it."""


@dataclass(frozen=True)
class Region:
    """
    The layers `first` to `last`, both included, replaced by `steps` in execution order.

    The last step yields the whole result of layer `last`, the only value of the region that is used behind it.
    `stripes` says in how many pieces that result is computed.
    """

    first: int
    last: int
    stripes: int
    steps: tuple[Step, ...]


@dataclass(frozen=True)
class Solution:
    """Regions in execution order that do not overlap. The layers in none of them run as they are."""

    regions: tuple[Region, ...] = ()


@dataclass(frozen=True)
class Operator:
    """
    One operator of the written file: the layer it belongs to and the numbers of the tensors it reads and makes.

    `scratch`, `upkeep` and `wishes` as those of a `Layer`, the latter by the numbers of tensors.
    """

    layer: int
    reads: tuple[int, ...]
    makes: tuple[int, ...]
    scratch: int = 0
    upkeep: int = 0
    wishes: tuple[Wish, ...] = ()


@dataclass(frozen=True)
class Program:
    """
    Operators in execution order; tensor `i` takes `sizes[i]` bytes; the first tensors are the problem's values.

    Tensors `at_start` are alive before the first operator, tensors `at_end` behind the last one. No arena plan places
    the `variables`.
    """

    sizes: tuple[int, ...]
    operators: tuple[Operator, ...]
    at_start: tuple[int, ...]
    at_end: tuple[int, ...]
    variables: frozenset[int] = frozenset()


def padded_size(access: RowAccess | None, rows: int, pad_top: int, pad_bottom: int) -> int | None:
    """Bytes of the copy that a PAD operator must make of an operand of `rows` rows; None if it needs none."""
    if not isinstance(access, Window) or (access.is_elementwise and access.valid_columns and not pad_top + pad_bottom):
        return None
    if access.padding(rows, pad_top, pad_bottom) is not Padding.EXPLICIT:
        return None
    assert access.padded_row_bytes is not None
    return (rows + pad_top + pad_bottom) * access.padded_row_bytes


class _ProgramBuilder:
    """Turns a problem and a solution into the operators of the file."""

    def __init__(self, problem: Problem) -> None:
        self.problem = problem
        self.sizes = [value.size for value in problem.values]
        self.operators: list[Operator] = []

    def make_tensor(self, size: int) -> int:
        self.sizes.append(size)
        return len(self.sizes) - 1

    def pad(self, layer: int, tensor: int, size: int | None) -> int:
        """The tensor itself, or the padded copy of `size` bytes."""
        if size is None:
            return tensor
        padded = self.make_tensor(size)
        self.operators.append(Operator(layer, (tensor,), (padded,), upkeep=self.problem.upkeep.pad))
        return padded

    def add_layer(self, index: int) -> None:
        layer = self.problem.layers[index]
        reads = [self.pad(index, operand.value, whole_padded_size(self.problem, operand)) for operand in layer.operands]
        rows = self.problem.values[layer.results[0]].rows if layer.results else 0
        scratch = layer.scratch + rows * layer.scratch_per_row
        self.operators.append(Operator(index, tuple(reads), layer.results, scratch, layer.upkeep, layer.wishes))

    def add_region(self, region: Region) -> None:
        tensors: list[int] = []
        for step in region.steps:
            reads = [source.value if isinstance(source, Whole) else tensors[source.step] for source in sources_of(step)]
            tensors.append(self.make_step_tensor(region, step))
            if isinstance(step, Compute):
                self.add_compute(region, step, reads, tensors[-1])
            else:
                self.add_copy(region, step, reads, tensors[-1])

    def add_compute(self, region: Region, step: Compute, reads: list[int], made: int) -> None:
        layer = self.problem.layers[step.layer]
        overwritten = {wish.operand for wish in layer.wishes if isinstance(wish, Overwrite)}
        operands = zip(layer.operands, reads, strict=True)
        wishes = tuple(Overwrite(made, tensor) for operand, tensor in operands if operand.value in overwritten)
        sizes = compute_padded_sizes(self.problem, region, step)
        fed = tuple(self.pad(step.layer, tensor, size) for tensor, size in zip(reads, sizes, strict=True))
        scratch = layer.scratch + len(step.rows) * layer.scratch_per_row
        self.operators.append(Operator(step.layer, fed, (made,), scratch, layer.upkeep, wishes))

    def add_copy(self, region: Region, step: Slice | Join, reads: list[int], made: int) -> None:
        value = self.problem.values[step.value]
        if isinstance(step, Slice):
            first, upkeep = rows_of(self.problem, region, step.source).start, self.problem.upkeep.slice
            copies = [Copy(made, reads[0], (step.rows.start - first) * value.row_bytes)]
        else:
            upkeep = self.problem.upkeep.join
            starts = [rows_of(self.problem, region, source).start for source in step.sources]
            copies = [
                Copy(tensor, made, (start - step.rows.start) * value.row_bytes)
                for tensor, start in zip(reads, starts, strict=True)
            ]
        wishes = tuple(copies) if value.is_contiguous else ()
        self.operators.append(Operator(region.last, tuple(reads), (made,), upkeep=upkeep, wishes=wishes))

    def make_step_tensor(self, region: Region, step: Step) -> int:
        """The tensor that a step yields: the value itself if it is the region's result."""
        value = self.problem.values[step.value]
        is_result = step is region.steps[-1] and step.rows == Rows(0, value.rows)
        return step.value if is_result else self.make_tensor(len(step.rows) * value.row_bytes)


def sources_of(step: Step) -> tuple[Source, ...]:
    """What a step reads."""
    return (step.source,) if isinstance(step, Slice) else step.sources


def rows_of(problem: Problem, region: Region, source: Source) -> Rows:
    """The rows that a source of a step in `region` holds."""
    if isinstance(source, Whole):
        return Rows(0, problem.values[source.value].rows)
    return region.steps[source.step].rows


def whole_padded_size(problem: Problem, operand: Operand) -> int | None:
    """Bytes of the padded copy of a whole operand of an unsplit layer; None if it needs none."""
    if not isinstance(operand.access, Window):
        return None
    rows = problem.values[operand.value].rows
    return padded_size(operand.access, rows, operand.access.pad_top, operand.access.pad_bottom)


def compute_padded_sizes(problem: Problem, region: Region, step: Compute) -> list[int | None]:
    """For every operand of a step the bytes of its padded copy; None if it needs none."""
    operands = problem.layers[step.layer].operands
    return [
        padded_size(operand.access, len(rows_of(problem, region, source)), step.pad_top, step.pad_bottom)
        for operand, source in zip(operands, step.sources, strict=True)
    ]


def write_program(problem: Problem, solution: Solution) -> Program:
    """The operators of the `.tflite` that this solution of the problem is written as."""
    builder = _ProgramBuilder(problem)
    done = 0
    for region in solution.regions:
        for index in range(done, region.first):
            builder.add_layer(index)
        builder.add_region(region)
        done = region.last + 1
    for index in range(done, len(problem.layers)):
        builder.add_layer(index)
    inputs = tuple(index for index, value in enumerate(problem.values) if value.is_input)
    outputs = tuple(index for index, value in enumerate(problem.values) if value.is_output)
    variables = frozenset(index for index, value in enumerate(problem.values) if value.is_variable)
    return Program(tuple(builder.sizes), tuple(builder.operators), inputs, outputs, variables)


def write_steps(problem: Problem, region: Region) -> Program:
    """The operators of one region alone, or of the steps of it that there are; no tensor is alive around them."""
    builder = _ProgramBuilder(problem)
    builder.add_region(region)
    return Program(tuple(builder.sizes), tuple(builder.operators), (), ())


def live_bytes(program: Program) -> list[int]:
    """For every operator the bytes of all tensors alive while it runs: those it reads and makes included."""
    first = dict.fromkeys(program.at_start, 0)
    last = dict.fromkeys(program.at_start, 0)
    for time, operator in enumerate(program.operators):
        for tensor in (*operator.reads, *operator.makes):
            first.setdefault(tensor, time)
            last[tensor] = time
    end = len(program.operators)
    last.update(dict.fromkeys(program.at_end, end - 1))
    change = [0] * (end + 1)
    for tensor, start in first.items():
        change[start] += program.sizes[tensor]
        change[last[tensor] + 1] -= program.sizes[tensor]
    return list(accumulate(change[:end]))
