"""
The arena plan of a `.tflite` file: where each tensor of its main subgraph and its loops lies in TFLite Micro's head.

Tensors share bytes where the kernels allow it (`analysis.aliases`), and a planner places the groups. More sharing is
not always better, because what moves together is harder to place: several choices are planned, and the lowest head
wins. What the file holds is final by then: the plan goes into it last.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property

from xdsl.dialects.builtin import ModuleOp
from xdsl.ir import SSAValue

from tinymo_xdsl.analysis.aliases import TFLM_ALIGNMENT, Aliases, Group, KernelLibrary, Sharing
from tinymo_xdsl.backend.tflite.export import export
from tinymo_xdsl.backend.tflite.loop_plan import ArenaTensors, arena_tensors
from tinymo_xdsl.facts import name_of
from tinymo_xdsl.flatbuffer.model import Model
from tinymo_xdsl.flatbuffer.offline_plan import with_plan, without_plan
from tinymo_xdsl.planner import sharing as shared
from tinymo_xdsl.planner.arena.portfolio import plan as solve
from tinymo_xdsl.planner.arena.problem import Buffer, Piece, PlanError, Problem, Solution
from tinymo_xdsl.planner.sharing import Read, Tensor, is_possible
from tinymo_xdsl.tflm.lifetimes import CONTROL_FLOW, runtime_problem

EFFORT = 20_000
"""States that the planner looks at by default: a second or two where it does not find a plan as low as the bound."""
FIRST_LOOK = 1_000
"""States for each way to share at first."""


@dataclass(frozen=True, eq=False)
class ArenaPlan:
    """The best plan that was found for a file."""

    sharing: Sharing
    """The choice that won."""
    solution: Solution
    """Groups of tensors, then the scratch of kernels, though TFLite Micro places that by itself."""
    places: Mapping[SSAValue, int]
    """The offset of each tensor in bytes from the start of the head."""
    head: int
    """Bytes of TFLite Micro's head under the plan, its own places for scratch included."""
    lower_bound: int
    """Bytes that no plan of the same operators in the same order has a smaller head than, whatever it shares."""
    safe_with: tuple[KernelLibrary, ...] = ()
    """The kernels that compute the same under the plan."""

    @property
    def optimal(self) -> bool:
        """Whether it is proven that no plan of the same operators in the same order has a smaller head."""
        return self.head == self.lower_bound


@dataclass(frozen=True, eq=False)
class PlannedModel:
    """A model that holds its plan, or none for a reason."""

    model: Model
    plan: ArenaPlan | None
    """`None` where no plan is possible."""
    applied: bool
    """Whether the model holds the plan."""
    why: str


class ModelPlanner:
    """
    Plans the model of a level-2 module, each kernel one operator of the file. Raises as `export_model`.

    There is no plan where operators run other subgraphs, loops aside: see `analysis.loops`.
    """

    def __init__(self, module: ModuleOp, library: KernelLibrary, overlap: bool = False) -> None:
        self.exported = export(module)
        self.module = module
        self.bare = without_plan(self.exported.model)
        operators = [operator for graph in self.bare.subgraphs for operator in graph.operators]
        self.called = sorted({operator.name for operator in operators if operator.name in CONTROL_FLOW})
        self.own_head = runtime_problem(self.bare).head
        """Bytes of the head that TFLite Micro plans by itself."""
        self.tensors = arena_tensors(module, self.exported, library, overlap)

    @cached_property
    def lower_bound(self) -> int:
        """Bytes that no plan has a smaller head than."""
        return self.own_head if self.tensors is None else self.tensors.aliases.least_bytes(self.tensors.scratch)

    @cached_property
    def layouts(self) -> list["_Layout"]:
        """Ways to share, the one with the least sharing first."""
        return [] if self.tensors is None else list(_layouts(self.tensors, self.lower_bound))

    @cached_property
    def roomy_layouts(self) -> list["_Layout"]:
        """The same for tensors that keep all their bytes where a kernel needs scratch."""
        if self.tensors is None or not self.tensors.scratch:
            return []
        return list(_layouts(_with_room_for_scratch(self.tensors), self.lower_bound))

    @cached_property
    def first_look(self) -> PlannedModel:
        """The model with a plan that is found with little effort."""
        return self._planned(self._looked_at_first)

    def plan(self, effort: int = EFFORT) -> PlannedModel:
        """
        The model with the best plan that is found; `effort` bounds the planner's search.

        It holds none where TFLite Micro's own plan is as low. It is never higher than at first look.
        """
        best = self._looked_at_first
        if best is not None:
            # Where each tensor moves by itself, the planner has the most freedom.
            for layouts in (self.layouts, self.roomy_layouts):
                best = self._better(best, layouts[0], effort) if layouts else best
        return self._planned(best)

    @cached_property
    def _looked_at_first(self) -> ArenaPlan | None:
        best: ArenaPlan | None = None
        for layout in self.layouts:
            best = self._better(best, layout, FIRST_LOOK)
        if best is not None and best.lower_bound < best.head:
            for layout in self.roomy_layouts:
                best = self._better(best, layout, FIRST_LOOK)
        return best

    def _better(self, best: ArenaPlan | None, layout: "_Layout", effort: int) -> ArenaPlan:
        """The better one of `best` and a plan of `layout`, with what is known of the bound by then."""
        if best is not None and max(layout.problem.lower_bound, best.lower_bound) >= best.head:
            return best
        found = self._plan(layout, effort)
        if best is None:
            return found
        bound = max(found.lower_bound, best.lower_bound)
        return replace(found if found.head < best.head else best, lower_bound=bound)

    def _planned(self, plan: ArenaPlan | None) -> PlannedModel:
        if plan is None:
            why = f"{self.called[0]} runs another subgraph: only TFLite Micro can place what that needs"
            return PlannedModel(self.bare, None, False, why)
        plan = replace(plan, safe_with=tuple(self._safe_with(plan.places)))
        if self.own_head <= plan.head:
            return PlannedModel(self.bare, plan, False, f"TFLite Micro's own plan takes {self.own_head:,} bytes too")
        return PlannedModel(self._model(plan.places), plan, True, _describe(plan, self.own_head))

    def _plan(self, layout: "_Layout", effort: int) -> ArenaPlan:
        solution = solve(layout.problem, effort)
        places = _places(layout, solution)
        head = runtime_problem(self._model(places)).head
        # Where everything moves apart, what is proven holds for all ways to share.
        bound = solution.lower_bound if layout is self.layouts[0] else self.lower_bound
        return ArenaPlan(layout.sharing, solution, places, head, bound)

    def _model(self, places: Mapping[SSAValue, int]) -> Model:
        assert self.tensors is not None
        return with_plan(self.bare, self.tensors.offsets(places))

    def _safe_with(self, places: Mapping[SSAValue, int]) -> Iterator[KernelLibrary]:
        for library in KernelLibrary:
            tensors = arena_tensors(self.module, self.exported, library)
            if tensors is not None and _is_safe(tensors.aliases, places):
                yield library


