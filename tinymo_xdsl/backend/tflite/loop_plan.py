"""
What lies in the arena of a file that runs loops: the tensors of all its subgraphs, as one planner sees them.

TFLite Micro keeps the tensors of every subgraph in the same head. The operators of a loop's condition and body run
while its WHILE does: their steps come right behind that one, and everything that is alive in the main subgraph there
is alive in all of them. The tensors that a loop carries are one tensor each, so that nothing is copied between rounds.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from xdsl.dialects.builtin import ModuleOp
from xdsl.dialects.func import FuncOp
from xdsl.ir import SSAValue

from tinymo_xdsl.analysis.aliases import TFLM_ALIGNMENT, Aliases, KernelLibrary, aliases_of
from tinymo_xdsl.analysis.kernels import Kernel, functions, is_constant, kernels_of
from tinymo_xdsl.analysis.liveness import is_variable
from tinymo_xdsl.analysis.loops import Change, Loop, main_loops
from tinymo_xdsl.backend.tflite.export import Exported
from tinymo_xdsl.flatbuffer.model import Subgraph
from tinymo_xdsl.flatbuffer.offline_plan import UNPLANNED
from tinymo_xdsl.planner.arena.problem import round_up
from tinymo_xdsl.planner.sharing import Copy, Overwrite, Read, Tensor, Wish, ends_of
from tinymo_xdsl.tflm.kernels import scratch


@dataclass(frozen=True, eq=False)
class ArenaTensors:
    """What a plan places."""

    aliases: Aliases
    """A value for each tensor; of those that are one, the first."""
    scratch: tuple[Tensor, ...]
    """The scratch of reference kernels, at the same steps."""
    exported: Exported
    homes: Mapping[SSAValue, SSAValue]
    """For each value that is one tensor with others the first of them."""

    def offsets(self, places: Mapping[SSAValue, int]) -> tuple[int, ...]:
        """An offset for each tensor of the file, subgraph after subgraph."""
        offsets: list[int] = []
        for graph, tensors in zip(self.exported.model.subgraphs, self.exported.tensors, strict=True):
            begin = len(offsets)
            offsets += [UNPLANNED] * len(graph.tensors)
            for value, tensor in tensors.items():
                place = places.get(self.homes.get(value, value))
                if place is not None:
                    offsets[begin + tensor] = place
        return tuple(offsets)


def arena_tensors(
    module: ModuleOp, exported: Exported, library: KernelLibrary, overlap: bool = False
) -> ArenaTensors | None:
    """
    The tensors of a level-2 module, and which of them may share bytes; steps and `overlap` as for `aliases_of`.

    `None` where operators run other subgraphs in a way that only TFLite Micro can place, or that is not known to be
    safe with `library`.
    """
    loops = main_loops(module)
    if loops is None or (loops and library is KernelLibrary.UNKNOWN):
        return None
    return _Flattening(module, exported, library, overlap, loops).tensors()


@dataclass(frozen=True, eq=False)
class _Part:
    """One subgraph: its tensors, with steps of their own."""

    aliases: Aliases
    scratch: Sequence[Tensor]
    steps: Mapping[int, int]
    """The step of the whole for each step of the subgraph."""


class _Flattening:
    """Puts the steps and tensors of all subgraphs of a module together."""

    def __init__(
        self, module: ModuleOp, exported: Exported, library: KernelLibrary, overlap: bool, loops: Sequence[Loop]
    ) -> None:
        self.exported = exported
        self.loops = loops
        self.library = library
        self.overlap = overlap
        self.graphs = dict(zip(functions(module), exported.model.subgraphs, strict=True))
        self.homes = _homes(loops)
        self.ends: dict[Loop, int] = {}
        """For each loop the step at which what a round has made is copied."""
        self.parts = self._parts(next(functions(module)))

    def tensors(self) -> ArenaTensors:
        """The whole."""
        known: dict[SSAValue, Tensor] = {}
        for part in self.parts:
            for value, tensor in zip(part.aliases.values, part.aliases.tensors, strict=True):
                home = self.homes.get(value, value)
                moved = _moved(tensor, part.steps)
                known[home] = _merged(known[home], moved) if home in known else moved
        for loop, end in self.ends.items():
            for home in {self.homes[entry.end] for entry in loop.carried if entry.end in known}:
                size = known[home].size
                known[home] = replace(known[home], reads=(*known[home].reads, Read(end, 0, size)))
        numbers = {value: number for number, value in enumerate(known)}
        wishes = tuple(wish for part in self.parts for wish in self._wishes(part, numbers))
        scratch = tuple(_moved(tensor, part.steps) for part in self.parts for tensor in part.scratch)
        return ArenaTensors(Aliases(tuple(known), tuple(known.values()), wishes), scratch, self.exported, self.homes)

    def _parts(self, main: FuncOp) -> list[_Part]:
        """The main subgraph, then those of its loops."""
        loops = {loop.kernel.root: loop for loop in self.loops}
        inner: list[_Part] = []
        steps = [0]
        at = 0
        for kernel in _operators(main):
            at += 1
            steps.append(at)
            if (loop := loops.get(kernel.root)) is not None:
                for function in (loop.condition, loop.body):
                    count = len(_operators(function))
                    inner.append(self._part(function, range(at, at + count + 2)))
                    at += count
                at += 1
                self.ends[loop] = at
        return [self._part(main, [*steps, at + 1]), *inner]

    def _part(self, function: FuncOp, steps: Sequence[int]) -> _Part:
        aliases = aliases_of(function, self.library, self.overlap)
        return _Part(aliases, list(kernel_scratch(self.graphs[function])), dict(enumerate(steps)))

    def _wishes(self, part: _Part, numbers: Mapping[SSAValue, int]) -> Iterator[Wish]:
        """The wishes of a subgraph by the numbers of the whole. What a loop updates in place has none before."""
        starts = {entry.start for loop in self.loops for entry in loop.carried if entry.change is Change.IN_PLACE}
        for wish in part.aliases.wishes:
            values = [part.aliases.values[number] for number in ends_of(wish)]
            if starts.isdisjoint(values):
                first, second = (numbers[self.homes.get(value, value)] for value in values)
                match wish:
                    case Copy():
                        yield replace(wish, part=first, whole=second)
                    case Overwrite():
                        yield replace(wish, result=first, operand=second)


def _homes(loops: Sequence[Loop]) -> dict[SSAValue, SSAValue]:
    """For each value that a loop carries the first of those that are one tensor with it."""
    homes: dict[SSAValue, SSAValue] = {}
    for loop in loops:
        for entry in loop.carried:
            joins = entry.change is not Change.ANEW and not is_constant(entry.start)
            home = homes.get(entry.start, entry.start) if joins else entry.end
            same = [entry.end, entry.condition, entry.body]
            homes.update(dict.fromkeys([*same, *([entry.following] * (entry.change is Change.IN_PLACE))], home))
    return homes


def _operators(function: FuncOp) -> list[Kernel]:
    return [kernel for kernel in kernels_of(function) if not any(map(is_variable, kernel.outputs))]


def _moved(tensor: Tensor, steps: Mapping[int, int]) -> Tensor:
    reads = tuple(replace(read, step=steps[read.step]) for read in tensor.reads)
    return Tensor(tensor.size, steps[tensor.made], reads)


def _merged(first: Tensor, second: Tensor) -> Tensor:
    """One tensor that is both."""
    return Tensor(first.size, min(first.made, second.made), (*first.reads, *second.reads))


def kernel_scratch(graph: Subgraph) -> Iterator[Tensor]:
    """The scratch of reference kernels."""
    for step, operator in enumerate(graph.operators, 1):
        for size in scratch(operator, graph):
            yield Tensor(round_up(size, TFLM_ALIGNMENT), step, ())
