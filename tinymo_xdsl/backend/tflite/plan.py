"""
The arena plan of a `.tflite` file: where each tensor of its main subgraph lies in TFLite Micro's head.

Tensors share bytes where the kernels allow it (`analysis.aliases`), and a planner places the groups. More sharing is
not always better, because what moves together is harder to place: several choices are planned, and the lowest head
wins. What the file holds is final by then: the plan goes into it last.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from xdsl.dialects.builtin import ModuleOp
from xdsl.dialects.func import FuncOp

from tinymo_xdsl.analysis.aliases import TFLM_ALIGNMENT, Aliases, Group, KernelLibrary, Sharing, aliases_of
from tinymo_xdsl.analysis.kernels import functions
from tinymo_xdsl.backend.tflite.export import Exported, export
from tinymo_xdsl.facts import name_of
from tinymo_xdsl.flatbuffer.model import Model, Subgraph
from tinymo_xdsl.flatbuffer.offline_plan import UNPLANNED, with_plan, without_plan
from tinymo_xdsl.planner import sharing as shared
from tinymo_xdsl.planner.arena.portfolio import Effort
from tinymo_xdsl.planner.arena.portfolio import plan as solve
from tinymo_xdsl.planner.arena.problem import Buffer, Piece, PlanError, Problem, Solution, round_up
from tinymo_xdsl.planner.sharing import Wish, ends_of, is_possible
from tinymo_xdsl.tflm.kernels import scratch
from tinymo_xdsl.tflm.lifetimes import CONTROL_FLOW, runtime_problem


@dataclass(frozen=True, eq=False)
class ArenaPlan:
    """The best plan that was found for a file."""

    sharing: Sharing
    """The choice that won."""
    solution: Solution
    """Groups of tensors, then the scratch of kernels, though TFLite Micro places that by itself."""
    head: int
    """Bytes of TFLite Micro's head under the plan, its own places for scratch included."""

    @property
    def optimal(self) -> bool:
        """Whether no plan of the same operators in the same order, with the same sharing, has a smaller head."""
        return self.head == self.solution.lower_bound or (self.solution.optimal and self.head == self.solution.arena)


@dataclass(frozen=True, eq=False)
class PlannedModel:
    """A model that holds its plan, or none for a reason."""

    model: Model
    plan: ArenaPlan | None
    """`None` where no plan is possible."""
    applied: bool
    """Whether the model holds the plan."""
    why: str


def plan_model(module: ModuleOp, library: KernelLibrary, effort: int = Effort.LOW) -> PlannedModel:
    """
    The model of a level-2 `module`, each kernel one operator of the file, with the best plan that is found.

    `effort` bounds the planner's search, for each way of sharing that may win. The model holds no plan where operators
    run other subgraphs, where nothing lies in the arena, and where TFLite Micro's own plan is as low. Raises as
    `export_model`.
    """
    exported = export(module)
    bare = without_plan(exported.model)
    called = sorted({op.name for graph in bare.subgraphs for op in graph.operators if op.name in CONTROL_FLOW})
    if called:
        why = f"{called[0]} runs another subgraph: only TFLite Micro can place what that needs"
        return PlannedModel(bare, None, False, why)
    plan, planned = None, bare
    for layout in _layouts(next(functions(module)), library, bare.subgraphs[0]):
        if plan is None or layout.problem.lower_bound < plan.head:
            solution = solve(layout.problem, effort)
            candidate = with_plan(bare, _offsets(layout, solution, exported))
            head = runtime_problem(candidate).head
            if plan is None or head < plan.head:
                plan, planned = ArenaPlan(layout.sharing, solution, head), candidate
    assert plan is not None
    if (own := runtime_problem(bare).head) <= plan.head:
        return PlannedModel(bare, plan, False, f"TFLite Micro's own plan takes {own:,} bytes too")
    return PlannedModel(planned, plan, True, _describe(plan, own))


@dataclass(frozen=True, eq=False)
class _Layout:
    """One way to share bytes, and the planning problem that it makes."""

    aliases: Aliases
    sharing: Sharing
    wishes: Sequence[Wish]
    groups: Sequence[Group]
    problem: Problem


def _layouts(function: FuncOp, library: KernelLibrary, graph: Subgraph) -> Iterator[_Layout]:
    """Ways to share, the least sharing first; then as little of it as the lowest bound needs."""
    aliases = aliases_of(function, library)
    layouts = [_layout(aliases, sharing, aliases.wishes(sharing), graph) for sharing in Sharing]
    best = min(layouts, key=lambda layout: layout.problem.lower_bound)
    yield layouts[0]
    if best is not layouts[0]:
        yield _with_less(best, graph)
    yield from layouts[1:]


def _with_less(layout: _Layout, graph: Subgraph) -> _Layout:
    """The same without the groups that do not lower the bound: what moves alone is easier to place."""
    least = layout
    for group in layout.groups:
        inside = {layout.aliases.values.index(value) for value, _ in group.members}
        wishes = [wish for wish in least.wishes if not inside.issuperset(ends_of(wish))]
        if len(wishes) < len(least.wishes):
            less = _layout(layout.aliases, layout.sharing, wishes, graph)
            if less.problem.lower_bound == layout.problem.lower_bound:
                least = less
    return least


def _layout(aliases: Aliases, sharing: Sharing, wishes: Sequence[Wish], graph: Subgraph) -> _Layout:
    groups = aliases.groups(wishes)
    return _Layout(aliases, sharing, wishes, groups, _problem(groups, graph))


def _describe(plan: ArenaPlan, own: int) -> str:
    proof = "which is proven to be the least" if plan.optimal else f"the lower bound is {plan.solution.lower_bound:,}"
    return f"{plan.head:,} bytes for activations, {proof}; {own:,} without a plan; sharing: {plan.sharing.value}"


def _problem(groups: Sequence[Group], graph: Subgraph) -> Problem:
    """Groups, and after them the scratch of reference kernels, in whole blocks of the runtime's alignment."""
    buffers = [
        Buffer(f"{index}: {name_of(group.members[0][0])}", tuple(map(_in_blocks, group.pieces)), TFLM_ALIGNMENT)
        for index, group in enumerate(groups)
    ]
    for step, operator in enumerate(graph.operators, 1):
        for number, size in enumerate(scratch(operator, graph)):
            blocks = round_up(size, TFLM_ALIGNMENT)
            name = f"scratch {step}.{number}"
            buffers.append(Buffer.whole(name, blocks, step, step + 1, alignment=TFLM_ALIGNMENT))
    return Problem(tuple(buffers))


def _in_blocks(piece: shared.Piece) -> Piece:
    start = piece.start // TFLM_ALIGNMENT * TFLM_ALIGNMENT
    return Piece(start, round_up(piece.stop, TFLM_ALIGNMENT) - start, piece.first, piece.last + 1)


def _offsets(layout: _Layout, solution: Solution, exported: Exported) -> tuple[int, ...]:
    """An offset for each tensor of the file; tensors of other subgraphs are left to the runtime."""
    places = {
        value: base + offset
        for group, base in zip(layout.groups, solution.offsets, strict=False)
        for value, offset in group.members
    }
    aliases = layout.aliases
    if not is_possible(aliases.tensors, layout.wishes, [places[value] for value in aliases.values]):
        raise PlanError("two tensors of the plan need the same bytes at once; please report this")
    offsets = [UNPLANNED] * sum(len(graph.tensors) for graph in exported.model.subgraphs)
    for value, place in places.items():
        offsets[exported.tensors[0][value]] = place
    return tuple(offsets)
