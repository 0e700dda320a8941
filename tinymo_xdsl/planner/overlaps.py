"""
Which groups of tensors may lie on each other without moving together.

Tensors that share bytes as a group keep their distance. A result that may be written over an operand needs no such
distance: it only must not begin too far above it. Where they are left in groups of their own, that is what a plan has
to keep to (`planner.arena.problem.Overlap`).
"""

from collections.abc import Mapping, Sequence

from tinymo_xdsl.planner.arena.problem import Overlap
from tinymo_xdsl.planner.sharing import Group, Overwrite, Tensor, Wish


def overlaps_of(tensors: Sequence[Tensor], wishes: Sequence[Wish], groups: Sequence[Group]) -> list[Overlap]:
    """The pairs of `groups`, by index, that may overlap at a step, for all of `wishes` that ask for it."""
    group_of = {tensor: index for index, group in enumerate(groups) for tensor, _ in group.members}
    overwrites = [wish for wish in wishes if isinstance(wish, Overwrite)]
    leads = {(wish.result, wish.operand): wish.lead for wish in overwrites}
    pairs = {(group_of[wish.result], group_of[wish.operand], tensors[wish.result].made) for wish in overwrites}
    overlaps: list[Overlap] = []
    for later, earlier, step in sorted(pairs):
        lead = _lead(tensors, leads, groups[later], groups[earlier], step) if later != earlier else None
        if lead is not None:
            overlaps.append(Overlap(later, earlier, step, lead))
    return overlaps


def _lead(
    tensors: Sequence[Tensor], leads: Mapping[tuple[int, int], int], later: Group, earlier: Group, step: int
) -> int | None:
    """
    The most bytes by which `later` may begin above `earlier`.

    `None` if it holds anything made at `step` that may not be written over something that is read then.
    """
    if any(tensors[index].made == step for index, _ in earlier.members):
        return None
    written = [(index, at) for index, at in later.members if tensors[index].made == step]
    read = [(index, at) for index, at in earlier.members if any(r.step == step for r in tensors[index].reads)]
    pairs = [((result, operand), from_ - to) for result, to in written for operand, from_ in read]
    if any(pair not in leads for pair, _ in pairs):
        return None
    return min(leads[pair] + distance for pair, distance in pairs)