@dataclass(frozen=True, eq=False)
class _Layout:
    """One way to share bytes, and the planning problem that it makes."""

    tensors: ArenaTensors
    sharing: Sharing
    groups: Sequence[Group]
    problem: Problem


def _layouts(tensors: ArenaTensors, least: int) -> Iterator[_Layout]:
    aliases, scratch = tensors.aliases, tensors.scratch
    fewest = len(aliases.values) + 1
    for sharing in Sharing:
        groups = aliases.groups(sharing, scratch)
        if len(groups) < fewest:
            # Tensors that move apart may come to lie where both hold the same.
            ties = aliases.ties() if len(groups) == len(aliases.values) else []
            overlaps = aliases.overlaps(groups)
            problem = Problem(_buffers(groups, scratch), tuple(overlaps), tuple(ties), least)
            yield _Layout(tensors, sharing, groups, problem)
        fewest = min(fewest, len(groups))


def _with_room_for_scratch(tensors: ArenaTensors) -> ArenaTensors:
    """
    Tensors that are in use as a whole at the steps of scratch.

    TFLite Micro places scratch by itself, beside all tensors from their first byte to their last, whatever rows of them
    are still needed.
    """
    steps = {scratch.made for scratch in tensors.scratch}
    kept = tuple(_kept_whole(tensor, steps) for tensor in tensors.aliases.tensors)
    return replace(tensors, aliases=replace(tensors.aliases, tensors=kept))


def _kept_whole(tensor: Tensor, steps: Iterable[int]) -> Tensor:
    last = max((read.step for read in tensor.reads), default=tensor.made)
    whole = tuple(Read(step, 0, tensor.size) for step in sorted(steps) if tensor.made < step <= last)
    return replace(tensor, reads=(*tensor.reads, *whole))


def _describe(plan: ArenaPlan, own: int) -> str:
    proof = "proven to be the least" if plan.optimal else f"the lower bound is {plan.lower_bound:,}"
    names = [library.value for library in plan.safe_with]
    safe = "any" if KernelLibrary.UNKNOWN in plan.safe_with else " and ".join(names) or "TFLM's reference"
    return f"{plan.head:,} bytes for activations, {proof}; {own:,} without a plan; for {safe} kernels"


def _buffers(groups: Sequence[Group], scratch: Sequence[Tensor]) -> tuple[Buffer, ...]:
    """Groups, and after them scratch."""
    buffers = [
        Buffer(f"{index}: {name_of(group.members[0][0])}", tuple(map(_piece, group.pieces)), TFLM_ALIGNMENT)
        for index, group in enumerate(groups)
    ]
    for index, tensor in enumerate(scratch):
        name, step = f"scratch {index}", tensor.made
        buffers.append(Buffer.whole(name, tensor.size, step, step + 1, alignment=TFLM_ALIGNMENT))
    return tuple(buffers)


def _piece(piece: shared.Piece) -> Piece:
    return Piece(piece.start, piece.stop - piece.start, piece.first, piece.last + 1)


def _places(layout: _Layout, solution: Solution) -> Mapping[SSAValue, int]:
    """The offset of each value from the start of the head."""
    places = {
        value: base + offset
        for group, base in zip(layout.groups, solution.offsets, strict=False)
        for value, offset in group.members
    }
    if not _is_safe(layout.tensors.aliases, places):
        raise PlanError("two tensors of the plan need the same bytes at once; please report this")
    return places


def _is_safe(aliases: Aliases, places: Mapping[SSAValue, int]) -> bool:
    return is_possible(aliases.tensors, aliases.wishes, [places[value] for value in aliases.values])
