"""When a region takes its slices: where they are read, or early, where they free what they are cut from."""

from collections.abc import Sequence
from dataclasses import replace

from tinymo_xdsl.planner.stripes import Part, Problem, Region, Slice, Source, Step, sources_of


def slice_early(problem: Problem, region: Region) -> Region:
    """
    The same region with slices moved up to where they free what they are cut from.

    A slice that is the last reader of a source goes right behind the step that reads the source before it, or makes it.
    """
    readers: dict[Source, list[int]] = {}
    for number, step in enumerate(region.steps):
        for source in sources_of(step):
            readers.setdefault(source, []).append(number)
    followers: dict[int, list[int]] = {}
    for source, numbers in readers.items():
        if isinstance(source, Part):
            numbers = [source.step, *numbers]
        elif problem.last_use(source.value) > region.last:
            continue
        if len(numbers) > 1 and isinstance(region.steps[numbers[-1]], Slice):
            followers.setdefault(numbers[-2], []).append(numbers[-1])
    moved = {number for numbers in followers.values() for number in numbers}
    order: list[int] = []
    pending = [number for number in reversed(range(len(region.steps))) if number not in moved]
    while pending:
        order.append(pending.pop())
        pending.extend(sorted(followers.get(order[-1], ()), reverse=True))
    return replace(region, steps=_reorder(region.steps, order))


def _reorder(steps: Sequence[Step], order: Sequence[int]) -> tuple[Step, ...]:
    """The steps in the given order of their numbers."""
    numbers = {old: new for new, old in enumerate(order)}

    def renumber(source: Source) -> Source:
        return Part(numbers[source.step]) if isinstance(source, Part) else source

    def move(step: Step) -> Step:
        if isinstance(step, Slice):
            return replace(step, source=renumber(step.source))
        return replace(step, sources=tuple(map(renumber, step.sources)))

    return tuple(move(steps[number]) for number in order)
